//! This owns the oracle: what the books should hold, by plain arithmetic that shares nothing with the ledger.

use std::collections::BTreeMap;

use accounts::Terms;
use accounts::ledger::{Gifts, LEASE_SECONDS, Reason};
use kernel::Id;
use kernel::clock::DAY_SECONDS;

/// Credits of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purse {
    pub(crate) daily: i64,
    pub(crate) welcome: i64,
    pub(crate) purchased: i64,
    pub(crate) owed: i64,
    granted_day: i64,
}

/// Credits that wait for a picture.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) id: Id,
    account: Option<Id>,
    /// Of the daily, welcome and purchased credits.
    parts: [i64; 3],
    open: bool,
    until: i64,
}

/// All books, as they should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) purses: BTreeMap<Id, Purse>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) gifts: Gifts,
    issued: i64,
    spent: i64,
    expired: i64,
    sold: i64,
    unpaid: i64,
}

impl Model {
    pub(crate) fn new(now: i64, gifts: Gifts) -> Self {
        Self { now, gifts, ..Self::default() }
    }

    pub(crate) fn today(&self) -> i64 {
        self.now.div_euclid(DAY_SECONDS)
    }

    pub(crate) fn open(&mut self, account: Id) {
        let welcome = i64::from(self.gifts.welcome);
        self.issued -= welcome;
        self.purses.insert(account, Purse { welcome, ..Purse::default() });
    }

    /// The day's credits come, and those of an earlier day are lost.
    pub(crate) fn wake(&mut self, account: Id) {
        let (today, gift) = (self.today(), i64::from(self.gifts.daily));
        let Some(purse) = self.purses.get_mut(&account).filter(|purse| purse.granted_day < today) else {
            return;
        };
        self.expired += purse.daily;
        self.issued -= gift;
        (purse.daily, purse.granted_day) = (gift, today);
    }

    pub(crate) fn adjust(&mut self, account: Option<Id>, change: i64, reason: Reason) {
        match reason {
            Reason::Grant | Reason::Voucher => self.issued -= change,
            _ => self.sold -= change,
        }
        match account.and_then(|account| self.purses.get_mut(&account)) {
            Some(purse) => {
                let net = purse.purchased - purse.owed + change;
                (purse.purchased, purse.owed) = (net.max(0), (-net).max(0));
            }
            None => self.unpaid += change,
        }
    }

    /// Whether there is enough; then it waits.
    pub(crate) fn hold(&mut self, account: Id, credits: i64, terms: Terms) -> Option<[i64; 3]> {
        let before = self.clone();
        self.wake(account);
        let purse = self.purses.get_mut(&account)?;
        let mut parts = [0; 3];
        let mut missing = credits;
        let may = match terms {
            Terms::DailyFirst => [true, true, true],
            Terms::WithoutDaily => [false, true, true],
            Terms::PurchasedOnly => [false, false, true],
        };
        let buckets = [&mut purse.daily, &mut purse.welcome, &mut purse.purchased];
        for ((bucket, part), _) in buckets.into_iter().zip(&mut parts).zip(may).filter(|(_, may)| *may) {
            *part = missing.min(*bucket);
            *bucket -= *part;
            missing -= *part;
        }
        if missing > 0 {
            *self = before;
            return None;
        }
        Some(parts)
    }

    pub(crate) fn wait(&mut self, id: Id, account: Id, parts: [i64; 3]) {
        let until = self.now + LEASE_SECONDS;
        self.waits.push(Wait { id, account: Some(account), parts, open: true, until });
    }

    /// Ends the wait of a hold, if it has not ended.
    pub(crate) fn end(&mut self, place: usize, captured: bool) -> bool {
        let Some(wait) = self.waits.get_mut(place).filter(|wait| wait.open) else { return false };
        wait.open = false;
        let all: i64 = wait.parts.iter().sum();
        match (captured, wait.account.and_then(|account| self.purses.get_mut(&account))) {
            (true, _) => self.spent += all,
            (false, None) => self.expired += all,
            (false, Some(purse)) => {
                let [daily, welcome, purchased] = wait.parts;
                purse.daily += daily;
                purse.welcome += welcome;
                let net = purse.purchased - purse.owed + purchased;
                (purse.purchased, purse.owed) = (net.max(0), (-net).max(0));
            }
        }
        true
    }

    pub(crate) fn renew(&mut self, place: usize) -> bool {
        let until = self.now + LEASE_SECONDS;
        let open = self.waits.get_mut(place).filter(|wait| wait.open);
        open.map(|wait| wait.until = until).is_some()
    }

    /// Gives back what waits no longer than this; returns how many.
    pub(crate) fn lapse(&mut self, until: i64) -> u64 {
        let lapsed: Vec<usize> = (0..self.waits.len())
            .filter(|place| self.waits.get(*place).is_some_and(|wait| wait.open && wait.until <= until))
            .collect();
        lapsed.iter().filter(|place| self.end(**place, false)).count() as u64
    }

    pub(crate) fn close(&mut self, account: Id) {
        let Some(purse) = self.purses.remove(&account) else { return };
        self.expired += purse.daily + purse.welcome + purse.purchased;
        self.unpaid -= purse.owed;
        for wait in self.waits.iter_mut().filter(|wait| wait.account == Some(account)) {
            wait.account = None;
        }
    }

    /// Every book: of the site and of closed accounts by its kind alone, of others by account and kind.
    pub(crate) fn books(&self) -> BTreeMap<(Option<Id>, &'static str), i64> {
        let mut books = BTreeMap::new();
        let site = [
            ("issued", self.issued),
            ("spent", self.spent),
            ("expired", self.expired),
            ("sold", self.sold),
            ("unpaid", self.unpaid),
        ];
        books.extend(site.map(|(kind, credits)| ((None, kind), credits)));
        for (account, purse) in &self.purses {
            let own = [
                ("daily", purse.daily),
                ("welcome", purse.welcome),
                ("purchased", purse.purchased),
                ("owed", -purse.owed),
            ];
            books.extend(own.map(|(kind, credits)| ((Some(*account), kind), credits)));
        }
        for wait in self.waits.iter().filter(|wait| wait.open) {
            *books.entry((wait.account, "held")).or_default() += wait.parts.iter().sum::<i64>();
        }
        books.retain(|_, credits| *credits != 0);
        books
    }
}
