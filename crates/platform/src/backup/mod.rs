//! This owns the folder of a backup: what lies in it, its manifest, and the one step that makes a new backup count.
//! It does not know shares, nor who keeps them.
//!
//! `manifest.json` names the keys and the rows that count; whatever it does not name is left by a run that was cut off.
//! `rows/` holds the newest snapshots without keys, `keys-SET.db` the key tree of the newest one under the backup's own
//! root, `blobs/` sealed files.

mod files;
mod manifest;
mod restore;
mod snapshot;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use kernel::clock::UnixSeconds;
use kernel::{Error, Kind, Result};
use vault::SetId;

use crate::blobs::erase_file;
use crate::folder::create_private_dir;

pub use files::{Copied, copy_new, prune};
pub use manifest::{Kept, Manifest, VERSION};
pub use restore::{Broken, restore_files, restore_keys, restore_rows};
pub use snapshot::{KeysTaken, snapshot_keys, snapshot_rows};

/// Snapshots of rows that are kept.
pub const ROWS_KEPT: usize = 7;
/// Ending of what is not finished.
const UNFINISHED: &str = "part";
const MANIFEST: &str = "manifest.json";
const SETTINGS: &str = "safelight.toml";
const LOCK: &str = "lock";
const ROWS: &str = "rows";
const BLOBS: &str = "blobs";
const KEYS_START: &str = "keys-";
const DATABASE_END: &str = ".db";
/// What a disk of its own brings along.
const OF_DISKS: &str = "lost+found";
/// Bytes read at a time.
const READ_BYTES: usize = 256 * 1024;

/// The folder of a backup, held by this process until it is dropped.
#[derive(Debug)]
pub struct BackupFolder {
    path: PathBuf,
    _lock: File,
}

impl BackupFolder {
    /// Takes the folder for a new backup, and makes it if it is missing.
    ///
    /// # Errors
    /// `Invalid` where it cannot be written or holds something else, `Conflict` while another backup is at work.
    pub fn take(path: &Path) -> Result<Self> {
        let unusable = |cause: io::Error| {
            let words = "The folder of the backup cannot be written. Choose another, or run this as the user that runs the server.";
            if cause.kind() == io::ErrorKind::StorageFull {
                return Error::from(cause);
            }
            Error::invalid("folder", words).because(cause)
        };
        create_private_dir(path).map_err(unusable)?;
        if let Some(name) = stranger(path).map_err(unusable)? {
            return Err(Error::invalid(
                "folder",
                format!(
                    "The folder of the backup holds something else ({name}). Choose an empty one, or that of an earlier backup."
                ),
            ));
        }
        let lock = File::options().create(true).write(true).truncate(false).mode(0o600).open(path.join(LOCK));
        let folder = Self::locked(path, lock.map_err(unusable)?)?;
        for part in [ROWS, BLOBS] {
            create_private_dir(&path.join(part)).map_err(unusable)?;
        }
        Ok(folder)
    }

    /// Opens the folder of a backup to read it.
    ///
    /// # Errors
    /// `Invalid` where there is no backup, `Conflict` while one is being made.
    pub fn open(path: &Path) -> Result<Self> {
        let none = |cause: io::Error| {
            let words = "There is no backup in this folder: it has no manifest.json, or cannot be read.";
            Error::invalid("folder", words).because(cause)
        };
        File::open(path.join(MANIFEST)).map_err(none)?;
        // A backup on a disk that cannot be written has no lock to hold, and nobody to keep out.
        let lock = File::open(path.join(LOCK)).or_else(|_| File::open(path.join(MANIFEST)));
        Self::locked(path, lock.map_err(none)?)
    }

