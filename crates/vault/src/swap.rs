//! This owns the question whether the memory of this process can reach a disk as swap, and locks it where that is allowed.
//! It does not decide what to do where it can.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};

/// What keeps the memory of this process out of swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// All of it is locked, also what is taken from now on.
    Locked,
    /// It is not locked, and there is no swap that it could go to.
    NoSwap,
    /// Nothing does: it can be swapped out, and a disk may keep it after this process has wiped it.
    Swappable,
}

impl Lock {
    /// Locks the memory of this process where it may lock all of it, else looks for swap. To be called early: what was
    /// swapped out before is not wiped there.
    #[must_use]
    pub fn take() -> Self {
        if may_lock_all() && lock_all() {
            Self::Locked
        } else if swap_is_off() {
            Self::NoSwap
        } else {
            Self::Swappable
        }
    }

    /// What was found, in words for the operator.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Locked => "all memory is locked, so none of it is swapped",
            Self::NoSwap => "no swap is on that memory could go to",
            Self::Swappable => "memory can be swapped out, and a disk may keep it",
        }
    }

    /// # Errors
    /// `Invalid` with what to do, where memory can be swapped out.
    pub fn require(self) -> Result<()> {
        if self != Self::Swappable {
            return Ok(());
        }
        let words = "What members type could stay on the disk here: swap is on, and this program may not lock its memory. Let it (LimitMEMLOCK=infinity in its systemd unit, or ulimit -l unlimited), or take the swap away (swapoff --all, or MemorySwapMax=0 in its unit). To go on without this protection, and have the doctor say so, set --swap-check accept.";
        Err(Error::invalid("swap-check", words))
    }
}

/// Whether any amount may be locked. With a small limit, everything that is taken later would fail once it is reached.
fn may_lock_all() -> bool {
    if getrlimit(Resource::Memlock).current.is_none() {
        return true;
    }
    let able = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    able && fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| is_first_namespace(&map))
}

/// Whether these are all the users there are. In a namespace of its own, a process holds capabilities that the limits of
/// the machine do not heed.
fn is_first_namespace(uid_map: &str) -> bool {
    let mut fields = uid_map.split_whitespace().map(str::parse);
    fields.by_ref().take(3).eq([Ok(0), Ok(0), Ok(u32::MAX)]) && fields.next().is_none()
}

/// Locks each page once it is touched: what is only mapped, such as the models in the program, stays out of memory.
fn lock_all() -> bool {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

/// Where the system does not say, there may be swap.
fn swap_is_off() -> bool {
    let none = fs::read_to_string("/proc/swaps").is_ok_and(|swaps| lists_none(&swaps));
    none || fs::read_to_string("/proc/self/cgroup").is_ok_and(|groups| {
        limit_files(&groups).iter().any(|file| fs::read_to_string(file).is_ok_and(|limit| forbids(&limit)))
    })
}

/// Whether the kernel's list of swap has no entry. One that is compressed in memory (zram) is one too: what goes there is
/// a copy that nothing wipes, and it may be written on to a disk.
fn lists_none(swaps: &str) -> bool {
    let mut lines = swaps.lines();
    lines.next().is_some_and(|heading| heading.starts_with("Filename"))
        && lines.all(|line| line.trim().is_empty())
}

/// Where the limits of swap for the groups of this process stand: its own, and those around it, which hold as well.
/// Only groups of the second version have one that keeps a process out of swap. In the first version memory and swap
/// have a limit together, and a machine short of memory swaps out what lies below it.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else { return Vec::new() };
    let folder = Path::new("/sys/fs/cgroup").join(own.trim_end_matches(" (deleted)"));
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with("/sys/fs/cgroup"))
        .map(|folder| folder.join("memory.swap.max"))
        .collect()
}

fn forbids(limit: &str) -> bool {
    limit.trim() == "0"
}

#[cfg(test)]
mod tests {
    use rustix::process::{Rlimit, setrlimit};
    use rustix::thread::set_capabilities;

