//! This owns a world: a ledger on a disk beside the oracle, and the steps that both take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use accounts::ledger::{Gifts, LEASE_SECONDS, Ledger, Reason, close_books};
use accounts::{Balance, Terms};
use kernel::clock::{DAY_SECONDS, SetClock};
use kernel::{Id, Kind};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use vault::SiteKey;

use crate::disk::{Disk, Moment};
use crate::faults::Fault;
use crate::model::Model;

/// Steps between two crashes, on average.
const STEPS_PER_CRASH: u32 = 12;
/// Rows that a step may write before the trap no longer waits for it.
const WRITES_MAX: u32 = 12;
const ACCOUNTS_MAX: usize = 6;
/// Noon of a day.
const START: i64 = 1_795_000_000;

/// A step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Open(Id),
    Adjust(Option<Id>, i64, Reason),
    Grant(Id, u32),
    Hold(Id, u32, Terms),
    Capture(usize),
    Release(usize),
    Renew(usize),
    Read(Id),
    Pass(i64),
    Lapse,
    Prove,
    Close(Id),
}

impl Step {
    /// Its name, for the table of what was crashed where.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open(_) => "open an account",
            Self::Adjust(_, _, Reason::Voucher) => "redeem",
            Self::Adjust(_, change, _) if change > 0 => "buy",
            Self::Adjust(..) => "take back",
            Self::Grant(..) => "grant",
            Self::Hold(..) => "hold",
            Self::Capture(_) => "capture",
            Self::Release(_) => "release",
            Self::Renew(_) => "renew a hold",
            Self::Read(_) => "read the balance",
            Self::Pass(_) => "let time pass",
            Self::Lapse => "let holds lapse",
            Self::Prove => "prove the day",
            Self::Close(_) => "close an account",
        }
    }
}

/// What a world says when the ledger is not what the oracle says.
pub(crate) type Verdict = Result<(), String>;

/// A ledger and what it should hold.
pub(crate) struct World {
    pub(crate) disk: Disk,
    ledger: Ledger,
    clock: Arc<SetClock>,
    site: SiteKey,
    pub(crate) model: Model,
    rng: StdRng,
    pub(crate) fault: Option<Fault>,
    /// Crashes by step and moment.
    pub(crate) crashes: BTreeMap<(&'static str, Moment), u64>,
}

impl World {
    pub(crate) async fn new(folders: (&Path, &Path), seed: u64, fault: Option<Fault>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let gifts = Gifts { daily: rng.random_range(0..8), welcome: rng.random_range(0..4) };
        let clock = Arc::new(SetClock::at(START));
        let disk = Disk::open(folders.0, folders.1).await;
        let ledger = Ledger::open(disk.db.clone(), clock.clone(), gifts).await.unwrap();
        let site = SiteKey::of(&zeroize::Zeroizing::new([7; 32])).unwrap();
        let model = Model::new(START, gifts);
        Self { disk, ledger, clock, site, model, rng, fault, crashes: BTreeMap::new() }
    }

    /// Begins again with these gifts for everyone.
    pub(crate) async fn give(&mut self, gifts: Gifts) {
        self.ledger = Ledger::open(self.disk.db.clone(), self.clock.clone(), gifts).await.unwrap();
        self.model.gifts = gifts;
    }

    fn random_step(&mut self) -> Step {
        let fresh = Id::from_column(&self.rng.random::<[u8; 16]>()).unwrap();
        let all: Vec<Id> = self.model.purses.keys().copied().collect();
        let Some(&account) = all.choose(&mut self.rng) else { return Step::Open(fresh) };
        let credits = self.rng.random_range(0..12);
        let change = i64::from(self.rng.random_range(1..15_u32));
        let hold = self.model.waits.len().saturating_sub(1 + self.rng.random_range(0..6));
        match self.rng.random_range(0..100) {
            0..5 if all.len() < ACCOUNTS_MAX => Step::Open(fresh),
            5..9 => Step::Adjust(Some(account), change, Reason::Voucher),
            9..17 => Step::Adjust(Some(account), change, Reason::Purchase),
            17..23 => Step::Adjust(Some(account), -change, Reason::Refund),
            23..26 => Step::Adjust(Some(account), -change, Reason::Dispute),
            26..28 => Step::Adjust(None, [change, -change][credits as usize % 2], Reason::Refund),
            28..33 => Step::Grant(account, credits),
            33..55 => {
                let terms = [Terms::DailyFirst, Terms::WithoutDaily, Terms::PurchasedOnly];
                Step::Hold(account, credits, terms[self.rng.random_range(0..3)])
            }
            55..68 => Step::Capture(hold),
            68..80 => Step::Release(hold),
            80..83 => Step::Renew(hold),
            83..88 => Step::Read(account),
            88..93 => Step::Pass([60, LEASE_SECONDS / 2, LEASE_SECONDS, DAY_SECONDS][credits as usize % 4]),
            93..95 => Step::Lapse,
            95..98 => Step::Prove,
            98..99 => Step::Close(account),
            _ => Step::Read(account),
        }
    }

