//! This owns the process that is killed: the program's database, keys and files, used as the program uses them, step by
//! step by a seed. It says on standard output what it is about to do and what is done.

use std::path::Path;
use std::sync::Arc;

use kernel::{Id, SystemClock};
use platform::blobs::Blobs;
use platform::db::{Db, commit};
use platform::keys::Keys;
use platform::log::Log;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use vault::Kind;

use crate::scan::canary;

/// Records that a disk should hold, more or less.
const RECORDS: usize = 40;
/// Records that are made in a row.
const CREATED_MAX: u32 = 8;
/// Deletions that are asked for at the same time.
const AT_ONCE: usize = 4;

/// A database, keys and files on one folder.
pub(crate) struct House {
    pub(crate) db: Db,
    pub(crate) keys: Keys,
    pub(crate) blobs: Blobs,
}

impl House {
    pub(crate) async fn open(folder: &Path) -> kernel::Result<Self> {
        let db = Db::open(&folder.join("db")).await?;
        let keys = Keys::open(db.clone(), &folder.join("root"), "x/log", Arc::new(SystemClock)).await?;
        let blobs = Blobs::open(folder.join("blobs"), keys.clone(), db.clone(), Log::default())?;
        Ok(Self { db, keys, blobs })
    }

    /// Makes a record with two sealed files and a sealed field in a row.
    pub(crate) async fn create(&self, record: Id, owner: Option<Id>) -> kernel::Result<()> {
        let mut writing = self.db.write().await?;
        let key = self.keys.create(&mut writing, record, owner).await?;
        sqlx::query("INSERT INTO account (id, address_sealed, created_day) VALUES (?, ?, 0)")
            .bind(record.as_bytes().as_slice())
            .bind(vault::seal_field(&key, record, "x", &canary(100, salt(record)))?)
            .execute(&mut *writing)
            .await
            .map_err(platform::db::sql)?;
        commit(writing).await?;
        self.blobs.write(record, &key, &parts(record))?;
        self.blobs.settle(&[record])
    }

    /// A record that belongs to nobody, as an account does.
    async fn an_owner(&self) -> Option<Id> {
        let found: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT record FROM key_leaf WHERE owner IS NULL AND place > 0 ORDER BY place LIMIT 1",
        )
        .fetch_all(self.db.read())
        .await
        .unwrap();
        found.first().map(|record| Id::from_column(record).unwrap())
    }

    /// Erases records with all that is theirs, in one turn; returns how many went.
    pub(crate) async fn erase(&self, records: Vec<Id>) -> kernel::Result<usize> {
        let erased = self.keys.turn(move |writing| {
            Box::pin(async move {
                let mut all = records.clone();
                for record in records {
                    all.extend(Keys::owned(writing, record).await?);
                }
                for record in &all {
                    sqlx::query("DELETE FROM account WHERE id = ?")
                        .bind(record.as_bytes().as_slice())
                        .execute(&mut **writing)
                        .await
                        .map_err(platform::db::sql)?;
                }
                Ok(((), all))
            })
        });
        Ok(erased.await?.records.len())
    }
}

/// What a record holds; its canaries are its own.
pub(crate) fn parts(record: Id) -> [(Kind, Vec<u8>); 2] {
    let bytes = 500 + usize::from(record.as_bytes()[1]) * 300;
    [(Kind::Original, canary(bytes, salt(record))), (Kind::Thumbnail(240), canary(300, salt(record)))]
}

fn salt(record: Id) -> u64 {
    u64::from_be_bytes(*record.as_bytes().first_chunk().unwrap())
}

/// Goes on until it is killed.
pub(crate) fn run(folder: &Path, seed: u64) {
    Runtime::new().unwrap().block_on(async {
        let house = Arc::new(House::open(folder).await.unwrap());
        let mut random = StdRng::seed_from_u64(seed);
        let mut alive: Vec<Id> = house.keys.records().await.unwrap();
        loop {
            let many = alive.len() > RECORDS;
            match random.random_range(if many { 5 } else { 0 }..10) {
                0..5 => {
                    for _ in 0..random.random_range(2..=CREATED_MAX) {
                        let record = Id::random();
                        let owned = random.random_range(0..4) == 0;
                        let owner = if owned { house.an_owner().await } else { None };
                        create(&house, record, owner).await;
                        alive.push(record);
                    }
                }
                5 if !many => {
                    house.keys.rotate(|_, _| Ok(())).await.unwrap();
                    say("did rotate");
                }
                6 if !many => house.blobs.sweep().await.unwrap(),
                _ => {
                    erase_some(&house, &mut random, &mut alive).await;
                    alive = house.keys.records().await.unwrap();
                }
            }
        }
    });
}

/// Each line is out at once, whatever becomes of the process.
fn say(line: &str) {
    println!("{line}");
}

async fn create(house: &House, record: Id, owner: Option<Id>) {
    say(&format!("will create {record} {}", owner.map_or_else(|| "-".to_owned(), |owner| owner.to_string())));
    house.create(record, owner).await.unwrap();
    say(&format!("did create {record}"));
}

/// One deletion, or several at once that share turns.
async fn erase_some(house: &Arc<House>, random: &mut StdRng, alive: &mut Vec<Id>) {
    let mut deletions = JoinSet::new();
    for _ in 0..random.random_range(1..=AT_ONCE) {
        let count = random.random_range(1..=3).min(alive.len());
        if count == 0 {
            break;
        }
        let start = random.random_range(0..=alive.len() - count);
        let records: Vec<Id> = alive.drain(start..start + count).collect();
        let names = records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        say(&format!("will erase {names}"));
        let house = Arc::clone(house);
        deletions.spawn(async move {
            house.erase(records).await.unwrap();
            say(&format!("did erase {names}"));
        });
    }
    // Deletions go on while a rotation does.
    if random.random_range(0..3) == 0 {
        let house = Arc::clone(house);
        deletions.spawn(async move {
            house.keys.rotate(|_, _| Ok(())).await.unwrap();
            say("did rotate");
        });
    }
    while let Some(done) = deletions.join_next().await {
        done.unwrap();
    }
    if random.random_range(0..3) == 0 {
        house.blobs.sweep().await.unwrap();
    }
}
