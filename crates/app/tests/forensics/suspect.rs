//! This owns one examination: a drill is killed at a seeded point, and its disk is read as someone would who wants back
//! what was deleted, with the power cut and after an orderly end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kernel::Id;
use tokio::runtime::Runtime;
use vault::{NodeId, RootFile, Tree};

use crate::device::Device;
use crate::drill::{House, parts};
use crate::scan::Scanner;

/// How long a drill may take for a step.
const STEP_MAX: Duration = Duration::from_secs(60);
/// A drill is killed within this time after the step.
const MOMENT_MICROS: u64 = 6000;
/// Bytes before the key in a slot of the root file, and how a slot begins.
const KEY_AT: usize = 16;
const SLOT: &[u8; 8] = b"SLR1\0\0\0\0";
/// Slots begin where sectors do.
const SECTOR: usize = 512;
/// Copies of the database from before, as backups would be.
const OLD_MAX: usize = 8;

/// What examinations have found.
#[derive(Default)]
pub(crate) struct Hits {
    leaks: Vec<String>,
    lost: u64,
    back: u64,
    pub(crate) alive: u64,
    pub(crate) erased: u64,
    /// Kills between turns, with the new root written, with it committed.
    phases: [u64; 3],
}

impl Hits {
    pub(crate) fn add(&mut self, other: Self) {
        self.leaks.extend(other.leaks);
        self.lost += other.lost;
        self.back += other.back;
        self.alive += other.alive;
        self.erased += other.erased;
        self.phases.iter_mut().zip(other.phases).for_each(|(all, one)| *all += one);
    }

    pub(crate) fn are_clean(&self) -> bool {
        self.leaks.is_empty() && self.lost == 0 && self.back == 0
    }
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [between, written, committed] = self.phases;
        write!(
            f,
            "{} records opened, {} erased ones tried; leaks {:?}, lost {}, back {}; killed between turns {between}, with the new root written {written}, committed {committed}",
            self.alive, self.erased, self.leaks, self.lost, self.back
        )
    }
}

/// The first node of the tree, as a backup from before has it.
struct Old {
    epoch: u64,
    node: Vec<u8>,
}

/// A disk, and what its owner was told of what is on it.
pub(crate) struct Suspect {
    disk: Option<Device>,
    alive: BTreeMap<Id, Option<Id>>,
    erased: BTreeSet<Id>,
    /// Announced and not confirmed; of deletions, what was named and what goes with it.
    pending_create: BTreeMap<Id, Option<Id>>,
    pending_erase: BTreeMap<Vec<Id>, Vec<Id>>,
    roots: BTreeMap<u64, Vec<u8>>,
    /// No root before this epoch may be anywhere any more.
    oldest_allowed: u64,
    old: Vec<Old>,
}

impl Suspect {
    pub(crate) fn new(disk: Device) -> Self {
        Self {
            disk: Some(disk),
            alive: BTreeMap::new(),
            erased: BTreeSet::new(),
            pending_create: BTreeMap::new(),
            pending_erase: BTreeMap::new(),
            roots: BTreeMap::new(),
            oldest_allowed: 0,
            old: Vec::new(),
        }
    }

    /// One drill, killed, and its disk examined.
    pub(crate) fn examine(&mut self, seed: u64) -> Hits {
        let disk = self.disk.take().unwrap();
        self.drill(disk.folder(), seed);
        let mut hits = Hits { phases: phase(disk.folder()), ..Hits::default() };
        let cut = disk.after_power_cut();
        self.search(&cut.bytes(), &mut hits);
        let cut = cut.mount().unwrap();
        self.reopen(cut.folder(), &mut hits);
        drop(cut);
        let disk = disk.unmount();
        self.search(&disk.bytes(), &mut hits);
        let disk = disk.mount().unwrap();
        self.reopen(disk.folder(), &mut hits);
        self.settle(disk.folder());
        self.disk = Some(disk);
        hits
    }

