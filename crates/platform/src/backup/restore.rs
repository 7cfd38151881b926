//! This owns putting a backup into a new data folder: rows, keys under a new root, files that prove to open.
//! It does not know which rows have lost their record; each slice does.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::{Error, Id, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use vault::{Key, RecordKey, RootFile, random_key, reseal_first};

use super::files::{dir_entries, record_dir};
use super::{Kept, Manifest, finish, new_file, snapshot, sync_dir, unfinished};
use crate::db::{Db, sql};
use crate::folder::create_private_dir;
use crate::keys::Keys;

/// Records whose files are opened in one go.
const OPENED_AT_ONCE: usize = 64;

/// What did not come back.
#[derive(Debug, Default)]
pub struct Broken {
    /// Files that do not open.
    pub files: u64,
    /// Records of which no file came back.
    pub without_files: Vec<Id>,
}

/// Copies rows into a new database, and brings it up to date.
///
/// # Errors
/// `Invalid` where they are damaged, `StorageFull` on a full disk.
pub async fn restore_rows(rows: &Kept, from: &Path, to: &Path) -> Result<()> {
    rows.check(from)?;
    let part = unfinished(to);
    let mut file = new_file(&part)?;
    std::io::copy(&mut fs::File::open(from)?, &mut file)?;
    finish(&file, &part, to)?;
    Db::open(to).await?.close().await;
    Ok(())
}

/// Puts keys into a database that has rows, under a new root, which is made in `root_file`.
///
/// # Errors
/// `Invalid` where they are damaged or `under` is not their root, `StorageFull` on a full disk.
pub async fn restore_keys(
    manifest: &Manifest,
    from: &Path,
    under: &Key,
    database: &Path,
    root_file: &Path,
) -> Result<()> {
    manifest.check_keys(from)?;
    let mut into = SqliteConnectOptions::new()
        .filename(database)
        .pragma("secure_delete", "ON")
        .connect()
        .await
        .map_err(sql)?;
    sqlx::query("ATTACH ? AS kept").bind(snapshot::text(from)?).execute(&mut into).await.map_err(sql)?;
    let mut writing = into.begin().await.map_err(sql)?;
    let root = random_key();
    let epoch = take_in(&mut writing, under, &root).await?;
    RootFile::create(root_file, epoch, &root)?;
    writing.commit().await.map_err(sql)?;
    into.close().await.map_err(sql)
}

async fn take_in(writing: &mut SqliteConnection, under: &Key, root: &Key) -> Result<u64> {
    for statement in [
        "DELETE FROM key_node",
        "DELETE FROM key_leaf",
        "DELETE FROM key_free",
        "DELETE FROM key_state",
        "INSERT INTO key_node (number, sealed) SELECT number, sealed FROM kept.key_node",
        "INSERT INTO key_leaf (record, place, owner) SELECT record, place, owner FROM kept.key_leaf",
        "INSERT INTO key_free (place) SELECT place FROM kept.key_free",
        "INSERT INTO key_state (one, epoch, places) SELECT one, epoch, places FROM kept.key_state",
    ] {
        sqlx::query(statement).execute(&mut *writing).await.map_err(sql)?;
    }
    let first: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM key_node WHERE number = 0")
        .fetch_one(&mut *writing)
        .await
        .map_err(sql)?;
    let first = reseal_first(under, root, &first).map_err(|cause| {
        let words =
            "The shares do not open the keys of this backup. Use shares and folder of the same backup.";
        Error::invalid("share", words).because(cause)
    })?;
    sqlx::query("UPDATE key_node SET sealed = ? WHERE number = 0")
        .bind(first)
        .execute(&mut *writing)
        .await
        .map_err(sql)?;
    let epoch: i64 =
        sqlx::query_scalar("SELECT epoch FROM key_state").fetch_one(writing).await.map_err(sql)?;
    Ok(epoch.unsigned_abs())
}

/// Opens every file of these records and copies it if that proves it whole; `step` hears of each record, and may stop it.
///
/// # Errors
/// `StorageFull` on a full disk, or what `step` says.
pub async fn restore_files(
    keys: &Keys,
    records: &[Id],
    (from, to): (&Path, &Path),
    step: impl Fn(u64, u64) -> Result<()>,
) -> Result<Broken> {
    let (mut broken, mut done) = (Broken::default(), 0);
    for part in records.chunks(OPENED_AT_ONCE) {
        let opened = keys.get_all(part).await?;
        let (from, to) = (from.to_owned(), to.to_owned());
        let some = tokio::task::spawn_blocking(move || {
            let mut broken = Broken::default();
            for (record, key) in &opened {
                restore_record(*record, key, (&from, &to), &mut broken)?;
            }
            Ok::<_, Error>(broken)
        });
        let some = some.await.map_err(|_| Error::internal("opening files stopped"))??;
        broken.files += some.files;
        broken.without_files.extend(some.without_files);
        done += part.len() as u64;
        step(done, records.len() as u64)?;
    }
    sync_dir(to)?;
    Ok(broken)
}

fn restore_record(
    record: Id,
    key: &RecordKey,
    (from, to): (&Path, &Path),
    broken: &mut Broken,
) -> Result<()> {
    let (from, to) = (record_dir(from, record), record_dir(to, record));
    let mut whole = Vec::new();
    for entry in dir_entries(&from)? {
        match proven(record, key, &entry.path()) {
            Some(bytes) => whole.push((entry.file_name(), bytes)),
            None => broken.files += 1,
        }
    }
    if whole.is_empty() {
        broken.without_files.push(record);
        return Ok(());
    }
    create_private_dir(&to)?;
    for (name, bytes) in whole {
        let path: PathBuf = to.join(name);
        let mut file = new_file(&path)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.sync_data()?;
    }
    sync_dir(&to)?;
    sync_dir(to.parent().unwrap_or(&to))
}

/// The sealed bytes of a file that opens.
fn proven(record: Id, key: &RecordKey, path: &Path) -> Option<Vec<u8>> {
    let kind = path.file_name()?.to_str()?.parse().ok()?;
    let sealed = fs::read(path).ok()?;
    vault::open(key, record, kind, &sealed).ok()?;
    Some(sealed)
}
