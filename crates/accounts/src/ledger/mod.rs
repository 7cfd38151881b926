//! This owns the books: every credit moves from one book to another, and the sum over all books is always zero.
//! A picture is paid by a hold, which is captured or released exactly once. The schema forbids the rest.

mod section;

use kernel::{Error, Id, Kind, Result};
use platform::db::{Writing, sql};
use sqlx::Row;

pub(crate) use section::CreditsSection;

use crate::Accounts;

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

impl Terms {
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::DailyFirst => &["daily", "welcome", "purchased"],
            Self::WithoutDaily => &["welcome", "purchased"],
            Self::PurchasedOnly => &["purchased"],
        }
    }
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
}

/// A line of the ledger as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Day since 1970-01-01.
    pub day: i64,
    /// `grant`, `daily`, `expire`; of a picture `hold` while it develops, then `capture` or `release`.
    pub reason: String,
    /// The buckets that changed, with commas.
    pub buckets: String,
    /// Credits that moved.
    pub credits: u32,
    /// What that changed in what can be spent; nothing, where a hold was given back. All lines add up to the balance.
    pub amount: i64,
}

/// What a check of the whole ledger found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Sum over all books; zero when they add up.
    pub sum: i64,
    /// Books whose balance is not the sum of their transfers.
    pub wrong_books: i64,
    /// Holds whose transfers do not fit their state.
    pub wrong_holds: i64,
    /// Transfers in all.
    pub transfers: i64,
}

impl Proof {
    /// Whether everything adds up.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.sum == 0 && self.wrong_books == 0 && self.wrong_holds == 0
    }
}

