//! This owns one day of counting: what each person has added so far, under a key that is forgotten with it, and the sums.
//! The sums leave it once, with noise on them.

use std::collections::HashMap;

use rand::TryRng;

use super::noise::discrete_laplace;
use super::{COUNTERS, Counter, EVENT_MAX, EndedDay, PEOPLE_MAX, PERSON_MAX, SCALE, SHOWN_MIN, Who};
use crate::http::DayKey;

/// What one person has added today, by counter.
type Share = [u8; COUNTERS];

pub(super) struct Day {
    number: i64,
    /// Whether it is counted from its beginning.
    whole: bool,
    key: DayKey,
    shares: HashMap<[u8; 16], Share>,
    sums: [u32; COUNTERS],
}

impl Day {
    pub(super) fn new(number: i64, whole: bool) -> Self {
        Self { number, whole, key: DayKey::random(), shares: HashMap::new(), sums: [0; COUNTERS] }
    }

    pub(super) const fn number(&self) -> i64 {
        self.number
    }

    /// The sums without noise, for checks of this module.
    #[cfg(test)]
    pub(super) const fn sums(&self) -> &[u32; COUNTERS] {
        &self.sums
    }

    /// Counts an event, unless this person has added enough.
    pub(super) fn count(&mut self, counter: Counter, who: Who) {
        let tag = match who {
            Who::Account(id) => self.key.tag("account", id.as_bytes()),
            Who::Network(address) => self.key.tag("network", &crate::http::client_network(address)),
        };
        if self.shares.len() >= PEOPLE_MAX && !self.shares.contains_key(&tag) {
            return;
        }
        let share = self.shares.entry(tag).or_default();
        let spent: u8 = share.iter().sum();
        let (Some(own), Some(sum)) = (share.get_mut(counter.place()), self.sums.get_mut(counter.place()))
        else {
            return;
        };
        if spent < PERSON_MAX && *own < EVENT_MAX {
            *own += 1;
            *sum += 1;
        }
    }

    /// Ends the day: its sums with noise, small ones left out. The sums themselves are gone.
    pub(super) fn end<R: TryRng>(self, rng: &mut R) -> Result<EndedDay, R::Error> {
        let mut counts = [None; COUNTERS];
        for (count, sum) in counts.iter_mut().zip(self.sums) {
            let noisy = i64::from(sum) + discrete_laplace(SCALE, rng)?;
            *count = u32::try_from(noisy).ok().filter(|noisy| *noisy >= SHOWN_MIN);
        }
        Ok(EndedDay { day: self.number, whole: self.whole, counts })
    }
}
