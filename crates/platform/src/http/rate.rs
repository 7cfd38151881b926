//! This owns rate limits: counts in memory, under a random key that lives a day, so that no address is kept.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use kernel::{Clock, Error, Kind, Result};

/// Buckets kept at most; when full, the window starts anew for everyone.
const BUCKETS_MAX: usize = 200_000;

/// So many per window.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Names the thing that is limited; part of the bucket's key.
    pub scope: &'static str,
    /// How many in one window.
    pub most: u32,
    /// Length of the window.
    pub window_seconds: i64,
}

/// Counts of this process.
pub struct RateLimits {
    clock: Arc<dyn Clock>,
    counts: Mutex<Counts>,
}

struct Counts {
    day: i64,
    key: DayKey,
    buckets: HashMap<[u8; 16], (i64, u32)>,
}

impl RateLimits {
    /// Limits that measure time by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let day = clock.today();
        Self { clock, counts: Mutex::new(Counts::of(day)) }
    }

    /// Counts one attempt by `who` (an address, an account id, …).
    ///
    /// # Errors
    /// `RateLimited` when the window is used up.
    pub fn count(&self, limit: RateLimit, who: &[u8]) -> Result<()> {
        let (now, today) = (self.clock.now(), self.clock.today());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.day != today || counts.buckets.len() >= BUCKETS_MAX {
            *counts = Counts::of(today);
        }
        let bucket = counts.key.tag(limit.scope, who);
        let window = now.div_euclid(limit.window_seconds);
        let entry = counts.buckets.entry(bucket).or_insert((window, 0));
        if entry.0 != window {
            *entry = (window, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        if entry.1 > limit.most {
            return Err(Error::new(
                Kind::RateLimited,
                "Too many requests. Please wait a minute and try again.",
            ));
        }
        Ok(())
    }
}

impl Counts {
    fn of(day: i64) -> Self {
        Self { day, key: DayKey::random(), buckets: HashMap::new() }
    }
}

/// A random key that lives a day in memory: under it somebody is known again that day, and never after it.
pub(crate) struct DayKey(hmac::Key);

impl DayKey {
    /// The key of a new day.
    pub(crate) fn random() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()))
    }

    /// What stands for `who` in a scope.
    pub(crate) fn tag(&self, scope: &str, who: &[u8]) -> [u8; 16] {
        let tag = hmac::sign(&self.0, &[scope.as_bytes(), b"\0", who].concat());
        tag.as_ref().first_chunk::<16>().copied().unwrap_or_default()
    }
}

/// The part of a client's address that limits count by: IPv4 whole, IPv6 its /64.
#[must_use]
pub fn client_network(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).octets(),
    }
}

#[cfg(test)]
mod tests {
    use kernel::clock::SetClock;

    use super::*;

    #[test]
    fn a_window_fills_empties_and_is_each_ones_own() {
        let clock = Arc::new(SetClock::at(1_000_000));
        let limits = RateLimits::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let limit = RateLimit { scope: "t", most: 2, window_seconds: 60 };
        assert!(limits.count(limit, b"a").is_ok());
        assert!(limits.count(limit, b"a").is_ok());
        assert_eq!(limits.count(limit, b"a").unwrap_err().kind, Kind::RateLimited);
        assert!(limits.count(limit, b"b").is_ok());
        clock.advance(60);
        assert!(limits.count(limit, b"a").is_ok());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_count() {
        let a = client_network("2001:db8::1".parse().unwrap());
        assert_eq!(a, client_network("2001:db8::ffff".parse().unwrap()));
        assert_ne!(a, client_network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(
            client_network("1.2.3.4".parse().unwrap()),
            client_network("::ffff:1.2.3.4".parse().unwrap())
        );
    }
}
