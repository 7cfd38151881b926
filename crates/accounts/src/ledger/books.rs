//! This owns the rows of the books: reading those of an account, and writing transfers. The schema says which are allowed.

use std::ops::Neg;

use kernel::{Error, Id, Result};
use platform::db::{Writing, sql};
use sqlx::SqliteConnection;

/// Why credits move. Which books each may move them between stands in the table `flow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Credits of the day.
    Daily,
    /// Credits of a new account.
    Welcome,
    /// The operator gave them.
    Grant,
    /// A voucher was redeemed.
    Voucher,
    /// They were bought, or the payment did not hold.
    Purchase,
    /// Money was given back, or giving it back failed.
    Refund,
    /// A payment is disputed, or the dispute was won.
    Dispute,
    /// What came in pays off what was owed.
    Settle,
    /// Set aside.
    Hold,
    /// Taken.
    Capture,
    /// Given back.
    Release,
    /// The day is over.
    Expire,
    /// The account is closed.
    Forfeit,
}

impl Reason {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Welcome => "welcome",
            Self::Grant => "grant",
            Self::Voucher => "voucher",
            Self::Purchase => "purchase",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Settle => "settle",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Forfeit => "forfeit",
        }
    }
}

/// A book and what is in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Book {
    pub(super) id: i64,
    balance: i64,
}

impl Book {
    /// What can be taken out of it.
    pub(super) fn credits(self) -> u32 {
        u32::try_from(self.balance.max(0)).unwrap_or(u32::MAX)
    }

    /// What is owed, of the one book that holds less than nothing.
    pub(super) fn debt(self) -> u32 {
        u32::try_from(self.balance.neg().max(0)).unwrap_or(u32::MAX)
    }
}

/// The books of an account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Books {
    pub(super) daily: Book,
    pub(super) welcome: Book,
    pub(super) purchased: Book,
    pub(super) held: Book,
    pub(super) owed: Book,
    /// The day for which the daily book was filled.
    pub(super) granted_day: i64,
}

/// The books of an account, each with its kind.
pub(super) const KINDS: [&str; 5] = ["daily", "welcome", "purchased", "held", "owed"];

impl Books {
    /// Makes the books of a new account.
    pub(super) async fn open(writing: &mut Writing, account: Id) -> Result<()> {
        for kind in KINDS {
            sqlx::query("INSERT INTO book (account, kind) VALUES (?, ?)")
                .bind(account.as_bytes().as_slice())
                .bind(kind)
                .execute(&mut **writing)
                .await
                .map_err(sql)?;
        }
        Ok(())
    }

    /// Reads the books of an account.
    ///
    /// # Errors
    /// `NotFound` for an unknown account.
    pub(super) async fn of(connection: &mut SqliteConnection, account: Id) -> Result<Self> {
        let found = Self::find(connection, account).await?;
        found.ok_or_else(|| Error::not_found("There is no such account."))
    }

    /// Reads the books of an account, if it has any.
    async fn find(connection: &mut SqliteConnection, account: Id) -> Result<Option<Self>> {
        let rows: Vec<(i64, String, i64, i64)> =
            sqlx::query_as("SELECT id, kind, balance, granted_day FROM book WHERE account = ?")
                .bind(account.as_bytes().as_slice())
                .fetch_all(connection)
                .await
                .map_err(sql)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut books = Self::default();
        for (id, kind, balance, granted_day) in rows {
            let book = Book { id, balance };
            match kind.as_str() {
                "daily" => (books.daily, books.granted_day) = (book, granted_day),
                "welcome" => books.welcome = book,
                "purchased" => books.purchased = book,
                "held" => books.held = book,
                "owed" => books.owed = book,
                _ => return Err(Error::internal("a book is of an unknown kind")),
            }
        }
        Ok(Some(books))
    }
}

/// The numbers of the site's own books.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SiteBooks {
    pub(super) issued: i64,
    pub(super) spent: i64,
    pub(super) expired: i64,
    pub(super) sold: i64,
    pub(super) unpaid: i64,
}

impl SiteBooks {
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Self> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT kind, id FROM book WHERE account IS NULL \
             AND kind IN ('issued', 'spent', 'expired', 'sold', 'unpaid')",
        )
        .fetch_all(connection)
        .await
        .map_err(sql)?;
        let mut site = Self::default();
        for (kind, id) in rows {
            match kind.as_str() {
                "issued" => site.issued = id,
                "spent" => site.spent = id,
                "expired" => site.expired = id,
                "sold" => site.sold = id,
                _ => site.unpaid = id,
            }
        }
        Ok(site)
    }
}

/// A movement of credits from one book to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) debit: i64,
    pub(super) credit: i64,
    pub(super) amount: u32,
    pub(super) reason: Reason,
    pub(super) hold: Option<Id>,
}

impl Transfer {
    /// Without a hold.
    pub(super) const fn new(reason: Reason, debit: i64, credit: i64, amount: u32) -> Self {
        Self { debit, credit, amount, reason, hold: None }
    }

    /// Writes it; the balances of both books move with it. Nothing is written for nothing.
    pub(super) async fn write(self, writing: &mut Writing, today: i64) -> Result<()> {
        if self.amount == 0 {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO transfer (debit, credit, amount, reason, hold, day) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(self.debit)
        .bind(self.credit)
        .bind(self.amount)
        .bind(self.reason.name())
        .bind(self.hold.map(|hold| hold.as_bytes().to_vec()))
        .bind(today)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
        Ok(())
    }
}

/// Takes the owner off the books of an account that is closed: what is left of its credits is lost, and what it owes is the
/// site's. The books stay, since sums must not change. Nothing is left to do for one that was closed before.
pub async fn close_books(writing: &mut Writing, account: Id, today: i64) -> Result<()> {
    let Some(books) = Books::find(&mut *writing, account).await? else { return Ok(()) };
    let site = SiteBooks::of(&mut *writing).await?;
    for book in [books.daily, books.welcome, books.purchased] {
        Transfer::new(Reason::Forfeit, book.id, site.expired, book.credits()).write(writing, today).await?;
    }
    Transfer::new(Reason::Forfeit, site.unpaid, books.owed.id, books.owed.debt())
        .write(writing, today)
        .await?;
    for statement in [
        "UPDATE book SET account = NULL WHERE account = ?",
        "UPDATE hold SET account = NULL WHERE account = ?",
    ] {
        sqlx::query(statement)
            .bind(account.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    Ok(())
}
