//! This owns the rows of published days, and that each is written once.

use std::collections::BTreeMap;

use kernel::Result;
use platform::db::{Db, Writing, commit, sql};
use platform::statistics::{Counter, Counters, EPSILON, EndedDay};

/// Days for which what was published is kept.
const KEPT_DAYS: i64 = 400;

/// A day as it was published.
pub(super) struct Published {
    pub(super) day: i64,
    pub(super) whole: bool,
    pub(super) budget: u8,
    /// By the name of the counter; none where it is too small to be shown.
    pub(super) counts: BTreeMap<String, Option<u32>>,
}

/// Publishes the days that are over, and erases those of more than a year ago. May be repeated: a day that is published
/// stays as it is.
///
/// # Errors
/// As every write; the days then wait with the noise that they have.
pub async fn publish(db: &Db, counters: &Counters) -> Result<()> {
    let ended = counters.ended();
    let mut writing = db.write().await?;
    for day in &ended {
        insert(&mut writing, day).await?;
    }
    sqlx::query("DELETE FROM statistic WHERE day < ?")
        .bind(counters.today() - KEPT_DAYS)
        .execute(&mut *writing)
        .await
        .map_err(sql)?;
    commit(writing).await?;
    ended.iter().for_each(|day| counters.forget(day.day));
    Ok(())
}

async fn insert(writing: &mut Writing, ended: &EndedDay) -> Result<()> {
    for (counter, count) in Counter::ALL.iter().zip(ended.counts) {
        sqlx::query(
            "INSERT INTO statistic (day, event, count, whole, budget) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(ended.day)
        .bind(counter.name())
        .bind(count)
        .bind(ended.whole)
        .bind(EPSILON)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    }
    Ok(())
}

/// Every day that is published, the oldest first.
pub(super) async fn list(db: &Db) -> Result<Vec<Published>> {
    let rows: Vec<(i64, String, Option<u32>, bool, u8)> =
        sqlx::query_as("SELECT day, event, count, whole, budget FROM statistic ORDER BY day")
            .fetch_all(db.read())
            .await
            .map_err(sql)?;
    let mut days: Vec<Published> = Vec::new();
    for (day, event, count, whole, budget) in rows {
        match days.last_mut() {
            Some(last) if last.day == day => drop(last.counts.insert(event, count)),
            _ => days.push(Published { day, whole, budget, counts: BTreeMap::from([(event, count)]) }),
        }
    }
    Ok(days)
}
