//! This owns the key file: one slot per record, its key wrapped under the root, zeroed in place on erasure.
//! A slot that a crash left half-written does not authenticate and counts as free; its record was never acknowledged.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::{Error, Id, Kind, Result};
use zeroize::Zeroizing;

use crate::{KEY_BYTES, KeyStore, RecordKey, derive};

/// Record id, nonce, wrapped key with its tag, and padding, so that no slot crosses a sector.
const SLOT_BYTES: usize = 128;
const WRAPPED_BYTES: usize = KEY_BYTES + 16;
const USED_BYTES: usize = 16 + NONCE_LEN + WRAPPED_BYTES;

/// Record keys in one file, under a root in another.
pub struct FileKeys {
    root: Zeroizing<[u8; KEY_BYTES]>,
    wrap: LessSafeKey,
    file: File,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_record: HashMap<Id, u64>,
    free: Vec<u64>,
    count: u64,
}

impl FileKeys {
    /// Opens the keys under `dir`, making root and file if neither exists.
    ///
    /// # Errors
    /// `Internal` when the root is missing or broken while there are keys, `StorageFull` on a full disk.
    pub fn open(dir: &Path) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let (root_path, keys_path) = (dir.join("root"), dir.join("keys"));
        if !root_path.exists() && keys_path.exists() {
            return Err(Error::new(
                Kind::Internal,
                "The vault has keys but its root is missing. Restore the file vault/root; without it every picture is lost.",
            ));
        }
        let root = open_root(&root_path)?;
        let key = derive(&root, &[b"wrap record keys"])?;
        let wrap =
            UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| Error::internal("the root is unusable"))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&keys_path)?;
        let keys = Self { root, wrap: LessSafeKey::new(wrap), file, slots: Mutex::default() };
        keys.load()?;
        Ok(keys)
    }

    /// A key for another use of this site, derived from the root.
    pub(crate) fn derive(&self, label: &'static str) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
        derive(&self.root, &[label.as_bytes()])
    }

    fn load(&self) -> Result<()> {
        let mut bytes = Zeroizing::new(Vec::new());
        io::Read::read_to_end(&mut &self.file, &mut bytes)?;
        let mut slots = self.slots();
        let (mut used, mut broken) = (0_u64, 0_u64);
        for (index, slot) in (0_u64..).zip(bytes.chunks(SLOT_BYTES)) {
            slots.count = index + 1;
            match self.unwrap(index, slot) {
                Some((record, _)) => {
                    used += 1;
                    slots.by_record.insert(record, index);
                }
                None => {
                    broken += u64::from(slot.iter().any(|byte| *byte != 0));
                    slots.free.push(index);
                }
            }
        }
        // A crash leaves at most the slots it was writing. If nothing opens, the root is another vault's.
        if used == 0 && broken > 0 {
            return Err(Error::new(
                Kind::Internal,
                "The root of the vault does not fit its keys. Restore the file vault/root that belongs to this data folder.",
            ));
        }
        Ok(())
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bound(index: u64, record: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([index.to_be_bytes().as_slice(), record].concat())
    }

    fn wrap(&self, index: u64, record: Id, key: &RecordKey) -> Result<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut wrapped = Zeroizing::new(key.bytes().to_vec());
        let tag = self
            .wrap
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Self::bound(index, record.as_bytes()),
                &mut wrapped,
            )
            .map_err(|_| Error::internal("a key could not be wrapped"))?;
        let mut slot =
            Zeroizing::new([record.as_bytes().as_slice(), &nonce, &wrapped, tag.as_ref()].concat());
        slot.resize(SLOT_BYTES, 0);
        Ok(slot)
    }

    fn unwrap(&self, index: u64, slot: &[u8]) -> Option<(Id, RecordKey)> {
        let (record, rest) = slot.get(..USED_BYTES)?.split_at_checked(16)?;
        let (nonce, wrapped) = rest.split_at_checked(NONCE_LEN)?;
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = self.wrap.open_in_place(nonce, Self::bound(index, record), &mut wrapped).ok()?;
        Some((Id::from_column(record).ok()?, RecordKey::from_bytes(*key.first_chunk()?)))
    }

    fn write_slot(&self, index: u64, slot: &[u8]) -> io::Result<()> {
        self.file.write_all_at(slot, index * SLOT_BYTES as u64)
    }
}

impl KeyStore for FileKeys {
    fn create(&self, record: Id) -> Result<RecordKey> {
        let key = RecordKey::random();
        let index = {
            let mut slots = self.slots();
            if slots.by_record.contains_key(&record) {
                return Err(Error::new(Kind::Conflict, "This record exists already."));
            }
            slots.free.pop().unwrap_or_else(|| {
                slots.count += 1;
                slots.count - 1
            })
        };
        let written = self
            .wrap(index, record, &key)
            .and_then(|slot| Ok(self.write_slot(index, &slot)?))
            .and_then(|()| Ok(self.file.sync_data()?));
        let mut slots = self.slots();
        if let Err(error) = written {
            slots.free.push(index);
            return Err(error);
        }
        slots.by_record.insert(record, index);
        Ok(key)
    }