    /// Lets a drill work, hears what it says, and kills it some steps and a moment later.
    fn drill(&mut self, folder: &Path, seed: u64) {
        let (mut child, lines) = start(folder, seed);
        // Every other one dies in a deletion, the rest anywhere.
        let (steps, in_deletion) = (5 + seed % 17, seed.is_multiple_of(2));
        let (mut done, mut near) = (0, false);
        while done < steps || !near {
            let line = lines.recv_timeout(STEP_MAX).expect("the drill has stopped");
            done += u64::from(self.hear(&line, folder));
            near = !in_deletion || line.starts_with("will erase");
        }
        let moment = Instant::now() + Duration::from_micros(seed.wrapping_mul(7919) % MOMENT_MICROS);
        while let Ok(line) = lines.recv_timeout(moment.saturating_duration_since(Instant::now())) {
            self.hear(&line, folder);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts.
        for line in lines {
            self.hear(&line, folder);
        }
    }

    fn hear(&mut self, line: &str, folder: &Path) -> bool {
        let mut words = line.split(' ');
        let (when, what) = (words.next(), words.next());
        let ids: Vec<Option<Id>> = words.map(|word| word.parse().ok()).collect();
        let all: Vec<Id> = ids.iter().flatten().copied().collect();
        match (when, what) {
            (Some("will"), Some("create")) => drop(self.pending_create.insert(all[0], ids[1])),
            (Some("did"), Some("create")) => {
                let owner = self.pending_create.remove(&all[0]).unwrap();
                self.alive.insert(all[0], owner);
            }
            (Some("will"), Some("erase")) => {
                self.pending_erase.insert(all.clone(), self.with_owned(all));
            }
            (Some("did"), Some("erase")) => {
                for record in self.pending_erase.remove(&all).unwrap() {
                    self.alive.remove(&record);
                    self.erased.insert(record);
                }
                self.sample(folder);
            }
            (Some("did"), Some("rotate")) => self.sample(folder),
            _ => return false,
        }
        when == Some("did")
    }

    fn with_owned(&self, mut records: Vec<Id>) -> Vec<Id> {
        let owned =
            self.alive.iter().filter(|(_, owner)| owner.is_some_and(|owner| records.contains(&owner)));
        records.extend(owned.map(|(record, _)| *record).collect::<Vec<_>>());
        records.sort_unstable();
        records.dedup();
        records
    }

    /// Notes the roots that live now. Those before are to be gone, since something was just acknowledged.
    fn sample(&mut self, folder: &Path) {
        let now = slots(&std::fs::read(folder.join("root")).unwrap());
        self.oldest_allowed = now.iter().map(|(epoch, _)| *epoch).min().unwrap_or(0).max(self.oldest_allowed);
        self.roots.extend(now);
    }

    /// Searches a disk for what must not be there, and tries every root that it has on old copies.
    fn search(&self, bytes: &[u8], hits: &mut Hits) {
        let old = self.roots.range(..self.oldest_allowed);
        let secrets = old.map(|(epoch, root)| (format!("root of epoch {epoch}"), root.clone()));
        hits.leaks.extend(Scanner::new(secrets).find(bytes));
        let backups = self.old.iter().filter(|old| old.epoch < self.oldest_allowed);
        for old in backups.filter(|old| opens_with_any_root(bytes, &old.node)) {
            hits.leaks.push(format!("a root that opens a backup of epoch {}", old.epoch));
        }
    }

    /// Opens the folder as the program does after a crash, and tries every record that there ever was.
    fn reopen(&self, folder: &Path, hits: &mut Hits) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let house = House::open(folder).await.unwrap();
            house.blobs.recover().await.unwrap();
            for record in self.alive.keys().filter(|record| !self.is_pending(**record)) {
                hits.alive += 1;
                for (kind, plain) in parts(*record) {
                    let found = house.blobs.get(*record, kind).await;
                    hits.lost += u64::from(!found.is_ok_and(|found| *found == plain));
                }
            }
            for record in &self.erased {
                hits.erased += 1;
                hits.back += u64::from(house.keys.get(*record).await.is_ok());
            }
            let erased: Vec<Id> = self.erased.iter().copied().collect();
            let unlinked = house.blobs.find_missing(&erased).len();
            hits.back += (erased.len() - unlinked) as u64;
            assert_eq!(house.erase(erased).await.unwrap(), 0, "again is fine");
            let file = RootFile::open(&folder.join("root")).unwrap().unwrap();
            assert_eq!(file.epochs().unwrap().len(), 1, "one root lives");
            house.db.close().await;
        });
    }

    fn is_pending(&self, record: Id) -> bool {
        self.pending_erase.values().flatten().any(|other| *other == record)
    }

    /// What was announced and not confirmed is wholly done or not at all; and a copy is kept, as a backup would be.
    fn settle(&mut self, folder: &Path) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let house = House::open(folder).await.unwrap();
            for record in std::mem::take(&mut self.pending_create).into_keys() {
                if house.keys.get(record).await.is_ok() {
                    // Its row is there; its files may not have been written yet, and it was not acknowledged.
                    house.erase(vec![record]).await.unwrap();
                    self.erased.insert(record);
                }
            }
            let pending: Vec<Vec<Id>> = std::mem::take(&mut self.pending_erase).into_values().collect();
            // What two deletions name goes with the first of them.
            let twice = |record: &Id| pending.iter().filter(|one| one.contains(record)).count() > 1;
            let shared: BTreeSet<Id> =
                pending.iter().flatten().filter(|record| twice(record)).copied().collect();
            for records in pending {
                let keys = house.keys.get_all(&records).await.unwrap();
                let known: Vec<Id> =
                    records.into_iter().filter(|record| self.alive.contains_key(record)).collect();
                let own: Vec<&Id> = known.iter().filter(|record| !shared.contains(record)).collect();
                let there = own.iter().filter(|record| keys.contains_key(record)).count();
                assert!(there == 0 || there == own.len(), "a deletion is half-done");
                for record in known.into_iter().filter(|record| !keys.contains_key(record)) {
                    self.alive.remove(&record);
                    self.erased.insert(record);
                }
            }
            house.blobs.sweep().await.unwrap();
            let (epoch, node): (i64, Vec<u8>) =
                sqlx::query_as("SELECT epoch, sealed FROM key_state, key_node WHERE number = 0")
                    .fetch_one(house.db.read())
                    .await
                    .unwrap();
            self.old.push(Old { epoch: epoch.unsigned_abs(), node });
            house.db.close().await;
        });
        self.old.drain(..self.old.len().saturating_sub(OLD_MAX));
        self.sample(folder);
    }
}

