//! This owns sealed files: one folder per record, one file per derivative, nothing in the clear.
//! It does not know what a record is; the vault holds its key.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imaging::Picture;
use kernel::{Error, Id, Result};
use vault::{Kind, Vault};

use crate::folder::create_private_dir;

/// A record's folder, the one it shares with others, and the one of all.
const FOLDERS: usize = 3;

/// Sealed files under one folder.
#[derive(Clone)]
pub struct Blobs {
    dir: PathBuf,
    vault: Arc<Vault>,
}

impl Blobs {
    /// The sealed files under `dir`.
    ///
    /// # Errors
    /// `Internal` or `StorageFull` where the folder cannot be made.
    pub fn open(dir: PathBuf, vault: Arc<Vault>) -> Result<Self> {
        create_private_dir(&dir)?;
        Ok(Self { dir, vault })
    }

    /// Makes a new record: its key, and its blobs, sealed. All of it is on the disk when this returns, or nothing.
    ///
    /// # Errors
    /// `Conflict` when there is such a record, `StorageFull` on a full disk.
    pub fn create(&self, record: Id, blobs: &[(Kind, Vec<u8>)]) -> Result<()> {
        let key = self.vault.keys().create(record)?;
        let dir = self.record_dir(record);
        let written = blobs.iter().try_for_each(|(kind, plain)| {
            create_private_dir(&dir)?;
            Ok(write_durably(&dir.join(kind.to_string()), &vault::seal(&key, record, *kind, plain)?)?)
        });
        // A file is only as durable as the folders that lead to it.
        let folders = || dir.ancestors().take(FOLDERS).try_for_each(|folder| File::open(folder)?.sync_all());
        let kept = written.and_then(|()| Ok(folders()?));
        if kept.is_err() {
            // Where this fails as well, the next start erases the record, since no row owns it.
            let _ = self.erase(&[record]);
        }
        kept
    }

    /// Makes the record of a picture, as [`Blobs::create`] does: the bytes that are kept of it, and its thumbnails.
    ///
    /// # Errors
    /// As [`Blobs::create`]; `Internal` where a thumbnail cannot be made.
    pub fn create_picture(&self, record: Id, picture: &Picture, original: Vec<u8>) -> Result<()> {
        let thumbnails = imaging::thumbnails(picture)?.into_iter();
        let thumbnails = thumbnails.map(|small| (Kind::Thumbnail(small.width_class), small.webp));
        self.create(record, &thumbnails.chain([(Kind::Original, original)]).collect::<Vec<_>>())
    }

    /// Reads and opens a blob.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Gone` when the record's key is erased.
    pub fn get(&self, record: Id, kind: Kind) -> Result<vault::Opened> {
        let key = self.vault.keys().get(record)?;
        vault::open(&key, record, kind, &self.read(record, kind)?)
    }

    /// Reads and opens some bytes of a blob; the second value is its whole length.
    ///
    /// # Errors
    /// As [`Blobs::get`]; `Invalid` for a range outside it.
    pub fn get_range(&self, record: Id, kind: Kind, range: Range<u64>) -> Result<(vault::Opened, u64)> {
        let key = self.vault.keys().get(record)?;
        let sealed = self.read(record, kind)?;
        let bytes_all = vault::plain_len(&sealed)?;
        Ok((vault::open_range(&key, record, kind, &sealed, range)?, bytes_all))
    }

    /// Erases records for good: their keys first, then their files, overwritten and unlinked. May be repeated.
    ///
    /// # Errors
    /// `Internal` when a key or file could not be erased; what is left is undecryptable once the keys are gone.
    pub fn erase(&self, records: &[Id]) -> Result<()> {
        self.vault.keys().erase(records)?;
        for record in records {
            erase_dir(&self.record_dir(*record))?;
        }
        Ok(())
    }

    /// The vault whose keys seal these files.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    fn read(&self, record: Id, kind: Kind) -> Result<Vec<u8>> {
        fs::read(self.record_dir(record).join(kind.to_string())).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => Error::not_found("There is no such picture."),
            _ => cause.into(),
        })
    }

    fn record_dir(&self, record: Id) -> PathBuf {
        let name = record.to_string();
        self.dir.join(name.get(..2).unwrap_or_default()).join(name)
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn erase_dir(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause),
    };
    for entry in entries {
        let path = entry?.path();
        overwrite(&path)?;
        fs::remove_file(&path)?;
    }
    fs::remove_dir(dir)
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let mut bytes_left = file.metadata()?.len();
    let zeros = [0_u8; 64 * 1024];
    while bytes_left > 0 {
        let part = bytes_left.min(zeros.len() as u64);
        file.write_all(zeros.get(..usize::try_from(part).unwrap_or(zeros.len())).unwrap_or(&zeros))?;
        bytes_left -= part;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Blobs {
        Blobs::open(dir.join("blobs"), Arc::new(Vault::open(&dir.join("vault")).unwrap())).unwrap()
    }

    #[test]
    fn a_record_is_kept_whole_and_erased_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, record) = (open(dir.path()), Id::random());
        let parts = [(Kind::Original, vec![1; 70_000]), (Kind::Thumbnail(240), vec![2; 10])];
        blobs.create(record, &parts).unwrap();
        for (kind, plain) in &parts {
            assert_eq!(*blobs.get(record, *kind).unwrap(), *plain);
        }
        assert_eq!(blobs.create(record, &parts).unwrap_err().kind, kernel::Kind::Conflict);
        assert_eq!(*blobs.get(record, Kind::Original).unwrap(), parts[0].1, "the first one stays");
        blobs.erase(&[record]).unwrap();
        assert_eq!(blobs.get(record, Kind::Original).unwrap_err().kind, kernel::Kind::Gone);
        assert!(!blobs.record_dir(record).exists());
    }

    #[test]
    fn a_record_whose_files_cannot_be_written_leaves_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, record) = (open(dir.path()), Id::random());
        let shared = blobs.record_dir(record).parent().unwrap().to_owned();
        fs::write(&shared, "a file where a folder should be").unwrap();
        assert!(blobs.create(record, &[(Kind::Original, vec![1])]).is_err());
        assert!(blobs.vault().keys().records().is_empty());
    }
}
