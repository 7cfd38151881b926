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
    /// The server has locked itself in.
    LockedIn {
        /// Version of Landlock; 0 where it does not hold.
        landlock: u8,
        /// System calls that are refused; 0 where none are.
        calls: u16,
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
        let now = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
        let (name, fields) = event.parts();
        let line = match self.form {
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
        };
        // One write, since nothing gathers them on the way.
        let _ = std::io::stderr().lock().write_all((line + "\n").as_bytes());
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
            Self::LockedIn { landlock, calls } => {
                ("sandbox", vec![("landlock", landlock.into()), ("calls", calls.into())])
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
