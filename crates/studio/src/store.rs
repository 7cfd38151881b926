//! This owns all SQL for generations and references.

use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Result};
use platform::db::{Db, Writing, sql};
use platform::export::Tables;
use platform::keys::Keys;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use vault::RecordKey;

use crate::generation::{Details, Generation, State};

const COLUMNS: &str = "id, account, hold, state, details_sealed, created_at";
/// Name of the sealed details of a generation.
const DETAILS_FIELD: &str = "details";
/// Name under which inputs are fingerprinted.
const INPUTS_LABEL: &str = "request inputs";

/// A keyed fingerprint.
pub(crate) type Print = [u8; 32];

/// A request id, as the fingerprint it is found by, with the inputs it came with.
pub(crate) struct NewRequest {
    pub(crate) print: Print,
    pub(crate) inputs: zeroize::Zeroizing<Vec<u8>>,
}

/// What is remembered of a request id: the generation it made and a fingerprint of its inputs.
pub(crate) struct Request {
    pub(crate) generation: Id,
    inputs: Vec<u8>,
}

impl Request {
    /// Whether these are the inputs that it came with; only the generation's own key can tell.
    pub(crate) fn has_inputs(&self, key: &RecordKey, inputs: &[u8]) -> bool {
        key.fingerprint(INPUTS_LABEL, inputs) == *self.inputs
    }
}

/// Inserts a generation, sealed under its key.
pub(crate) async fn insert(
    writing: &mut Writing,
    key: &RecordKey,
    new: &Generation,
    request: Option<&NewRequest>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO generation (id, account, hold, state, details_sealed, created_at, request_print, inputs_print) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_bytes().as_slice())
    .bind(new.account.as_bytes().as_slice())
    .bind(new.hold.as_bytes().as_slice())
    .bind(new.state.name())
    .bind(seal(key, new)?)
    .bind(new.created_at)
    .bind(request.map(|request| request.print.to_vec()))
    .bind(request.map(|request| key.fingerprint(INPUTS_LABEL, &request.inputs).to_vec()))
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(())
}

/// Marks a running generation as ended; false when it is not running any more.
pub(crate) async fn end(writing: &mut Writing, key: &RecordKey, ended: &Generation) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE generation SET state = ?, details_sealed = ? WHERE id = ? AND state = 'processing'",
    )
    .bind(ended.state.name())
    .bind(seal(key, ended)?)
    .bind(ended.id.as_bytes().as_slice())
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(done.rows_affected() == 1)
}

fn seal(key: &RecordKey, generation: &Generation) -> Result<Vec<u8>> {
    let details = serde_json::to_vec(&generation.details)
        .map_err(|cause| Error::internal("details cannot be written").because(cause))?;
    vault::seal_field(key, generation.id, DETAILS_FIELD, &details)
}

/// Every generation that was running, after a crash.
pub(crate) async fn running(db: &Db, keys: &Keys) -> Result<Vec<Generation>> {
    let text = format!("SELECT {COLUMNS} FROM generation WHERE state = 'processing'");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(db.read()).await.map_err(sql)?;
    generations(keys, &rows).await
}

pub(crate) async fn find(db: &Db, keys: &Keys, id: Id) -> Result<Option<Generation>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM generation WHERE id = ?")))
        .bind(id.as_bytes().as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    Ok(generations(keys, row.as_slice()).await?.pop())
}

