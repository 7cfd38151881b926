//! This owns holds: credits set aside for one picture, which are taken or given back exactly once.

use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Kind, Result};
use platform::db::{Writing, sql};

use super::Ledger;
use super::books::{Books, Reason, Transfer};

/// How long a hold waits for its end, unless whoever works for it says that it goes on.
pub const LEASE_SECONDS: UnixSeconds = 3600;

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

/// What is left of a hold when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Captured,
    Released,
}

impl Ledger {
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
}
