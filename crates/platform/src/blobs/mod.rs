//! This owns sealed files: one folder per record, one file per derivative, nothing in the clear. New files wait in a
//! folder of their own until the row that names them is committed, so that a crash leaves nothing to search for.
//! It does not know what a record is; its key is in [`Keys`].

mod reconcile;
mod sweep;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imaging::Picture;
use kernel::{Error, Id, Result};
use vault::{Kind, RecordKey};

use crate::db::Db;
use crate::folder::create_private_dir;
use crate::keys::Keys;
use crate::log::Log;

pub(crate) use sweep::{erase_dir, erase_file};

/// Where files wait for their row.
pub(crate) const INCOMING: &str = "incoming";

/// Sealed files under one folder.
#[derive(Clone)]
pub struct Blobs {
    dir: PathBuf,
    keys: Keys,
    db: Db,
    log: Log,
    sweeping: Arc<tokio::sync::Mutex<()>>,
}

impl Blobs {
    /// The sealed files under `dir`.
    ///
    /// # Errors
    /// `Internal` or `StorageFull` where the folder cannot be made.
    pub fn open(dir: PathBuf, keys: Keys, db: Db, log: Log) -> Result<Self> {
        create_private_dir(&dir.join(INCOMING))?;
        Ok(Self { dir, keys, db, log, sweeping: Arc::default() })
    }

    /// Seals the blobs of a record and writes them. They are on the disk when this returns, or nothing is; [`Blobs::settle`]
    /// has to follow once the record's row is committed, or [`Blobs::discard`].
    ///
    /// # Errors
    /// `StorageFull` on a full disk.
    pub fn write(&self, record: Id, key: &RecordKey, blobs: &[(Kind, Vec<u8>)]) -> Result<()> {
        let dir = self.incoming_dir(record);
        let written = create_private_dir(&dir).map_err(Error::from).and_then(|()| {
            blobs.iter().try_for_each(|(kind, plain)| {
                Ok(write_durably(&dir.join(kind.to_string()), &vault::seal(key, record, *kind, plain)?)?)
            })
        });
        let kept = written.and_then(|()| Ok(sync_dirs(&[&dir, &self.dir.join(INCOMING)])?));
        if kept.is_err() {
            // Where this fails as well, the next start discards it, since no row owns it.
            let _ = self.discard(record);
        }
        kept
    }

    /// Writes a picture, as [`Blobs::write`] does: the bytes that are kept of it, and its thumbnails.
    ///
    /// # Errors
    /// As [`Blobs::write`]; `Internal` where a thumbnail cannot be made.
    pub fn write_picture(
        &self,
        record: Id,
        key: &RecordKey,
        picture: &Picture,
        original: Vec<u8>,
    ) -> Result<()> {
        let thumbnails = imaging::thumbnails(picture)?.into_iter();
        let thumbnails = thumbnails.map(|small| (Kind::Thumbnail(small.width_class), small.webp));
        self.write(record, key, &thumbnails.chain([(Kind::Original, original)]).collect::<Vec<_>>())
    }