    fn get(&self, record: Id) -> Result<RecordKey> {
        let gone = || Error::new(Kind::Gone, "This picture was deleted for good.");
        let index = self.slots().by_record.get(&record).copied().ok_or_else(gone)?;
        let mut slot = Zeroizing::new([0_u8; SLOT_BYTES]);
        self.file.read_exact_at(&mut *slot, index * SLOT_BYTES as u64)?;
        match self.unwrap(index, &*slot) {
            Some((found, key)) if found == record => Ok(key),
            _ => Err(gone()),
        }
    }

    fn erase(&self, records: &[Id]) -> Result<()> {
        let mut slots = self.slots();
        let found: Vec<(Id, u64)> =
            records.iter().filter_map(|record| Some((*record, *slots.by_record.get(record)?))).collect();
        if found.is_empty() {
            return Ok(());
        }
        for (_, index) in &found {
            self.write_slot(*index, &[0; SLOT_BYTES])?;
        }
        self.file.sync_data()?;
        for (record, index) in found {
            slots.by_record.remove(&record);
            slots.free.push(index);
        }
        Ok(())
    }

    fn records(&self) -> Vec<Id> {
        self.slots().by_record.keys().copied().collect()
    }
}

/// Reads the root, or makes it where there is none.
fn open_root(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| {
            Error::new(
                Kind::Internal,
                "The root of the vault is broken: vault/root should have 32 bytes. Restore it.",
            )
        }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let root: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(rand::random());
            // Written elsewhere first: a crash must not leave half a root behind.
            let unfinished = path.with_extension("part");
            let file =
                File::options().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
            file.write_all_at(&*root, 0)?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            if let Some(dir) = path.parent() {
                File::open(dir)?.sync_all()?;
            }
            Ok(root)
        }
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_reopening_and_erased_ones_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, erased) = (Id::random(), Id::random());
        let keys = FileKeys::open(dir.path()).unwrap();
        let key = keys.create(kept).unwrap();
        keys.create(erased).unwrap();
        assert_eq!(keys.create(kept).unwrap_err().kind, Kind::Conflict);
        keys.erase(&[erased, Id::random()]).unwrap();
        keys.erase(&[erased]).unwrap();
        let keys = FileKeys::open(dir.path()).unwrap();
        assert_eq!(keys.get(kept).unwrap().bytes(), key.bytes());
        assert_eq!(keys.get(erased).unwrap_err().kind, Kind::Gone);
        assert_eq!(keys.records(), [kept]);
    }

    #[test]
    fn nothing_of_an_erased_key_is_left_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let keys = FileKeys::open(dir.path()).unwrap();
        let records: Vec<Id> = (0..10).map(|_| Id::random()).collect();
        for record in &records {
            keys.create(*record).unwrap();
        }
        let before = fs::read(dir.path().join("keys")).unwrap();
        keys.erase(&records[3..4]).unwrap();
        let after = fs::read(dir.path().join("keys")).unwrap();
        let slot = 3 * SLOT_BYTES..4 * SLOT_BYTES;
        let marks: Vec<&[u8]> = before[slot.clone()][..USED_BYTES].chunks(8).collect();
        assert!(after[slot].iter().all(|byte| *byte == 0));
        assert!(marks.iter().all(|mark| !after.windows(mark.len()).any(|window| window == *mark)));
    }

    #[test]
    fn a_crash_while_a_slot_is_written_costs_no_other_key() {
        for written in 0..SLOT_BYTES {
            let dir = tempfile::tempdir().unwrap();
            let keys = FileKeys::open(dir.path()).unwrap();
            let (first, second) = (Id::random(), Id::random());
            keys.create(first).unwrap();
            keys.create(second).unwrap();
            drop(keys);
            let path = dir.path().join("keys");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..SLOT_BYTES + written]).unwrap();
            let keys = FileKeys::open(dir.path()).unwrap();
            assert!(keys.get(first).is_ok());
            let whole = written >= USED_BYTES;
            assert_eq!(keys.records().contains(&second), whole, "{written}");
            let third = Id::random();
            keys.create(third).unwrap();
            assert!(FileKeys::open(dir.path()).unwrap().get(third).is_ok());
        }
    }

    #[test]
    fn a_missing_or_foreign_root_is_refused_and_destroys_nothing() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let record = Id::random();
        FileKeys::open(dir.path()).unwrap().create(record).unwrap();
        FileKeys::open(other.path()).unwrap();
        let root = fs::read(dir.path().join("root")).unwrap();
        fs::copy(other.path().join("root"), dir.path().join("root")).unwrap();
        assert!(FileKeys::open(dir.path()).is_err());
        fs::remove_file(dir.path().join("root")).unwrap();
        assert!(FileKeys::open(dir.path()).is_err());
        fs::write(dir.path().join("root"), &root[..31]).unwrap();
        assert!(FileKeys::open(dir.path()).is_err());
        fs::write(dir.path().join("root"), root).unwrap();
        assert!(FileKeys::open(dir.path()).unwrap().get(record).is_ok());
    }

    #[test]
    fn many_threads_make_distinct_slots() {
        let dir = tempfile::tempdir().unwrap();
        let keys = FileKeys::open(dir.path()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..8).for_each(|_| drop(keys.create(Id::random()).unwrap())));
            }
        });
        assert_eq!(FileKeys::open(dir.path()).unwrap().records().len(), 64);
    }
}
