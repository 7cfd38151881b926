//! This owns what a member takes along: everything held about the account, one section for each line of the data map that
//! leads to an account, and nothing else. Pictures are named by their addresses.

use std::sync::Arc;

use accounts::{Accounts, Member};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use kernel::{Id, Locale, Result};
use platform::export::{Row, Tables};
use platform::http::{Reply, Visitor};
use serde_json::{Map, Value, json};
use studio::Studio;

use crate::data_map::{Stored, data_map};

/// Version of the shape of an export.
const SHAPE: u32 = 1;
/// The line of the data map that holds the files of pictures.
const PICTURES: &str = "pictures";

/// `GET /account/export`: everything held about the account but the bytes of pictures, as a file.
pub async fn export(
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    visitor: Visitor,
    member: Member,
) -> Reply<impl IntoResponse> {
    let held = held(&accounts, &studio, member.account(), visitor.locale).await?;
    let fixed = [
        (header::CONTENT_DISPOSITION, "attachment; filename=\"safelight-account.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((fixed, Json(held)))
}

/// Everything held about an account.
///
/// # Errors
/// As every read.
pub async fn held(accounts: &Accounts, studio: &Studio, account: Id, locale: Locale) -> Result<Value> {
    let mut tables = accounts.export(account).await?;
    tables.extend(studio.export(account).await?);
    tables.extend(studio.blobs().keys().export(account).await?);
    let pictures = studio.picture_addresses(account).await?;
    let map = data_map()?;
    let sections = map.stored.iter().filter(|stored| stored.is_of_account()).map(|stored| {
        let mut section = json!({
            "id": stored.id,
            "purpose": stored.why.in_language(&locale),
            "purposes": stored.purposes,
            "lifetime": stored.until.in_language(&locale),
            "held": of_line(stored, &tables),
        });
        if stored.id == PICTURES {
            section["pictures"] = json!(pictures);
        }
        section
    });
    Ok(json!({
        "version": SHAPE,
        "software": { "name": "Safelight", "version": env!("CARGO_PKG_VERSION") },
        "account": account,
        "sections": sections.collect::<Vec<_>>(),
    }))
}

/// The rows of each table that a line names, with the columns that it names.
fn of_line(stored: &Stored, tables: &Tables) -> Map<String, Value> {
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
