//! This owns what the desk prints for people.

use std::fmt::Write as _;

use accounts::day_text;
use serde_json::{Map, Value};

/// What is said where an address has no account.
const NOTHING: &str = "Nothing is held on this address. It has no account here.";

/// An inquiry.
pub(super) fn inquiry(found: &Value) -> String {
    let Some(made) = found.get("made") else { return NOTHING.to_owned() };
    let mut page = format!("There is an account, made on {}.\n\n", plain(made));
    for name in ["credits", "pictures"] {
        let _ = writeln!(page, "{name:<10}{}", counts(found.get(name)));
    }
    for part in list(found.get("parts")) {
        let word = |name: &str| part.get(name).map(plain).unwrap_or_default();
        let _ = write!(page, "\n{}  {}\n  for   ", word("id"), counts(part.get("counts")));
        let _ = writeln!(page, "{}\n  kept  {}", word("purpose"), word("lifetime"));
    }
    page
}

/// Everything that is held: each part with every row, and every column under its own name.
#[must_use]
pub fn disclosure(held: &Value) -> String {
    let Some(account) = held.get("account") else { return NOTHING.to_owned() };
    let mut page = format!(
        "Everything that this site holds on the account {}. Sealed columns are opened. Pictures have\n\
         the names that they have in its owner's export; their files are not in this text.\n",
        plain(account)
    );
    page.push('\n');
    list(held.get("usage")).for_each(|day| page += &row_text("usage", day));
    for section in list(held.get("sections")) {
        let word = |name: &str| section.get(name).map(plain).unwrap_or_default();
        let _ = writeln!(page, "\n{}", word("id"));
        let _ = writeln!(page, "  for   {}\n  kept  {}", word("purpose"), word("lifetime"));
        for (table, rows) in section.get("held").and_then(Value::as_object).into_iter().flatten() {
            list(Some(rows)).for_each(|row| page += &row_text(table, row));
        }
        list(section.get("pictures"))
            .for_each(|address| page += &format!("  picture\n    {}\n", plain(address)));
    }
    page
}

/// Codes, one a line.
pub(super) fn codes(codes: &Value) -> String {
    list(Some(codes)).map(plain).collect::<Vec<_>>().join("\n")
}

/// Vouchers by state.
pub(super) fn vouchers(counts: &Value) -> String {
    let rows = list(Some(counts)).map(|row| {
        let word = |name: &str| row.get(name).map(plain).unwrap_or_default();
        format!("{:<8}{:>8} vouchers{:>12} credits", word("state"), word("vouchers"), word("credits"))
    });
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() { "There are no vouchers.".to_owned() } else { rows.join("\n") }
}

fn row_text(table: &str, row: &Value) -> String {
    let mut text = format!("  {table}\n");
    for (column, value) in row.as_object().into_iter().flatten() {
        let _ = writeln!(text, "    {column:<18}{}{}", plain(value), meaning(column, value));
    }
    text
}

/// What a number of a day or a time stands for.
fn meaning(column: &str, value: &Value) -> String {
    let number = value.as_i64().filter(|number| *number > 0);
    match number {
        Some(day) if column.ends_with("day") => format!(" ({})", day_text(day)),
        Some(time) if column.ends_with("_at") || column == "until" => {
            format!(" ({})", kernel::clock::utc_text(time))
        }
        _ => String::new(),
    }
}

/// `name count` for each, or a dash.
fn counts(of: Option<&Value>) -> String {
    let none = Map::new();
    let of = of.and_then(Value::as_object).unwrap_or(&none);
    let each: Vec<String> = of.iter().map(|(name, count)| format!("{name} {}", plain(count))).collect();
    if each.is_empty() { "-".to_owned() } else { each.join(" · ") }
}

fn list(of: Option<&Value>) -> impl Iterator<Item = &Value> {
    of.and_then(Value::as_array).into_iter().flatten()
}

/// A value without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