/// Whether any root that a disk has, wherever it stands, opens the first node of an old tree.
pub(crate) fn opens_with_any_root(disk: &[u8], node: &[u8]) -> bool {
    let slots = (0..disk.len()).step_by(SECTOR).filter(|at| disk[*at..].starts_with(SLOT));
    let mut keys = slots.filter_map(|at| disk[at..].get(KEY_AT..KEY_AT + 32)?.first_chunk::<32>());
    keys.any(|key| Tree::open(key, [(NodeId::from_number(0), node.to_vec())]).is_ok())
}

fn start(folder: &Path, seed: u64) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["drill_to_be_killed", "--exact", "--nocapture"])
        .env("SAFELIGHT_DRILL", folder)
        .env("SAFELIGHT_DRILL_SEED", seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, lines) = channel();
    let said = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (child, lines)
}

/// The whole slots of a root file.
fn slots(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let slots = bytes.chunks(4096).filter(|slot| slot.starts_with(SLOT));
    slots
        .map(|slot| {
            (u64::from_be_bytes(*slot[8..].first_chunk().unwrap()), slot[KEY_AT..KEY_AT + 32].to_vec())
        })
        .collect()
}

/// In which part of a turn the drill was killed, from the slots and the epoch of the database.
fn phase(folder: &Path) -> [u64; 3] {
    let epochs: Vec<u64> =
        slots(&std::fs::read(folder.join("root")).unwrap()).into_iter().map(|(epoch, _)| epoch).collect();
    if epochs.len() < 2 {
        return [1, 0, 0];
    }
    // A copy, so that looking changes nothing.
    let copy = tempfile::tempdir().unwrap();
    for name in ["db", "db-wal"] {
        let _ = std::fs::copy(folder.join(name), copy.path().join(name));
    }
    let epoch: i64 = Runtime::new().unwrap().block_on(async {
        let db = platform::db::Db::open(&copy.path().join("db")).await.unwrap();
        sqlx::query_scalar("SELECT epoch FROM key_state").fetch_one(db.read()).await.unwrap()
    });
    if epochs.iter().max() == Some(&epoch.unsigned_abs()) { [0, 0, 1] } else { [0, 1, 0] }
}
