//! This owns the file of a share in the folder of whoever keeps it: the new share is written beside the old one, and the
//! old one is overwritten in place once the backup that needs it no longer counts. It does not know what shares open.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kernel::{Error, Kind, Result};
use vault::{SetId, Share};
use zeroize::Zeroizing;

/// Name of the file.
const FILE: &str = "safelight-share.txt";
/// A slot fills a block of its own, so that overwriting one never touches the other.
const SLOT_BYTES: usize = 4096;
const SLOTS: usize = 2;

type Slot = Zeroizing<Vec<u8>>;

/// A folder that keeps a share.
#[derive(Debug)]
pub(crate) struct Keeper {
    dir: PathBuf,
    file: PathBuf,
}

impl Keeper {
    /// The keeper behind a folder, which has to be there: a stick that is not plugged in keeps nothing.
    ///
    /// # Errors
    /// `Invalid` where there is no such folder.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let shown = dir.display();
        match fs::canonicalize(dir) {
            Ok(dir) if dir.is_dir() => Ok(Self { file: dir.join(FILE), dir }),
            _ => Err(Error::invalid(
                "escrow",
                format!("There is no folder {shown} for a share. Is its disk plugged in and mounted?"),
            )),
        }
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Looks whether the share that lies here, if any, is of the same backup.
    ///
    /// # Errors
    /// `Conflict` where it is of another, or something else has its name.
    pub(crate) fn check(&self, family: Option<SetId>) -> Result<()> {
        let other = |what: &str| {
            let words = format!(
                "{} holds {what}. Choose another folder, or move that file away.",
                self.dir.display()
            );
            Error::new(Kind::Conflict, words)
        };
        let Some(slots) = self.slots()? else { return Ok(()) };
        let slots = slots.ok_or_else(|| other("a file of the name of a share that is none"))?;
        for set in slots.iter().filter_map(|slot| set_of(slot)) {
            if !family.is_some_and(|family| set.is_of_backup(family)) {
                return Err(other("the share of another backup"));
            }
        }
        Ok(())
    }

    /// Writes the new share beside the one that counts.
    ///
    /// # Errors
    /// `Invalid` where it cannot be written; the one that counts is untouched.
    pub(crate) fn stage(&self, share: &Share, counts: Option<SetId>) -> Result<()> {
        let staged = || -> Result<()> {
            let Some(slots) = self.slots()? else {
                self.create()?;
                return Ok(self.overwrite(1, &slot(&share.text()))?);
            };
            if let Some([first, second]) = slots.as_ref()
                && counts.is_some()
                && set_of(second) == counts
                && set_of(first) != counts
            {
                // A run was cut off before it came to this: the share that counts is moved to where it stays.
                self.overwrite(0, second)?;
            }
            Ok(self.overwrite(1, &slot(&share.text()))?)
        };
        staged().map_err(|cause| {
            let words = format!(
                "The share cannot be written into {}. The backup before this one and its shares count on.",
                self.dir.display()
            );
            Error::invalid("escrow", words).because(cause)
        })
    }

    /// Overwrites the old share, now that the new one counts.
    ///
    /// # Errors
    /// `Internal` where the disk refuses.
    pub(crate) fn settle(&self, share: &Share) -> Result<()> {
        self.overwrite(0, &slot(&share.text()))?;
        Ok(self.overwrite(1, &slot(""))?)
    }

    /// Nothing without a file; nothing inside where the file is of another form.
    fn slots(&self) -> Result<Option<Option<[Slot; SLOTS]>>> {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        let slots: Vec<Slot> = bytes.chunks(SLOT_BYTES).map(|slot| Zeroizing::new(slot.to_vec())).collect();
        let whole = bytes.len() == SLOT_BYTES * SLOTS;
        Ok(Some(slots.try_into().ok().filter(|_| whole)))
    }

