//! This owns the log: a closed list of events made of numbers, enums and text that stands in the program.
//! Nothing a visitor sent can be an argument of an event; the types do not allow it.

use std::io::Write;

use kernel::Kind;

/// One line of the log.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The server answers requests.
    Ready {
        /// Milliseconds since the process started.
        start_millis: u64,
        /// Artworks in the gallery.
        artworks: u64,
    },
    /// A request was answered.
    Request {
        /// Method, from the fixed list of HTTP.
        method: &'static str,
        /// The route's template, `/a/{id}`, or `-` where none matched.
        route: &'static str,
        /// Status of the answer.
        status: u16,
        /// Time until the head of the answer.
        millis: u64,
    },
    /// Something failed.
    Failure {
        /// What kind of failure.
        kind: Kind,
        /// Where in the program.
        place: &'static str,
    },
    /// A mail was handed over, or not.
    Mail {
        /// Whether the receiving side took it.
        accepted: bool,
    },
    /// A generation ended.
    Generation {
        /// How it ended: `completed`, `failed`, `cancelled`.
        outcome: &'static str,
        /// Time it took.
        millis: u64,
    },
    /// Holds of a process that died were given back at start.
    HoldsReleased {
        /// How many.
        holds: u64,
    },
    /// Entries of the search index that were missing or stale at start and were made again.
    Reindexed {
        /// How many.
        entries: u64,
    },
    /// Files were held against keys: what has no key was swept, what has no file is named.
    Reconciled {
        /// Records without a key whose files were unlinked.
        swept: u64,
        /// Pictures without a file.
        missing: u64,
    },
    /// An import or the starter gallery ended.
    Imported {
        /// Artworks that are new or changed.
        added: u64,
        /// Entries that were skipped.
        skipped: u64,
    },
    /// The operator's attention is wanted.
    Notice {
        /// What for, in words that stand in the program.
        text: &'static str,
    },
    /// The server stops after what is under way.
    Draining,
    /// The server has stopped.
    Stopped,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The log of this process; it writes to standard error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log {
    form: Form,
}

impl Log {
    /// A log that writes lines of this form.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form }
    }

    /// Writes an event. A log that cannot be written does not stop the server.
    pub fn write(self, event: Event) {
        // One write, since nothing gathers them on the way.
        let _ = std::io::stderr().lock().write_all((self.line(event) + "\n").as_bytes());
    }

    fn line(self, event: Event) -> String {
        let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
        let (name, fields) = event.parts();
        match self.form {
            Form::Json => {
                let mut object = serde_json::Map::new();
                object.insert("time".into(), now.to_string().into());
                object.insert("event".into(), name.into());
                object.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
                serde_json::Value::Object(object).to_string()
            }
            Form::Pretty => fields.iter().fold(format!("{now} {name:<9}"), |line, (key, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{line} {key}={value}")
            }),
        }
    }

    /// Writes a failure, where it is one the operator should know of.
    pub fn failure(self, error: &kernel::Error) {
        if matches!(error.kind, Kind::Internal | Kind::StorageFull | Kind::Upstream | Kind::Unavailable) {
            self.write(Event::Failure { kind: error.kind, place: error.place.unwrap_or("-") });
        }
    }
}

