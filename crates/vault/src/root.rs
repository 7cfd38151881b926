//! This owns the erasable root: one small file with two slots that are overwritten in place. Outside of a turn one slot
//! holds the root and the other is zero; what the root of an older epoch wrapped cannot be opened once its slot is zero.
//! It does not know what the root wraps.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::digest;
use kernel::{Error, Kind, Result};
use zeroize::Zeroizing;

use crate::{KEY_BYTES, Key, SecretPage};

/// A slot fills a block of its own, so that overwriting one never touches the other.
const SLOT_BYTES: usize = 4096;
const SLOTS: usize = 2;
const MAGIC: [u8; 8] = *b"SLR1\0\0\0\0";
const EPOCH_AT: usize = MAGIC.len();
const KEY_AT: usize = EPOCH_AT + 8;
const CHECK_AT: usize = KEY_AT + KEY_BYTES;
const CHECK_BYTES: usize = 16;

type Block = Zeroizing<[u8; SLOT_BYTES]>;

/// The root file of one data folder.
#[derive(Debug)]
pub struct RootFile {
    file: File,
}

/// A root with the number of the turn that made it.
#[derive(Debug)]
pub struct Root {
    /// Counts the turns.
    pub epoch: u64,
    /// The key that wraps the tree's first node.
    pub key: SecretPage,
}

impl RootFile {
    /// Opens the file, if there is one.
    ///
    /// # Errors
    /// `Internal` when it cannot be opened.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        match File::options().read(true).write(true).open(path) {
            Ok(file) => Ok(Some(Self { file })),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Makes the file with a root of this epoch. All of it is on the disk when this returns.
    ///
    /// # Errors
    /// `Internal` where there is such a file, `StorageFull` on a full disk; what was made of it is gone then.
    pub fn create(path: &Path, epoch: u64, key: &Key) -> Result<Self> {
        let file = File::options().create_new(true).read(true).write(true).mode(0o600).open(path)?;
        let root = Self { file };
        let kept = (|| {
            root.file.write_all_at(&[0; SLOT_BYTES * SLOTS], 0)?;
            root.file.write_all_at(&*block(epoch, key), 0)?;
            root.file.sync_all()?;
            path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
        })();
        if let Err(cause) = kept {
            let _ = fs::remove_file(path);
            return Err(cause.into());
        }
        Ok(root)
    }

    /// The epochs of the slots that hold a whole root.
    ///
    /// # Errors
    /// `Internal` when the file cannot be read.
    pub fn epochs(&self) -> Result<Vec<u64>> {
        let roots = self.slots()?.into_iter().filter_map(|slot| Some(read(&slot)?.0));
        Ok(roots.collect())
    }

    /// The root of this epoch. Whatever else the file holds is left by a turn that a crash cut off, and is zeroed.
    ///
    /// # Errors
    /// `Internal` when no slot holds the root of this epoch; nothing is changed then.
    pub fn recover(&self, epoch: u64) -> Result<Root> {
        let slots = self.slots()?;
        let found = slots
            .iter()
            .enumerate()
            .find_map(|(slot, block)| read(block).filter(|(of, _)| *of == epoch).map(|(_, key)| (slot, key)));
        let (live, key) = found.ok_or_else(|| {
            Error::new(
                Kind::Internal,
                "The root does not fit the database: the root file is broken, or one of the two is of another installation or from an older backup. Put back the pair that belongs together, or run safelight restore.",
            )
        })?;
        for (slot, block) in slots.iter().enumerate() {
            if slot != live && block.iter().any(|byte| *byte != 0) {
                self.overwrite(slot, &[0; SLOT_BYTES])?;
            }
        }
        Ok(Root { epoch, key: SecretPage::new(&key) })
    }

    /// Writes the root of the next epoch beside the one that lives.
    ///
    /// # Errors
    /// `Internal` when the disk refuses; the root that lives is untouched.
    pub fn prepare(&self, epoch: u64, key: &Key) -> Result<()> {
        let slot = self.slots()?.iter().position(|block| block.iter().all(|byte| *byte == 0));
        let slot = slot.ok_or_else(|| Error::internal("both slots of the root are in use"))?;
        Ok(self.overwrite(slot, &block(epoch, key))?)
    }

    /// Zeroes every slot but that of this epoch. When this returns, older roots are overwritten on the disk.
    ///
    /// # Errors
    /// `Internal` when the disk refuses, or no slot holds this epoch.
    pub fn keep_only(&self, epoch: u64) -> Result<()> {
        self.recover(epoch).map(drop)
    }

    fn slots(&self) -> io::Result<[Block; SLOTS]> {
        let mut slots = [(); SLOTS].map(|()| Zeroizing::new([0; SLOT_BYTES]));
        for (slot, block) in slots.iter_mut().enumerate() {
            // A file that was cut reads as zeros.
            let mut read = 0;
            while let Some(rest) = block.get_mut(read..).filter(|rest| !rest.is_empty()) {
                match self.file.read_at(rest, (slot * SLOT_BYTES + read) as u64)? {
                    0 => break,
                    bytes => read += bytes,
                }
            }
        }
        Ok(slots)
    }

