//! This owns disks that are full and folders that were tampered with: what is told, and what never happens.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use kernel::{Id, Kind};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::runtime::Runtime;

use crate::device::Device;
use crate::drill::{House, parts};

/// Room that is left on a full disk, in turn: none, a little, and about enough for a journal.
const ROOM_BYTES: [u64; 4] = [0, 8 << 10, 64 << 10, 512 << 10];

/// Fills the disk but for some bytes.
fn fill(folder: &Path, room: u64) -> PathBuf {
    let path = folder.join("filling");
    let reserve = folder.join("room");
    File::create(&reserve).unwrap().write_all(&vec![1; usize::try_from(room).unwrap()]).unwrap();
    let mut file = File::create(&path).unwrap();
    for part in [1 << 20, 4096, 1] {
        while file.write_all(&vec![1; part]).is_ok() {}
    }
    let _ = file.sync_all();
    fs::remove_file(reserve).unwrap();
    path
}

pub(crate) fn fill_up(disk: &Device) {
    let folder = disk.folder();
    Runtime::new().unwrap().block_on(async {
        let house = House::open(folder).await.unwrap();
        let mut alive = Vec::new();
        for _ in 0..6 {
            alive.push(Id::random());
            house.create(*alive.last().unwrap(), None).await.unwrap();
        }
        for room in ROOM_BYTES {
            let filling = fill(folder, room);
            let told = |error: &kernel::Error| matches!(error.kind, Kind::StorageFull);
            let new = Id::random();
            let created = house.create(new, None).await;
            assert!(created.as_ref().err().is_none_or(told), "{room}: {:?}", created.err());
            let doomed = alive.pop().unwrap();
            let erased = house.erase(vec![doomed]).await;
            // Who deletes to make room is not refused for want of it.
            assert_eq!(erased.unwrap(), 1, "{room}");
            house.blobs.sweep().await.unwrap();
            fs::remove_file(filling).unwrap();
            // Nothing was lost.
            assert_eq!(house.keys.get(doomed).await.unwrap_err().kind, Kind::Gone);
            house.erase(vec![new]).await.unwrap();
            house.blobs.recover().await.unwrap();
            for record in &alive {
                assert_eq!(
                    *house.blobs.get(*record, vault::Kind::Original).await.unwrap(),
                    parts(*record)[0].1
                );
            }
        }
        house.db.close().await;
    });
}

/// Files, blobs and nodes of two records, exchanged in every way.
pub(crate) fn exchange() {
    let dir = tempfile::tempdir().unwrap();
    let file = |record: Id, name: &str| {
        let id = record.to_string();
        dir.path().join("blobs").join(&id[..2]).join(id).join(name)
    };
    Runtime::new().unwrap().block_on(async {
        let house = House::open(dir.path()).await.unwrap();
        let (one, two) = (Id::random(), Id::random());
        house.create(one, None).await.unwrap();
        house.create(two, Some(one)).await.unwrap();
        let opened = async |record: Id| house.blobs.get(record, vault::Kind::Original).await;

        fs::rename(file(one, "original"), dir.path().join("kept")).unwrap();
        fs::copy(file(two, "original"), file(one, "original")).unwrap();
        assert!(opened(one).await.is_err(), "another record's file");
        fs::copy(file(one, "thumbnail-240"), file(one, "original")).unwrap();
        assert!(opened(one).await.is_err(), "another of its own files");
        let whole = fs::read(dir.path().join("kept")).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut broken = whole.clone();
            broken[at] ^= 0x10;
            fs::write(file(one, "original"), &broken).unwrap();
            assert!(opened(one).await.is_err(), "a bit at {at}");
            fs::write(file(one, "original"), &whole[..at]).unwrap();
            assert!(opened(one).await.is_err(), "cut at {at}");
        }
        fs::write(file(one, "original"), &whole).unwrap();
        assert_eq!(*opened(one).await.unwrap(), parts(one)[0].1);

        // Another hand in the rows: leaves exchanged, nodes exchanged, a node broken.
        for (change, undo) in [
            (
                "UPDATE key_leaf SET place = 3 - place WHERE place IN (1, 2)",
                "UPDATE key_leaf SET place = 3 - place WHERE place IN (1, 2)",
            ),
            ("UPDATE key_leaf SET owner = NULL WHERE owner IS NOT NULL", ""),
            ("UPDATE key_node SET number = 67108862 - number WHERE number >= 33554432", ""),
            ("UPDATE key_node SET sealed = zeroblob(2084) WHERE number = 0", ""),
        ] {
            let path = dir.path().join("db");
            let mut other =
                SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
            sqlx::query(change).execute(&mut other).await.unwrap();
            let found = opened(two).await;
            assert!(found.is_err(), "{change}");
            if !undo.is_empty() {
                sqlx::query(undo).execute(&mut other).await.unwrap();
                assert_eq!(*opened(two).await.unwrap(), parts(two)[0].1);
            }
        }
        assert!(house.erase(vec![one]).await.is_err(), "a broken tree is told, not written over");
        let second = House::open(dir.path()).await;
        assert!(second.is_err(), "and refused at the next start");
    });
}
