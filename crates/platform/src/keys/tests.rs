//! Keys and turns on a database and a root file of their own.

use std::fs;
use std::path::PathBuf;

use kernel::clock::SetClock;
use tempfile::TempDir;
use tokio::task::JoinSet;
use vault::receipt::Tile;

use super::*;
use crate::db::commit;

const HOUR_SECONDS: i64 = 3600;

struct House {
    dir: TempDir,
    db: Db,
    keys: Keys,
    clock: Arc<SetClock>,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("db")).await.unwrap();
        let clock = Arc::new(SetClock::at(1_764_046_800));
        let keys = Keys::open(db.clone(), &dir.path().join("root"), "x/log", clock.clone()).await.unwrap();
        Self { dir, db, keys, clock }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// As a process that starts after this one has died.
    async fn reopen(&mut self) -> Result<()> {
        self.db.close().await;
        self.db = Db::open(&self.dir.path().join("db")).await?;
        self.keys = Keys::open(self.db.clone(), &self.root(), "x/log", self.clock.clone()).await?;
        Ok(())
    }

    async fn create(&self, owner: Option<Id>) -> (Id, RecordKey) {
        let record = Id::random();
        let mut writing = self.db.write().await.unwrap();
        let key = self.keys.create(&mut writing, record, owner).await.unwrap();
        commit(writing).await.unwrap();
        (record, key)
    }

    async fn erase(&self, records: &[Id]) -> Result<Vec<Id>> {
        let records = records.to_vec();
        Ok(self.keys.turn(move |_| Box::pin(async move { Ok(((), records)) })).await?.records)
    }

    async fn has(&self, record: Id, key: &RecordKey) -> bool {
        self.keys.get(record).await.is_ok_and(|found| print(&found) == print(key))
    }
}

fn print(key: &RecordKey) -> [u8; 32] {
    key.fingerprint("test", b"")
}

#[tokio::test]
async fn keys_survive_reopening_and_erased_ones_do_not() {
    let mut house = House::new().await;
    let ((kept, key), (erased, _)) = (house.create(None).await, house.create(None).await);
    let site = house.keys.site().fingerprint("x", b"y");
    assert_eq!(house.erase(&[erased, Id::random()]).await.unwrap(), [erased]);
    assert!(house.erase(&[erased]).await.unwrap().is_empty(), "again is fine");
    for _ in 0..2 {
        assert!(house.has(kept, &key).await);
        assert_eq!(house.keys.get(erased).await.unwrap_err().kind, Kind::Gone);
        assert_eq!(house.keys.records().await.unwrap(), [kept]);
        assert_eq!(house.keys.site().fingerprint("x", b"y"), site);
        house.reopen().await.unwrap();
    }
    let mut writing = house.db.write().await.unwrap();
    let twice = house.keys.create(&mut writing, kept, None).await;
    assert_eq!(twice.unwrap_err().place, Some("a record was made twice"));
}

#[tokio::test]
async fn what_belongs_to_someone_goes_with_them() {
    let house = House::new().await;
    let (account, _) = house.create(None).await;
    let (record, key) = house.create(Some(account)).await;
    assert!(house.has(record, &key).await);
    house.erase(&[account]).await.unwrap();
    assert_eq!(house.keys.get(record).await.unwrap_err().kind, Kind::Gone);
    let mut writing = house.db.write().await.unwrap();
    let orphan = house.keys.create(&mut writing, Id::random(), Some(account)).await;
    assert_eq!(orphan.unwrap_err().kind, Kind::Gone);
}

#[tokio::test]
async fn a_key_made_before_its_row_is_the_one_that_is_kept() {
    let house = House::new().await;
    let new = NewKey::random();
    let before = new.key().unwrap();
    assert_eq!(house.keys.get(new.record()).await.unwrap_err().kind, Kind::Gone);
    let mut writing = house.db.write().await.unwrap();
    house.keys.insert(&mut writing, &new).await.unwrap();
    commit(writing).await.unwrap();
    assert!(house.has(new.record(), &before).await);
}