    /// Takes a step, or is cut off in it; then the books are held against the oracle.
    pub(crate) async fn step(&mut self) -> Verdict {
        let step = self.random_step();
        let crash = self.rng.random_range(0..STEPS_PER_CRASH) == 0;
        let at = self.rng.random_range(1..=WRITES_MAX);
        self.step_cut_off(step, crash.then_some(at)).await.map(drop)
    }

    /// Takes this step; if it is to be cut off at a write, says where it was.
    pub(crate) async fn step_cut_off(
        &mut self,
        step: Step,
        cut: Option<u32>,
    ) -> Result<Option<Moment>, String> {
        let (before, journal) = (self.model.clone(), self.disk.journal_bytes());
        self.disk.arm(cut.unwrap_or(0));
        self.take(step).await.map_err(|why| format!("{step:?}: {why}"))?;
        let moment = cut.map(|at| self.crash(at, journal));
        if let Some(moment) = moment {
            *self.crashes.entry((step.name(), moment)).or_default() += 1;
            if moment != Moment::Unheard {
                let now = self.model.now;
                self.model = before;
                self.model.now = now;
            }
            self.start_again().await;
            self.add_up().await.map_err(|why| format!("{step:?}, cut off {moment:?}: {why}"))?;
        }
        self.compare().await.map_err(|why| format!("{step:?}: {why}"))?;
        Ok(moment)
    }

    /// Chooses the moment: at the write that the trap waited for, or, if there were fewer, in the commit or behind it.
    fn crash(&mut self, at: u32, journal: u64) -> Moment {
        if self.disk.writes() >= at {
            return Moment::AtWrite(at);
        }
        let end = self.disk.journal_bytes();
        if end > journal && self.rng.random() {
            self.disk.copy(self.rng.random_range(journal..end));
            return Moment::InCommit;
        }
        self.disk.copy(end);
        Moment::Unheard
    }

    async fn start_again(&mut self) {
        let gifts = self.model.gifts;
        self.disk.start_again().await;
        self.ledger = Ledger::open(self.disk.db.clone(), self.clock.clone(), gifts).await.unwrap();
        if self.fault != Some(Fault::HoldsOutliveACrash) {
            let mut writing = self.disk.db.write().await.unwrap();
            self.ledger.release_open_holds(&mut writing).await.unwrap();
            platform::db::commit(writing).await.unwrap();
        }
        self.model.lapse(i64::MAX);
    }

    /// Takes a step in the ledger and in the oracle, and compares their answers.
    async fn take(&mut self, step: Step) -> Verdict {
        if let Some(fault) = self.fault
            && let Some(verdict) = fault.take(self, step).await
        {
            return verdict;
        }
        match step {
            Step::Open(account) => {
                self.model.open(account);
                self.write(async |ledger, writing| ledger.open_books(writing, account).await).await
            }
            Step::Adjust(account, change, reason) => {
                self.model.adjust(account, change, reason);
                self.write(async |ledger, writing| ledger.adjust(writing, account, change, reason).await)
                    .await
            }
            Step::Grant(account, credits) => {
                self.model.adjust(Some(account), credits.into(), Reason::Grant);
                self.ledger.grant(account, credits).await.unwrap();
            }
            Step::Hold(account, credits, terms) => return self.hold(account, credits, terms).await,
            Step::Capture(place) | Step::Release(place) => {
                let captured = matches!(step, Step::Capture(_));
                return self.end(place, captured).await;
            }
            Step::Renew(place) => {
                let Some(hold) = self.model.waits.get(place).map(|wait| wait.id) else { return Ok(()) };
                return same("renewed", self.ledger.renew(hold).await.unwrap(), self.model.renew(place));
            }
            Step::Read(account) => return self.read(account).await,
            Step::Pass(seconds) => {
                self.clock.advance(seconds);
                self.model.now += seconds;
            }
            Step::Lapse => {
                let lapsed = self.model.lapse(self.model.now);
                return same("lapsed", self.ledger.release_lapsed_holds().await.unwrap(), lapsed);
            }
            Step::Prove => self.ledger.prove_days(&self.site).await.map(drop).unwrap(),
            Step::Close(account) => {
                self.model.close(account);
                let today = self.model.today();
                self.write(async |_, writing| close_books(writing, account, today).await).await;
            }
        }
        Ok(())
    }

