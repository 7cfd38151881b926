//! This owns the form in which rows leave for the one whom they are about: every column under its own name, none left out.
//! It does not know which tables there are; each slice gives its own.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use kernel::{Id, Result};
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row as _, TypeInfo, ValueRef};

use crate::db::sql;

/// A row: its columns by name.
pub type Row = Map<String, Value>;

/// Rows by table.
pub type Tables = BTreeMap<&'static str, Vec<Row>>;

/// Every column of a row: numbers and text as they are, ids in their own form, other bytes as hexadecimal digits.
///
/// # Errors
/// As every read.
pub fn row(row: &SqliteRow) -> Result<Row> {
    let columns =
        row.columns().iter().map(|column| Ok((column.name().to_owned(), value(row, column.ordinal())?)));
    columns.collect()
}

fn value(row: &SqliteRow, place: usize) -> Result<Value> {
    let raw = row.try_get_raw(place).map_err(sql)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match raw.type_info().name() {
        "INTEGER" => row.try_get::<i64, _>(place).map_err(sql)?.into(),
        "BLOB" => bytes(&row.try_get::<Vec<u8>, _>(place).map_err(sql)?),
        _ => row.try_get::<String, _>(place).map_err(sql)?.into(),
    })
}

/// Bytes as text: those of an id in the form in which ids are shown.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Value {
    Id::from_column(bytes).map_or_else(|_| HEXLOWER.encode(bytes), |id| id.to_string()).into()
}
