//! This owns what the operator may be told of the account of an address: in an inquiry counts, in a disclosure everything that
//! is held. Either is recorded, for the account to see, before anything is read. An address without an account leaves nothing.

use std::collections::BTreeMap;

use accounts::{Accounts, LookKind, LookReason, day_text};
use kernel::{EmailAddress, Locale, Result};
use platform::export::{Row, Tables};
use serde_json::{Map, Value, json};
use studio::Studio;

use crate::data_map::{Stored, data_map};
use crate::export::{PICTURES, account_json, of_line, tables};

/// Version of the shape of an inquiry.
const SHAPE: u32 = 1;

/// What is held on an address, in counts: without pictures, their addresses, or anything that its owner typed.
///
/// # Errors
/// As every read and write; nothing is shown where the look cannot be recorded.
pub async fn inquire(
    accounts: &Accounts,
    studio: &Studio,
    address: &EmailAddress,
    reason: LookReason,
) -> Result<Option<Value>> {
    let Some(account) = accounts.look(address, LookKind::Inquiry, reason).await? else { return Ok(None) };
    let tables = tables(accounts, studio, account).await?;
    let files = studio.keepsakes(account).await?.len();
    let map = data_map()?;
    let parts = map.stored.iter().filter(|stored| stored.is_of_account());
    let parts = parts.filter_map(|stored| part(stored, &tables, files)).collect::<Vec<_>>();
    let of = |table: &str| tables.get(table).into_iter().flatten();
    let made = of("account").find_map(|row| row.get("created_day")?.as_i64());
    Ok(Some(json!({
        "version": SHAPE,
        "software": { "name": "Safelight", "version": env!("CARGO_PKG_VERSION") },
        "made": made.map(day_text),
        "credits": of("book").filter_map(balance).collect::<Map<_, _>>(),
        "pictures": tally(of("generation").filter_map(|row| row.get("state")?.as_str())),
        "parts": parts,
    })))
}

/// Everything that is held on an address, as its owner would take it along.
///
/// # Errors
/// As [`inquire`].
pub async fn disclose(
    accounts: &Accounts,
    studio: &Studio,
    address: &EmailAddress,
    reason: LookReason,
) -> Result<Option<Value>> {
    let Some(account) = accounts.look(address, LookKind::Disclosure, reason).await? else { return Ok(None) };
    account_json(accounts, studio, account).await.map(Some)
}

/// A line of the data map with how much of it there is; nothing where there is none. What nobody counts by account, such as
/// backups, holds for all.
fn part(stored: &Stored, tables: &Tables, files: usize) -> Option<Value> {
    let rows = of_line(stored, tables).into_iter();
    let mut counts: BTreeMap<String, usize> =
        rows.map(|(table, rows)| (table, rows.as_array().map_or(0, Vec::len))).collect();
    if stored.id == PICTURES && files > 0 {
        counts.insert("file".to_owned(), files);
    }
    let counted = !stored.columns.is_empty() || stored.id == PICTURES;
    let words = |words: &platform::ui::Words| words.in_language(&Locale::English).to_owned();
    (!counts.is_empty() || !counted).then(|| {
        json!({ "id": stored.id, "purpose": words(&stored.why), "lifetime": words(&stored.until), "counts": counts })
    })
}

/// A bucket of credits, where there is something in it.
fn balance(book: &Row) -> Option<(String, Value)> {
    let (kind, balance) = (book.get("kind")?.as_str()?, book.get("balance")?);
    (balance.as_i64()? != 0).then(|| (kind.to_owned(), balance.clone()))
}

fn tally<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u32> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}
