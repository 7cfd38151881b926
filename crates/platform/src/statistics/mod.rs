//! This owns counting what happens without knowing who did it. Nothing but [`EndedDay`] comes out, and that has noise on it.
//! It does not publish; `trust` does. `docs/statistics.md` derives the noise.

mod day;
mod noise;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use kernel::{Clock, Id};
use rand::rngs::SysRng;

use day::Day;

/// Counters that there may be at most.
const COUNTERS_MAX: usize = 20;
/// Counters that there are.
pub const COUNTERS: usize = Counter::ALL.len();
/// What one person adds to one counter in a day, at most.
pub const EVENT_MAX: u8 = 2;
/// What one person adds to all counters together in a day, at most. By so much a person can change what is published.
pub const PERSON_MAX: u8 = 8;
/// The budget of a day, ε: with and without a person, any outcome is at most `exp(ε)` times as likely.
pub const EPSILON: u8 = 1;
/// The scale of the noise: `PERSON_MAX / EPSILON`.
pub const SCALE: NonZeroU32 = match NonZeroU32::new((PERSON_MAX / EPSILON) as u32) {
    Some(scale) => scale,
    None => NonZeroU32::MIN,
};
/// Counts below this, with their noise, are not published.
pub const SHOWN_MIN: u32 = 20;
/// People of whom a day remembers what they have added; those after them are not counted.
const PEOPLE_MAX: usize = 100_000;
/// Ended days that wait to be published.
const WAITING_MAX: usize = 7;

const _: () = assert!(COUNTERS <= COUNTERS_MAX, "more counters than promised");
const _: () = assert!(PERSON_MAX.is_multiple_of(EPSILON), "the scale of the noise has to be a whole number");

/// What is counted. Each is an event, without user, place, program or content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is said in words on the page.
pub enum Counter {
    GalleryPage,
    ArtworkOpened,
    Search,
    SearchWithoutResult,
    PromptUsed,
    MadeHere,
    MadeElsewhere,
    NotMade,
    Downloaded,
    Deleted,
    SignedIn,
    AccountMade,
    AccountClosed,
    ProgramCall,
    ReceiptChecked,
}

impl Counter {
    /// Every counter, in the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::GalleryPage,
        Self::ArtworkOpened,
        Self::Search,
        Self::SearchWithoutResult,
        Self::PromptUsed,
        Self::MadeHere,
        Self::MadeElsewhere,
        Self::NotMade,
        Self::Downloaded,
        Self::Deleted,
        Self::SignedIn,
        Self::AccountMade,
        Self::AccountClosed,
        Self::ProgramCall,
        Self::ReceiptChecked,
    ];

    /// Its name in rows, JSON and the keys of the locale files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GalleryPage => "gallery-page",
            Self::ArtworkOpened => "artwork-opened",
            Self::Search => "search",
            Self::SearchWithoutResult => "search-without-result",
            Self::PromptUsed => "prompt-used",
            Self::MadeHere => "made-here",
            Self::MadeElsewhere => "made-elsewhere",
            Self::NotMade => "not-made",
            Self::Downloaded => "downloaded",
            Self::Deleted => "deleted",
            Self::SignedIn => "signed-in",
            Self::AccountMade => "account-made",
            Self::AccountClosed => "account-closed",
            Self::ProgramCall => "program-call",
            Self::ReceiptChecked => "receipt-checked",
        }
    }

    /// Its place in [`Counter::ALL`].
    const fn place(self) -> usize {
        self as usize
    }
}

/// Whose event it is. It serves to bound what one person adds, and is not kept.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// A member.
    Account(Id),
    /// Someone who is not signed in: all who share a network are one.
    Network(IpAddr),
}

/// A day that is over, as it may be shown to everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedDay {
    /// Which day, since 1970-01-01, UTC.
    pub day: i64,
    /// Whether it was counted from its beginning; a restart forgets what came before it.
    pub whole: bool,
    /// What was counted, with noise, in the order of [`Counter::ALL`]; none where it is fewer than [`SHOWN_MIN`].
    pub counts: [Option<u32>; COUNTERS],
}

/// The counters of this process, in memory alone.
#[derive(Clone)]
pub struct Counters {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

struct State {
    day: Day,
    waiting: Vec<EndedDay>,
}

impl Counters {
    /// Counters that tell days by `clock`. The present day counts as cut: what happened before is not known.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { day: Day::new(clock.today(), false), waiting: Vec::new() };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// Counts an event.
    pub fn count(&self, counter: Counter, who: Who) {
        self.at_present().day.count(counter, who);
    }

    /// The days that are over and wait to be published.
    #[must_use]
    pub fn ended(&self) -> Vec<EndedDay> {
        self.at_present().waiting.clone()
    }

    /// Forgets a day that is published.
    pub fn forget(&self, day: i64) {
        self.at_present().waiting.retain(|ended| ended.day != day);
    }

    /// Today, by these counters' clock.
    #[must_use]
    pub fn today(&self) -> i64 {
        self.clock.today()
    }

    /// The state, in which no day is older than today. A day gets its noise in the moment that ends it, once; one whose
    /// noise cannot be drawn is lost.
    fn at_present(&self) -> MutexGuard<'_, State> {
        let today = self.clock.today();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.day.number();
        if today > number {
            let over = std::mem::replace(&mut state.day, Day::new(today, today == number + 1));
            if let Ok(over) = over.end(&mut SysRng) {
                let surplus = (state.waiting.len() + 1).saturating_sub(WAITING_MAX);
                state.waiting.drain(..surplus);
                state.waiting.push(over);
            }
        }
        state
    }
}

/// A request that is counted: for its member or, where it has none, for the network it comes from.
pub struct Visit {
    counters: Counters,
    network: IpAddr,
}

impl Visit {
    /// Counts an event of this visit.
    pub fn count(&self, counter: Counter, account: Option<Id>) {
        self.counters.count(counter, account.map_or(Who::Network(self.network), Who::Account));
    }
}

impl<S: Sync> FromRequestParts<S> for Visit
where
    Counters: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let network = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.ip());
        Ok(Self { counters: Counters::from_ref(state), network })
    }
}
