//! This owns the schema of the log: every event with its name, its meaning and its fields. To add one, add a variant, its
//! arm in `describe` and a sample; the line, `docs/logging.md` and the tests follow from these.

use std::panic::Location;

use kernel::Kind;

use super::gate::Library;
use super::routes::Route;
use super::word::{Delivery, Level, Method, Notice, Outcome, Word};

/// One line of the log.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // Each is described by the program, in `describe`.
pub enum Event<'a> {
    Ready { start_millis: u64, artworks: u64 },
    LockedIn { landlock: u8, calls: u16 },
    Request { method: Method, route: Route, status: u16, micros: u64 },
    Failure { kind: Kind, place: &'a Location<'a> },
    Panic { place: &'a Location<'a> },
    Library { target: Library, level: Level },
    Mail { delivery: Delivery },
    Generation { outcome: Outcome, millis: u64 },
    HoldsReleased { holds: u64 },
    Reindexed { entries: u64 },
    Reconciled { swept: u64, missing: u64 },
    Imported { added: u64, skipped: u64 },
    Payments { seen: u64, missed: u64 },
    Notice { text: Notice },
    Draining,
    Stopped,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Microseconds,
    Status,
    Things,
    Version,
}

/// Reads an event, part by part. A part is a number, a word out of a closed list, a route of the table or a place that the
/// compiler has noted; there is no part for text.
pub(super) trait Reader {
    fn event(&mut self, name: &'static str, meaning: &'static str, when: &'static str);
    fn number(&mut self, name: &'static str, value: u64, unit: Unit, meaning: &'static str);
    fn word<W: Word>(&mut self, name: &'static str, value: W, meaning: &'static str);
    fn route(&mut self, name: &'static str, value: Route, meaning: &'static str);
    fn place(&mut self, name: &'static str, value: &Location<'_>, meaning: &'static str);
}

impl Event<'_> {
    #[allow(clippy::too_many_lines)] // It is a table.
    pub(super) fn describe(self, to: &mut impl Reader) {
        match self {
            Self::Ready { start_millis, artworks } => {
                to.event("ready", "The server answers requests.", "once, when it has opened its address");
                to.number("start_millis", start_millis, Unit::Milliseconds, "since the process started");
                to.number("artworks", artworks, Unit::Things, "artworks in the gallery");
            }
            Self::LockedIn { landlock, calls } => {
                to.event(
                    "sandbox",
                    "The server has locked itself in.",
                    "at start; what the kernel leaves open follows as notices",
                );
                to.number(
                    "landlock",
                    landlock.into(),
                    Unit::Version,
                    "of Landlock; 0 where it does not hold",
                );
                to.number("calls", calls.into(), Unit::Things, "system calls that are refused");
            }
            Self::Request { method, route, status, micros } => {
                to.event("request", "A request was answered.", "for each request, when its answer begins");
                to.word("method", method, "method; OTHER is every method that HTTP does not list");
                to.route("route", route, "template of the route; `-` where none matched");
                to.number("status", status.into(), Unit::Status, "of the answer");
                to.number("micros", micros, Unit::Microseconds, "until the head of the answer");
            }
            Self::Failure { kind, place } => {
                let when = "for internal, storage_full, upstream and unavailable; what a visitor can mend is told to the visitor alone";
                to.event("failure", "Something failed that the operator should know of.", when);
                to.word("kind", kind, "kind of failure");
                to.place("place", place, "where in the program it was noticed");
            }
            Self::Panic { place } => {
                to.event(
                    "panic",
                    "A defect stopped a piece of work.",
                    "at each panic; its words are not written",
                );
                to.place("place", place, "where in the program");
            }
            Self::Library { target, level } => {
                let when = "when a part of a library that is listed below warns; its words are not written";
                to.event("library", "A library has a warning or an error.", when);
                to.word("target", target, "part of the library, as listed below");
                to.word("level", level, "how grave the library finds it");
            }
            Self::Mail { delivery } => {
                let meaning = "whether the receiving side took it; delayed is tried again, refused is for the address, setup is for the operator: TLS or the login is wrong";
                to.event(
                    "mail",
                    "A sign-in mail was handed over, or not.",
                    "for each try, and when none is left",
                );
                to.word("delivery", delivery, meaning);
            }
            Self::Generation { outcome, millis } => {
                to.event("generation", "A generation ended.", "for each generation");
                to.word("outcome", outcome, "how it ended");
                to.number("millis", millis, Unit::Milliseconds, "it took, with its wait in the line");
            }
            Self::HoldsReleased { holds } => {
                to.event(
                    "released",
                    "Credits held by a process that died were given back.",
                    "at start, if there were any",
                );
                to.number("holds", holds, Unit::Things, "holds given back");
            }
            Self::Reindexed { entries } => {
                to.event(
                    "reindexed",
                    "Entries of the search index were made again.",
                    "at start, if some were missing or stale",
                );
                to.number("entries", entries, Unit::Things, "entries made");
            }
            Self::Reconciled { swept, missing } => {
                to.event(
                    "reconciled",
                    "Files were held against keys.",
                    "each day and when the doctor looks, if something was found",
                );
                to.number("swept", swept, Unit::Things, "records without a key, whose files were unlinked");
                to.number("missing", missing, Unit::Things, "pictures without a file");
            }
            Self::Imported { added, skipped } => {
                to.event("imported", "An import or the starter gallery ended.", "at the end of each");
                to.number("added", added, Unit::Things, "artworks that are new or changed");
                to.number("skipped", skipped, Unit::Things, "entries that were skipped");
            }
            Self::Payments { seen, missed } => {
                to.event(
                    "payments",
                    "The payment processor's own list of events was held against the books.",
                    "each day and when the operator asks for it",
                );
                to.number("seen", seen, Unit::Things, "events of the last days");
                to.number("missed", missed, Unit::Things, "of them had not arrived before, and were applied");
            }
            Self::Notice { text } => {
                to.event("notice", "The operator's attention is wanted.", "at start");
                to.word("text", text, "what for");
            }
            Self::Draining => {
                to.event("draining", "The server ends what is under way.", "once, at SIGTERM or SIGINT")
            }
            Self::Stopped => to.event("stopped", "The server has stopped.", "once, as the last line"),
        }
    }

    /// One of each, for the documentation and the tests.
    pub(super) const SAMPLES: &'static [Event<'static>] = &[
        Event::Ready { start_millis: 28, artworks: 94 },
        Event::LockedIn { landlock: 6, calls: 87 },
        Event::Request { method: Method::Get, route: Route::NONE, status: 404, micros: 180 },
        Event::Failure { kind: Kind::Internal, place: Location::caller() },
        Event::Panic { place: Location::caller() },
        Event::Library { target: Library::SAMPLE, level: Level::Warning },
        Event::Mail { delivery: Delivery::Accepted },
        Event::Generation { outcome: Outcome::Completed, millis: 261 },
        Event::HoldsReleased { holds: 1 },
        Event::Reindexed { entries: 3 },
        Event::Reconciled { swept: 1, missing: 0 },
        Event::Imported { added: 94, skipped: 2 },
        Event::Payments { seen: 12, missed: 1 },
        Event::Notice { text: Notice::EncoderMissing },
        Event::Draining,
        Event::Stopped,
    ];
}
