//! Deletion, examined on the raw device: the program's own keys and files on a loop-mounted disk, killed at seeded points,
//! and every byte of the disk searched. What the searches can find is shown in the same run.
//!
//! `SAFELIGHT_FORENSIC_SEEDS` says how many kills, `SAFELIGHT_FORENSIC_FIRST` the first seed; `cargo x forensics` sets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // It is a test.
#![allow(clippy::disallowed_methods)] // Its settings are of the test run, not of the program.

mod controls;
mod damage;
mod device;
mod drill;
mod scan;
mod suspect;

use device::Device;
use suspect::{Hits, Suspect};

/// Kills in an ordinary test run.
const SEEDS: u64 = 12;
/// Kills after which a disk is replaced, so that it is neither full nor always young.
const SEEDS_PER_DISK: u64 = 25;
const DISK_MIB: u64 = 32;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What a mount is needed for, or a line that says that it was left out.
fn disk(test: &str) -> Option<Device> {
    let disk = Device::new(DISK_MIB, "");
    if disk.is_none() {
        println!("skipped: {test}: no file system can be made and mounted here");
    }
    disk
}

/// Run by the other tests in a process of its own, to be killed. Alone it does nothing.
#[test]
fn drill_to_be_killed() {
    if let Some(folder) = std::env::var_os("SAFELIGHT_DRILL") {
        drill::run(folder.as_ref(), number("SAFELIGHT_DRILL_SEED", 0));
    }
}

#[test]
fn a_killed_program_leaves_no_old_root_no_canary_and_loses_nothing() {
    let test = "a_killed_program_leaves_no_old_root_no_canary_and_loses_nothing";
    let (seeds, first) = (number("SAFELIGHT_FORENSIC_SEEDS", SEEDS), number("SAFELIGHT_FORENSIC_FIRST", 1));
    let mut all = Hits::default();
    let mut suspect: Option<Suspect> = None;
    for seed in first..first + seeds {
        if (seed - first).is_multiple_of(SEEDS_PER_DISK) {
            let Some(disk) = disk(test) else { return };
            suspect = Some(Suspect::new(disk));
        }
        all.add(suspect.as_mut().unwrap().examine(seed));
        println!("seed {seed} of {}: {all}", first + seeds - 1);
        assert!(all.are_clean(), "seed {seed}: {all}");
    }
    assert!(all.erased > seeds / 2 && all.alive > seeds, "the drill did too little: {all}");
}

#[test]
fn every_planted_leak_is_found() {
    let Some(disk) = disk("every_planted_leak_is_found") else { return };
    controls::plant_and_find(disk);
}

#[test]
fn a_full_disk_is_told_loses_nothing_and_erases_once_there_is_room() {
    let Some(disk) = disk("a_full_disk_is_told_loses_nothing_and_erases_once_there_is_room") else { return };
    damage::fill_up(&disk);
}

#[test]
fn damaged_and_exchanged_files_and_nodes_never_open_another_record() {
    damage::exchange();
}
