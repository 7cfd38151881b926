//! This owns telling whether a line could be one of this log: an event of the schema with exactly its fields, each a number,
//! one of its words, a route of the table, or a place in a source file. It does not write lines.

use std::panic::Location;

use serde_json::Value;

use super::event::{Event, Reader, Unit};
use super::routes::{Route, Routes};
use super::word::Word;

/// Whether a line, of either form, is one that this log can write.
#[must_use]
pub fn knows(line: &str, routes: &Routes) -> bool {
    let shapes = Event::SAMPLES.iter().map(|event| {
        let mut shape = Shape::default();
        event.describe(&mut shape);
        shape
    });
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => {
            fields.get("time").and_then(Value::as_str).is_some_and(is_time)
                && shapes.into_iter().any(|shape| shape.has_fields(&fields, routes))
        }
        _ => line.split_once(' ').is_some_and(|(time, rest)| {
            is_time(time) && shapes.into_iter().any(|shape| shape.is_written_as(rest, routes))
        }),
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// What an event looks like.
#[derive(Default)]
struct Shape {
    name: &'static str,
    parts: Vec<(&'static str, Part)>,
}

enum Part {
    Number,
    Word(Vec<&'static str>),
    Route,
    Place,
}

impl Shape {
    fn has_fields(&self, fields: &serde_json::Map<String, Value>, routes: &Routes) -> bool {
        let has = |(name, part): &(&'static str, Part)| {
            fields.get(*name).is_some_and(|value| match (part, value) {
                (Part::Number, value) => value.is_u64(),
                (part, Value::String(text)) => part.length_in(text, routes) == Some(text.len()),
                _ => false,
            })
        };
        fields.get("event").and_then(Value::as_str) == Some(self.name)
            && fields.len() == self.parts.len() + 2
            && self.parts.iter().all(has)
    }

    /// `name field=value …`, as for people.
    fn is_written_as(&self, text: &str, routes: &Routes) -> bool {
        let Some(mut rest) = text.strip_prefix(self.name) else { return false };
        for (name, part) in &self.parts {
            let after = rest.trim_start().strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            let Some((value, length)) = after.and_then(|value| Some((value, part.length_in(value, routes)?)))
            else {
                return false;
            };
            rest = value.get(length..).unwrap_or_default();
        }
        rest.trim_start().is_empty()
    }
}

impl Part {
    /// How many bytes of the text this part takes, from its beginning.
    fn length_in(&self, text: &str, routes: &Routes) -> Option<usize> {
        let longest = |words: &mut dyn Iterator<Item = &'static str>| {
            words.filter(|word| text.starts_with(word)).map(str::len).max()
        };
        match self {
            Self::Number => Some(text.bytes().take_while(u8::is_ascii_digit).count()).filter(|n| *n > 0),
            Self::Word(words) => longest(&mut words.iter().copied()),
            Self::Route => longest(&mut routes.all().iter().map(|route| route.template())),
            Self::Place => {
                let end = text.find(' ').unwrap_or(text.len());
                let (file, line) = text.get(..end)?.rsplit_once(':')?;
                let letter = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
                let a_place =
                    file.ends_with(".rs") && file.chars().all(letter) && line.parse::<u32>().is_ok();
                a_place.then_some(end)
            }
        }
    }
}

impl Reader for Shape {
    fn event(&mut self, name: &'static str, _: &'static str, _: &'static str) {
        self.name = name;
    }

    fn number(&mut self, name: &'static str, _: u64, _: Unit, _: &'static str) {
        self.parts.push((name, Part::Number));
    }

    fn word<W: Word>(&mut self, name: &'static str, _: W, _: &'static str) {
        self.parts.push((name, Part::Word(W::ALL.iter().map(|word| word.word()).collect())));
    }

    fn route(&mut self, name: &'static str, _: Route, _: &'static str) {
        self.parts.push((name, Part::Route));
    }

    fn place(&mut self, name: &'static str, _: &Location<'_>, _: &'static str) {
        self.parts.push((name, Part::Place));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Form, line};
    use super::*;

    #[test]
    fn every_line_of_the_program_is_known_and_others_are_not() {
        let routes = Routes::new(["/", "/a/{id}"]);
        for event in Event::SAMPLES {
            for form in [Form::Pretty, Form::Json] {
                line::with(form, *event, |line| {
                    let line = std::str::from_utf8(line).unwrap().trim_end();
                    assert!(knows(line, &routes), "{line}");
                });
            }
        }
        let time = "2026-11-25T12:00:00Z";
        for wrong in [
            "",
            "GET / 200",
            "not-a-time stopped",
            &format!("{time} request   method=GET route=/ status=200 micros=1 agent=curl"),
            &format!("{time} request   method=GET route=/?q=fox status=200 micros=1"),
            &format!("{time} request   method=GET route=/b/{{id}} status=200 micros=1"),
            &format!("{time} request   method=fox route=/ status=200 micros=1"),
            &format!("{time} request   method=GET route=/ status=fine micros=1"),
            &format!("{time} failure   kind=internal place=a red fox.rs:1"),
            &format!("{time} notice    text=ada@example.org"),
            &format!("{time} visit     who=ada@example.org"),
            &format!("{{\"time\":\"{time}\",\"event\":\"stopped\",\"by\":\"ada\"}}"),
            "{\"time\":\"now\",\"event\":\"stopped\"}",
        ] {
            assert!(!knows(wrong, &routes), "{wrong}");
        }
    }
}
