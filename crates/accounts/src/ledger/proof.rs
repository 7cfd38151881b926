//! This owns the proof that the books add up: from the transfers alone, and day by day under a key that no row holds.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt;
use kernel::Result;
use platform::db::sql;
use sqlx::Row;
use vault::SiteKey;

use super::Ledger;

/// Name under which the digest of a day is made.
const DAY_LABEL: &str = "ledger proof";

/// What a check of the whole ledger found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Sum over all books; zero when they add up.
    pub sum: i64,
    /// Books whose balance is not the sum of their transfers.
    pub wrong_books: i64,
    /// Accounts that owe while they could pay.
    pub wrong_debts: i64,
    /// Transfers between books that may not give to each other.
    pub wrong_flows: i64,
    /// Holds whose transfers do not fit their state.
    pub wrong_holds: i64,
    /// Days whose transfers are not those that were there when the day was over.
    pub wrong_days: i64,
    /// Days that were proven.
    pub days: i64,
    /// Transfers in all.
    pub transfers: i64,
}

impl Proof {
    /// Whether everything adds up.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults().iter().all(|(_, count)| *count == 0)
    }

    /// What can be wrong, and how much of it is.
    #[must_use]
    pub const fn faults(&self) -> [(&'static str, i64); 6] {
        [
            ("sum", self.sum),
            ("books", self.wrong_books),
            ("debts", self.wrong_debts),
            ("flows", self.wrong_flows),
            ("holds", self.wrong_holds),
            ("days", self.wrong_days),
        ]
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} transfers, {} days proven", self.transfers, self.days)?;
        let wrong = self.faults().into_iter().filter(|(_, count)| *count != 0);
        wrong.into_iter().try_for_each(|(name, count)| write!(f, "; wrong {name}: {count}"))
    }
}

/// A day that is over.
struct Proven {
    day: i64,
    last: i64,
    digest: Vec<u8>,
}

impl Ledger {
    /// Adds everything up from the transfers, and holds them against the days that were proven.
    ///
    /// # Errors
    /// As every read.
    pub async fn check(&self, site: &SiteKey) -> Result<Proof> {
        let row = sqlx::query(
            "SELECT (SELECT coalesce(sum(balance), 0) FROM book) AS sum, \
             (SELECT count(*) FROM book b WHERE b.balance <> \
                (SELECT coalesce(sum(amount), 0) FROM transfer WHERE credit = b.id) - \
                (SELECT coalesce(sum(amount), 0) FROM transfer WHERE debit = b.id)) AS wrong_books, \
             (SELECT count(*) FROM book o JOIN book p ON p.account = o.account \
                WHERE o.kind = 'owed' AND p.kind = 'purchased' AND o.balance < 0 AND p.balance > 0) AS wrong_debts, \
             (SELECT count(*) FROM transfer t JOIN book d ON d.id = t.debit JOIN book c ON c.id = t.credit \
                WHERE NOT EXISTS (SELECT 1 FROM flow WHERE reason = t.reason AND debit = d.kind AND credit = c.kind)) \
                AS wrong_flows, \
             (SELECT count(*) FROM hold h WHERE h.state <> 'open' AND \
                (SELECT coalesce(sum(CASE reason WHEN 'hold' THEN amount ELSE -amount END), 0) \
                    FROM transfer WHERE hold = h.id) <> 0 \
                OR EXISTS (SELECT 1 FROM transfer WHERE hold = h.id AND reason <> 'hold' AND reason <> \
                    CASE h.state WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release' ELSE '' END)) \
                + (SELECT count(*) FROM transfer WHERE hold IS NOT NULL AND hold NOT IN (SELECT id FROM hold)) \
                AS wrong_holds, \
             (SELECT count(*) FROM transfer) AS transfers",
        )
        .fetch_one(self.db.read())
        .await
        .map_err(sql)?;
        let number = |column: &str| row.try_get::<i64, _>(column).map_err(sql);
        let mut proof = Proof {
            sum: number("sum")?,
            wrong_books: number("wrong_books")?,
            wrong_debts: number("wrong_debts")?,
            wrong_flows: number("wrong_flows")?,
            wrong_holds: number("wrong_holds")?,
            transfers: number("transfers")?,
            ..Proof::default()
        };
        let mut before = Proven { day: 0, last: 0, digest: Vec::new() };
        for proven in self.proven_days().await? {
            proof.days += 1;
            proof.wrong_days += i64::from(self.digest(site, &before, proven.last).await? != *proven.digest);
            before = proven;
        }
        Ok(proof)
    }

    /// Proves the days that are over and are not proven yet. Returns whether there was one.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn prove_days(&self, site: &SiteKey) -> Result<bool> {
        let yesterday = self.clock.today() - 1;
        let before =
            self.proven_days().await?.pop().unwrap_or(Proven { day: 0, last: 0, digest: Vec::new() });
        if before.day >= yesterday {
            return Ok(false);
        }
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM transfer WHERE day <= ?")
            .bind(yesterday)
            .fetch_one(self.db.read())
            .await
            .map_err(sql)?;
        let digest = self.digest(site, &before, last).await?;
        let mut writing = self.db.write().await?;
        sqlx::query("INSERT INTO ledger_proof (day, last, digest) VALUES (?, ?, ?)")
            .bind(yesterday)
            .bind(last)
            .bind(digest.as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        Ok(true)
    }

    async fn proven_days(&self) -> Result<Vec<Proven>> {
        let rows: Vec<(i64, i64, Vec<u8>)> =
            sqlx::query_as("SELECT day, last, digest FROM ledger_proof ORDER BY day")
                .fetch_all(self.db.read())
                .await
                .map_err(sql)?;
        Ok(rows.into_iter().map(|(day, last, digest)| Proven { day, last, digest }).collect())
    }

    /// The keyed digest of the proof before, and of every transfer since, up to the last.
    async fn digest(&self, site: &SiteKey, before: &Proven, last: i64) -> Result<[u8; 32]> {
        let mut context = Context::new(&SHA256);
        context.update(&before.digest);
        let mut rows = sqlx::query_as::<_, (i64, i64, i64, i64, String, Option<Vec<u8>>, i64)>(
            "SELECT id, debit, credit, amount, reason, hold, day FROM transfer WHERE id > ? AND id <= ? ORDER BY id",
        )
        .bind(before.last)
        .bind(last)
        .fetch(self.db.read());
        while let Some((id, debit, credit, amount, reason, hold, day)) = rows.try_next().await.map_err(sql)? {
            for number in [id, debit, credit, amount, day] {
                context.update(&number.to_le_bytes());
            }
            // A hold has sixteen bytes, so that its presence tells where the reason ends.
            context.update(&[u8::from(hold.is_some())]);
            context.update(hold.as_deref().unwrap_or_default());
            context.update(reason.as_bytes());
        }
        Ok(site.fingerprint(DAY_LABEL, context.finish().as_ref()))
    }
}
