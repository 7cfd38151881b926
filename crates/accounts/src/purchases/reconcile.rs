//! This owns holding the books against the payment processor's own list of events, so that none is lost where one did not
//! arrive; and letting go of purchases afterwards, when it is sure that none of them was paid.

use kernel::Result;
use kernel::clock::DAY_SECONDS;
use serde_json::Value;

use super::{Settled, event, store};
use crate::Accounts;

/// Days that are looked at again each time: events are sent anew for so long.
const DAYS: i64 = 3;
/// Days that the list goes back.
const DAYS_MAX: i64 = 30;
/// Parts of the list that are read at most.
const PAGES_MAX: usize = 1000;

/// What holding against the list came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Events in the list.
    pub seen: u64,
    /// Those of ours that had not arrived before, and were applied.
    pub missed: u64,
}

impl Accounts {
    /// Applies every event that did not arrive, then deletes purchases that have had their time. None where nothing is for sale.
    ///
    /// # Errors
    /// `Upstream` where the list cannot be read; what was applied stays, and nothing is deleted.
    pub async fn reconcile_purchases(&self) -> Result<Option<Reconciled>> {
        let Some(till) = &self.till else { return Ok(None) };
        let since = self.look_back_to().await?;
        let mut done = Reconciled::default();
        let mut behind: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = till.stripe.events(since, behind.as_deref()).await?;
            behind =
                page.data.last().and_then(|event| event.get("id")).and_then(Value::as_str).map(str::to_owned);
            for listed in page.data {
                done.seen += 1;
                done.missed += u64::from(self.apply_listed(listed).await?);
            }
            if !page.has_more || behind.is_none() {
                break;
            }
        }
        self.prune_purchases().await?;
        Ok(Some(done))
    }

    /// The same function as for an event that is sent; whether it was new.
    async fn apply_listed(&self, listed: Value) -> Result<bool> {
        let Some(event) = event::of(listed)? else { return Ok(false) };
        // Most are known, and looking costs no turn to write.
        Ok(!store::knows(self.db.read(), &event).await? && self.settle(&event).await? == Settled::New)
    }

    /// When the last event came there was a way for them; what came since then may be missing, however long it is.
    async fn look_back_to(&self) -> Result<i64> {
        let today = self.clock.today();
        let newest = store::newest_day(self.db.read()).await?.unwrap_or(0);
        Ok((newest.min(today) - DAYS).max(today - DAYS_MAX) * DAY_SECONDS)
    }

    /// Deletes purchases that were never paid, events of nobody, and what no law asks for any more.
    ///
    /// # Errors
    /// As every write.
    pub async fn prune_purchases(&self) -> Result<()> {
        let mut writing = self.db.write().await?;
        store::prune(&mut writing, self.clock.today()).await?;
        platform::db::commit(writing).await
    }
}
