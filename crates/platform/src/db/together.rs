//! This owns group commit: writes that wait share one transaction, and with it one wait for the disk.

use std::pin::Pin;

use kernel::{Error, Result};
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use super::{Db, Writing, busy, commit, sql};

/// Writes that share a transaction at most.
const TOGETHER_MAX: usize = 256;

/// A piece of work in a transaction, on its way.
pub type Deed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Tells whoever waits how the commit went.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// A write that waits for its transaction.
pub(super) type Waiting = Box<dyn for<'a> FnOnce(&'a mut Writing) -> Deed<'a, Answer> + Send>;

impl Db {
    /// Writes in a transaction that others share. When this returns, what was written is on the disk. It is carried out
    /// even if its caller leaves.
    ///
    /// # Errors
    /// What the work says, and then nothing of it stays; `Unavailable` when the database stays locked.
    pub async fn together<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Writing) -> Deed<'a, T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let waiting: Waiting = Box::new(move |writing| {
            Box::pin(async move {
                let done = work(writing).await;
                match done {
                    Ok(value) => Ok(Box::new(move |committed: Result<()>| {
                        let _ = tell.send(committed.map(|()| value));
                    }) as Answer),
                    Err(error) => {
                        let marker = error.copy();
                        let _ = tell.send(Err(error));
                        Err(marker)
                    }
                }
            })
        });
        self.waiting.send(waiting).map_err(|_| busy())?;
        // Dropped unheard: no transaction was begun, or it ended before its turn came.
        told.await.map_err(|_| busy())?
    }
}

/// Writes what comes in, as much at a time as waits, until the last [`Db`] is dropped.
pub(super) fn start(writer: SqlitePool) -> mpsc::UnboundedSender<Waiting> {
    let (sender, mut waiting) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut group = Vec::new();
        while waiting.recv_many(&mut group, TOGETHER_MAX).await > 0 {
            write(&writer, std::mem::take(&mut group)).await;
        }
    });
    sender
}

/// One transaction of a group.
async fn write(writer: &SqlitePool, group: Vec<Waiting>) {
    let Ok(mut writing) = writer.begin_with("BEGIN IMMEDIATE").await else { return };
    let alone = group.len() == 1;
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    for work in group {
        // What is alone takes the whole transaction with it when it fails.
        let done = if alone { Ok(work(&mut writing).await) } else { attempt(&mut writing, work).await };
        match done {
            Ok(Ok(answer)) => answers.push(answer),
            Ok(Err(_)) if alone => return,
            Ok(Err(_)) => {}
            Err(error) => return answers.into_iter().for_each(|answer| answer(Err(error.copy()))),
        }
    }
    let committed = commit(writing).await;
    for answer in answers {
        answer(committed.as_ref().copied().map_err(Error::copy));
    }
}

/// Carries out work so that, if it fails, nothing of it stays while the rest of the transaction goes on.
///
/// # Errors
/// What ends the whole transaction: a full disk may have ended it already, and nothing may be written outside of it.
pub(crate) async fn attempt<T>(
    writing: &mut Writing,
    work: impl for<'a> FnOnce(&'a mut Writing) -> Deed<'a, T>,
) -> Result<Result<T>> {
    sqlx::query("SAVEPOINT deed").execute(&mut **writing).await.map_err(sql)?;
    let done = work(writing).await;
    if let Err(error) = &done
        && sqlx::query("ROLLBACK TO deed").execute(&mut **writing).await.is_err()
    {
        return Err(error.copy());
    }
    sqlx::query("RELEASE deed").execute(&mut **writing).await.map_err(sql)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn insert(db: &Db, number: i64) -> Result<()> {
        db.together(move |writing| {
            Box::pin(async move {
                let insert = "INSERT INTO t (x) VALUES (?)";
                sqlx::query(insert).bind(number).execute(&mut **writing).await.map_err(sql)?;
                if number % 3 == 0 { Err(Error::invalid("number", "not this one")) } else { Ok(()) }
            })
        })
        .await
    }

    #[tokio::test]
    async fn what_fails_leaves_nothing_and_hinders_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("t.db")).await.unwrap();
        sqlx::query("CREATE TABLE t (x)").execute(&db.writer).await.unwrap();
        let writes = (1..=300).map(|number| insert(&db, number));
        let done = futures_util::future::join_all(writes).await;
        assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 200);
        assert!(insert(&db, 900).await.is_err(), "alone");
        let kept: Vec<i64> =
            sqlx::query_scalar("SELECT x FROM t ORDER BY x").fetch_all(db.read()).await.unwrap();
        assert_eq!(kept, (1..=300).filter(|number| number % 3 != 0).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_locked_database_is_told_to_everyone_who_waits() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("t.db")).await.unwrap();
        db.close().await;
        assert_eq!(insert(&db, 1).await.unwrap_err().kind, kernel::Kind::Unavailable);
    }
}
