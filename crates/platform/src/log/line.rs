//! This owns how an event becomes a line: into one buffer of the thread, with the time's text kept for a second.

use std::cell::RefCell;
use std::io::Write;
use std::panic::Location;

use super::Form;
use super::event::{Event, Reader, Unit};
use super::routes::Route;
use super::word::Word;

/// Bytes of a buffer at its start; a request's line has about a hundred.
const LINE_BYTES: usize = 256;
/// Spaces, to align the fields of a line for people.
const NAME_PADDING: &[u8] = b"          ";

thread_local! {
    static PEN: RefCell<Pen> = RefCell::default();
}

/// What a thread writes lines with.
#[derive(Default)]
struct Pen {
    second: i64,
    /// The time of that second.
    time: String,
    line: Vec<u8>,
}

/// Gives the line of an event to `sink`.
pub(super) fn with(form: Form, event: Event<'_>, sink: impl FnOnce(&[u8])) {
    let now = jiff::Timestamp::now();
    PEN.with(|pen| match pen.try_borrow_mut() {
        Ok(mut pen) => sink(pen.write(form, event, now)),
        // A panic amid a line; its own line still comes.
        Err(_) => sink(Pen::default().write(form, event, now)),
    });
}

impl Pen {
    fn write(&mut self, form: Form, event: Event<'_>, now: jiff::Timestamp) -> &[u8] {
        if self.second != now.as_second() || self.time.is_empty() {
            self.second = now.as_second();
            self.time = jiff::Timestamp::from_second(self.second).unwrap_or_default().to_string();
        }
        self.line.clear();
        self.line.reserve(LINE_BYTES);
        match form {
            Form::Pretty => event.describe(&mut Pretty(self)),
            Form::Json => {
                event.describe(&mut Json(self));
                self.line.push(b'}');
            }
        }
        self.line.push(b'\n');
        &self.line
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.line.extend_from_slice(part.as_bytes());
        }
    }

    /// Digits by hand, since this is most of a line.
    fn push_number(&mut self, mut value: u64) {
        let mut digits = [0_u8; 20];
        let mut from = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
            from -= 1;
            if value == 0 {
                break;
            }
        }
        self.line.extend_from_slice(digits.get(from..).unwrap_or_default());
    }

    fn push_place(&mut self, place: &Location<'_>) {
        let _ = write!(self.line, "{}:{}", place.file(), place.line());
    }
}

/// `time name field=value …`, for people.
struct Pretty<'a>(&'a mut Pen);

impl Pretty<'_> {
    fn name(&mut self, name: &str) {
        self.0.push(&[" ", name, "="]);
    }
}

impl Reader for Pretty<'_> {
    fn event(&mut self, name: &'static str, _: &'static str, _: &'static str) {
        let pen = &mut *self.0;
        pen.line.extend_from_slice(pen.time.as_bytes());
        pen.push(&[" ", name]);
        pen.line.extend_from_slice(NAME_PADDING.get(name.len()..).unwrap_or_default());
    }

    fn number(&mut self, name: &'static str, value: u64, _: Unit, _: &'static str) {
        self.name(name);
        self.0.push_number(value);
    }

    fn word<W: Word>(&mut self, name: &'static str, value: W, _: &'static str) {
        self.name(name);
        self.0.push(&[value.word()]);
    }

    fn route(&mut self, name: &'static str, value: Route, _: &'static str) {
        self.name(name);
        self.0.push(&[value.template()]);
    }

    fn place(&mut self, name: &'static str, value: &Location<'_>, _: &'static str) {
        self.name(name);
        self.0.push_place(value);
    }
}

/// One JSON object. Words, templates and places need no escapes, which a test holds.
struct Json<'a>(&'a mut Pen);

impl Reader for Json<'_> {
    fn event(&mut self, name: &'static str, _: &'static str, _: &'static str) {
        let pen = &mut *self.0;
        pen.line.extend_from_slice(b"{\"time\":\"");
        pen.line.extend_from_slice(pen.time.as_bytes());
        pen.push(&["\",\"event\":\"", name, "\""]);
    }

    fn number(&mut self, name: &'static str, value: u64, _: Unit, _: &'static str) {
        self.0.push(&[",\"", name, "\":"]);
        self.0.push_number(value);
    }

    fn word<W: Word>(&mut self, name: &'static str, value: W, _: &'static str) {
        self.0.push(&[",\"", name, "\":\"", value.word(), "\""]);
    }

    fn route(&mut self, name: &'static str, value: Route, _: &'static str) {
        self.0.push(&[",\"", name, "\":\"", value.template(), "\""]);
    }

    fn place(&mut self, name: &'static str, value: &Location<'_>, _: &'static str) {
        self.0.push(&[",\"", name, "\":\""]);
        self.0.push_place(value);
        self.0.push(&["\""]);
    }
}
