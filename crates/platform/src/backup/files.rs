//! This owns copying sealed files into a backup: those that are new, and away with those whose key is gone.
//! It opens none of them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kernel::{Id, Result};

use super::{UNFINISHED, finish, new_file, sync_dir, unfinished};
use crate::blobs::{INCOMING, erase_dir};
use crate::folder::create_private_dir;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files that were not there, or not whole.
    pub files: u64,
    /// Files that were there.
    pub kept: u64,
}

/// Copies every file that is not in the backup yet; `step` hears of each record, and may stop it. What goes away
/// meanwhile was deleted, and is passed over.
///
/// # Errors
/// `StorageFull` on a full disk, or what `step` says.
pub fn copy_new(from: &Path, to: &Path, mut step: impl FnMut(u64, u64) -> Result<()>) -> Result<Copied> {
    // Files that wait for their row are copied too: their row may be in a snapshot by the time it is taken.
    let mut records = records(from)?;
    records.extend(of_shelf(&from.join(INCOMING))?);
    let (mut copied, all) = (Copied::default(), records.len() as u64);
    for (done, (record, dir)) in (0..).zip(records) {
        step(done, all)?;
        copy_record(&dir, &record_dir(to, record), &mut copied)?;
    }
    step(all, all)?;
    Ok(copied)
}

/// Removes the files of every record without a key; returns of how many.
///
/// # Errors
/// `Internal` where a file cannot be removed.
pub fn prune(blobs: &Path, keys: &HashSet<Id>) -> Result<u64> {
    let mut pruned = 0;
    for (record, dir) in records(blobs)? {
        if !keys.contains(&record) {
            erase_dir(&dir)?;
            pruned += 1;
        }
    }
    Ok(pruned)
}

fn copy_record(from: &Path, to: &Path, copied: &mut Copied) -> Result<()> {
    let mut fresh = false;
    for entry in dir_entries(from)? {
        let name = entry.file_name();
        let (source, target) = (from.join(&name), to.join(&name));
        let Some(bytes) = size(&source)? else { continue };
        if size(&target)? == Some(bytes) {
            copied.kept += 1;
            continue;
        }
        if !to.exists() {
            create_private_dir(to)?;
            fresh = true;
        }
        copied.files += u64::from(copy_file(&source, &target)?);
    }
    match to.parent().filter(|_| fresh) {
        Some(shelf) => {
            sync_dir(shelf)?;
            sync_dir(shelf.parent().unwrap_or(shelf))
        }
        None => Ok(()),
    }
}

/// Copies a file, unless it is erased meanwhile: erasing begins by overwriting the head.
fn copy_file(source: &Path, target: &Path) -> Result<bool> {
    let part = unfinished(target);
    let mut written = new_file(&part)?;
    let copied = File::open(source).and_then(|mut read| io::copy(&mut read, &mut written));
    let whole = match copied {
        Ok(_) => is_sealed(source)?,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
        Err(cause) => return Err(cause.into()),
    };
    if whole {
        finish(&written, &part, target)?;
    } else {
        fs::remove_file(&part)?;
    }
    Ok(whole)
}

fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(64).read_to_end(&mut head)) {
        Ok(_) => Ok(vault::plain_len(&head).is_ok()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

fn size(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.len())),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Every record that has a folder on a shelf.
fn records(blobs: &Path) -> Result<Vec<(Id, PathBuf)>> {
    let mut found = Vec::new();
    for shelf in dir_entries(blobs)? {
        if shelf.file_name().len() == 2 {
            found.extend(of_shelf(&shelf.path())?);
        }
    }
    Ok(found)
}

fn of_shelf(shelf: &Path) -> Result<Vec<(Id, PathBuf)>> {
    let entries = dir_entries(shelf)?.into_iter();
    Ok(entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect())
}

/// What is in a folder, but for what is not finished; nothing where it is gone.
pub(super) fn dir_entries(dir: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let unfinished = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|kind| kind == UNFINISHED);
    match fs::read_dir(dir) {
        Ok(entries) => entries.filter(|entry| !entry.as_ref().is_ok_and(unfinished)).collect(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(cause),
    }
}

pub(super) fn record_dir(blobs: &Path, record: Id) -> PathBuf {
    let name = record.to_string();
    blobs.join(name.get(..2).unwrap_or_default()).join(name)
}