    /// Moves the files of committed records to their place. Until then, and after a failure, they are read where they are.
    ///
    /// # Errors
    /// `Internal` or `StorageFull`; the next start finishes it.
    pub fn settle(&self, records: &[Id]) -> Result<()> {
        for record in records {
            let (from, to) = (self.incoming_dir(*record), self.record_dir(*record));
            let Some(shelf) = to.parent() else { continue };
            create_private_dir(shelf)?;
            match fs::rename(&from, &to) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause.into()),
                _ => sync_dirs(&[shelf, &self.dir])?,
            }
        }
        Ok(())
    }

    /// Takes back files that were written and have not been settled.
    ///
    /// # Errors
    /// `Internal` when a file cannot be unlinked.
    pub fn discard(&self, record: Id) -> Result<()> {
        Ok(sweep::erase_dir(&self.incoming_dir(record))?)
    }

    /// Reads and opens a blob.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Gone` when the record's key is erased.
    pub async fn get(&self, record: Id, kind: Kind) -> Result<vault::Opened> {
        let key = self.keys.get(record).await?;
        self.open_under(&key, record, kind)
    }

    /// Reads and opens a blob under its record's key, for threads that may wait for the disk.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn open_under(&self, key: &RecordKey, record: Id, kind: Kind) -> Result<vault::Opened> {
        vault::open(key, record, kind, &self.read(record, kind)?)
    }

    /// Length of a blob as its file says; opening it shows whether that is true.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn plain_bytes(&self, record: Id, kind: Kind) -> Result<u64> {
        let mut head = Vec::with_capacity(vault::HEAD_BYTES);
        let file = self.find(record, kind, |path| File::open(path))?;
        file.take(vault::HEAD_BYTES as u64).read_to_end(&mut head)?;
        vault::plain_len(&head)
    }

    /// Reads and opens some bytes of a blob; the second value is its whole length.
    ///
    /// # Errors
    /// As [`Blobs::get`]; `Invalid` for a range outside it.
    pub async fn get_range(&self, record: Id, kind: Kind, range: Range<u64>) -> Result<(vault::Opened, u64)> {
        let key = self.keys.get(record).await?;
        let sealed = self.read(record, kind)?;
        let bytes_all = vault::plain_len(&sealed)?;
        Ok((vault::open_range(&key, record, kind, &sealed, range)?, bytes_all))
    }

    /// The keys that seal these files.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What a crash has left: files whose record has a key are settled, others are discarded; erased ones are swept.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn recover(&self) -> Result<()> {
        let waiting: Vec<Id> = fs::read_dir(self.dir.join(INCOMING))?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        let keys = self.keys.get_all(&waiting).await?;
        for record in waiting {
            if keys.contains_key(&record) { self.settle(&[record])? } else { self.discard(record)? }
        }
        self.sweep().await
    }

    fn read(&self, record: Id, kind: Kind) -> Result<Vec<u8>> {
        self.find(record, kind, |path| fs::read(path))
    }

    /// Reads a blob where it is: in its place, or where it waits for its row.
    fn find<T>(&self, record: Id, kind: Kind, read: impl Fn(&Path) -> io::Result<T>) -> Result<T> {
        let name = kind.to_string();
        let missing = |cause: &io::Error| cause.kind() == io::ErrorKind::NotFound;
        let found = match read(&self.record_dir(record).join(&name)) {
            Err(cause) if missing(&cause) => read(&self.incoming_dir(record).join(&name)),
            found => found,
        };
        found.map_err(|cause| {
            if missing(&cause) { Error::not_found("There is no such picture.") } else { cause.into() }
        })
    }

    fn record_dir(&self, record: Id) -> PathBuf {
        let name = record.to_string();
        self.dir.join(name.get(..2).unwrap_or_default()).join(name)
    }

    fn incoming_dir(&self, record: Id) -> PathBuf {
        self.dir.join(INCOMING).join(record.to_string())
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// A file is only as durable as the folders that lead to it.
fn sync_dirs(dirs: &[&Path]) -> io::Result<()> {
    dirs.iter().try_for_each(|dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use kernel::SystemClock;

    use super::*;
    use crate::db::commit;

    async fn open(dir: &Path) -> Blobs {
        let db = Db::open(&dir.join("db")).await.unwrap();
        let keys = Keys::open(db.clone(), &dir.join("root"), "x/log", Arc::new(SystemClock)).await.unwrap();
        Blobs::open(dir.join("blobs"), keys, db, Log::default()).unwrap()
    }

    async fn key(blobs: &Blobs, record: Id) -> RecordKey {
        let mut writing = blobs.db.write().await.unwrap();
        let key = blobs.keys().create(&mut writing, record, None).await.unwrap();
        commit(writing).await.unwrap();
        key
    }

    async fn erase(blobs: &Blobs, record: Id) {
        blobs.keys().turn(move |_| Box::pin(async move { Ok(((), vec![record])) })).await.unwrap();
    }

    #[tokio::test]
    async fn a_record_is_kept_whole_and_erased_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, record) = (open(dir.path()).await, Id::random());
        let parts = [(Kind::Original, vec![1; 70_000]), (Kind::Thumbnail(240), vec![2; 10])];
        blobs.write(record, &key(&blobs, record).await, &parts).unwrap();
        for settled in [false, true] {
            for (kind, plain) in &parts {
                assert_eq!(*blobs.get(record, *kind).await.unwrap(), *plain, "{settled}");
                assert_eq!(blobs.plain_bytes(record, *kind).unwrap(), plain.len() as u64, "{settled}");
            }
            blobs.settle(&[record]).unwrap();
        }
        assert!(!blobs.incoming_dir(record).exists());
        erase(&blobs, record).await;
        assert_eq!(blobs.get(record, Kind::Original).await.unwrap_err().kind, kernel::Kind::Gone);
        assert_eq!(blobs.count_unswept().await.unwrap(), 1);
        blobs.sweep().await.unwrap();
        assert_eq!(blobs.count_unswept().await.unwrap(), 0);
        assert!(!blobs.record_dir(record).exists());
    }

    #[tokio::test]
    async fn a_picture_that_was_opened_before_its_erasure_cannot_be_kept_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, record) = (open(dir.path()).await, Id::random());
        blobs.write(record, &key(&blobs, record).await, &[(Kind::Original, vec![1; 10])]).unwrap();
        let shelf = blobs.keys().shelf();
        let read = async || {
            let ticket = shelf.ticket();
            (ticket, bytes::Bytes::from_owner(blobs.get(record, Kind::Original).await.unwrap()))
        };
        let ((first, opened), (second, slow)) = (read().await, read().await);
        shelf.put(first, record, Kind::Original, &opened);
        assert!(shelf.get(record, Kind::Original).is_some());
        erase(&blobs, record).await;
        assert!(shelf.get(record, Kind::Original).is_none());
        shelf.put(second, record, Kind::Original, &slow);
        assert!(shelf.get(record, Kind::Original).is_none());
    }

    #[tokio::test]
    async fn what_a_crash_cuts_off_is_settled_where_there_is_a_key_and_else_discarded() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, kept, lost, swept) = (open(dir.path()).await, Id::random(), Id::random(), Id::random());
        let part = [(Kind::Original, vec![1; 10])];
        blobs.write(kept, &key(&blobs, kept).await, &part).unwrap();
        blobs.write(lost, &crate::keys::NewKey::random().key().unwrap(), &part).unwrap();
        blobs.write(swept, &key(&blobs, swept).await, &part).unwrap();
        blobs.settle(&[swept]).unwrap();
        erase(&blobs, swept).await;
        blobs.recover().await.unwrap();
        assert_eq!(*blobs.get(kept, Kind::Original).await.unwrap(), part[0].1);
        assert!(blobs.record_dir(kept).exists());
        assert!(!blobs.incoming_dir(lost).exists() && !blobs.record_dir(swept).exists());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_unlinked_is_told_and_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, stuck, other) = (open(dir.path()).await, Id::random(), Id::random());
        for record in [stuck, other] {
            blobs.write(record, &key(&blobs, record).await, &[(Kind::Original, vec![1])]).unwrap();
            blobs.settle(&[record]).unwrap();
        }
        let hindrance = blobs.record_dir(stuck).join("folder");
        fs::create_dir(&hindrance).unwrap();
        erase(&blobs, stuck).await;
        erase(&blobs, other).await;
        let error = blobs.sweep().await.unwrap_err();
        assert_eq!(error.place, Some("an erased file cannot be unlinked"));
        assert_eq!(blobs.count_unswept().await.unwrap(), 1);
        assert!(!blobs.record_dir(other).exists());
        fs::remove_dir(&hindrance).unwrap();
        blobs.sweep().await.unwrap();
        assert!(!blobs.record_dir(stuck).exists());
    }

    #[tokio::test]
    async fn strays_are_swept_and_missing_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, kept, stray) = (open(dir.path()).await, Id::random(), Id::random());
        blobs.write(kept, &key(&blobs, kept).await, &[(Kind::Original, vec![1])]).unwrap();
        let lost = crate::keys::NewKey::random();
        blobs.write(stray, &lost.key().unwrap(), &[(Kind::Original, vec![1])]).unwrap();
        blobs.settle(&[kept, stray]).unwrap();
        assert_eq!(blobs.sweep_strays().await.unwrap(), 1);
        assert!(!blobs.record_dir(stray).exists() && blobs.record_dir(kept).exists());
        assert_eq!(blobs.sweep_strays().await.unwrap(), 0);
        assert_eq!(blobs.find_missing(&[kept, stray]), [stray]);
    }

    #[tokio::test]
    async fn a_record_whose_files_cannot_be_written_leaves_none() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, record) = (open(dir.path()).await, Id::random());
        let key = key(&blobs, record).await;
        fs::write(blobs.incoming_dir(record), "a file where a folder should be").unwrap();
        assert!(blobs.write(record, &key, &[(Kind::Original, vec![1])]).is_err());
    }
}
