//! This owns crashes: what is on the disk at one moment, copied from under a database that is writing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use platform::db::Db;

const DATABASE: &str = "t.db";
const JOURNAL: &str = "t.db-wal";

/// The moment of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// At this row that the step writes, from 1.
    AtWrite(u32),
    /// While the commit was being written.
    InCommit,
    /// After the commit, before anyone heard of it.
    Unheard,
}

/// Copies the disk when the row for which it is set is written.
#[derive(Default)]
struct Trap {
    at: AtomicU32,
    seen: AtomicU32,
}

/// A database whose disk can be copied at any write.
pub(crate) struct Disk {
    pub(crate) db: Db,
    folder: PathBuf,
    image: PathBuf,
    trap: Arc<Trap>,
}

impl Disk {
    /// Opens the database in a folder; images go to the other one.
    pub(crate) async fn open(folder: &Path, image: &Path) -> Self {
        let trap = Arc::new(Trap::default());
        let db = open(folder, image, &trap).await;
        Self { db, folder: folder.to_owned(), image: image.to_owned(), trap }
    }

    /// Sets the trap: the disk is copied at this row, counted from now.
    pub(crate) fn arm(&self, at: u32) {
        self.trap.seen.store(0, Ordering::SeqCst);
        self.trap.at.store(at, Ordering::SeqCst);
    }

    /// Rows written since the trap was set.
    pub(crate) fn writes(&self) -> u32 {
        self.trap.seen.load(Ordering::SeqCst)
    }

    /// Bytes of the journal.
    pub(crate) fn journal_bytes(&self) -> u64 {
        fs::metadata(self.folder.join(JOURNAL)).map_or(0, |file| file.len())
    }

    /// Copies the disk as it is now, with the journal cut to so many bytes.
    pub(crate) fn copy(&self, journal_bytes: u64) {
        copy(&self.folder, &self.image);
        fs::OpenOptions::new()
            .write(true)
            .open(self.image.join(JOURNAL))
            .unwrap()
            .set_len(journal_bytes)
            .unwrap();
    }

    /// The machine starts again with what was copied; what was in memory is gone.
    pub(crate) async fn start_again(&mut self) {
        self.db.close().await;
        for file in [DATABASE, JOURNAL, "t.db-shm"] {
            let _ = fs::remove_file(self.folder.join(file));
        }
        std::mem::swap(&mut self.folder, &mut self.image);
        self.db = open(&self.folder, &self.image, &self.trap).await;
    }
}

async fn open(folder: &Path, image: &Path, trap: &Arc<Trap>) -> Db {
    let db = Db::open(&folder.join(DATABASE)).await.unwrap();
    let (trap, from, to) = (Arc::clone(trap), folder.to_owned(), image.to_owned());
    let mut writing = db.write().await.unwrap();
    writing.lock_handle().await.unwrap().set_update_hook(move |_| {
        let seen = trap.seen.fetch_add(1, Ordering::SeqCst) + 1;
        if seen == trap.at.load(Ordering::SeqCst) {
            copy(&from, &to);
        }
    });
    writing.rollback().await.unwrap();
    db
}

fn copy(from: &Path, to: &Path) {
    for file in [DATABASE, JOURNAL] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}
