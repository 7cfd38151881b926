//! What the ledger costs beside bare commits of the same database, as `name value` lines; for `cargo x bench`.
//! Argument: a folder on the disk to measure.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use accounts::Terms;
use accounts::ledger::{Gifts, Ledger};
use kernel::{Id, SystemClock};
use platform::db::Db;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::task::JoinSet;

/// Turns in which both sides are measured.
const ROUNDS: usize = 7;
/// How long a side is measured in a turn.
const ROUND: Duration = Duration::from_secs(1);
/// Accounts that spend at the same time.
const SPENDERS: usize = 128;
/// Round trips of one hold that are timed alone.
const ALONE: usize = 500;

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
#[allow(clippy::print_stdout)] // It is a measuring program.
async fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("usage: ledger FOLDER")?;
    let dir = tempfile::tempdir_in(folder)?;
    let db = Db::open(&dir.path().join("db")).await?;
    let ledger = Ledger::open(db.clone(), Arc::new(SystemClock), Gifts::default()).await?;
    let accounts = accounts(&db, &ledger).await?;
    let mut bare = bare(dir.path()).await?;
    let (mut ours, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        commits.push(commit_alone(&mut bare).await?);
        ours.push(spend(&db, &ledger, &accounts).await?);
    }
    println!("bare_commits_per_s {:.0}", median(&mut commits));
    println!("transfers_per_s {:.0}", median(&mut ours));
    let account = accounts.first().copied().ok_or("no account")?;
    let mut alone = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        let started = Instant::now();
        pay(&db, &ledger, account).await?;
        alone.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    println!("hold_and_capture_ms {:.3}", median(&mut alone));
    Ok(())
}

fn median(found: &mut [f64]) -> f64 {
    found.sort_by(f64::total_cmp);
    found.get(found.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Accounts with more credits than they can spend here.
async fn accounts(db: &Db, ledger: &Ledger) -> Result<Vec<Id>, Failed> {
    let accounts: Vec<Id> = (0..SPENDERS).map(|_| Id::random()).collect();
    let mut writing = db.write().await?;
    for account in &accounts {
        ledger.open_books(&mut writing, *account).await?;
    }
    platform::db::commit(writing).await?;
    for account in &accounts {
        ledger.grant(*account, 1_000_000).await?;
    }
    Ok(accounts)
}

/// A connection as the program's own, with a table of one number.
async fn bare(dir: &Path) -> Result<SqliteConnection, Failed> {
    let options = SqliteConnectOptions::new().filename(dir.join("bare")).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut bare = options.pragma("secure_delete", "ON").connect().await?;
    sqlx::query("CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)").execute(&mut bare).await?;
    Ok(bare)
}

/// Commits of one row, one after another, a second.
async fn commit_alone(bare: &mut SqliteConnection) -> Result<f64, Failed> {
    let (started, mut commits) = (Instant::now(), 0_u32);
    while started.elapsed() < ROUND {
        let mut writing = bare.begin().await?;
        sqlx::query("INSERT INTO t (y) VALUES (randomblob(32))").execute(&mut *writing).await?;
        writing.commit().await?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}

/// Transfers of all accounts side by side, a second: each pays and pays, and every payment is on the disk before the next.
async fn spend(db: &Db, ledger: &Ledger, accounts: &[Id]) -> Result<f64, Failed> {
    let started = Instant::now();
    let mut spenders = JoinSet::new();
    for account in accounts.iter().copied() {
        let (db, ledger) = (db.clone(), ledger.clone());
        spenders.spawn(async move {
            let mut transfers = 0_u32;
            while started.elapsed() < ROUND {
                pay(&db, &ledger, account).await?;
                transfers += 2;
            }
            Ok::<_, kernel::Error>(transfers)
        });
    }
    let mut all = 0;
    while let Some(transfers) = spenders.join_next().await {
        all += transfers??;
    }
    Ok(f64::from(all) / started.elapsed().as_secs_f64())
}

/// Holds a credit and takes it, as a picture does: two transactions, each with one transfer.
async fn pay(db: &Db, ledger: &Ledger, account: Id) -> kernel::Result<()> {
    let own = ledger.clone();
    let hold = db.together(move |writing| {
        Box::pin(async move { own.hold(writing, account, 1, Terms::PurchasedOnly).await })
    });
    let (hold, own) = (hold.await?, ledger.clone());
    db.together(move |writing| Box::pin(async move { own.capture(writing, hold).await })).await?;
    Ok(())
}
