//! The folder of a backup by itself; the whole way there and back is driven through the program.

use std::sync::Arc;

use kernel::{Id, SystemClock};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use vault::{Quorum, random_key};

use super::*;
use crate::db::{Db, commit};
use crate::keys::Keys;

struct House {
    dir: TempDir,
    db: Db,
    keys: Keys,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("live.db")).await.unwrap();
        let keys =
            Keys::open(db.clone(), &dir.path().join("root"), "x/log", Arc::new(SystemClock)).await.unwrap();
        Self { dir, db, keys }
    }

    async fn create(&self) -> Id {
        let (record, mut writing) = (Id::random(), self.db.write().await.unwrap());
        self.keys.create(&mut writing, record, None).await.unwrap();
        commit(writing).await.unwrap();
        record
    }

    async fn erase(&self, record: Id) {
        self.keys.turn(move |_| Box::pin(async move { Ok(((), vec![record])) })).await.unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

async fn count(path: &Path, table: &'static str) -> i64 {
    let mut found = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
    let count = count.fetch_one(&mut found).await.unwrap();
    found.close().await.unwrap();
    count
}

#[tokio::test]
async fn rows_come_without_keys_and_keys_under_the_root_of_the_backup() {
    let house = House::new().await;
    let record = house.create().await;
    let (live, rows, keys) = (house.at("live.db"), house.at("rows.db"), house.at("keys.db"));
    snapshot_rows(&live, &rows).await.unwrap();
    for table in ["key_node", "key_leaf", "key_free", "key_state"] {
        assert_eq!(count(&rows, table).await, 0, "{table}");
    }
    let leaf = record.as_bytes().to_vec();
    let rows = fs::read(&rows).unwrap();
    assert!(!rows.windows(16).any(|part| part == leaf), "not in a free page either");

    let under = random_key();
    let taken =
        snapshot_keys(&live, &keys, async |epoch, first| house.keys.reseal(epoch, &first, &under).await);
    let taken = taken.await.unwrap();
    assert!(taken.records.contains(&record));
    assert_eq!(taken.epoch, house.keys.epoch().await);
    assert_eq!(count(&keys, "key_leaf").await, 2, "the record's and the site's");
}

#[tokio::test]
async fn a_turn_in_between_is_noticed_and_the_keys_are_read_again() {
    let house = House::new().await;
    let (kept, gone) = (house.create().await, house.create().await);
    let (under, asked) = (random_key(), std::sync::atomic::AtomicU64::new(0));
    let (live, keys) = (house.at("live.db"), house.at("keys.db"));
    let taken = snapshot_keys(&live, &keys, async |epoch, first| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            house.erase(gone).await;
        }
        house.keys.reseal(epoch, &first, &under).await
    });
    let taken = taken.await.unwrap();
    assert_eq!(asked.into_inner(), 2);
    assert!(taken.records.contains(&kept) && !taken.records.contains(&gone));
    assert_eq!(taken.epoch, house.keys.epoch().await);

    let never = snapshot_keys(&live, &house.at("other.db"), async |_, _| Ok(None)).await;
    assert_eq!(never.unwrap_err().kind, Kind::Unavailable);
    assert!(!house.at("other.db").exists());
}

#[test]
fn a_folder_with_something_else_or_someone_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/backup");
    let folder = BackupFolder::take(&path).unwrap();
    assert_eq!(BackupFolder::take(&path).unwrap_err().kind, Kind::Conflict);
    drop(folder);
    BackupFolder::take(&path).unwrap();
    assert!(BackupFolder::open(&path).unwrap_err().public.contains("no backup"));
    fs::write(path.join("letters.txt"), "x").unwrap();
    assert!(BackupFolder::take(&path).unwrap_err().public.contains("letters.txt"));
    fs::write(dir.path().join("file"), "x").unwrap();
    assert!(BackupFolder::take(&dir.path().join("file")).unwrap_err().public.contains("cannot be written"));
}