#[tokio::test]
async fn concurrent_deletions_share_turns_and_a_failing_one_changes_nothing() {
    let house = House::new().await;
    let mut records = Vec::new();
    for _ in 0..100 {
        records.push(house.create(None).await.0);
    }
    let (kept, key) = house.create(None).await;
    let before = house.keys.epoch().await;
    let mut deeds = JoinSet::new();
    for record in records.clone() {
        let keys = house.keys.clone();
        deeds.spawn(
            async move { keys.turn(move |_| Box::pin(async move { Ok((record, vec![record])) })).await },
        );
    }
    let keys = house.keys.clone();
    let failing = keys.turn(move |writing| {
        Box::pin(async move {
            sqlx::query("DELETE FROM key_leaf").execute(&mut **writing).await.map_err(crate::db::sql)?;
            Err::<((), Vec<Id>), _>(Error::invalid("x", "no"))
        })
    });
    assert_eq!(failing.await.unwrap_err().field, Some("x"));
    while let Some(done) = deeds.join_next().await {
        let erased = done.unwrap().unwrap();
        assert_eq!(erased.records, [erased.value]);
    }
    let turns = house.keys.epoch().await - before;
    assert!((1..30).contains(&turns), "{turns} turns");
    assert!(house.has(kept, &key).await);
    assert_eq!(house.keys.records().await.unwrap(), [kept]);
}

#[tokio::test]
async fn a_crash_in_a_turn_leaves_the_side_that_the_database_is_on() {
    let mut house = House::new().await;
    let (record, key) = house.create(None).await;
    let epoch = house.keys.epoch().await;
    // The new root was written, and the power went before the commit.
    RootFile::open(&house.root()).unwrap().unwrap().prepare(epoch + 1, &random_key()).unwrap();
    house.reopen().await.unwrap();
    assert!(house.has(record, &key).await);
    assert_eq!(RootFile::open(&house.root()).unwrap().unwrap().epochs().unwrap(), [epoch]);
    // The power went after the commit: the old root is still in its slot.
    let old = fs::read(house.root()).unwrap();
    house.erase(&[record]).await.unwrap();
    let mut both = fs::read(house.root()).unwrap();
    both.iter_mut().zip(&old).for_each(|(byte, old)| *byte |= old);
    fs::write(house.root(), both).unwrap();
    house.reopen().await.unwrap();
    assert_eq!(RootFile::open(&house.root()).unwrap().unwrap().epochs().unwrap(), [epoch + 1]);
    assert_eq!(house.keys.get(record).await.unwrap_err().kind, Kind::Gone);
}

#[tokio::test]
async fn a_disk_that_refuses_the_root_changes_nothing_and_the_next_turn_mends_it() {
    let house = House::new().await;
    let (record, key) = house.create(None).await;
    let mut root = fs::read(house.root()).unwrap();
    let whole = root.clone();
    root[5000] = 1;
    fs::write(house.root(), root).unwrap();
    assert!(house.erase(&[record]).await.is_err(), "no slot is free");
    assert!(house.has(record, &key).await);
    assert_eq!(house.erase(&[record]).await.unwrap(), [record]);
    assert_ne!(fs::read(house.root()).unwrap(), whole);
    assert_eq!(house.keys.get(record).await.unwrap_err().kind, Kind::Gone);
}

#[tokio::test]
async fn a_root_that_is_missing_or_of_another_house_is_refused_and_destroys_nothing() {
    let (mut house, other) = (House::new().await, House::new().await);
    let (record, key) = house.create(None).await;
    let root = fs::read(house.root()).unwrap();
    fs::remove_file(house.root()).unwrap();
    assert!(house.reopen().await.unwrap_err().public.contains("missing"));
    assert!(!house.root().exists());
    fs::copy(other.root(), house.root()).unwrap();
    assert!(house.reopen().await.is_err());
    assert_eq!(fs::read(house.root()).unwrap(), fs::read(other.root()).unwrap());
    fs::write(house.root(), &root).unwrap();
    house.reopen().await.unwrap();
    assert!(house.has(record, &key).await);

    // A database from before the newest deletion, and one that is not there at all.
    house.db.close().await;
    let old = fs::read(house.dir.path().join("db")).unwrap();
    house.reopen().await.unwrap();
    house.erase(&[record]).await.unwrap();
    house.db.close().await;
    let root = fs::read(house.root()).unwrap();
    fs::write(house.dir.path().join("db"), old).unwrap();
    assert!(house.reopen().await.unwrap_err().public.contains("does not fit"));
    assert_eq!(fs::read(house.root()).unwrap(), root);
}

