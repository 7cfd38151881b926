//! This owns the books: every credit moves from one book to another, and the sum over all books is always zero.
//! A picture is paid by a hold, which is captured or released exactly once. The schema forbids the rest.

mod books;
mod lines;
mod proof;
mod section;

use std::sync::Arc;

use kernel::clock::UnixSeconds;
use kernel::{Clock, Error, Id, Kind, Result};
use platform::db::{Db, Writing, sql};

pub use books::Reason;
pub use books::close_books;
use books::{Books, SiteBooks, Transfer};
pub use lines::Line;
pub use proof::Proof;
pub(crate) use section::CreditsSection;

/// How long a hold waits for its end, unless whoever works for it says that it goes on.
pub const LEASE_SECONDS: UnixSeconds = 3600;
/// Credits that can be granted or bought at once: far from what a sum of books can hold.
pub const CREDITS_MAX: u32 = 1_000_000;

/// Which credits may pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Daily credits first, then the others: basic models, from a page.
    DailyFirst,
    /// Welcome and purchased credits: other models, from a page.
    WithoutDaily,
    /// Purchased and granted credits: from an API key.
    PurchasedOnly,
}

/// What an account can spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Granted today, gone tomorrow; for basic models.
    pub daily: u32,
    /// Granted at the start.
    pub welcome: u32,
    /// Bought, or granted by the operator.
    pub purchased: u32,
    /// Held for pictures that are developing.
    pub held: u32,
    /// Spent of a purchase whose money went back; what comes in next pays it off.
    pub owed: u32,
}

/// Credits that everyone is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gifts {
    /// Each day, for basic models.
    pub daily: u32,
    /// With a new account.
    pub welcome: u32,
}

/// What is left of a hold when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Captured,
    Released,
}

/// The ledger of this site.
#[derive(Clone)]
pub struct Ledger {
    db: Db,
    clock: Arc<dyn Clock>,
    gifts: Gifts,
    site: SiteBooks,
}

impl Ledger {
    /// The ledger in this database.
    ///
    /// # Errors
    /// As every read.
    pub async fn open(db: Db, clock: Arc<dyn Clock>, gifts: Gifts) -> Result<Self> {
        let site = SiteBooks::of(&mut *db.read().acquire().await.map_err(sql)?).await?;
        Ok(Self { db, clock, gifts, site })
    }

    /// The books of a new account, with its welcome credits.
    ///
    /// # Errors
    /// As every write.
    pub async fn open_books(&self, writing: &mut Writing, account: Id) -> Result<()> {
        Books::open(writing, account).await?;
        let welcome = Books::of(&mut *writing, account).await?.welcome.id;
        let gift = Transfer::new(Reason::Welcome, self.site.issued, welcome, self.gifts.welcome);
        gift.write(writing, self.clock.today()).await
    }

    /// The books of an account, with today's credits in the daily one: what is left of an earlier day expires first.
    async fn books_of_today(&self, writing: &mut Writing, account: Id) -> Result<Books> {
        let (today, books) = (self.clock.today(), Books::of(&mut *writing, account).await?);
        if books.granted_day >= today {
            return Ok(books);
        }
        let (daily, site) = (books.daily, self.site);
        Transfer::new(Reason::Expire, daily.id, site.expired, daily.credits()).write(writing, today).await?;
        Transfer::new(Reason::Daily, site.issued, daily.id, self.gifts.daily).write(writing, today).await?;
        sqlx::query("UPDATE book SET granted_day = ? WHERE id = ?")
            .bind(today)
            .bind(daily.id)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        Books::of(&mut *writing, account).await
    }

    /// Grants credits that do not expire, from the operator.
    ///
    /// # Errors
    /// `NotFound` for an unknown account, `Invalid` for too many.
    pub async fn grant(&self, account: Id, credits: u32) -> Result<()> {
        if credits > CREDITS_MAX {
            let words = format!("At most {CREDITS_MAX} credits can be granted at once.");
            return Err(Error::invalid("credits", words));
        }
        let ledger = self.clone();
        self.db
            .together(move |writing| {
                Box::pin(
                    async move { ledger.adjust(writing, Some(account), credits.into(), Reason::Grant).await },
                )
            })
            .await
    }