    /// A write that cannot fail, in a transaction of its own.
    pub(crate) async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&Ledger, &mut platform::db::Writing) -> kernel::Result<T>,
    ) -> T {
        let mut writing = self.disk.db.write().await.unwrap();
        let done = work(&self.ledger, &mut writing).await.unwrap();
        platform::db::commit(writing).await.unwrap();
        done
    }

    /// A statement behind the ledger's back.
    pub(crate) async fn run<'q>(
        &self,
        query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) {
        let mut writing = self.disk.db.write().await.unwrap();
        query.execute(&mut *writing).await.unwrap();
        platform::db::commit(writing).await.unwrap();
    }

    async fn hold(&mut self, account: Id, credits: u32, terms: Terms) -> Verdict {
        let parts = self.model.hold(account, credits.into(), terms);
        let mut writing = self.disk.db.write().await.unwrap();
        match (self.ledger.hold(&mut writing, account, credits, terms).await, parts) {
            (Ok(hold), Some(parts)) => {
                platform::db::commit(writing).await.unwrap();
                self.model.wait(hold, account, parts);
                Ok(())
            }
            (Err(error), None) if error.kind == Kind::InsufficientCredits => Ok(()),
            (held, parts) => Err(format!("held {held:?}, should be {parts:?}")),
        }
    }

    async fn end(&mut self, place: usize, captured: bool) -> Verdict {
        let Some(hold) = self.model.waits.get(place).map(|wait| wait.id) else { return Ok(()) };
        let ended = self.write(async |ledger, writing| match captured {
            true => ledger.capture(writing, hold).await,
            false => ledger.release(writing, hold).await,
        });
        let ended = ended.await;
        same("ended", ended, self.model.end(place, captured))
    }

    async fn read(&mut self, account: Id) -> Verdict {
        self.model.wake(account);
        let Balance { daily, welcome, purchased, owed, .. } = self.ledger.balance(account).await.unwrap();
        let purse = &self.model.purses[&account];
        let should = [purse.daily, purse.welcome, purse.purchased, purse.owed];
        same("balance", [daily, welcome, purchased, owed].map(i64::from), should)
    }

    /// Every book of the ledger against the oracle.
    async fn compare(&self) -> Verdict {
        let rows: Vec<(Option<Vec<u8>>, String, i64)> = sqlx::query_as(
            "SELECT account, kind, sum(balance) FROM book GROUP BY account, kind HAVING sum(balance) <> 0",
        )
        .fetch_all(self.disk.db.read())
        .await
        .unwrap();
        let should = self.model.books();
        let held = rows.len() == should.len()
            && rows.iter().all(|(account, kind, credits)| {
                let account = account.as_ref().map(|account| Id::from_column(account).unwrap());
                should.get(&(account, kind.as_str())).is_some_and(|right| right == credits)
            });
        if held { Ok(()) } else { Err(format!("the books hold {rows:?}, should be {should:?}")) }
    }

    /// The ledger's own proof, and what each owner reads.
    pub(crate) async fn add_up(&self) -> Verdict {
        for (account, purse) in &self.model.purses {
            let lines = self.ledger.lines(*account, u32::MAX).await.unwrap();
            let seen: i64 = lines.iter().map(|line| line.amount).sum();
            same("lines add up to", seen, purse.daily + purse.welcome + purse.purchased - purse.owed)?;
        }
        let proof = self.ledger.check(&self.site).await.unwrap();
        if proof.holds() { Ok(()) } else { Err(proof.to_string()) }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Verdict {
    if is == should { Ok(()) } else { Err(format!("{what} {is:?}, should be {should:?}")) }
}