    fn overwrite(&self, slot: usize, block: &[u8; SLOT_BYTES]) -> io::Result<()> {
        self.file.write_all_at(block, (slot * SLOT_BYTES) as u64)?;
        self.file.sync_data()
    }
}

fn block(epoch: u64, key: &Key) -> Block {
    let mut block = Zeroizing::new([0; SLOT_BYTES]);
    block[..EPOCH_AT].copy_from_slice(&MAGIC);
    block[EPOCH_AT..KEY_AT].copy_from_slice(&epoch.to_be_bytes());
    block[KEY_AT..CHECK_AT].copy_from_slice(&**key);
    let check = check(&block);
    block[CHECK_AT..CHECK_AT + CHECK_BYTES].copy_from_slice(&check);
    block
}

fn read(block: &Block) -> Option<(u64, Key)> {
    let whole = block.starts_with(&MAGIC) && block[CHECK_AT..].starts_with(&check(block));
    let epoch = block[EPOCH_AT..KEY_AT].first_chunk()?;
    let key = block[KEY_AT..CHECK_AT].first_chunk()?;
    whole.then(|| (u64::from_be_bytes(*epoch), Zeroizing::new(*key)))
}

/// Tells a whole slot from one that was being written.
fn check(block: &Block) -> [u8; CHECK_BYTES] {
    let digest = digest::digest(&digest::SHA256, &block[..CHECK_AT]);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random_key;

    fn bytes_of(path: &Path) -> Vec<u8> {
        fs::read(path).unwrap()
    }

    fn holds(bytes: &[u8], key: &Key) -> bool {
        bytes.windows(8).any(|window| key.chunks(8).any(|part| part == window))
    }

    #[test]
    fn a_turn_leaves_nothing_of_the_old_root() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        let (mut old, mut epoch) = (random_key(), 1);
        let file = RootFile::create(&path, epoch, &old).unwrap();
        for _ in 0..5 {
            let new = random_key();
            file.prepare(epoch + 1, &new).unwrap();
            assert!(holds(&bytes_of(&path), &old) && holds(&bytes_of(&path), &new));
            assert!(file.prepare(epoch + 2, &random_key()).is_err(), "the other slot is taken");
            file.keep_only(epoch + 1).unwrap();
            assert!(!holds(&bytes_of(&path), &old));
            assert_eq!(file.recover(epoch + 1).unwrap().key.bytes(), &*new);
            (old, epoch) = (new, epoch + 1);
        }
        assert_eq!(bytes_of(&path).len(), SLOT_BYTES * SLOTS);
    }

    #[test]
    fn a_crash_in_a_turn_is_decided_by_the_epoch_of_the_database() {
        for (committed, written) in [(1, true), (2, true), (1, false)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("root");
            let (old, new) = (random_key(), random_key());
            let file = RootFile::create(&path, 1, &old).unwrap();
            file.prepare(2, &new).unwrap();
            if !written {
                // The power went while the new slot was written: half of it is there.
                let mut bytes = bytes_of(&path);
                bytes[SLOT_BYTES + 30..].fill(0);
                fs::write(&path, bytes).unwrap();
            }
            let root = RootFile::open(&path).unwrap().unwrap().recover(committed).unwrap();
            let (lives, dies) = if committed == 1 { (&old, &new) } else { (&new, &old) };
            assert_eq!(root.key.bytes(), &**lives);
            assert!(!holds(&bytes_of(&path), dies));
        }
    }

    #[test]
    fn a_root_that_is_missing_broken_or_of_another_epoch_is_told_and_nothing_is_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root");
        assert!(RootFile::open(&path).unwrap().is_none());
        let file = RootFile::create(&path, 7, &random_key()).unwrap();
        assert!(RootFile::create(&path, 7, &random_key()).is_err());
        let whole = bytes_of(&path);
        assert_eq!(file.epochs().unwrap(), [7]);
        assert!(file.recover(6).unwrap_err().public.contains("does not fit"));
        assert_eq!(bytes_of(&path), whole);
        for at in 0..CHECK_AT + CHECK_BYTES {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, &broken).unwrap();
            assert!(RootFile::open(&path).unwrap().unwrap().recover(7).is_err(), "{at}");
            assert_eq!(bytes_of(&path), broken);
        }
        for cut in [0, 1, CHECK_AT, CHECK_AT + CHECK_BYTES - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(RootFile::open(&path).unwrap().unwrap().recover(7).is_err(), "{cut}");
        }
        fs::write(&path, &whole[..SLOT_BYTES]).unwrap();
        assert!(RootFile::open(&path).unwrap().unwrap().recover(7).is_ok(), "only zeros were cut");
    }
}
