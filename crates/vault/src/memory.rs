//! This owns the one key that stays in memory, on a page of its own: locked, so that it is not swapped, left out of core
//! dumps, not given to child processes, and wiped. It also keeps the rest of the memory out of core dumps.

use std::fmt;

use kernel::{Error, Result};
use memmap2::{Advice, MmapMut};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{KEY_BYTES, Key};

/// Keeps the memory of this process out of core dumps, and closes it to other programs of the same user. To be called
/// before any secret is there.
///
/// # Errors
/// `Internal` where the system refuses; a [`SecretPage`] stays out of core dumps still.
pub fn deny_core_dumps() -> Result<()> {
    let refused = |cause| Error::internal("core dumps cannot be switched off").because(cause);
    let marked = set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused);
    // Both, even if the first is refused: each helps alone.
    let limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(refused);
    marked.and(limited)
}

/// Whether core dumps of this process are off.
#[must_use]
pub fn core_dumps_are_denied() -> bool {
    let unmarked = dumpable_behavior().is_ok_and(|found| found == DumpableBehavior::NotDumpable);
    unmarked && getrlimit(Resource::Core).current == Some(0)
}

/// A key on a page of its own.
pub struct SecretPage {
    page: Page,
    locked: bool,
}

enum Page {
    Mapped(MmapMut),
    /// Where no page can be mapped, the key lies among all else in memory, and is wiped there.
    Plain(Key),
}

impl SecretPage {
    /// Puts a key on a page.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let Ok(mut page) = MmapMut::map_anon(KEY_BYTES) else {
            return Self { page: Page::Plain(Zeroizing::new(*key)), locked: false };
        };
        // Before the key is there, so that no moment is left in which it could be swapped or dumped.
        let locked = page.lock().is_ok();
        let kept_apart = [Advice::DontDump, Advice::DontFork].map(|advice| page.advise(advice).is_ok());
        page.copy_from_slice(key);
        Self { page: Page::Mapped(page), locked: locked && kept_apart == [true; 2] }
    }

    /// The key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        const NONE: [u8; KEY_BYTES] = [0; KEY_BYTES];
        match &self.page {
            Page::Mapped(page) => page.first_chunk().unwrap_or(&NONE),
            Page::Plain(key) => key,
        }
    }

    /// Whether the system keeps the page out of swap and core dumps; it refuses where a process may lock too little.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.locked
    }
}

impl SecretPage {
    fn wipe(&mut self) {
        match &mut self.page {
            Page::Mapped(page) => page.zeroize(),
            Page::Plain(key) => key.zeroize(),
        }
    }
}

impl Drop for SecretPage {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for SecretPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPage(..)")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::FileExt;
    use std::process::Command;

    use rustix::process::{dumpable_behavior, getrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::*;
    use crate::random_key;

    const IN_CHILD: &str = "SAFELIGHT_TEST_IN_CHILD";

    /// Runs the rest of a test in a process of its own, whose limits may be changed. Says whether this is that process.
    pub(crate) fn is_child(test: &str) -> bool {
        if std::env::var_os(IN_CHILD).is_some() {
            return true;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", test]).env(IN_CHILD, "");
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        false
    }

    /// What the kernel says of the mapping that an address lies in.
    fn flags(address: usize) -> String {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let bounds = range.and_then(|(start, end)| {
                Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
            });
            if let Some((start, end)) = bounds {
                inside = (start..end).contains(&address);
            } else if let Some(flags) = line.strip_prefix("VmFlags: ").filter(|_| inside) {
                return flags.to_owned();
            }
        }
        panic!("no mapping");
    }

    #[test]
    fn the_page_is_locked_and_in_no_core_dump() {
        let key = random_key();
        let page = SecretPage::new(&key);
        assert_eq!(page.bytes(), &*key);
        assert_eq!(format!("{page:?}"), "SecretPage(..)");
        if !page.is_locked() {
            println!("skipped: the_page_is_locked_and_in_no_core_dump: this process may lock no memory");
            return;
        }
        let flags = flags(page.bytes().as_ptr() as usize);
        for flag in ["lo", "dd", "dc"] {
            assert!(flags.split(' ').any(|other| other == flag), "{flag} in {flags}");
        }
    }

    #[test]
    fn each_key_has_a_page_of_its_own_that_is_wiped() {
        let key = random_key();
        let (mut page, other) = (SecretPage::new(&key), SecretPage::new(&key));
        let address = |page: &SecretPage| page.bytes().as_ptr() as usize;
        let page_bytes = rustix::param::page_size();
        assert_eq!((address(&page) % page_bytes, address(&other) % page_bytes), (0, 0));
        page.wipe();
        assert_eq!(page.bytes(), &[0; KEY_BYTES]);
        let (memory, address) = (File::open("/proc/self/mem").unwrap(), address(&other));
        let mut found = [0; KEY_BYTES];
        memory.read_exact_at(&mut found, address as u64).unwrap();
        assert_eq!(found, *key);
        drop(other);
        // Where something else lies there by now, it is no longer the key.
        assert!(memory.read_exact_at(&mut found, address as u64).is_err() || found != *key);
    }

    #[test]
    fn a_key_without_a_page_works_and_says_that_it_is_not_locked() {
        let key = random_key();
        let mut plain = SecretPage { page: Page::Plain(key.clone()), locked: false };
        assert_eq!((plain.bytes(), plain.is_locked()), (&*key, false));
        plain.wipe();
        assert_eq!(plain.bytes(), &[0; KEY_BYTES]);
    }

    #[test]
    fn a_page_that_may_not_be_locked_works_and_says_so() {
        if !is_child("memory::tests::a_page_that_may_not_be_locked_works_and_says_so") {
            return;
        }
        setrlimit(Resource::Memlock, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::IPC_LOCK);
        set_capabilities(None, sets).unwrap();
        let key = random_key();
        let page = SecretPage::new(&key);
        assert_eq!((page.bytes(), page.is_locked()), (&*key, false));
    }

    #[test]
    fn a_process_can_deny_core_dumps() {
        if !is_child("memory::tests::a_process_can_deny_core_dumps") {
            assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
            return;
        }
        deny_core_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
    }
}