#[tokio::test]
async fn a_new_house_takes_no_root_that_is_there_already() {
    let (old, dir) = (House::new().await, tempfile::tempdir().unwrap());
    let root = fs::read(old.root()).unwrap();
    let db = Db::open(&dir.path().join("db")).await.unwrap();
    // As when two sites are given one folder for their roots.
    let refused = Keys::open(db, &old.root(), "x/log", old.clock.clone()).await;
    assert!(refused.err().unwrap().public.contains("another site"));
    assert_eq!(fs::read(old.root()).unwrap(), root);
    let (record, key) = old.create(None).await;
    assert!(old.has(record, &key).await);
}

#[tokio::test]
async fn rotation_gives_every_node_a_new_key_and_loses_none() {
    let house = House::new().await;
    let mut kept = Vec::new();
    for _ in 0..200 {
        kept.push(house.create(None).await);
    }
    let nodes = "SELECT number, sealed FROM key_node ORDER BY number";
    let before: Vec<(u32, Vec<u8>)> = sqlx::query_as(nodes).fetch_all(house.db.read()).await.unwrap();
    let root = fs::read(house.root()).unwrap();
    let last = std::sync::Mutex::new((0, 0));
    house
        .keys
        .rotate(|done, all| {
            *last.lock().unwrap() = (done, all);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(*last.lock().unwrap(), (4, 4));
    let after: Vec<(u32, Vec<u8>)> = sqlx::query_as(nodes).fetch_all(house.db.read()).await.unwrap();
    assert_eq!(before.len(), after.len());
    assert!(before.iter().zip(&after).all(|(old, new)| old.0 == new.0 && old.1 != new.1));
    assert_ne!(fs::read(house.root()).unwrap(), root);
    for (record, key) in &kept {
        assert!(house.has(*record, key).await);
    }
    let stopped = house.keys.rotate(|_, _| Err(Error::new(Kind::Cancelled, "stop"))).await;
    assert_eq!(stopped.unwrap_err().kind, Kind::Cancelled);
    assert!(house.has(kept[0].0, &kept[0].1).await);
}

/// Rounds in which a rotation and deletions go on side by side.
const ROUNDS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotation_and_deletions_side_by_side_lose_nothing() {
    let mut house = House::new().await;
    let (kept, key) = house.create(None).await;
    for round in 0..ROUNDS {
        let mut doomed = Vec::new();
        for _ in 0..8 {
            doomed.push(house.create(None).await.0);
        }
        let mut both = JoinSet::new();
        let keys = house.keys.clone();
        both.spawn(async move { keys.rotate(|_, _| Ok(())).await });
        for record in doomed {
            let keys = house.keys.clone();
            both.spawn(async move {
                keys.turn(move |_| Box::pin(async move { Ok(((), vec![record])) })).await.map(drop)
            });
        }
        while let Some(done) = both.join_next().await {
            assert!(done.unwrap().is_ok(), "round {round}");
        }
        let epoch = house.keys.epoch().await;
        assert_eq!(RootFile::open(&house.root()).unwrap().unwrap().epochs().unwrap(), [epoch]);
    }
    house.reopen().await.unwrap();
    assert!(house.has(kept, &key).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_whose_caller_leaves_ends_its_turn_and_the_next_one_stands() {
    let mut house = House::new().await;
    let (kept, key) = house.create(None).await;
    for round in 0..ROUNDS {
        let (doomed, _) = house.create(None).await;
        let keys = house.keys.clone();
        let left = tokio::spawn(async move { keys.rotate(|_, _| Ok(())).await });
        let moment = std::time::Instant::now() + std::time::Duration::from_micros(round as u64 * 20);
        while std::time::Instant::now() < moment {
            tokio::task::yield_now().await;
        }
        left.abort();
        assert_eq!(house.erase(&[doomed]).await.unwrap(), [doomed], "round {round}");
        house.reopen().await.unwrap();
        assert!(house.has(kept, &key).await, "round {round}");
    }
}

#[tokio::test]
async fn places_are_used_again() {
    let house = House::new().await;
    for _ in 0..20 {
        let (record, _) = house.create(None).await;
        house.erase(&[record]).await.unwrap();
    }
    let places: u32 =
        sqlx::query_scalar("SELECT places FROM key_state").fetch_one(house.db.read()).await.unwrap();
    assert_eq!(places, 2, "the site's own, and one for all the others");
}

#[tokio::test]
async fn the_log_grows_by_a_bundle_an_hour_whatever_happens_and_completes_receipts() {
    let house = House::new().await;
    let size = async || house.keys.log_checkpoint().await.unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!(size().await, "0");
    house.keys.publish_log().await.unwrap();
    assert_eq!(size().await, "256", "nothing was erased, and nobody can tell");
    let mut receipts = Vec::new();
    for _ in 0..3 {
        let (record, _) = house.create(None).await;
        let erased = house.keys.turn(move |_| Box::pin(async move { Ok(((), vec![record])) })).await.unwrap();
        assert_eq!(erased.receipts.len(), 1);
        receipts.extend(erased.receipts.into_iter().map(|receipt| (record, receipt)));
    }
    house.keys.publish_log().await.unwrap();
    assert_eq!(size().await, "256", "not twice in an hour");
    assert!(house.keys.check_receipt(&receipts[0].1).await.unwrap().completed.is_none());
    house.clock.advance(5 * HOUR_SECONDS);
    house.keys.publish_log().await.unwrap();
    assert_eq!(size().await, "512");
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM log_pending").fetch_one(house.db.read()).await.unwrap();
    assert_eq!(waiting, 0);
    for (record, text) in &receipts {
        let checked = house.keys.check_receipt(text).await.unwrap();
        assert_eq!(checked.verified.deletion.records, [*record]);
        // What was completed holds without the site.
        let completed = checked.completed.unwrap();
        let alone = vault::receipt::verify(&completed, &house.keys.verifier()).unwrap();
        assert_eq!(alone.inclusion, checked.verified.inclusion);
        assert!(alone.inclusion.unwrap().index >= 256);
        assert!(house.keys.check_receipt(&completed).await.is_ok());
    }
    let tiles = Tile { level: 1, number: 0, width: 2 };
    let heads = house.keys.log_tile(tiles).await.unwrap();
    for number in 0..2 {
        let hashes = house.keys.log_tile(Tile { level: 0, number, width: 256 }).await.unwrap();
        let hashes: Vec<_> = hashes.chunks(32).map(|hash| *hash.first_chunk::<32>().unwrap()).collect();
        assert_eq!(vault::receipt::head(&hashes), heads[number as usize * 32..][..32]);
    }
    for tile in [Tile { level: 1, number: 0, width: 3 }, Tile { level: 2, number: 0, width: 1 }] {
        assert_eq!(house.keys.log_tile(tile).await.unwrap_err().kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_takes_nothing_back() {
    let house = House::new().await;
    house.keys.publish_log().await.unwrap();
    let published = house.keys.log_checkpoint().await.unwrap();
    house.clock.advance(-3 * HOUR_SECONDS);
    let (record, _) = house.create(None).await;
    let epoch = house.keys.epoch().await;
    assert_eq!(house.erase(&[record]).await.unwrap(), [record]);
    assert_eq!(house.keys.epoch().await, epoch + 1, "turns are counted, not dated");
    house.keys.publish_log().await.unwrap();
    assert_eq!(house.keys.log_checkpoint().await.unwrap(), published, "nothing is published twice");
    house.clock.advance(4 * HOUR_SECONDS);
    house.keys.publish_log().await.unwrap();
    assert_eq!(house.keys.log_checkpoint().await.unwrap().lines().nth(1), Some("512"));
}

#[tokio::test]
async fn more_deletions_than_a_bundle_holds_fill_two() {
    let house = House::new().await;
    let mut writing = house.db.write().await.unwrap();
    for n in 0..300_u32 {
        let mut entry = [7; 32];
        entry[..4].copy_from_slice(&n.to_be_bytes());
        log::insert_pending(&mut writing, &entry).await.unwrap();
    }
    commit(writing).await.unwrap();
    house.keys.publish_log().await.unwrap();
    assert_eq!(house.keys.log_checkpoint().await.unwrap().lines().nth(1), Some("512"));
    let entries = house.keys.log_entries(0).await.unwrap();
    let entries: Vec<&[u8]> = entries.chunks(32).collect();
    assert!(!entries.is_sorted(), "the order tells nothing");
}
