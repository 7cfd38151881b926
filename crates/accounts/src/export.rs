//! This owns what an account's owner takes along of the tables of this crate: whole rows, with sealed columns opened.

use kernel::{Id, Result};
use platform::db::sql;
use platform::export::{self, Row, Tables};
use vault::RecordKey;

use crate::keys::NAME_FIELD;
use crate::{ADDRESS_FIELD, Accounts};

/// The rows of each table that lead to an account.
const STATEMENTS: [(&str, &str); 6] = [
    ("account", "SELECT * FROM account WHERE id = ?"),
    ("session", "SELECT * FROM session WHERE account = ? ORDER BY created_day, id"),
    ("api_key", "SELECT * FROM api_key WHERE account = ? ORDER BY created_day, id"),
    ("book", "SELECT * FROM book WHERE account = ? ORDER BY id"),
    (
        "transfer",
        "SELECT * FROM transfer WHERE debit IN (SELECT id FROM book WHERE account = ?1) \
         OR credit IN (SELECT id FROM book WHERE account = ?1) ORDER BY id",
    ),
    ("hold", "SELECT * FROM hold WHERE account = ? ORDER BY id"),
];

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
            let rows = rows.iter().map(|row| opened(&key, row, export::row(row)?));
            tables.insert(table, rows.collect::<Result<_>>()?);
        }
        Ok(tables)
    }
}

/// The row with what it holds sealed in the clear, for its owner.
fn opened(key: &RecordKey, row: &sqlx::sqlite::SqliteRow, mut shown: Row) -> Result<Row> {
    use sqlx::Row as _;
    let open = |column: &str, field: &'static str| {
        let id = Id::from_column(row.try_get("id").map_err(sql)?)?;
        vault::open_field(key, id, field, row.try_get(column).map_err(sql)?)
    };
    if shown.contains_key("address_sealed") {
        shown.insert("address_sealed".to_owned(), export::bytes(&open("address_sealed", ADDRESS_FIELD)?));
    }
    if shown.contains_key("name_sealed") {
        let name = String::from_utf8_lossy(&open("name_sealed", NAME_FIELD)?).into_owned();
        shown.insert("name_sealed".to_owned(), name.into());
    }
    Ok(shown)
}
