//! This owns the second line of erasing: files whose key is gone are overwritten and unlinked, the SQL journal is cut.
//! Nothing depends on it for secrecy; what fails is said, kept in a list, and tried again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use kernel::{Error, Id, Kind, Result};

use super::Blobs;
use crate::db::{commit, sql};

/// Records swept in one go.
const SWEPT_MAX: u32 = 256;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

impl Blobs {
    /// Sweeps beside what goes on.
    pub fn sweep_soon(&self) {
        let blobs = self.clone();
        tokio::spawn(async move {
            if let Err(error) = blobs.sweep().await {
                blobs.log.failure(&error);
            }
        });
    }

    /// Overwrites and unlinks the files of every record that was erased.
    ///
    /// # Errors
    /// `Internal` when a file could not be unlinked; the others are, and this one is tried again the next time.
    pub async fn sweep(&self) -> Result<()> {
        let _alone = self.sweeping.lock().await;
        let mut failed = None;
        let mut behind = Vec::new();
        loop {
            let records = self.to_sweep(&behind).await?;
            let Some(last) = records.last() else { break };
            behind = last.as_bytes().to_vec();
            let blobs = self.clone();
            let (swept, error) = tokio::task::spawn_blocking(move || blobs.unlink(records))
                .await
                .map_err(|_| Error::internal("sweeping stopped"))?;
            failed = failed.or(error);
            self.forget(&swept).await?;
        }
        if !behind.is_empty() {
            self.db.truncate_journal().await?;
        }
        self.db.lay_up_reserve();
        failed.map_or(Ok(()), Err)
    }

    /// How many records wait to be swept.
    ///
    /// # Errors
    /// As every read.
    pub async fn count_unswept(&self) -> Result<u64> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sweep").fetch_one(self.db.read()).await.map_err(sql)?;
        Ok(count.unsigned_abs())
    }

    async fn to_sweep(&self, behind: &[u8]) -> Result<Vec<Id>> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT record FROM sweep WHERE record > ? ORDER BY record LIMIT ?")
                .bind(behind)
                .bind(SWEPT_MAX)
                .fetch_all(self.db.read())
                .await
                .map_err(sql)?;
        rows.iter().map(|record| Id::from_column(record)).collect()
    }

    /// Returns the records whose files are gone, and why one of the others is still there.
    fn unlink(&self, records: Vec<Id>) -> (Vec<Id>, Option<Error>) {
        let mut failed = None;
        let gone = |record: &Id| {
            let erased =
                erase_dir(&self.record_dir(*record)).and_then(|()| erase_dir(&self.incoming_dir(*record)));
            if let Err(cause) = erased {
                let words = "The file of an erased picture cannot be unlinked. Its key is gone, so nobody can open it; check the disk and the owner of the data folder.";
                let error = Error::new(Kind::Internal, words).because(cause);
                failed = Some(Error { place: Some("an erased file cannot be unlinked"), ..error });
                return false;
            }
            true
        };
        (records.into_iter().filter(gone).collect(), failed)
    }

    async fn forget(&self, swept: &[Id]) -> Result<()> {
        let mut writing = self.db.write_to_erase().await?;
        for record in swept {
            sqlx::query("DELETE FROM sweep WHERE record = ?")
                .bind(record.as_bytes().as_slice())
                .execute(&mut *writing)
                .await
                .map_err(sql)?;
        }
        commit(writing).await
    }
}

/// Overwrites and unlinks the files of a folder, and the folder, if it is there.
pub(crate) fn erase_dir(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause),
    };
    for entry in entries {
        erase_file(&entry?.path())?;
    }
    fs::remove_dir(dir)
}

/// Overwrites and unlinks a file.
pub(crate) fn erase_file(path: &Path) -> io::Result<()> {
    overwrite(path)?;
    fs::remove_file(path)
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let mut bytes_left = file.metadata()?.len();
    while bytes_left > 0 {
        let part = bytes_left.min(ZEROS.len() as u64);
        file.write_all(ZEROS.get(..usize::try_from(part).unwrap_or(ZEROS.len())).unwrap_or(&ZEROS))?;
        bytes_left -= part;
    }
    file.sync_data()
}
