//! This owns the gate for what libraries say through the `log` and `tracing` facades. Warnings and errors of the parts listed
//! here become an event without their words; everything else is dropped before it is put together.

use std::sync::OnceLock;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};

use super::word::{Level, Word};
use super::{Event, Log};

/// A part of a library whose warnings the operator should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    target: &'static str,
    why: &'static str,
}

const fn library(target: &'static str, why: &'static str) -> Library {
    Library { target, why }
}

/// Every part that may come through, with the reason. What is below a part counts as the part.
pub const LIBRARIES: &[Library] = &[
    library("sqlx::query", "a statement took more than a second: the disk is slow, or an index is missing"),
    library("sqlx::pool", "a connection to the database was long in coming: too much is read at once"),
    library("sqlx_core", "a connection to the database ended badly"),
    library("sqlx_sqlite", "the database's own thread is in trouble"),
    library("tantivy", "the word index could not write or merge its files"),
    library("hyper", "an answer that the protocol does not allow: a defect of this program"),
    library("hyper_util", "connections to or from this machine fail"),
    library("reqwest", "a certificate or a proxy of the machine cannot be used for outgoing requests"),
    library("rustls", "a certificate or a key of the machine cannot be used"),
    library("rustls_platform_verifier", "certificates of the machine cannot be read"),
    library("lettre", "the mail server breaks the protocol"),
    library("mio", "the system reports readiness wrongly"),
];

impl Library {
    /// One of them, for samples.
    pub(super) const SAMPLE: Self = LIBRARIES[0];

    /// Why it is listed.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.why
    }

    /// The listed part that a target belongs to. The text of the target itself goes no further.
    fn of(target: &str) -> Option<Self> {
        LIBRARIES.iter().copied().find(|listed| {
            let below = target.strip_prefix(listed.target);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}

impl Word for Library {
    const ALL: &'static [Self] = LIBRARIES;

    fn word(self) -> &'static str {
        self.target
    }
}

/// Puts the gate before every library of this process. The first log that does so stays.
pub(super) fn install(log: Log) {
    static GATE: OnceLock<Gate> = OnceLock::new();
    let gate = GATE.get_or_init(|| Gate(log));
    if log::set_logger(gate).is_ok() && tracing::subscriber::set_global_default(gate.clone()).is_ok() {
        log::set_max_level(log::LevelFilter::Warn);
    }
}

#[derive(Clone)]
pub(super) struct Gate(pub(super) Log);

impl log::Log for Gate {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn && Library::of(metadata.target()).is_some()
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::Error,
            log::Level::Warn => Level::Warning,
            _ => return,
        };
        if let Some(target) = Library::of(record.target()) {
            self.0.write(Event::Library { target, level });
        }
    }

    fn flush(&self) {}
}

fn tracing_level(metadata: &Metadata<'_>) -> Option<Level> {
    match *metadata.level() {
        tracing::Level::ERROR => Some(Level::Error),
        tracing::Level::WARN => Some(Level::Warning),
        _ => None,
    }
}

/// Spans are never made: they carry fields, and nothing here reads them.
impl Subscriber for Gate {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && tracing_level(metadata).is_some() && Library::of(metadata.target()).is_some()
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::WARN)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        if let (Some(target), Some(level)) = (Library::of(metadata.target()), tracing_level(metadata)) {
            self.0.write(Event::Library { target, level });
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
