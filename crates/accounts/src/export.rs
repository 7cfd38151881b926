//! This owns what an account's owner takes along of the tables of this crate: whole rows, with sealed columns opened.

use kernel::{Error, Id, Result};
use platform::db::sql;
use platform::export::{self, Row, Tables};
use serde_json::Value;
use vault::RecordKey;

use crate::{ADDRESS_FIELD, Accounts, keys, passkeys};

/// The rows of each table that lead to an account.
const STATEMENTS: [(&str, &str); 10] = [
    ("account", "SELECT * FROM account WHERE id = ?"),
    ("session", "SELECT * FROM session WHERE account = ? ORDER BY created_day, id"),
    ("api_key", "SELECT * FROM api_key WHERE account = ? ORDER BY created_day, id"),
    ("passkey", "SELECT * FROM passkey WHERE account = ? ORDER BY created_day, id"),
    ("book", "SELECT * FROM book WHERE account = ? ORDER BY id"),
    (
        "transfer",
        "SELECT * FROM transfer WHERE debit IN (SELECT id FROM book WHERE account = ?1) \
         OR credit IN (SELECT id FROM book WHERE account = ?1) ORDER BY id",
    ),
    ("hold", "SELECT * FROM hold WHERE account = ? ORDER BY id"),
    ("purchase", "SELECT * FROM purchase WHERE account = ? ORDER BY day, id"),
    (
        "payment_event",
        "SELECT e.* FROM payment_event e WHERE EXISTS (SELECT 1 FROM purchase p WHERE p.account = ? \
         AND (p.session = e.object OR p.intent = e.intent)) ORDER BY e.day, e.id",
    ),
    ("look", "SELECT * FROM look WHERE account = ? ORDER BY day, kind, reason, id"),
];

/// Turns what was sealed into what its owner reads.
type Shown = fn(&[u8]) -> Result<Value>;
/// Every sealed column: its table, its name, the name it is sealed under, and how it is shown.
const SEALED: [(&str, &str, &str, Shown); 4] = [
    ("account", "address_sealed", ADDRESS_FIELD, |bytes| Ok(export::bytes(bytes))),
    ("api_key", "name_sealed", keys::NAME_FIELD, text),
    ("passkey", "name_sealed", passkeys::NAME_FIELD, text),
    ("passkey", "key_sealed", passkeys::KEY_FIELD, json),
];

fn text(bytes: &[u8]) -> Result<Value> {
    Ok(String::from_utf8_lossy(bytes).into_owned().into())
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|cause| Error::internal("a sealed field is no JSON").because(cause))
}

impl Accounts {
    /// Every row that leads to an account.
    ///
    /// # Errors
    /// As every read; `Gone` for an account that is erased.
    pub async fn export(&self, account: Id) -> Result<Tables> {
        let key = self.keys.get(account).await?;
        let mut tables = Tables::new();
        for (table, statement) in STATEMENTS {
            let rows = sqlx::query(statement).bind(account.as_bytes().as_slice()).fetch_all(self.db.read());
            let rows = rows.await.map_err(sql)?;
            let rows = rows.iter().map(|row| opened(&key, table, row, export::row(row)?));
            tables.insert(table, rows.collect::<Result<_>>()?);
        }
        Ok(tables)
    }
}

/// The row with what it holds sealed in the clear, for its owner.
fn opened(key: &RecordKey, table: &str, row: &sqlx::sqlite::SqliteRow, mut shown: Row) -> Result<Row> {
    use sqlx::Row as _;
    for (_, column, field, show) in SEALED.iter().filter(|(of, ..)| *of == table) {
        let id = Id::from_column(row.try_get("id").map_err(sql)?)?;
        let plain = vault::open_field(key, id, field, row.try_get(*column).map_err(sql)?)?;
        shown.insert((*column).to_owned(), show(&plain)?);
    }
    Ok(shown)
}
