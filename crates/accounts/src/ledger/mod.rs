//! This owns the ledger: every credit moves from one book to another, and the sum over all books is always zero.
//! The schema forbids the rest. It does not know what credits are spent on.

mod books;
mod holds;
mod lines;
mod proof;
mod section;
mod usage;

use std::sync::Arc;

use kernel::{Clock, Error, Id, Result};
use platform::db::{Db, Writing, sql};

use books::{Books, SiteBooks, Transfer};
pub use books::{Reason, close_books};
pub use holds::{LEASE_SECONDS, Terms};
pub use lines::Line;
pub use proof::Proof;
pub(crate) use section::CreditsSection;
pub use usage::DayUse;

/// Credits that can be granted or bought at once: far from what a sum of books can hold.
pub const CREDITS_MAX: u32 = 1_000_000;

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