    fn locked(path: &Path, lock: File) -> Result<Self> {
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let words =
                    "Another command is at work in the folder of this backup. Try again when it has ended.";
                Err(Error::new(Kind::Conflict, words))
            }
            Err(TryLockError::Error(cause)) => Err(cause.into()),
        }
    }

    /// The manifest of the newest backup, if there is one.
    ///
    /// # Errors
    /// `Invalid` where it is damaged or of a newer version.
    pub fn manifest(&self) -> Result<Option<Manifest>> {
        Manifest::read(&self.path.join(MANIFEST))
    }

    /// Where sealed files lie.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.path.join(BLOBS)
    }

    /// Where the settings lie, if they were kept in the data folder.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.path.join(SETTINGS)
    }

    /// Where the keys for the shares of a set lie.
    #[must_use]
    pub fn keys(&self, set: SetId) -> PathBuf {
        self.path.join(format!("{KEYS_START}{set}{DATABASE_END}"))
    }

    /// Where a snapshot of rows lies.
    #[must_use]
    pub fn rows(&self, name: &str) -> PathBuf {
        self.path.join(ROWS).join(format!("{name}{DATABASE_END}"))
    }

    /// A name for rows of this time that is not taken.
    #[must_use]
    pub fn name_for(&self, time: &str) -> String {
        let time: String = time.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let numbered = (2..).map(|number| format!("{time}-{number}"));
        let mut names = std::iter::once(time.clone()).chain(numbered);
        names.find(|name| !self.rows(name).exists()).unwrap_or(time)
    }

    /// The sets of shares whose keys lie here: the one that counts, and those of runs that were cut off.
    ///
    /// # Errors
    /// `Internal` where the folder cannot be read.
    pub fn sets(&self) -> Result<Vec<SetId>> {
        let names = names(&self.path)?.into_iter();
        let sets = names.filter_map(|name| {
            name.strip_prefix(KEYS_START)?.strip_suffix(DATABASE_END)?.parse::<SetId>().ok()
        });
        Ok(sets.collect())
    }

    /// Makes a backup count: from here on its shares open this folder, and those of the one before do not.
    ///
    /// # Errors
    /// `StorageFull` or `Internal`; the backup before counts on then.
    pub fn commit(&self, manifest: &Manifest) -> Result<()> {
        let text = manifest.text()?;
        write_whole(&self.path.join(MANIFEST), text.as_bytes())
    }

    /// Removes what no manifest names: older keys, older rows, and what a run that was cut off has left.
    ///
    /// # Errors
    /// `Internal` where a file cannot be removed.
    pub fn tidy(&self, manifest: &Manifest) -> Result<()> {
        let keys = self.keys(manifest.set());
        for name in names(&self.path)? {
            let path = self.path.join(&name);
            if (name.starts_with(KEYS_START) || name.ends_with(UNFINISHED)) && path != keys {
                erase_file(&path)?;
            }
        }
        let kept: Vec<PathBuf> = manifest.rows().iter().map(|rows| self.rows(rows.name())).collect();
        for name in names(&self.path.join(ROWS))? {
            let path = self.path.join(ROWS).join(name);
            if !kept.contains(&path) {
                erase_file(&path)?;
            }
        }
        Ok(())
    }
}

/// What lies in the folder and is not of a backup.
fn stranger(path: &Path) -> io::Result<Option<String>> {
    let ours = |name: &str| {
        [MANIFEST, SETTINGS, LOCK, ROWS, BLOBS, OF_DISKS].contains(&name)
            || name.strip_suffix(&format!(".{UNFINISHED}")).is_some()
            || (name.starts_with(KEYS_START) && name.contains(DATABASE_END))
    };
    Ok(names(path)?.into_iter().find(|name| !ours(name)))
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// A time as a backup is named by it.
#[must_use]
pub fn time_text(now: UnixSeconds) -> String {
    jiff::Timestamp::from_second(now).unwrap_or_default().to_string()
}

/// A path without links and dots, also where its end is not there yet.
///
/// # Errors
/// `Invalid` where a part of it cannot be read.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let unreadable =
        |cause: io::Error| Error::invalid("folder", "A part of this path cannot be read.").because(cause);
    let mut base = std::path::absolute(path).map_err(unreadable)?;
    let mut rest = Vec::new();
    loop {
        match fs::canonicalize(&base) {
            Ok(found) => return Ok(rest.iter().rev().fold(found, |path, part| path.join(part))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(unreadable(cause)),
        }
        match base.components().next_back() {
            Some(Component::Normal(name)) => rest.push(name.to_owned()),
            _ => return Err(unreadable(io::ErrorKind::NotFound.into())),
        }
        base.pop();
    }
}

/// A copy of a file with its owner alone to read it, on the disk when this returns. Where there is nothing to copy,
/// nothing stays.
///
/// # Errors
/// `StorageFull` or `Internal`.
pub fn copy_settings(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(bytes) => write_whole(to, &bytes),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => match fs::remove_file(to) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause.into()),
            _ => Ok(()),
        },
        Err(cause) => Err(cause.into()),
    }
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = unfinished(path);
    let mut file = new_file(&unfinished)?;
    file.write_all(bytes)?;
    finish(&file, &unfinished, path)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{UNFINISHED}"));
    path.with_file_name(name)
}

/// An empty file that its owner alone may read, in place of what a run that was cut off has left there.
fn new_file(path: &Path) -> io::Result<File> {
    File::options().create(true).write(true).truncate(true).mode(0o600).open(path)
}

/// Puts a file that is written whole in its place.
fn finish(file: &File, unfinished: &Path, path: &Path) -> Result<()> {
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_dir(path.parent().unwrap_or(path))
}

fn sync_dir(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
}

/// SHA-256 of a file, in hex.
///
/// # Errors
/// `Internal` where it cannot be read.
pub fn file_digest(path: &Path) -> Result<String> {
    let (mut file, mut context) = (File::open(path)?, Context::new(&SHA256));
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let bytes = file.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(HEXLOWER.encode(context.finish().as_ref()));
        }
        context.update(buffer.get(..bytes).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
