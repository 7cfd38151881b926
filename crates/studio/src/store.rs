//! This owns all SQL for generations and references.

use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Result};
use platform::db::{Db, Writing, sql};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::generation::{Generation, State};

const COLUMNS: &str = "id, account, hold, state, failure, model, ratio, width, height, credits, created_at";

/// A keyed fingerprint.
pub(crate) type Print = [u8; 32];

/// What is remembered of a request id: the generation it made and a fingerprint of its inputs.
pub(crate) struct Request {
    pub(crate) generation: Id,
    pub(crate) inputs: Vec<u8>,
}

pub(crate) async fn insert(
    writing: &mut Writing,
    new: &Generation,
    request: Option<(Print, Print)>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO generation (id, account, hold, state, model, ratio, width, height, credits, created_at, \
             request_print, inputs_print) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_bytes().as_slice())
    .bind(new.account.as_bytes().as_slice())
    .bind(new.hold.as_bytes().as_slice())
    .bind(new.state.name())
    .bind(&new.model)
    .bind(&new.ratio)
    .bind(new.width)
    .bind(new.height)
    .bind(new.credits)
    .bind(new.created_at)
    .bind(request.map(|(request, _)| request.to_vec()))
    .bind(request.map(|(_, inputs)| inputs.to_vec()))
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(())
}

/// Marks a running generation as ended; false when it is not running any more.
pub(crate) async fn end(writing: &mut Writing, ended: &Generation) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE generation SET state = ?, failure = ?, width = ?, height = ? \
         WHERE id = ? AND state = 'processing'",
    )
    .bind(ended.state.name())
    .bind(&ended.failure)
    .bind(ended.width)
    .bind(ended.height)
    .bind(ended.id.as_bytes().as_slice())
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(done.rows_affected() == 1)
}