type Fields = Vec<(&'static str, serde_json::Value)>;

impl Event {
    fn parts(self) -> (&'static str, Fields) {
        match self {
            Self::Ready { start_millis, artworks } => {
                ("ready", vec![("start_millis", start_millis.into()), ("artworks", artworks.into())])
            }
            Self::Request { method, route, status, millis } => (
                "request",
                vec![
                    ("method", method.into()),
                    ("route", route.into()),
                    ("status", status.into()),
                    ("millis", millis.into()),
                ],
            ),
            Self::Failure { kind, place } => {
                ("failure", vec![("kind", format!("{kind:?}").into()), ("place", place.into())])
            }
            Self::Mail { accepted } => ("mail", vec![("accepted", accepted.into())]),
            Self::Generation { outcome, millis } => {
                ("generation", vec![("outcome", outcome.into()), ("millis", millis.into())])
            }
            Self::HoldsReleased { holds } => ("released", vec![("holds", holds.into())]),
            Self::Reindexed { entries } => ("reindexed", vec![("entries", entries.into())]),
            Self::Reconciled { swept, missing } => {
                ("reconciled", vec![("swept", swept.into()), ("missing", missing.into())])
            }
            Self::Imported { added, skipped } => {
                ("imported", vec![("added", added.into()), ("skipped", skipped.into())])
            }
            Self::Notice { text } => ("notice", vec![("text", text.into())]),
            Self::Draining => ("draining", vec![]),
            Self::Stopped => ("stopped", vec![]),
        }
    }
}

/// Whether a line, of either form, can be one of this log: a time, an event of the list, and exactly its fields, each of its
/// type. A word is short and made of the letters that words, templates of routes and places have; a notice is any sentence.
#[must_use]
pub fn knows(line: &str) -> bool {
    let read = if line.starts_with('{') { json_fields(line) } else { pretty_fields(line) };
    read.is_some_and(|(time, name, fields)| {
        time.parse::<jiff::Timestamp>().is_ok()
            && samples().iter().any(|sample| sample.resembles(&name, &fields))
    })
}

type Read = (String, String, Vec<(String, serde_json::Value)>);

fn json_fields(line: &str) -> Option<Read> {
    let serde_json::Value::Object(mut object) = serde_json::from_str(line).ok()? else { return None };
    let (time, name) = (object.remove("time")?, object.remove("event")?);
    Some((time.as_str()?.to_owned(), name.as_str()?.to_owned(), object.into_iter().collect()))
}

fn pretty_fields(line: &str) -> Option<Read> {
    let (time, rest) = line.split_once(' ')?;
    let (name, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut fields = Vec::new();
    rest = rest.trim_start();
    while let Some((key, after)) = rest.split_once('=') {
        // A notice and a place are sentences, and last.
        let (value, next) = if ["text", "place"].contains(&key) {
            (after, "")
        } else {
            after.split_once(' ').unwrap_or((after, ""))
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        fields.push((key.to_owned(), value));
        rest = next;
    }
    rest.is_empty().then(|| (time.to_owned(), name.to_owned(), fields))
}

/// One event of each kind.
fn samples() -> [Event; 12] {
    let text = "-";
    [
        Event::Ready { start_millis: 0, artworks: 0 },
        Event::Request { method: text, route: text, status: 0, millis: 0 },
        Event::Failure { kind: Kind::Internal, place: text },
        Event::Mail { accepted: true },
        Event::Generation { outcome: text, millis: 0 },
        Event::HoldsReleased { holds: 0 },
        Event::Reindexed { entries: 0 },
        Event::Reconciled { swept: 0, missing: 0 },
        Event::Imported { added: 0, skipped: 0 },
        Event::Notice { text },
        Event::Draining,
        Event::Stopped,
    ]
}

/// Characters of a word that is no sentence.
const WORD_CHARS_MAX: usize = 100;

impl Event {
    fn resembles(self, name: &str, fields: &[(String, serde_json::Value)]) -> bool {
        let (own, wanted) = self.parts();
        own == name
            && wanted.len() == fields.len()
            && wanted.iter().all(|(key, sample)| {
                fields.iter().any(|(found, value)| found == key && alike(key, sample, value))
            })
    }
}

fn alike(key: &str, sample: &serde_json::Value, value: &serde_json::Value) -> bool {
    match value.as_str() {
        Some(word) if sample.is_string() => {
            let letter = |c: char| c.is_ascii_alphanumeric() || " -_/{}*.:,\'".contains(c);
            key == "text" || (word.len() <= WORD_CHARS_MAX && word.chars().all(letter))
        }
        _ => (sample.is_u64() && value.is_u64()) || (sample.is_boolean() && value.is_boolean()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_program_is_known_and_others_are_not() {
        for event in samples() {
            for form in [Form::Pretty, Form::Json] {
                let line = Log::new(form).line(event);
                assert!(knows(&line), "{line}");
            }
        }
        let time = "2026-11-25T12:00:00Z";
        for wrong in [
            "",
            "GET / 200",
            &format!("{time} request   method=GET route=/ status=200 millis=1 agent=curl"),
            &format!("{time} request   method=GET route=/?q=fox status=200 millis=1"),
            &format!("{time} request   method=GET route=/ status=fine millis=1"),
            &format!("{time} visit     who=ada@example.org"),
            &format!("{{\"time\":\"{time}\",\"event\":\"stopped\",\"by\":\"ada\"}}"),
            "{\"time\":\"now\",\"event\":\"stopped\"}",
        ] {
            assert!(!knows(wrong), "{wrong}");
        }
    }
}
