//! This owns the time, passed as a parameter so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};

/// Seconds since 1970-01-01T00:00:00Z.
pub type UnixSeconds = i64;

/// A time as text, `2026-11-25T05:00:00Z`; empty outside of the years that have a name.
#[must_use]
pub fn utc_text(time: UnixSeconds) -> String {
    jiff::Timestamp::from_second(time).map_or_else(|_| String::new(), |time| time.to_string())
}

/// The time that [`utc_text`] has written; other forms are refused.
#[must_use]
pub fn from_utc_text(text: &str) -> Option<UnixSeconds> {
    let time = text.parse::<jiff::Timestamp>().ok()?.as_second();
    (utc_text(time) == text).then_some(time)
}

/// A day as text, `2026-11-24`; empty outside of the years that have a name.
#[must_use]
pub fn day_text(day: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(day))
        .map_or_else(|_| String::new(), |date| date.to_string())
}

/// Seconds in a day.
pub const DAY_SECONDS: i64 = 86_400;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> UnixSeconds;

    /// Whole days since 1970-01-01, UTC.
    fn today(&self) -> i64 {
        self.now().div_euclid(DAY_SECONDS)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        jiff::Timestamp::now().as_second()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: UnixSeconds) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixSeconds {
        self.0.load(Ordering::SeqCst)
    }
}