/// Marks every running generation as failed, after a crash.
pub(crate) async fn fail_running(writing: &mut Writing, failure: &str) -> Result<()> {
    sqlx::query("UPDATE generation SET state = 'failed', failure = ? WHERE state = 'processing'")
        .bind(failure)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

pub(crate) async fn find(db: &Db, id: Id) -> Result<Option<Generation>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM generation WHERE id = ?")))
        .bind(id.as_bytes().as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    row.as_ref().map(generation).transpose()
}

/// The newest generations of an account.
pub(crate) async fn list(db: &Db, account: Id, limit: u32) -> Result<Vec<Generation>> {
    let text =
        format!("SELECT {COLUMNS} FROM generation WHERE account = ? ORDER BY created_at DESC, id LIMIT ?");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(account.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(db.read())
        .await
        .map_err(sql)?;
    rows.iter().map(generation).collect()
}

/// Deletes generations of an account; returns those that were there. Their request ids stay as fingerprints.
pub(crate) async fn delete(writing: &mut Writing, account: Id, ids: &[Id], today: i64) -> Result<Vec<Id>> {
    let mut deleted = Vec::new();
    for id in ids {
        sqlx::query(
            "INSERT OR IGNORE INTO erased_request SELECT request_print, ? FROM generation \
             WHERE id = ? AND account = ? AND request_print IS NOT NULL",
        )
        .bind(today)
        .bind(id.as_bytes().as_slice())
        .bind(account.as_bytes().as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
        let done = sqlx::query("DELETE FROM generation WHERE id = ? AND account = ?")
            .bind(id.as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        if done.rows_affected() == 1 {
            deleted.push(*id);
        }
    }
    Ok(deleted)
}

/// Ids of every generation of an account.
pub(crate) async fn ids(db: &Db, account: Id) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM generation WHERE account = ?")
        .bind(account.as_bytes().as_slice())
        .fetch_all(db.read())
        .await
        .map_err(sql)?;
    rows.iter().map(|id| Id::from_column(id)).collect()
}

/// Ids of every record of every member.
pub(crate) async fn records(db: &Db) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM generation UNION ALL SELECT id FROM reference")
            .fetch_all(db.read())
            .await
            .map_err(sql)?;
    rows.iter().map(|id| Id::from_column(id)).collect()
}

/// What is remembered of a request id.
///
/// # Errors
/// `Gone` when its generation was erased.
pub(crate) async fn find_request(db: &Db, request: Print) -> Result<Option<Request>> {
    let row = sqlx::query("SELECT id, inputs_print FROM generation WHERE request_print = ?")
        .bind(request.as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    if let Some(row) = row {
        let generation = Id::from_column(row.try_get("id").map_err(sql)?)?;
        return Ok(Some(Request { generation, inputs: row.try_get("inputs_print").map_err(sql)? }));
    }
    let erased: Option<i64> =
        sqlx::query_scalar("SELECT erased_day FROM erased_request WHERE request_print = ?")
            .bind(request.as_slice())
            .fetch_optional(db.read())
            .await
            .map_err(sql)?;
    match erased {
        Some(_) => Err(Error::new(kernel::Kind::Gone, "This generation was deleted for good.")
            .with_code("generation_unavailable")),
        None => Ok(None),
    }
}

/// Forgets the request ids of generations erased before a day.
pub(crate) async fn forget_requests(writing: &mut Writing, before_day: i64) -> Result<()> {
    sqlx::query("DELETE FROM erased_request WHERE erased_day < ?")
        .bind(before_day)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

pub(crate) async fn insert_reference(
    writing: &mut Writing,
    id: Id,
    account: Id,
    now: UnixSeconds,
) -> Result<()> {
    sqlx::query("INSERT INTO reference (id, account, created_at) VALUES (?, ?, ?)")
        .bind(id.as_bytes().as_slice())
        .bind(account.as_bytes().as_slice())
        .bind(now)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

/// How many references an account has waiting.
pub(crate) async fn count_references(db: &Db, account: Id) -> Result<u32> {
    sqlx::query_scalar("SELECT count(*) FROM reference WHERE account = ?")
        .bind(account.as_bytes().as_slice())
        .fetch_one(db.read())
        .await
        .map_err(sql)
}

pub(crate) async fn owns_reference(db: &Db, id: Id, account: Id) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM reference WHERE id = ? AND account = ?")
        .bind(id.as_bytes().as_slice())
        .bind(account.as_bytes().as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    Ok(found.is_some())
}

/// Deletes references: those of an account, or everyone's older than a time.
pub(crate) async fn delete_references(writing: &mut Writing, which: Which) -> Result<Vec<Id>> {
    let query = match which {
        Which::Of(account) => {
            sqlx::query_scalar::<_, Vec<u8>>("DELETE FROM reference WHERE account = ? RETURNING id")
                .bind(account.as_bytes().to_vec())
        }
        Which::Before(time) => {
            sqlx::query_scalar::<_, Vec<u8>>("DELETE FROM reference WHERE created_at < ? RETURNING id")
                .bind(time)
        }
    };
    let rows = query.fetch_all(&mut **writing).await.map_err(sql)?;
    rows.iter().map(|id| Id::from_column(id)).collect()
}

/// Which references to delete.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// Those of an account.
    Of(Id),
    /// Everyone's that are older than this time.
    Before(UnixSeconds),
}

fn generation(row: &SqliteRow) -> Result<Generation> {
    let id = |column: &str| Id::from_column(row.try_get(column).map_err(sql)?);
    let text = |column: &str| row.try_get::<String, _>(column).map_err(sql);
    let number = |column: &str| row.try_get::<u32, _>(column).map_err(sql);
    Ok(Generation {
        id: id("id")?,
        account: id("account")?,
        hold: id("hold")?,
        state: State::from_name(&text("state")?),
        failure: text("failure")?,
        model: text("model")?,
        ratio: text("ratio")?,
        width: number("width")?,
        height: number("height")?,
        credits: number("credits")?,
        created_at: row.try_get("created_at").map_err(sql)?,
    })
}
