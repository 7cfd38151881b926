//! This owns erasing members' pictures: the job, the row, the key, the files. What is erased cannot be brought back.

use kernel::clock::DAY_SECONDS;
use kernel::{Error, Id, Kind, Result};
use platform::db::Writing;
use platform::keys::Erased;
use platform::statistics::{Counter, Who};

use crate::Studio;
use crate::store::{self, Which};

/// Records erased by one request.
const ERASE_MAX: usize = 1_000;
/// Days for which the request id of an erased generation is remembered.
const REQUEST_DAYS: i64 = 30;

impl Studio {
    /// Erases generations of an account; ids that are not its own, or gone already, are passed over. May be repeated.
    ///
    /// # Errors
    /// `TooLarge` for too many at once; else as a turn.
    pub async fn erase(&self, account: Id, ids: &[Id]) -> Result<Erased<()>> {
        if ids.len() > ERASE_MAX {
            return Err(Error::new(Kind::TooLarge, "At most 1000 pictures can be deleted at once."));
        }
        for id in ids {
            // Somebody else's job is not theirs to stop.
            if self.check_owner(account, *id).await.is_ok() {
                self.cancel(*id);
            }
        }
        let (ids, today) = (ids.to_vec(), self.clock.today());
        let erased = self.blobs.keys().turn(move |writing| {
            Box::pin(async move { Ok(((), store::delete(writing, account, &ids, today).await?)) })
        });
        self.deleted(account, erased.await?)
    }

    /// Erases everything an account has made or uploaded.
    ///
    /// # Errors
    /// As a turn.
    pub async fn erase_all(&self, account: Id) -> Result<Erased<()>> {
        self.cancel_all(account);
        let today = self.clock.today();
        let erased = self.blobs.keys().turn(move |writing| {
            Box::pin(async move {
                let ids = store::ids(writing, account).await?;
                let mut records = store::delete(writing, account, &ids, today).await?;
                records.extend(store::delete_references(writing, Which::Of(account)).await?);
                Ok(((), records))
            })
        });
        self.deleted(account, erased.await?)
    }

    /// Deletes every row of an account, for the turn in which its keys go.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete_all(writing: &mut Writing, account: Id) -> Result<()> {
        store::delete_generations(writing, account).await?;
        store::delete_references(writing, Which::Of(account)).await.map(drop)
    }

    /// Erases references older than 24 hours, and forgets old request ids.
    ///
    /// # Errors
    /// As a turn.
    pub async fn expire(&self) -> Result<()> {
        let (before, before_day) = (self.clock.now() - DAY_SECONDS, self.clock.today() - REQUEST_DAYS);
        let erased = self.blobs.keys().turn(move |writing| {
            Box::pin(async move {
                store::forget_requests(writing, before_day).await?;
                Ok(((), store::delete_references(writing, Which::Before(before)).await?))
            })
        });
        self.swept(erased.await?).map(drop)
    }

    fn deleted(&self, account: Id, erased: Erased<()>) -> Result<Erased<()>> {
        if !erased.records.is_empty() {
            self.counters.count(Counter::Deleted, Who::Account(account));
        }
        self.swept(erased)
    }

    fn swept(&self, erased: Erased<()>) -> Result<Erased<()>> {
        if !erased.records.is_empty() {
            self.blobs.sweep_soon();
        }
        Ok(erased)
    }
}