/// The books of a new account.
pub(crate) async fn open_books(writing: &mut Writing, account: Id) -> Result<()> {
    for kind in ["daily", "welcome", "purchased", "held"] {
        sqlx::query("INSERT INTO book (account, kind) VALUES (?, ?)")
            .bind(account.as_bytes().as_slice())
            .bind(kind)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    Ok(())
}

struct Book {
    id: i64,
    balance: u32,
    granted_day: i64,
}

/// The book of an account, or of the site for `None`.
async fn book(writing: &mut Writing, account: Option<Id>, kind: &str) -> Result<Book> {
    let row = sqlx::query(
        "SELECT id, max(balance, 0) AS balance, granted_day FROM book WHERE account IS ? AND kind = ?",
    )
    .bind(account.map(|account| account.as_bytes().to_vec()))
    .bind(kind)
    .fetch_optional(&mut **writing)
    .await
    .map_err(sql)?
    .ok_or_else(|| Error::not_found("There is no such account."))?;
    Ok(Book {
        id: row.try_get("id").map_err(sql)?,
        balance: row.try_get("balance").map_err(sql)?,
        granted_day: row.try_get("granted_day").map_err(sql)?,
    })
}

impl Accounts {
    async fn transfer(
        &self,
        writing: &mut Writing,
        debit: i64,
        credit: i64,
        amount: u32,
        reason: &str,
        hold: Option<Id>,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO transfer (debit, credit, amount, reason, hold, day) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(debit)
        .bind(credit)
        .bind(amount)
        .bind(reason)
        .bind(hold.map(|hold| hold.as_bytes().to_vec()))
        .bind(self.clock.today())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
        Ok(())
    }

    /// Grants today's credits if that has not happened: what is left of an earlier day expires first.
    async fn refresh_daily(&self, writing: &mut Writing, account: Id) -> Result<()> {
        let (today, daily) = (self.clock.today(), book(writing, Some(account), "daily").await?);
        if daily.granted_day == today {
            return Ok(());
        }
        if daily.balance > 0 {
            let expired = book(writing, None, "expired").await?;
            self.transfer(writing, daily.id, expired.id, daily.balance, "expire", None).await?;
        }
        if self.daily_credits > 0 {
            let issued = book(writing, None, "issued").await?;
            self.transfer(writing, issued.id, daily.id, self.daily_credits, "daily", None).await?;
        }
        sqlx::query("UPDATE book SET granted_day = ? WHERE id = ?")
            .bind(today)
            .bind(daily.id)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        Ok(())
    }

    /// Grants credits that do not expire.
    ///
    /// # Errors
    /// `NotFound` for an unknown account.
    pub async fn grant(&self, account: Id, credits: u32) -> Result<()> {
        if credits == 0 {
            return Ok(());
        }
        let mut writing = self.db.write().await?;
        let (from, to) = (
            book(&mut writing, None, "issued").await?,
            book(&mut writing, Some(account), "purchased").await?,
        );
        self.transfer(&mut writing, from.id, to.id, credits, "grant", None).await?;
        platform::db::commit(writing).await
    }

    /// Holds credits for one picture. They are gone from the balance until the hold is captured or released.
    ///
    /// # Errors
    /// `InsufficientCredits`; nothing is held then.
    pub async fn hold(&self, writing: &mut Writing, account: Id, credits: u32, terms: Terms) -> Result<Id> {
        self.refresh_daily(writing, account).await?;
        let hold = Id::random();
        let held = book(writing, Some(account), "held").await?;
        let mut missing = credits;
        let mut parts = Vec::new();
        for kind in terms.kinds() {
            let bucket = book(writing, Some(account), kind).await?;
            let part = bucket.balance.min(missing);
            missing -= part;
            if part > 0 {
                parts.push((bucket.id, part));
            }
        }
        if missing > 0 {
            let words = format!(
                "Not enough credits: this needs {credits}, and {} can be spent here.",
                credits - missing
            );
            return Err(Error::new(Kind::InsufficientCredits, words).with_code("insufficient_credits"));
        }
        sqlx::query("INSERT INTO hold (id, account, state) VALUES (?, ?, 'open')")
            .bind(hold.as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        for (bucket, part) in parts {
            self.transfer(writing, bucket, held.id, part, "hold", Some(hold)).await?;
        }
        Ok(hold)
    }

    /// Takes held credits for good. A hold that has ended is left as it is.
    ///
    /// # Errors
    /// As every write.
    pub async fn capture(&self, writing: &mut Writing, hold: Id) -> Result<()> {
        self.end_hold(writing, hold, "captured").await
    }

    /// Gives held credits back to the buckets they came from. A hold that has ended is left as it is.
    ///
    /// # Errors
    /// As every write.
    pub async fn release(&self, writing: &mut Writing, hold: Id) -> Result<()> {
        self.end_hold(writing, hold, "released").await
    }

    async fn end_hold(&self, writing: &mut Writing, hold: Id, state: &str) -> Result<()> {
        let ended = sqlx::query("UPDATE hold SET state = ? WHERE id = ? AND state = 'open'")
            .bind(state)
            .bind(hold.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        if ended.rows_affected() == 0 {
            return Ok(());
        }
        let parts: Vec<(i64, i64, u32)> =
            sqlx::query_as("SELECT debit, credit, amount FROM transfer WHERE hold = ? AND reason = 'hold'")
                .bind(hold.as_bytes().as_slice())
                .fetch_all(&mut **writing)
                .await
                .map_err(sql)?;
        let spent = book(writing, None, "spent").await?;
        for (bucket, held, amount) in parts {
            let (to, reason) = if state == "captured" { (spent.id, "capture") } else { (bucket, "release") };
            self.transfer(writing, held, to, amount, reason, Some(hold)).await?;
        }
        Ok(())
    }

    /// Releases every open hold: at start, none of them can belong to a living job. Returns how many.
    ///
    /// # Errors
    /// As every write.
    pub async fn release_open_holds(&self, writing: &mut Writing) -> Result<u64> {
        let open: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM hold WHERE state = 'open'")
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
        let mut writing = self.db.write().await?;
        self.refresh_daily(&mut writing, account).await?;
        let mut balance = Balance::default();
        for (kind, to) in [
            ("daily", &mut balance.daily),
            ("welcome", &mut balance.welcome),
            ("purchased", &mut balance.purchased),
            ("held", &mut balance.held),
        ] {
            *to = book(&mut writing, Some(account), kind).await?.balance;
        }
        platform::db::commit(writing).await?;
        Ok(balance)
    }

    /// The newest lines of an account's ledger; a picture is one line, from its hold to its end.
    ///
    /// # Errors
    /// As every read.
    pub async fn lines(&self, account: Id, limit: u32) -> Result<Vec<Line>> {
        let rows: Vec<(i64, String, String, u32, i64, i64)> = sqlx::query_as(
            "SELECT t.day, \
             CASE h.state WHEN 'open' THEN 'hold' WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release' \
                ELSE t.reason END, \
             group_concat(DISTINCT b.kind), \
             sum(CASE t.reason WHEN 'release' THEN 0 ELSE t.amount END), \
             sum(CASE b.id WHEN t.credit THEN t.amount ELSE -t.amount END), \
             min(t.id) AS first \
             FROM transfer t JOIN book b ON b.id IN (t.debit, t.credit) LEFT JOIN hold h ON h.id = t.hold \
             WHERE b.account = ? AND b.kind <> 'held' \
             GROUP BY coalesce(t.hold, t.id) ORDER BY first DESC LIMIT ?",
        )
        .bind(account.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        let line =
            |(day, reason, buckets, credits, amount, _)| Line { day, reason, buckets, credits, amount };
        Ok(rows.into_iter().map(line).collect())
    }

    /// Adds everything up from the transfers.
    ///
    /// # Errors
    /// As every read.
    pub async fn check_ledger(&self) -> Result<Proof> {
        let row = sqlx::query(
            "SELECT (SELECT coalesce(sum(balance), 0) FROM book) AS sum, \
             (SELECT count(*) FROM book b WHERE b.balance <> \
                (SELECT coalesce(sum(amount), 0) FROM transfer WHERE credit = b.id) - \
                (SELECT coalesce(sum(amount), 0) FROM transfer WHERE debit = b.id)) AS wrong_books, \
             (SELECT count(*) FROM hold h WHERE \
                (SELECT coalesce(sum(CASE reason WHEN 'hold' THEN amount ELSE -amount END), 0) FROM transfer WHERE hold = h.id) \
                <> 0 AND h.state <> 'open') AS wrong_holds, \
             (SELECT count(*) FROM transfer) AS transfers",
        )
        .fetch_one(self.db.read())
        .await
        .map_err(sql)?;
        let number = |column: &str| row.try_get::<i64, _>(column).map_err(sql);
        Ok(Proof {
            sum: number("sum")?,
            wrong_books: number("wrong_books")?,
            wrong_holds: number("wrong_holds")?,
            transfers: number("transfers")?,
        })
    }
}