    /// Adds credits that do not expire to an account, or takes them back. What comes in pays off what is owed first; what
    /// is to be taken and is not there is owed. For an account that was closed meanwhile, `None`, the site's book is used.
    ///
    /// # Errors
    /// `NotFound` for an unknown account.
    pub async fn adjust(
        &self,
        writing: &mut Writing,
        account: Option<Id>,
        change: i64,
        reason: Reason,
    ) -> Result<()> {
        let credits = u32::try_from(change.unsigned_abs())
            .map_err(|_| Error::internal("more credits than a transfer can hold"))?;
        let source = match reason {
            Reason::Grant | Reason::Voucher => self.site.issued,
            _ => self.site.sold,
        };
        let (first, most, rest) = match account {
            Some(account) => {
                let Books { purchased, owed, .. } = Books::of(&mut *writing, account).await?;
                if change > 0 {
                    (owed.id, owed.debt(), purchased.id)
                } else {
                    (purchased.id, purchased.credits(), owed.id)
                }
            }
            None => (self.site.unpaid, credits, self.site.unpaid),
        };
        for (book, part) in [(first, credits.min(most)), (rest, credits.saturating_sub(most))] {
            let (debit, credit) = if change > 0 { (source, book) } else { (book, source) };
            Transfer::new(reason, debit, credit, part).write(writing, self.clock.today()).await?;
        }
        Ok(())
    }

