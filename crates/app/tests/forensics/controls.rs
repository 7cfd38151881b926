//! This owns the leaks that are planted to see that they are found: what other designs leave on a disk.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tokio::runtime::Runtime;
use vault::{Place, RootFile, Tree};

use crate::DISK_MIB;
use crate::device::Device;
use crate::scan::{Scanner, canary};
use crate::suspect::opens_with_any_root;

/// How a leak is planted in a folder, given a secret of 32 bytes; what must be found.
type Plant = (&'static str, fn(&Path, &[u8]), &'static str);
const PLANTS: [Plant; 9] = [
    ("a root written anew and renamed", renamed, "secret"),
    ("a key deleted from a row", deleted_row, "secret"),
    ("a turn acknowledged before the old slot is zero", early, "secret"),
    ("a file that was unlinked", |dir, _| unlinked(dir, canary(5000, 1)), "canary plain"),
    ("a log line in hex", |dir, _| log(dir, &HEXLOWER.encode(&canary(60, 2))), "canary hex"),
    ("a column in base64", |dir, _| log(dir, &BASE64.encode(&canary(60, 3))), "canary base64"),
    (
        "text in UTF-16",
        |dir, _| unlinked(dir, canary(60, 4).iter().flat_map(|b| [*b, 0]).collect()),
        "canary UTF-16",
    ),
    ("a temporary file, packed", |dir, _| unlinked(dir, zlib(&canary(3000, 5))), "packed canary plain"),
    ("an upload, gzipped", |dir, _| unlinked(dir, gzip(&canary(3000, 6))), "packed canary plain"),
];

/// Plants each leak on a disk and finds it; a disk with nothing planted has nothing.
pub(crate) fn plant_and_find(clean: Device) {
    let secret = *vault::random_key();
    let scanner = Scanner::new([("secret".to_owned(), secret.to_vec())]);
    in_place(clean.folder());
    let found = scanner.find(&clean.unmount().bytes());
    assert!(found.is_empty(), "nothing was planted, and {found:?} was found");
    for (name, plant, expected) in PLANTS {
        let disk = Device::new(DISK_MIB, "").unwrap();
        plant(disk.folder(), &secret);
        let found = scanner.find(&disk.unmount().bytes());
        assert!(found.iter().any(|one| one.starts_with(expected)), "{name}: only {found:?} was found");
    }
    journaled(&scanner, &secret);
    not_synced(&scanner, &secret);
    kept_root_opens_a_backup();
}

/// What was only overwritten in memory is still there when the power goes, and the picture of that moment shows it.
fn not_synced(scanner: &Scanner, secret: &[u8]) {
    for synced in [false, true] {
        let disk = Device::new(DISK_MIB, "").unwrap();
        let file = File::options().create_new(true).write(true).open(disk.folder().join("root")).unwrap();
        file.write_all_at(secret, 0).unwrap();
        file.sync_all().unwrap();
        file.write_all_at(&[0; 32], 0).unwrap();
        if synced {
            file.sync_data().unwrap();
        }
        let found = scanner.find(&disk.after_power_cut().bytes());
        assert_eq!(!found.is_empty(), !synced, "synced {synced}: {found:?}");
    }
}

/// A copy of an old root, with nobody knowing its bytes, is found by what it opens.
fn kept_root_opens_a_backup() {
    let root = vault::random_key();
    let mut tree = Tree::open(&root, []).unwrap();
    tree.insert(Place::new(1).unwrap(), &vault::random_key()).unwrap();
    let node = tree.writes().unwrap().into_iter().find(|(id, _)| id.number() == 0).unwrap().1.unwrap();
    for kept in [false, true] {
        let disk = Device::new(DISK_MIB, "").unwrap();
        let path = disk.folder().join("root");
        let file = RootFile::create(&path, 1, &root).unwrap();
        if kept {
            fs::copy(&path, disk.folder().join("copy")).unwrap();
        }
        file.prepare(2, &vault::random_key()).unwrap();
        file.keep_only(2).unwrap();
        drop(file);
        assert_eq!(opens_with_any_root(&disk.unmount().bytes(), &node), kept);
    }
}

/// Overwriting in place on a disk that journals data keeps what was, which is why such a disk is refused.
fn journaled(scanner: &Scanner, secret: &[u8]) {
    let disk = Device::new(DISK_MIB, "data=journal").unwrap();
    overwrite(disk.folder(), secret);
    let found = scanner.find(&disk.unmount().bytes());
    assert_eq!(found, ["secret"], "the journal keeps it");
    let disk = Device::new(DISK_MIB, "data=ordered").unwrap();
    overwrite(disk.folder(), secret);
    assert!(scanner.find(&disk.unmount().bytes()).is_empty(), "and without it, it is gone");
}

fn overwrite(dir: &Path, secret: &[u8]) {
    let file = File::options().create_new(true).write(true).open(dir.join("root")).unwrap();
    for bytes in [secret, [0; 32].as_slice()] {
        file.write_all_at(bytes, 0).unwrap();
        file.sync_all().unwrap();
    }
}

/// A root as it should be: its disk has none of the old ones.
fn in_place(dir: &Path) {
    let file = RootFile::create(&dir.join("root"), 1, &vault::random_key()).unwrap();
    for epoch in 2..20 {
        file.prepare(epoch, &vault::random_key()).unwrap();
        file.keep_only(epoch).unwrap();
    }
}

fn renamed(dir: &Path, secret: &[u8]) {
    for bytes in [secret, [7; 32].as_slice()] {
        let part = dir.join("part");
        let mut file = File::create(&part).unwrap();
        file.write_all(bytes).unwrap();
        file.sync_all().unwrap();
        fs::rename(part, dir.join("root")).unwrap();
        File::open(dir).unwrap().sync_all().unwrap();
    }
}

fn deleted_row(dir: &Path, secret: &[u8]) {
    let secret = secret.to_vec();
    Runtime::new().unwrap().block_on(async {
        let db = platform::db::Db::open(&dir.join("db")).await.unwrap();
        for statement in
            ["INSERT INTO key_node (number, sealed) VALUES (7, ?)", "DELETE FROM key_node WHERE sealed = ?"]
        {
            let mut writing = db.write().await.unwrap();
            sqlx::query(statement).bind(&secret).execute(&mut *writing).await.unwrap();
            platform::db::commit(writing).await.unwrap();
            db.truncate_journal().await.unwrap();
        }
        db.close().await;
    });
    let file = fs::read(dir.join("db")).unwrap();
    assert!(!file.windows(32).any(|window| window == secret), "the file is clean; the disk is not");
}

fn early(dir: &Path, secret: &[u8]) {
    let secret = zeroize::Zeroizing::new(*secret.first_chunk().unwrap());
    let file = RootFile::create(&dir.join("root"), 1, &secret).unwrap();
    file.prepare(2, &vault::random_key()).unwrap();
}

fn unlinked(dir: &Path, bytes: Vec<u8>) {
    let path = dir.join("temporary");
    let mut file = File::create(&path).unwrap();
    file.write_all(&bytes).unwrap();
    file.sync_all().unwrap();
    drop(file);
    fs::remove_file(path).unwrap();
}

fn log(dir: &Path, line: &str) {
    let mut file = File::create(dir.join("log")).unwrap();
    writeln!(file, "request {line}").unwrap();
    file.sync_all().unwrap();
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}