    fn create(&self) -> io::Result<()> {
        let file = File::options().create_new(true).write(true).mode(0o600).open(&self.file)?;
        file.write_all_at(&[b' '; SLOT_BYTES * SLOTS], 0)?;
        file.sync_all()?;
        File::open(&self.dir)?.sync_all()
    }

    fn overwrite(&self, place: usize, slot: &[u8]) -> io::Result<()> {
        let file = File::options().write(true).open(&self.file)?;
        file.write_all_at(slot, (place * SLOT_BYTES) as u64)?;
        file.sync_all()
    }
}

/// A text as it fills a slot.
fn slot(text: &str) -> Slot {
    let mut slot = Zeroizing::new(vec![b' '; SLOT_BYTES]);
    slot.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    slot.iter_mut().rev().take(1).for_each(|last| *last = b'\n');
    slot
}

/// The set of the share in a slot, if one stands there whole.
fn set_of(slot: &[u8]) -> Option<SetId> {
    let shares = Share::read_all(std::str::from_utf8(slot).ok()?).ok()?;
    shares.into_iter().flatten().next().map(|share| share.set())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use vault::{Quorum, random_key, split};

    use super::*;

    fn share(set: SetId) -> Share {
        split(&random_key(), Quorum::new(2, 2).unwrap(), set).unwrap().remove(0)
    }

    fn sets(keeper: &Keeper) -> Vec<SetId> {
        let text = fs::read_to_string(&keeper.file).unwrap();
        Share::read_all(&text).unwrap().into_iter().map(|share| share.unwrap().set()).collect()
    }

    #[test]
    fn at_every_step_the_share_that_counts_is_there_and_the_old_one_goes_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(dir.path()).unwrap();
        let first = SetId::random();
        keeper.check(None).unwrap();
        keeper.stage(&share(first), None).unwrap();
        keeper.settle(&share(first)).unwrap();
        assert_eq!(fs::metadata(&keeper.file).unwrap().permissions().mode() & 0o777, 0o600);
        let mut counts = first;
        for _ in 0..3 {
            let new = share(counts.next());
            keeper.check(Some(counts)).unwrap();
            keeper.stage(&new, Some(counts)).unwrap();
            assert_eq!(sets(&keeper), [counts, new.set()]);
            // Cut off here, and run again.
            let again = share(counts.next());
            keeper.stage(&again, Some(counts)).unwrap();
            assert_eq!(sets(&keeper), [counts, again.set()]);
            // Cut off after the new backup counts, and before the old share is overwritten.
            let later = share(counts.next());
            keeper.stage(&later, Some(again.set())).unwrap();
            assert_eq!(sets(&keeper), [again.set(), later.set()]);
            keeper.settle(&later).unwrap();
            assert_eq!(sets(&keeper), [later.set()]);
            counts = later.set();
        }
        assert!(fs::read_to_string(&keeper.file).unwrap().starts_with("Safelight share 1 of 2"));
    }

    #[test]
    fn what_is_not_of_this_backup_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(dir.path()).unwrap();
        let set = SetId::random();
        keeper.stage(&share(set), None).unwrap();
        keeper.check(Some(set.next())).unwrap();
        for family in [None, Some(SetId::random())] {
            assert!(keeper.check(family).unwrap_err().public.contains("another backup"));
        }
        fs::write(&keeper.file, "a letter").unwrap();
        assert!(keeper.check(Some(set)).unwrap_err().public.contains("that is none"));
        // A first run that was cut off while it wrote.
        fs::write(&keeper.file, [b' '; SLOT_BYTES * SLOTS]).unwrap();
        keeper.check(None).unwrap();
        assert!(Keeper::new(&dir.path().join("none")).unwrap_err().public.contains("mounted"));
        fs::remove_file(&keeper.file).unwrap();
        fs::create_dir(&keeper.file).unwrap();
        assert!(keeper.stage(&share(set), None).unwrap_err().public.contains("cannot be written"));
    }
}