#[test]
fn the_manifest_alone_says_what_counts() {
    let dir = tempfile::tempdir().unwrap();
    let folder = BackupFolder::take(dir.path()).unwrap();
    assert!(folder.manifest().unwrap().is_none());
    let mut before = None;
    for number in 0..ROWS_KEPT + 2 {
        let set = SetId::random();
        let name = folder.name_for(&format!("2026-11-25T06:00:0{number}Z"));
        fs::write(folder.rows(&name), number.to_string()).unwrap();
        fs::write(folder.keys(set), "keys").unwrap();
        let rows = Kept::of(name.clone(), &folder.rows(&name)).unwrap();
        let which = (Quorum::new(2, 3).unwrap(), set);
        let new = Manifest::new(("now".into(), 7), which, &folder.keys(set), rows, before.as_ref()).unwrap();
        folder.commit(&new).unwrap();
        assert_eq!(folder.sets().unwrap().len(), 1 + usize::from(number > 0));
        folder.tidy(&new).unwrap();
        assert_eq!(folder.sets().unwrap(), [set]);
        before = folder.manifest().unwrap();
        assert_eq!(before.as_ref(), Some(&new));
    }
    let manifest = before.unwrap();
    assert_eq!(manifest.rows().len(), ROWS_KEPT);
    assert_eq!(manifest.rows()[0].name(), "2026-11-25T06-00-08Z");
    assert_eq!(folder.name_for("2026-11-25T06:00:08Z"), "2026-11-25T06-00-08Z-2");
    assert_eq!(names(&dir.path().join(ROWS)).unwrap().len(), ROWS_KEPT);
    let rows = &manifest.rows()[0];
    rows.check(&folder.rows(rows.name())).unwrap();
    fs::write(folder.rows(rows.name()), "other").unwrap();
    assert!(rows.check(&folder.rows(rows.name())).unwrap_err().public.contains("damaged"));

    let path = dir.path().join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in
        [("\"of\": 3", "\"of\": 1"), ("2026", "../x"), ("\"set\": \"", "\"set\": \"z"), ("{", "")]
    {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        assert!(folder.manifest().unwrap_err().public.contains("damaged"), "{from}");
    }
    fs::write(&path, text.replacen("\"version\": 1", "\"version\": 2", 1)).unwrap();
    assert!(folder.manifest().unwrap_err().public.contains("newer"));
}

#[test]
fn files_are_copied_once_mended_and_pruned() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("blobs"), dir.path().join("kept"));
    let key = vault::RecordKey::of(&random_key(), None).unwrap();
    let records: Vec<Id> = (0..3).map(|_| Id::random()).collect();
    for record in &records {
        let home = files::record_dir(&from, *record);
        create_private_dir(&home).unwrap();
        for kind in [vault::Kind::Original, vault::Kind::Thumbnail(240)] {
            let sealed = vault::seal(&key, *record, kind, &[7; 1000]).unwrap();
            fs::write(home.join(kind.to_string()), sealed).unwrap();
        }
    }
    let copy = || copy_new(&from, &to, |_, _| Ok(())).unwrap();
    assert_eq!(copy(), Copied { files: 6, kept: 0 });
    assert_eq!(copy(), Copied { files: 0, kept: 6 });
    // A run that was killed left half of a file, and one that is overwritten is on its way out.
    let (torn, erased) = (files::record_dir(&to, records[0]), files::record_dir(&from, records[1]));
    fs::write(torn.join("original"), "half").unwrap();
    fs::write(torn.join("thumbnail-240.part"), "half").unwrap();
    fs::remove_file(files::record_dir(&to, records[1]).join("original")).unwrap();
    fs::write(erased.join("original"), [0; 1000]).unwrap();
    assert_eq!(copy(), Copied { files: 1, kept: 4 });
    assert_eq!(
        fs::read(torn.join("original")).unwrap(),
        fs::read(files::record_dir(&from, records[0]).join("original")).unwrap()
    );
    let stopped =
        copy_new(&from, &to, |done, _| if done == 1 { Err(Error::internal("stop")) } else { Ok(()) });
    assert!(stopped.is_err());

    assert_eq!(prune(&to, &[records[0], records[1]].into()).unwrap(), 1);
    assert!(!files::record_dir(&to, records[2]).exists() && torn.exists());
}

#[test]
fn paths_are_told_apart_also_through_links_and_before_they_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(dir.path()).unwrap();
    std::os::unix::fs::symlink(&real, real.join("link")).unwrap();
    assert_eq!(resolve(&real.join("link/a/b")).unwrap(), real.join("a/b"));
    assert!(
        resolve(&real.join("a/../b")).is_err() || resolve(&real.join("a/../b")).unwrap() == real.join("b")
    );
}
