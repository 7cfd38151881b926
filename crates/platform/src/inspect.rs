//! This owns looking through every row, of whatever table, for an audit: which columns there are, what their values look
//! like. It reads the schema to know the tables, and changes nothing.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use kernel::Result;
use sqlx::AssertSqlSafe;

use crate::db::{Db, sql};

/// What a value may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Text with an email address in it.
    Address,
    /// The first bytes of a picture file.
    Picture,
}

impl Look {
    /// A condition of SQL for a column of that name.
    fn condition(self, column: &str) -> String {
        match self {
            Self::Address => {
                format!("typeof({column}) = 'text' AND {column} GLOB '*[a-zA-Z0-9]@[a-zA-Z0-9]*.[a-zA-Z]*'")
            }
            // PNG; JPEG from its first byte to its last, since three bytes alone come about by chance; WebP.
            Self::Picture => format!(
                "substr(CAST({column} AS BLOB), 1, 8) = x'89504e470d0a1a0a' OR \
                 (substr(CAST({column} AS BLOB), 1, 3) = x'ffd8ff' AND substr(CAST({column} AS BLOB), -2) = x'ffd9') OR \
                 (substr(CAST({column} AS BLOB), 1, 4) = x'52494646' AND substr(CAST({column} AS BLOB), 9, 4) = x'57454250')"
            ),
        }
    }
}

impl Db {
    /// Every column of every table, as `table.column`.
    ///
    /// # Errors
    /// As every read.
    pub async fn columns(&self) -> Result<BTreeSet<String>> {
        let columns: Vec<String> = sqlx::query_scalar(
            "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(self.read())
        .await
        .map_err(sql)?;
        Ok(columns.into_iter().collect())
    }

    /// How many values of a column look like this.
    ///
    /// # Errors
    /// As every read.
    pub async fn count_looking(&self, column: &str, look: Look) -> Result<i64> {
        let (table, column) = quoted(column);
        let text = format!("SELECT count(*) FROM {table} WHERE {}", look.condition(&column));
        sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(self.read()).await.map_err(sql)
    }

    /// How many values of a column, where there is one, do not pass.
    ///
    /// # Errors
    /// As every read.
    pub async fn count_failing(&self, column: &str, passes: impl Fn(&[u8]) -> bool) -> Result<u64> {
        let (table, column) = quoted(column);
        let text = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE {column} IS NOT NULL");
        let mut rows = sqlx::query_scalar::<_, Vec<u8>>(AssertSqlSafe(text)).fetch(self.read());
        let mut failing = 0;
        while let Some(value) = rows.try_next().await.map_err(sql)? {
            failing += u64::from(!passes(&value));
        }
        Ok(failing)
    }
}

/// Table and column of `table.column`, as SQL writes names of any letters.
fn quoted(column: &str) -> (String, String) {
    let (table, column) = column.split_once('.').unwrap_or((column, ""));
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    (quote(table), quote(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_and_pictures_are_seen_and_what_only_resembles_them_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("t.db")).await.unwrap();
        let mut writing = db.write().await.unwrap();
        let values = [
            "'write to ada@example.org soon'",
            "'@ada on 3.5'",
            "'a @ b.c'",
            "x'89504e470d0a1a0a00'",
            "x'ffd8ffe000ffd9'",
            "x'ffd8ffe000'",
            "x'524946460000000057454250'",
        ];
        let text = format!("CREATE TABLE \"a b\" (v); INSERT INTO \"a b\" VALUES ({})", values.join("), ("));
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *writing).await.unwrap();
        crate::db::commit(writing).await.unwrap();
        assert!(db.columns().await.unwrap().contains("a b.v"));
        assert_eq!(db.count_looking("a b.v", Look::Address).await.unwrap(), 1);
        assert_eq!(db.count_looking("a b.v", Look::Picture).await.unwrap(), 3);
        assert_eq!(db.count_failing("a b.v", |value| value.len() > 7).await.unwrap(), 3);
    }
}
