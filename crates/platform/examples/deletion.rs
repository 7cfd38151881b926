//! What a deletion costs, beside the waits for the disk that it cannot do without, as `name value` lines; for `cargo x bench`.
//! Arguments: a folder on the disk to measure, and the largest power of ten of keys to go up to.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Id, SystemClock};
use platform::db::{Db, Writing, commit, sql};
use platform::keys::Keys;
use tokio::task::JoinSet;
use vault::{NODE_BYTES, Place, RootFile, Tree};

/// Deletions that are timed one after another.
const ROUNDS: usize = 60;
/// Deletions that are asked for at once.
const AT_ONCE: usize = 100;
/// Places below one node of the lowest level.
const NODE_PLACES: u32 = 64;
/// Keys that are planted in one transaction.
const PLANTED_AT_ONCE: u32 = 64 * 256;
/// Bytes that a turn writes to the root file.
const SLOT_BYTES: usize = 4096;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
#[allow(clippy::print_stdout)] // It is a measuring program.
async fn main() -> Result<(), Failed> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("usage: deletion FOLDER [POWER]")?;
    let power: u32 = args.next().map_or(Ok(5), |text| text.parse())?;
    let dir = tempfile::tempdir_in(folder)?;
    println!("key_bytes_rewritten {}", vault::DEPTH * NODE_BYTES + SLOT_BYTES);
    let db = Db::open(&dir.path().join("db")).await?;
    let keys = Keys::open(db.clone(), &dir.path().join("root"), "bench/log", Arc::new(SystemClock)).await?;
    let mut planted = 1;
    for exponent in 3..=power {
        let wanted = 10_u32.pow(exponent);
        planted = plant(&db, dir.path(), planted, wanted).await?;
        let (deletion, waits) = one_by_one(&db, &keys, dir.path()).await?;
        println!("deletion_ms_at_1e{exponent} {:.2}", millis(deletion));
        println!("two_waits_ms_at_1e{exponent} {:.2}", millis(waits));
        println!("resident_mib_at_1e{exponent} {}", resident_mib());
        if exponent == 3 {
            println!("hundred_at_once_ms {:.2}", millis(at_once(&db, &keys).await?));
        }
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Medians of a deletion and of two waits for one overwritten block, taken in turns.
async fn one_by_one(db: &Db, keys: &Keys, dir: &Path) -> Result<(Duration, Duration), Failed> {
    let block = File::options().create(true).truncate(false).write(true).open(dir.join("block"))?;
    let (mut deletions, mut waits) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let record = create(db, keys).await?;
        let started = Instant::now();
        erase(keys, record).await?;
        deletions.push(started.elapsed());
        let started = Instant::now();
        for turn in 0..2 {
            block.write_all_at(&[(round * 2 + turn) as u8; SLOT_BYTES], 0)?;
            block.sync_data()?;
        }
        waits.push(started.elapsed());
    }
    Ok((median(deletions), median(waits)))
}

async fn at_once(db: &Db, keys: &Keys) -> Result<Duration, Failed> {
    let mut records = Vec::new();
    for _ in 0..AT_ONCE {
        records.push(create(db, keys).await?);
    }
    let started = Instant::now();
    let mut deletions = JoinSet::new();
    for record in records {
        let keys = keys.clone();
        deletions.spawn(async move { erase(&keys, record).await });
    }
    while let Some(done) = deletions.join_next().await {
        done??;
    }
    Ok(started.elapsed())
}

async fn create(db: &Db, keys: &Keys) -> kernel::Result<Id> {
    let record = Id::random();
    let mut writing = db.write().await?;
    keys.create(&mut writing, record, None).await?;
    commit(writing).await?;
    Ok(record)
}

async fn erase(keys: &Keys, record: Id) -> kernel::Result<()> {
    keys.turn(move |_| Box::pin(async move { Ok(((), vec![record])) })).await.map(drop)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Puts keys into the tree from one place up to another, whole nodes at a time; returns the place it came to.
async fn plant(db: &Db, dir: &Path, from: u32, to: u32) -> Result<u32, Failed> {
    let mut connection = db.read().acquire().await?;
    let epoch: i64 = sqlx::query_scalar("SELECT epoch FROM key_state").fetch_one(&mut *connection).await?;
    drop(connection);
    let file = RootFile::open(&dir.join("root"))?.ok_or("no root")?;
    let root = file.recover(epoch.unsigned_abs())?;
    // Behind what is used, from a whole node on.
    let mut next = from.next_multiple_of(NODE_PLACES).max(NODE_PLACES * 16);
    while next < to {
        let end = to.next_multiple_of(NODE_PLACES).min(next + PLANTED_AT_ONCE);
        let mut writing = db.write().await?;
        let nodes = nodes_on_the_way(&mut writing, next, end).await?;
        let mut tree = Tree::open(root.key.bytes(), nodes)?;
        for place in next..end {
            tree.insert(Place::new(place)?, &vault::random_key())?;
            sqlx::query("INSERT INTO key_leaf (record, place) VALUES (?, ?)")
                .bind(Id::random().as_bytes().to_vec())
                .bind(place)
                .execute(&mut *writing)
                .await?;
        }
        for (id, sealed) in tree.writes()? {
            sqlx::query("INSERT OR REPLACE INTO key_node (number, sealed) VALUES (?, ?)")
                .bind(id.number())
                .bind(sealed)
                .execute(&mut *writing)
                .await?;
        }
        sqlx::query("UPDATE key_state SET places = max(places, ?)").bind(end).execute(&mut *writing).await?;
        commit(writing).await?;
        next = end;
    }
    Ok(next)
}

async fn nodes_on_the_way(
    writing: &mut Writing,
    from: u32,
    to: u32,
) -> Result<Vec<(vault::NodeId, Vec<u8>)>, Failed> {
    let mut found = Vec::new();
    let mut numbers: Vec<u32> = Vec::new();
    for place in (from..to).step_by(NODE_PLACES as usize) {
        numbers.extend(Place::new(place)?.path().map(vault::NodeId::number));
    }
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM key_node WHERE number = ?")
            .bind(number)
            .fetch_optional(&mut **writing)
            .await
            .map_err(sql)?;
        found.extend(sealed.map(|sealed| (vault::NodeId::from_number(number), sealed)));
    }
    Ok(found)
}

/// Memory of this process; 0 where the system does not say.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}
