//! This owns taking out of restored rows what was deleted after they were kept: without its key it is nobody's any more.

use std::collections::HashSet;

use kernel::{Id, Result};
use platform::db::{Db, Writing};

use crate::Studio;
use crate::store;

impl Studio {
    /// Deletes every generation and reference without a key; returns how many.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn drop_keyless(writing: &mut Writing, living: &HashSet<Id>, today: i64) -> Result<u64> {
        let mut dropped = 0;
        for (id, account) in store::list_owned(writing).await? {
            if !living.contains(&id) {
                store::delete(writing, account, &[id], today).await?;
                store::delete_reference(writing, id).await?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// Records of a database that have files.
    ///
    /// # Errors
    /// As every read.
    pub async fn records_with_files(db: &Db) -> Result<Vec<Id>> {
        store::records_with_files(db).await
    }

    /// Every record of a database.
    ///
    /// # Errors
    /// As every read.
    pub async fn records_of(db: &Db) -> Result<Vec<Id>> {
        store::records(db).await
    }
}
