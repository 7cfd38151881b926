//! This owns taking rows and keys out of a database that goes on working.
//!
//! The keys are read in one transaction, whose first node is sealed for the backup by whoever holds the live root; that
//! root is neither asked for nor waited on. Rows are taken before the keys, so that each row had its key when the
//! snapshot was made, and what is deleted in between has lost its key.

use std::collections::HashSet;
use std::path::Path;

use kernel::{Error, Id, Kind, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{finish, new_file, unfinished};
use crate::db::sql;

/// How often the keys are read again when a deletion comes between.
const TRIES_MAX: usize = 200;

/// What is in a snapshot of keys.
#[derive(Debug)]
pub struct KeysTaken {
    /// The number of turns so far.
    pub epoch: u64,
    /// Every record that has a key.
    pub records: HashSet<Id>,
}

/// Puts all rows but those of keys into a new database. It is on the disk when this returns.
///
/// # Errors
/// `StorageFull` on a full disk, else as every read and write.
pub async fn snapshot_rows(live: &Path, to: &Path) -> Result<()> {
    let part = unfinished(to);
    let file = new_file(&part)?;
    let mut from = SqliteConnectOptions::new().filename(live).read_only(true).connect().await.map_err(sql)?;
    let taken = sqlx::query("VACUUM INTO ?").bind(text(&part)?).execute(&mut from).await;
    taken.map_err(sql)?;
    from.close().await.map_err(sql)?;
    let mut copy = open(&part, SqliteJournalMode::Off).await?;
    for statement in [
        "DELETE FROM key_node",
        "DELETE FROM key_leaf",
        "DELETE FROM key_free",
        "DELETE FROM key_state",
        // Not VACUUM, which would write all of it into a file of its own outside of this folder.
        "PRAGMA incremental_vacuum",
    ] {
        sqlx::query(statement).execute(&mut copy).await.map_err(sql)?;
    }
    copy.close().await.map_err(sql)?;
    finish(&file, &part, to)
}

/// Puts the keys into a new database. `reseal` gets the epoch and the first node, and gives that node sealed for the
/// backup, or nothing where the live root is of another epoch by now. It is on the disk when this returns.
///
/// # Errors
/// What `reseal` says, `Unavailable` when deletions never pause, `StorageFull` on a full disk.
pub async fn snapshot_keys(
    live: &Path,
    to: &Path,
    reseal: impl AsyncFn(u64, Vec<u8>) -> Result<Option<Vec<u8>>>,
) -> Result<KeysTaken> {
    let part = unfinished(to);
    let file = new_file(&part)?;
    let mut copy = open(&part, SqliteJournalMode::Memory).await?;
    sqlx::query("ATTACH ? AS live").bind(text(live)?).execute(&mut copy).await.map_err(sql)?;
    for _ in 0..TRIES_MAX {
        // The first statement that reads `live` decides which state of it this transaction sees.
        let mut reading = copy.begin().await.map_err(sql)?;
        let epoch: i64 = sqlx::query_scalar("SELECT epoch FROM live.key_state")
            .fetch_one(&mut *reading)
            .await
            .map_err(sql)?;
        let first: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM live.key_node WHERE number = 0")
            .fetch_one(&mut *reading)
            .await
            .map_err(sql)?;
        let epoch = epoch.unsigned_abs();
        let Some(first) = reseal(epoch, first).await? else {
            reading.rollback().await.map_err(sql)?;
            continue;
        };
        let records = copy_keys(&mut reading, first).await?;
        reading.commit().await.map_err(sql)?;
        copy.close().await.map_err(sql)?;
        finish(&file, &part, to)?;
        return Ok(KeysTaken { epoch, records });
    }
    let words = "There are so many deletions at the moment that the keys could not be copied. Nothing was changed in the backup. Please try again.";
    Err(Error::new(Kind::Unavailable, words))
}

async fn copy_keys(reading: &mut SqliteConnection, first: Vec<u8>) -> Result<HashSet<Id>> {
    for statement in [
        "CREATE TABLE main.key_state AS SELECT * FROM live.key_state",
        "CREATE TABLE main.key_leaf AS SELECT * FROM live.key_leaf",
        "CREATE TABLE main.key_free AS SELECT * FROM live.key_free",
        "CREATE TABLE main.key_node AS SELECT * FROM live.key_node WHERE number <> 0",
    ] {
        sqlx::query(statement).execute(&mut *reading).await.map_err(sql)?;
    }
    sqlx::query("INSERT INTO main.key_node (number, sealed) VALUES (0, ?)")
        .bind(first)
        .execute(&mut *reading)
        .await
        .map_err(sql)?;
    let records: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM main.key_leaf").fetch_all(reading).await.map_err(sql)?;
    records.iter().map(|record| Id::from_column(record)).collect()
}

/// Nobody needs a half-made copy again, so that no journal has to lie on the disk.
async fn open(path: &Path, journal: SqliteJournalMode) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).journal_mode(journal);
    options.pragma("secure_delete", "ON").connect().await.map_err(sql)
}

/// A path as SQLite takes it.
pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::invalid("folder", "The path of this folder has letters that the database cannot take.")
    })
}
