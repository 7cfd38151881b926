//! This owns which exports are under way: one for each account, in memory, and telling its pages how far it is.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accounts::Member;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use kernel::clock::UnixSeconds;
use kernel::{Clock, Error, Id, Kind, Result};
use platform::log::Log;
use serde::Serialize;
use tokio::sync::watch;

/// After so long without a byte taken, the other side counts as gone, and another download may take its place.
const STILL_SECONDS: UnixSeconds = 30;
/// How often a page hears how far it is, at most, and after how long one that came too early asks again.
const NEWS_INTERVAL: Duration = Duration::from_millis(100);
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// The exports that are under way.
#[derive(Clone)]
pub struct Exports {
    running: Arc<Mutex<HashMap<Id, Running>>>,
    clock: Arc<dyn Clock>,
    pub(super) log: Log,
}

struct Running {
    claim: Id,
    moved_at: UnixSeconds,
    seen: watch::Receiver<Packed>,
}

/// How far an export is: pictures that were handed on, of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Packed {
    pub(super) packed: u32,
    pub(super) of: u32,
    #[serde(skip)]
    pub(super) whole: Whole,
}

/// Whether the last byte has been handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Whole {
    #[default]
    NotYet,
    Sent,
}

/// How a download begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With the first byte.
    Afresh,
    /// Where an earlier one broke off, which therefore is over.
    Within,
}

/// The right to send an account's export; it ends with this value.
pub(super) struct Claim {
    exports: Exports,
    account: Id,
    claim: Id,
    packed: watch::Sender<Packed>,
}

impl Exports {
    /// No export is under way.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, log: Log) -> Self {
        Self { running: Arc::default(), clock, log }
    }

    /// Today, for the names of what is sent.
    pub(super) fn today(&self) -> i64 {
        self.clock.today()
    }

    /// Takes the one place of an account.
    ///
    /// # Errors
    /// `Conflict` while another download holds it and goes on.
    pub(super) fn claim(&self, account: Id, start: Start) -> Result<Claim> {
        let now = self.clock.now();
        let mut running = self.lock();
        let moves = |other: &Running| now - other.moved_at < STILL_SECONDS;
        if start == Start::Afresh && running.get(&account).is_some_and(moves) {
            let words = "An export of this account is already on its way. Let it end, or cancel it in your browser, then try again.";
            return Err(Error::new(Kind::Conflict, words));
        }
        let (packed, seen) = watch::channel(Packed::default());
        let claim = Id::random();
        running.insert(account, Running { claim, moved_at: now, seen });
        Ok(Claim { exports: self.clone(), account, claim, packed })
    }

    fn watch(&self, account: Id) -> Option<watch::Receiver<Packed>> {
        self.lock().get(&account).map(|running| running.seen.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Says that something was taken, and how far the export is by it.
    ///
    /// # Errors
    /// `Cancelled` where another download has taken the place.
    pub(super) fn move_on(&self, packed: Packed) -> Result<()> {
        let now = self.exports.clock.now();
        let mut running = self.exports.lock();
        let Some(own) = running.get_mut(&self.account).filter(|own| own.claim == self.claim) else {
            return Err(Error::new(Kind::Cancelled, "Another download of this export goes on in its place."));
        };
        own.moved_at = now;
        self.packed.send_if_modified(|told| std::mem::replace(told, packed) != packed);
        Ok(())
    }

    /// Where failures are written that come too late for an answer.
    pub(super) fn log(&self) -> &Log {
        &self.exports.log
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut running = self.exports.lock();
        if running.get(&self.account).is_some_and(|own| own.claim == self.claim) {
            running.remove(&self.account);
        }
    }
}

/// `GET /account/export/events`: `state` while an export is under way, then `done`, or `cut` where it broke off; `idle` where
/// there is none.
pub async fn export_events(
    State(exports): State<Exports>,
    member: Member,
) -> Sse<impl Stream<Item = std::result::Result<Event, Infallible>>> {
    let watch = Watch { seen: exports.watch(member.account()), told: None };
    Sse::new(futures_util::stream::unfold(Some(watch), next)).keep_alive(KeepAlive::default())
}

struct Watch {
    seen: Option<watch::Receiver<Packed>>,
    told: Option<Packed>,
}

/// The next event; nothing after the last one.
async fn next(watch: Option<Watch>) -> Option<(std::result::Result<Event, Infallible>, Option<Watch>)> {
    let Watch { seen, told } = watch?;
    let event = |name: &str, packed: Packed| {
        let data = serde_json::to_string(&packed).unwrap_or_default();
        Event::default().event(name).data(data).retry(RETRY_INTERVAL)
    };
    let Some(mut seen) = seen else { return Some((Ok(event("idle", Packed::default())), None)) };
    if told.is_some() {
        tokio::time::sleep(NEWS_INTERVAL).await;
        if seen.changed().await.is_err() {
            let last = *seen.borrow();
            let name = if last.whole == Whole::Sent { "done" } else { "cut" };
            return Some((Ok(event(name, last)), None));
        }
    }
    let now = *seen.borrow_and_update();
    Some((Ok(event("state", now)), Some(Watch { seen: Some(seen), told: Some(now) })))
}

#[cfg(test)]
mod tests {
    use kernel::clock::SetClock;

    use super::*;

    fn exports() -> (Exports, Arc<SetClock>) {
        let clock = Arc::new(SetClock::at(1_000_000));
        (Exports::new(Arc::clone(&clock) as Arc<dyn Clock>, Log::default()), clock)
    }

    #[test]
    fn an_account_has_one_place_which_ends_with_its_holder() {
        let (exports, _) = exports();
        let (a, b) = (Id::random(), Id::random());
        let first = exports.claim(a, Start::Afresh).unwrap();
        assert_eq!(exports.claim(a, Start::Afresh).err().unwrap().kind, Kind::Conflict);
        assert!(exports.claim(b, Start::Afresh).is_ok(), "others have their own");
        drop(first);
        assert!(exports.claim(a, Start::Afresh).is_ok());
    }

    #[test]
    fn who_goes_on_where_it_broke_off_takes_the_place() {
        let (exports, _) = exports();
        let account = Id::random();
        let broken = exports.claim(account, Start::Afresh).unwrap();
        let resumed = exports.claim(account, Start::Within).unwrap();
        assert_eq!(broken.move_on(Packed::default()).err().unwrap().kind, Kind::Cancelled);
        drop(broken);
        assert!(resumed.move_on(Packed::default()).is_ok(), "the end of the former leaves it alone");
    }

    #[test]
    fn a_download_that_stands_still_does_not_keep_the_place() {
        let (exports, clock) = exports();
        let account = Id::random();
        let still = exports.claim(account, Start::Afresh).unwrap();
        clock.advance(STILL_SECONDS - 1);
        still.move_on(Packed::default()).unwrap();
        clock.advance(STILL_SECONDS - 1);
        assert!(exports.claim(account, Start::Afresh).is_err(), "it has moved");
        clock.advance(1);
        assert!(exports.claim(account, Start::Afresh).is_ok());
    }
}
