//! This owns holding files against keys, both ways: a file whose record has no key is swept, a record without its file is
//! named. Crashes leave neither; a disk that lies, or a hand in the folder, does.

use std::fs;
use std::path::PathBuf;

use kernel::{Error, Id, Result};

use super::{Blobs, INCOMING};
use crate::db::{commit, sql};

/// Records that are looked up at a time.
const LOOKED_UP: usize = 512;

impl Blobs {
    /// Sweeps the files of records that have no key; returns how many records that were.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn sweep_strays(&self) -> Result<u64> {
        let strays = self.find_strays().await?;
        self.list_for_sweeping(&strays).await?;
        if !strays.is_empty() {
            self.sweep().await?;
        }
        Ok(strays.len() as u64)
    }

    /// Records that have files and no key.
    ///
    /// # Errors
    /// As every read.
    pub async fn find_strays(&self) -> Result<Vec<Id>> {
        let mut strays = Vec::new();
        for shelf in self.shelves()? {
            let records = tokio::task::spawn_blocking(move || records_in(&shelf))
                .await
                .map_err(|_| Error::internal("looking for files stopped"))??;
            for part in records.chunks(LOOKED_UP) {
                let keys = self.keys.get_all(part).await?;
                strays.extend(part.iter().filter(|record| !keys.contains_key(record)));
            }
        }
        Ok(strays)
    }

    /// Those of the records that should have files and have none.
    #[must_use]
    pub fn find_missing(&self, records: &[Id]) -> Vec<Id> {
        let there =
            |record: &&Id| !self.record_dir(**record).is_dir() && !self.incoming_dir(**record).is_dir();
        records.iter().filter(there).copied().collect()
    }

    fn shelves(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.dir)?.flatten().map(|entry| entry.path());
        Ok(entries.filter(|path| path.is_dir() && !path.ends_with(INCOMING)).collect())
    }

    async fn list_for_sweeping(&self, records: &[Id]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut writing = self.db.write().await?;
        for record in records {
            sqlx::query("INSERT INTO sweep (record) VALUES (?) ON CONFLICT DO NOTHING")
                .bind(record.as_bytes().as_slice())
                .execute(&mut *writing)
                .await
                .map_err(sql)?;
        }
        commit(writing).await
    }
}

fn records_in(shelf: &PathBuf) -> Result<Vec<Id>> {
    let names = fs::read_dir(shelf)?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}
