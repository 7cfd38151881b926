//! This owns what pictures have cost day by day, counted from the ledger itself: credits that were taken for good.

use kernel::{Id, Result};
use platform::db::sql;

use crate::{Accounts, day_text};

/// Days that the account page shows, today among them.
const DAYS_SHOWN: i64 = 30;

/// What was spent on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayUse {
    /// Day since 1970-01-01.
    pub day: i64,
    /// Pictures that were made and paid.
    pub pictures: u32,
    /// What they cost.
    pub credits: u32,
}

/// The last days, as the account page shows them.
pub(crate) struct UsageView {
    /// Days on which something was spent, the newest first.
    pub(crate) days: Vec<DayView>,
    pub(crate) pictures: u32,
    pub(crate) credits: u32,
    /// What the dearest of these days has cost.
    pub(crate) most: u32,
}

/// A day and what was spent on it.
pub(crate) struct DayView {
    pub(crate) day: String,
    pub(crate) spent: DayUse,
}

impl Accounts {
    /// What was spent from a day on, one entry for each day on which something was, the newest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn usage(&self, account: Id, first_day: i64) -> Result<Vec<DayUse>> {
        let rows: Vec<(i64, u32, u32)> = sqlx::query_as(
            "SELECT t.day, count(DISTINCT t.hold), sum(t.amount) FROM transfer t JOIN book b ON b.id = t.debit \
             WHERE b.account = ? AND t.reason = 'capture' AND t.day >= ? GROUP BY t.day ORDER BY t.day DESC",
        )
        .bind(account.as_bytes().as_slice())
        .bind(first_day)
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        Ok(rows.into_iter().map(|(day, pictures, credits)| DayUse { day, pictures, credits }).collect())
    }

    pub(crate) async fn usage_view(&self, account: Id) -> Result<UsageView> {
        let days = self.usage(account, self.clock.today() - DAYS_SHOWN + 1).await?;
        Ok(UsageView {
            pictures: days.iter().map(|spent| spent.pictures).sum(),
            credits: days.iter().map(|spent| spent.credits).sum(),
            most: days.iter().map(|spent| spent.credits).max().unwrap_or(0),
            days: days.into_iter().map(|spent| DayView { day: day_text(spent.day), spent }).collect(),
        })
    }
}
