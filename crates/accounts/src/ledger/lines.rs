//! This owns the ledger as its owner reads it: one line for each thing that happened.

use kernel::{Id, Result};
use platform::db::sql;

use super::Ledger;

/// A line of the ledger as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Day since 1970-01-01.
    pub day: i64,
    /// Why, as [`super::Reason`] names it; of a picture `hold` while it develops, then `capture` or `release`.
    pub reason: String,
    /// The buckets that changed, with commas.
    pub buckets: String,
    /// Credits that moved.
    pub credits: u32,
    /// What that changed in what can be spent; nothing, where a hold was given back. All lines add up to the balance.
    pub amount: i64,
}

impl Ledger {
    /// The newest lines of an account's ledger; a picture is one line, from its hold to its end.
    ///
    /// # Errors
    /// As every read.
    pub async fn lines(&self, account: Id, limit: u32) -> Result<Vec<Line>> {
        // What settles a debt moves within the account and changes nothing that can be spent.
        let rows: Vec<(i64, String, String, u32, i64, i64)> = sqlx::query_as(
            "SELECT t.day, \
             CASE h.state WHEN 'open' THEN 'hold' WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release' \
                ELSE t.reason END, \
             group_concat(DISTINCT b.kind), \
             sum(CASE t.reason WHEN 'release' THEN 0 ELSE t.amount END), \
             sum(CASE b.id WHEN t.credit THEN t.amount ELSE -t.amount END), \
             min(t.id) AS first \
             FROM transfer t JOIN book b ON b.id IN (t.debit, t.credit) LEFT JOIN hold h ON h.id = t.hold \
             WHERE b.account = ? AND b.kind <> 'held' AND t.reason <> 'settle' \
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
}