    /// Holds credits for one picture. They are gone from the balance until the hold is captured or released.
    ///
    /// # Errors
    /// `InsufficientCredits`; nothing is held then.
    pub async fn hold(&self, writing: &mut Writing, account: Id, credits: u32, terms: Terms) -> Result<Id> {
        let books = self.books_of_today(writing, account).await?;
        let buckets: &[_] = match terms {
            Terms::DailyFirst => &[books.daily, books.welcome, books.purchased],
            Terms::WithoutDaily => &[books.welcome, books.purchased],
            Terms::PurchasedOnly => &[books.purchased],
        };
        let (mut missing, mut parts) = (credits, Vec::new());
        for bucket in buckets {
            let part = bucket.credits().min(missing);
            missing -= part;
            parts.push((bucket.id, part));
        }
        if missing > 0 {
            let words = format!(
                "Not enough credits: this needs {credits}, and {} can be spent here.",
                credits - missing
            );
            return Err(Error::new(Kind::InsufficientCredits, words).with_code("insufficient_credits"));
        }
        let hold = Id::random();
        sqlx::query("INSERT INTO hold (id, account, state, until) VALUES (?, ?, 'open', ?)")
            .bind(hold.as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .bind(self.clock.now() + LEASE_SECONDS)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        for (bucket, part) in parts {
            let part = Transfer::new(Reason::Hold, bucket, books.held.id, part);
            Transfer { hold: Some(hold), ..part }.write(writing, self.clock.today()).await?;
        }
        Ok(hold)
    }

    /// Says that work for a hold goes on: it waits anew. False when it has ended.
    ///
    /// # Errors
    /// As every write.
    pub async fn renew(&self, hold: Id) -> Result<bool> {
        let until = self.clock.now() + LEASE_SECONDS;
        let mut writing = self.db.write().await?;
        let renewed = sqlx::query("UPDATE hold SET until = ? WHERE id = ? AND state = 'open'")
            .bind(until)
            .bind(hold.as_bytes().as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Takes held credits for good. False when the hold has ended already; it is left as it is.
    ///
    /// # Errors
    /// As every write.
    pub async fn capture(&self, writing: &mut Writing, hold: Id) -> Result<bool> {
        self.end_hold(writing, hold, End::Captured).await
    }

    /// Gives held credits back to the buckets they came from. False when the hold has ended already; it is left as it is.
    ///
    /// # Errors
    /// As every write.
    pub async fn release(&self, writing: &mut Writing, hold: Id) -> Result<bool> {
        self.end_hold(writing, hold, End::Released).await
    }

    async fn end_hold(&self, writing: &mut Writing, hold: Id, end: End) -> Result<bool> {
        let state = if end == End::Captured { "captured" } else { "released" };
        let ended = sqlx::query("UPDATE hold SET state = ? WHERE id = ? AND state = 'open'")
            .bind(state)
            .bind(hold.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        let parts: Vec<(i64, Option<Vec<u8>>, i64, u32)> = sqlx::query_as(
            "SELECT t.debit, b.account, t.credit, t.amount FROM transfer t JOIN book b ON b.id = t.debit \
             WHERE t.hold = ? AND t.reason = 'hold'",
        )
        .bind(hold.as_bytes().as_slice())
        .fetch_all(&mut **writing)
        .await
        .map_err(sql)?;
        let mut owner = None;
        for (bucket, account, held, amount) in parts {
            let (reason, to) = match (end, &account) {
                (End::Captured, _) => (Reason::Capture, self.site.spent),
                (End::Released, Some(_)) => (Reason::Release, bucket),
                // Closed meanwhile, and what it had is lost.
                (End::Released, None) => (Reason::Release, self.site.expired),
            };
            let part = Transfer { hold: Some(hold), ..Transfer::new(reason, held, to, amount) };
            part.write(writing, self.clock.today()).await?;
            owner = account;
        }
        match (end, owner) {
            (End::Released, Some(owner)) => {
                self.settle(writing, Id::from_column(&owner)?).await.map(|()| true)
            }
            _ => Ok(true),
        }
    }

    /// Pays off what is owed with what came back.
    async fn settle(&self, writing: &mut Writing, account: Id) -> Result<()> {
        let Books { purchased, owed, .. } = Books::of(&mut *writing, account).await?;
        let part = purchased.credits().min(owed.debt());
        Transfer::new(Reason::Settle, purchased.id, owed.id, part).write(writing, self.clock.today()).await
    }

    /// Releases every open hold: at start, none of them can belong to a living job. Returns how many.
    ///
    /// # Errors
    /// As every write.
    pub async fn release_open_holds(&self, writing: &mut Writing) -> Result<u64> {
        self.release_holds_until(writing, UnixSeconds::MAX).await
    }

    /// Releases the holds whose work has not said for too long that it goes on. Returns how many.
    ///
    /// # Errors
    /// As every write.
    pub async fn release_lapsed_holds(&self) -> Result<u64> {
        let mut writing = self.db.write().await?;
        let released = self.release_holds_until(&mut writing, self.clock.now()).await?;
        platform::db::commit(writing).await?;
        Ok(released)
    }

    async fn release_holds_until(&self, writing: &mut Writing, until: UnixSeconds) -> Result<u64> {
        let open: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT id FROM hold WHERE state = 'open' AND until <= ?")
                .bind(until)
                .fetch_all(&mut **writing)
                .await
                .map_err(sql)?;
        for hold in &open {
            self.release(writing, Id::from_column(hold)?).await?;
        }
        Ok(open.len() as u64)
    }

    /// What an account can spend today.
    ///
    /// # Errors
    /// `NotFound` for an unknown account.
    pub async fn balance(&self, account: Id) -> Result<Balance> {
        let mut books = Books::of(&mut *self.db.read().acquire().await.map_err(sql)?, account).await?;
        if books.granted_day < self.clock.today() {
            let ledger = self.clone();
            let refresh = self.db.together(move |writing| {
                Box::pin(async move { ledger.books_of_today(writing, account).await })
            });
            books = refresh.await?;
        }
        Ok(Balance {
            daily: books.daily.credits(),
            welcome: books.welcome.credits(),
            purchased: books.purchased.credits(),
            held: books.held.credits(),
            owed: books.owed.debt(),
        })
    }
}
