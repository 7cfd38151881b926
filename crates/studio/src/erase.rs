//! This owns erasing members' pictures: the job, the row, the key, the files. What is erased cannot be brought back.

use kernel::clock::DAY_SECONDS;
use kernel::{Error, Id, Kind, Result};

use crate::Studio;
use crate::store::{self, Which};

/// Records erased by one request.
const ERASE_MAX: usize = 1_000;
/// Days for which the request id of an erased generation is remembered.
const REQUEST_DAYS: i64 = 30;

impl Studio {
    /// Erases generations of an account; ids that are not its own, or gone already, are passed over. Returns how many
    /// were erased. May be repeated.
    ///
    /// # Errors
    /// `TooLarge` for too many at once; else as every write.
    pub async fn erase(&self, account: Id, ids: &[Id]) -> Result<usize> {
        if ids.len() > ERASE_MAX {
            return Err(Error::new(Kind::TooLarge, "At most 1000 pictures can be deleted at once."));
        }
        for id in ids {
            // Somebody else's job is not theirs to stop.
            if self.check_owner(account, *id).await.is_ok() {
                self.cancel(*id);
            }
        }
        let mut writing = self.db.write().await?;
        let erased = store::delete(&mut writing, account, ids, self.clock.today()).await?;
        platform::db::commit(writing).await?;
        self.erase_blobs(erased.clone()).await?;
        Ok(erased.len())
    }

    /// Erases everything an account has made or uploaded; returns how many generations.
    ///
    /// # Errors
    /// As [`Studio::erase`].
    pub async fn erase_all(&self, account: Id) -> Result<usize> {
        let ids = store::ids(&self.db, account).await?;
        let mut erased = 0;
        for batch in ids.chunks(ERASE_MAX) {
            erased += self.erase(account, batch).await?;
        }
        self.erase_references(Which::Of(account)).await?;
        Ok(erased)
    }

    /// Erases references older than 24 hours, and forgets old request ids.
    ///
    /// # Errors
    /// As every write.
    pub async fn expire(&self) -> Result<()> {
        self.erase_references(Which::Before(self.clock.now() - DAY_SECONDS)).await?;
        let mut writing = self.db.write().await?;
        store::forget_requests(&mut writing, self.clock.today() - REQUEST_DAYS).await?;
        platform::db::commit(writing).await
    }

    async fn erase_references(&self, which: Which) -> Result<()> {
        let mut writing = self.db.write().await?;
        let erased = store::delete_references(&mut writing, which).await?;
        platform::db::commit(writing).await?;
        self.erase_blobs(erased).await
    }

    /// Keys and files go, and the journal is cut, before the answer leaves.
    async fn erase_blobs(&self, records: Vec<Id>) -> Result<()> {
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.erase(&records))
            .await
            .map_err(|_| Error::internal("erasing pictures stopped"))??;
        self.db.truncate_journal().await
    }
}
