//! This owns the one key that stays in memory, on a page of its own: locked, so that it is not swapped, left out of core
//! dumps, not given to child processes, and wiped.

use std::fmt;

use memmap2::{Advice, MmapMut};
use zeroize::{Zeroize, Zeroizing};

use crate::{KEY_BYTES, Key};

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

impl Drop for SecretPage {
    fn drop(&mut self) {
        if let Page::Mapped(page) = &mut self.page {
            page.zeroize();
        }
    }
}

impl fmt::Debug for SecretPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPage(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::random_key;

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
}
