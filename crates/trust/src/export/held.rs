//! This owns `account.json`: everything held about an account, one section for each line of the data map that leads to an
//! account, and nothing else. The bytes of pictures lie beside it.

use accounts::{Accounts, DayUse, day_text};
use kernel::{Id, Locale, Result};
use platform::export::{Row, Tables};
use serde::Serialize;
use serde_json::{Map, Value, json};
use studio::Studio;

use super::packing::Picture;
use crate::data_map::{Stored, data_map};

/// Version of the shape of an export.
const SHAPE: u32 = 2;
/// The line of the data map that holds the files of pictures.
pub(crate) const PICTURES: &str = "pictures";

/// Everything held about an account.
#[derive(Serialize)]
pub(super) struct Held {
    version: u32,
    software: Software,
    account: Id,
    /// What was spent day by day, counted from the ledger.
    usage: Vec<Value>,
    pub(super) sections: Vec<Section>,
}

#[derive(Serialize)]
struct Software {
    name: &'static str,
    version: &'static str,
}

/// What a line of the data map says, and what is held of it.
#[derive(Serialize)]
pub(super) struct Section {
    id: String,
    pub(super) purpose: String,
    purposes: Vec<String>,
    pub(super) lifetime: String,
    held: Map<String, Value>,
    /// Names of pictures in the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<Vec<String>>,
    /// How much is held of it, rows or pictures, where that can be counted here.
    #[serde(skip)]
    pub(super) count: Option<usize>,
}

impl Section {
    fn of(stored: &Stored, tables: &Tables, pictures: &[Picture], locale: Locale) -> Self {
        let held = of_line(stored, tables);
        let names = || pictures.iter().map(|picture| picture.name.clone()).collect();
        let pictures = (stored.id == PICTURES).then(names);
        let rows = held.values().filter_map(Value::as_array).map(Vec::len).sum();
        let rows = (!stored.columns.is_empty()).then_some(rows);
        Self {
            id: stored.id.clone(),
            purpose: stored.why.in_language(&locale).to_owned(),
            purposes: stored.purposes.clone(),
            lifetime: stored.until.in_language(&locale).to_owned(),
            count: pictures.as_ref().map(Vec::len).or(rows),
            held,
            pictures,
        }
    }
}

/// Everything held about an account but the bytes of its pictures.
///
/// # Errors
/// As every read.
pub(super) async fn held(
    accounts: &Accounts,
    studio: &Studio,
    account: Id,
    locale: Locale,
    pictures: &[Picture],
    usage: &[DayUse],
) -> Result<Held> {
    let tables = tables(accounts, studio, account).await?;
    let of_day = |spent: &DayUse| json!({ "day": day_text(spent.day), "pictures": spent.pictures, "credits": spent.credits });
    let map = data_map()?;
    let of_account = map.stored.iter().filter(|stored| stored.is_of_account());
    let sections = of_account.map(|stored| Section::of(stored, &tables, pictures, locale));
    Ok(Held {
        version: SHAPE,
        software: Software { name: "Safelight", version: env!("CARGO_PKG_VERSION") },
        account,
        usage: usage.iter().map(of_day).collect(),
        sections: sections.collect(),
    })
}

/// Every row that leads to an account, of every slice.
pub(crate) async fn tables(accounts: &Accounts, studio: &Studio, account: Id) -> Result<Tables> {
    let mut tables = accounts.export(account).await?;
    tables.extend(studio.export(account).await?);
    tables.extend(studio.blobs().keys().export(account).await?);
    Ok(tables)
}

/// The rows of each table that a line names, with the columns that it names.
pub(crate) fn of_line(stored: &Stored, tables: &Tables) -> Map<String, Value> {
    let mut held = Map::new();
    for (table, rows) in tables {
        let named =
            |name: &str| stored.columns.iter().any(|column| column.split_once('.') == Some((*table, name)));
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| {
                row.iter().filter(|(name, _)| named(name)).map(|(k, v)| (k.clone(), v.clone())).collect()
            })
            .filter(|row: &Row| !row.is_empty())
            .collect();
        if !rows.is_empty() {
            held.insert((*table).to_owned(), json!(rows));
        }
    }
    held
}