/// The newest generations of an account.
pub(crate) async fn list(db: &Db, keys: &Keys, account: Id, limit: u32) -> Result<Vec<Generation>> {
    let text =
        format!("SELECT {COLUMNS} FROM generation WHERE account = ? ORDER BY created_at DESC, id LIMIT ?");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(account.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(db.read())
        .await
        .map_err(sql)?;
    generations(keys, &rows).await
}

/// Whether a generation is of this account, without opening it.
pub(crate) async fn owns_generation(db: &Db, id: Id, account: Id) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM generation WHERE id = ? AND account = ?")
        .bind(id.as_bytes().as_slice())
        .bind(account.as_bytes().as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    Ok(found.is_some())
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

/// Deletes every generation of an account.
pub(crate) async fn delete_generations(writing: &mut Writing, account: Id) -> Result<()> {
    sqlx::query("DELETE FROM generation WHERE account = ?")
        .bind(account.as_bytes().as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

/// Ids of every generation of an account.
pub(crate) async fn ids(writing: &mut Writing, account: Id) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM generation WHERE account = ?")
        .bind(account.as_bytes().as_slice())
        .fetch_all(&mut **writing)
        .await
        .map_err(sql)?;
    rows.iter().map(|id| Id::from_column(id)).collect()
}

/// Whole rows of an account, as they stand.
pub(crate) async fn rows_of(db: &Db, account: Id) -> Result<Tables> {
    let mut tables = Tables::new();
    for (table, statement) in [
        ("generation", "SELECT * FROM generation WHERE account = ? ORDER BY created_at, id"),
        ("reference", "SELECT * FROM reference WHERE account = ? ORDER BY created_at, id"),
    ] {
        let rows = sqlx::query(statement).bind(account.as_bytes().as_slice()).fetch_all(db.read());
        let rows = rows.await.map_err(sql)?;
        tables.insert(table, rows.iter().map(platform::export::row).collect::<Result<_>>()?);
    }
    Ok(tables)
}

/// The references of an account that wait, the newest first, with the time of each.
pub(crate) async fn list_references(db: &Db, account: Id) -> Result<Vec<(Id, UnixSeconds)>> {
    let rows: Vec<(Vec<u8>, UnixSeconds)> =
        sqlx::query_as("SELECT id, created_at FROM reference WHERE account = ? ORDER BY created_at DESC, id")
            .bind(account.as_bytes().as_slice())
            .fetch_all(db.read())
            .await
            .map_err(sql)?;
    rows.into_iter().map(|(id, created_at)| Ok((Id::from_column(&id)?, created_at))).collect()
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

/// Ids of every record that has files.
pub(crate) async fn records_with_files(db: &Db) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT id FROM generation WHERE state = 'completed' UNION ALL SELECT id FROM reference",
    )
    .fetch_all(db.read())
    .await
    .map_err(sql)?;
    rows.iter().map(|id| Id::from_column(id)).collect()
}

/// Every record of every member, with whose it is.
pub(crate) async fn list_owned(writing: &mut Writing) -> Result<Vec<(Id, Id)>> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT id, account FROM generation UNION ALL SELECT id, account FROM reference")
            .fetch_all(&mut **writing)
            .await
            .map_err(sql)?;
    rows.iter().map(|(id, account)| Ok((Id::from_column(id)?, Id::from_column(account)?))).collect()
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

/// Deletes one reference, if it is there.
pub(crate) async fn delete_reference(writing: &mut Writing, id: Id) -> Result<()> {
    sqlx::query("DELETE FROM reference WHERE id = ?")
        .bind(id.as_bytes().as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
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

/// Opens rows; one whose key has just been erased is left out.
async fn generations(keys: &Keys, rows: &[SqliteRow]) -> Result<Vec<Generation>> {
    let id = |row: &SqliteRow, column: &str| Id::from_column(row.try_get(column).map_err(sql)?);
    let ids = rows.iter().map(|row| id(row, "id")).collect::<Result<Vec<_>>>()?;
    let opened = keys.get_all(&ids).await?;
    let mut found = Vec::with_capacity(rows.len());
    for (row, record) in rows.iter().zip(ids) {
        let Some(key) = opened.get(&record) else { continue };
        found.push(Generation {
            id: record,
            account: id(row, "account")?,
            hold: id(row, "hold")?,
            state: State::from_name(row.try_get("state").map_err(sql)?),
            created_at: row.try_get("created_at").map_err(sql)?,
            details: details(key, record, row.try_get("details_sealed").map_err(sql)?)?,
        });
    }
    Ok(found)
}

fn details(key: &RecordKey, record: Id, sealed: &[u8]) -> Result<Details> {
    serde_json::from_slice(&vault::open_field(key, record, DETAILS_FIELD, sealed)?)
        .map_err(|cause| Error::internal("details cannot be read").because(cause))
}
