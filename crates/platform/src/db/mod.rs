//! This owns the way to SQL: one writing connection, several reading ones, and the migrations.
//! It holds no query of any slice.

mod together;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use kernel::{Error, Kind, Result};
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use tokio::sync::mpsc;

use crate::reserve::Reserve;
pub use together::Deed;
pub(crate) use together::attempt;

/// Connections that read side by side.
const READERS_MAX: u32 = 4;
/// How long a statement waits for a lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A transaction that writes.
pub type Writing = sqlx::Transaction<'static, sqlx::Sqlite>;

/// The database.
#[derive(Clone)]
pub struct Db {
    writer: SqlitePool,
    /// Writes that wait for a transaction that they share.
    waiting: mpsc::UnboundedSender<together::Waiting>,
    readers: SqlitePool,
    reserve: Reserve,
}

impl Db {
    /// Opens the database file, making and migrating it as needed.
    ///
    /// # Errors
    /// `Internal` for a broken file or one from a newer version, `StorageFull` on a full disk.
    pub async fn open(path: &Path) -> Result<Self> {
        // SQLite would let everyone on the machine read it, and gives its journal the mode of the database.
        File::options().create(true).append(true).mode(0o600).open(path)?;
        let file = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            // Otherwise what a large sort does not hold goes into a file elsewhere, in the clear.
            .pragma("temp_store", "MEMORY")
            .statement_cache_capacity(256);
        let options = file
            .clone()
            .create_if_missing(true)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Deleted rows are overwritten with zeros; their keys are erased as well.
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // SQLite ends a transaction by itself where the disk is full, and the driver takes it for open ever after.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // Behind this, a rollback that is on its way has arrived.
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options)
            .await
            .map_err(sql)?;
        sqlx::migrate!("../../migrations").run(&writer).await.map_err(|cause| {
            Error::new(
                Kind::Internal,
                "The database cannot be brought up to date. Was it written by a newer version of Safelight?",
            )
            .because(cause)
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(file.read_only(true))
            .await
            .map_err(sql)?;
        let reserve = Reserve::beside(path);
        reserve.lay_up();
        Ok(Self { waiting: together::start(writer.clone()), writer, readers, reserve })
    }

    /// As [`Db::write`], for what makes room: on a full disk it may use what was laid up for it.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_to_erase(&self) -> Result<Writing> {
        self.reserve.spend_if_needed();
        self.write().await
    }

    /// Starts a transaction that writes; there is one at a time.
    ///
    /// # Errors
    /// `Unavailable` when the database stays locked.
    pub async fn write(&self) -> Result<Writing> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(sql)
    }

    /// Where to run statements that only read.
    #[must_use]
    pub const fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Moves the journal into the database file and cuts it, so that no erased row is left in it.
    ///
    /// # Errors
    /// `Unavailable` when the database stays locked.
    pub async fn truncate_journal(&self) -> Result<()> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await.map_err(sql)?;
        Ok(())
    }

    /// Lays up room for deletions on a full disk again, where there is plenty now.
    pub fn lay_up_reserve(&self) {
        self.reserve.lay_up();
    }

    /// Closes every connection after what is under way.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Commits a transaction.
///
/// # Errors
/// As [`sql`].
pub async fn commit(writing: Writing) -> Result<()> {
    writing.commit().await.map_err(sql)
}

fn busy() -> Error {
    Error::new(Kind::Unavailable, "The database is busy. Nothing was changed. Please try again.")
}

/// What a failure of SQL means to the caller.
#[must_use]
pub fn sql(cause: sqlx::Error) -> Error {
    // SQLITE_BUSY, SQLITE_LOCKED and SQLITE_FULL, with their extended codes in the higher bits.
    let code = cause
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    let error = match code {
        Some(5 | 6) => busy(),
        Some(13) => return Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull)),
        _ => Error::internal("a statement failed"),
    };
    error.because(cause)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_locked_database_says_so_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let db = Db::open(&path).await.unwrap();
        let other = SqliteConnectOptions::new().filename(&path).busy_timeout(Duration::ZERO);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(other).await.unwrap();
        let writing = db.write().await.unwrap();
        let error = pool.begin_with("BEGIN IMMEDIATE").await.map_err(sql).unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable);
        drop(writing);
    }

    #[tokio::test]
    async fn what_a_sort_does_not_hold_stays_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("t.db")).await.unwrap();
        for pool in [&db.readers, &db.writer] {
            let store: i64 = sqlx::query_scalar("PRAGMA temp_store").fetch_one(pool).await.unwrap();
            assert_eq!(store, 2);
        }
    }

    #[tokio::test]
    async fn readers_cannot_write_and_others_on_the_machine_cannot_read() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("t.db")).await.unwrap();
        assert!(sqlx::query("CREATE TABLE t (x)").execute(db.read()).await.is_err());
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
        }
    }
}