    use super::*;
    use crate::memory::tests::is_child;

    const HEADING: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn every_kind_of_swap_counts_and_silence_is_no_answer() {
        assert!(lists_none(HEADING));
        for entry in [
            "/dev/zram0                              partition\t8388604\t\t0\t\t100\n",
            "/dev/sda2                               partition\t2097148\t\t512\t\t-2\n",
            "/swap\\040file                           file\t\t2097148\t\t0\t\t-3\n",
            "/old\\040(deleted)                       file\t\t2097148\t\t0\t\t-3\n",
        ] {
            assert!(!lists_none(&format!("{HEADING}{entry}")), "{entry}");
        }
        for unreadable in ["", "\n", "/dev/sda2 partition 2097148 512 -2\n"] {
            assert!(!lists_none(unreadable), "{unreadable:?}");
        }
    }

    #[test]
    fn limits_are_read_of_the_own_group_and_those_around_it() {
        let files = |groups: &str| {
            limit_files(groups).iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files("0::/system.slice/safelight.service\n"),
            [
                "/sys/fs/cgroup/system.slice/safelight.service/memory.swap.max",
                "/sys/fs/cgroup/system.slice/memory.swap.max",
                "/sys/fs/cgroup/memory.swap.max",
            ]
        );
        // As in a container that sees no group but its own.
        assert_eq!(files("0::/\n"), ["/sys/fs/cgroup/memory.swap.max"]);
        assert_eq!(files("4:memory:/docker/1f\n0::/\n"), ["/sys/fs/cgroup/memory.swap.max"]);
        // The first version alone cannot keep a process out of swap.
        assert!(files("4:memory:/docker/1f\n3:cpu:/docker/1f\n").is_empty());
    }

    #[test]
    fn only_a_limit_of_nothing_forbids_swap() {
        assert!(forbids("0\n"));
        for other in ["max\n", "4096\n", "", "00x"] {
            assert!(!forbids(other), "{other:?}");
        }
    }

    #[test]
    fn a_namespace_of_its_own_is_told_from_the_machine() {
        assert!(is_first_namespace("         0          0 4294967295\n"));
        for other in ["0 1000 1\n", "0 0 65536\n", "0 0 4294967295\n1 1 1\n", ""] {
            assert!(!is_first_namespace(other), "{other:?}");
        }
    }

    #[test]
    fn memory_that_can_be_swapped_is_refused_with_what_to_do() {
        assert!(Lock::Locked.require().is_ok() && Lock::NoSwap.require().is_ok());
        let refused = Lock::Swappable.require().unwrap_err();
        assert_eq!(refused.field, Some("swap-check"));
        for way in ["LimitMEMLOCK=infinity", "ulimit -l unlimited", "swapoff", "--swap-check accept"] {
            assert!(refused.public.contains(way), "{way}");
        }
    }

    /// Kilobytes of this process that are locked, as the kernel counts them.
    fn locked_kib() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn all_memory_is_locked_where_it_may_be() {
        let name = "all_memory_is_locked_where_it_may_be";
        if !may_lock_all() {
            println!("skipped: {name}: this process may not lock all of its memory");
            return;
        }
        if !is_child(&format!("swap::tests::{name}")) {
            return;
        }
        assert_eq!(Lock::take(), Lock::Locked);
        let before = locked_kib();
        let later = vec![1_u8; 64 << 20];
        assert!(locked_kib() >= before + (later.len() as u64 >> 10), "what is taken later is not locked");
    }

    #[test]
    fn a_small_limit_is_left_alone() {
        if !is_child("swap::tests::a_small_limit_is_left_alone") {
            return;
        }
        let limit = Some(4096);
        setrlimit(Resource::Memlock, Rlimit { current: limit, maximum: limit }).unwrap();
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::IPC_LOCK);
        set_capabilities(None, sets).unwrap();
        assert!(!may_lock_all());
        assert_ne!(Lock::take(), Lock::Locked);
        assert_eq!(locked_kib(), 0);
    }
}
