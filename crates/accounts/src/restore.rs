//! This owns taking out of restored rows what was ended after they were kept: accounts that are closed, API keys that are
//! revoked, passkeys that are removed, vouchers that are used, and every session. What was seen of accounts since is
//! brought in.

use std::collections::HashSet;

use kernel::{Id, Result};
use platform::db::{Db, Writing, sql};

use crate::{Accounts, delete_rows, looks, vouchers};

/// What its owner can end by itself: how to list all of it, and how to delete one.
const ENDED: [(&str, &str); 2] = [
    ("SELECT id FROM api_key", "DELETE FROM api_key WHERE id = ?"),
    ("SELECT id FROM passkey", "DELETE FROM passkey WHERE id = ?"),
];

impl Accounts {
    /// Deletes every account without a key, every API key and passkey that the newest rows do not have, and all sessions, since nobody
    /// can tell which were ended; vouchers and looks become those of the newest rows. Returns how many accounts.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn drop_keyless(
        writing: &mut Writing,
        living: &HashSet<Id>,
        newest: Option<&Db>,
        today: i64,
    ) -> Result<u64> {
        sqlx::query("DELETE FROM session").execute(&mut **writing).await.map_err(sql)?;
        let mut dropped = 0;
        for account in ids(sqlx::query_scalar("SELECT id FROM account").fetch_all(&mut **writing).await)? {
            if !living.contains(&account) {
                delete_rows(writing, account, today).await?;
                dropped += 1;
            }
        }
        let Some(newest) = newest else { return Ok(dropped) };
        looks::carry_over(writing, newest).await?;
        vouchers::carry_over(writing, newest).await?;
        for (list, delete) in ENDED {
            let valid: HashSet<Id> =
                ids(sqlx::query_scalar(list).fetch_all(newest.read()).await)?.into_iter().collect();
            for id in ids(sqlx::query_scalar(list).fetch_all(&mut **writing).await)? {
                if !valid.contains(&id) {
                    let gone = sqlx::query(delete).bind(id.as_bytes().as_slice());
                    gone.execute(&mut **writing).await.map_err(sql)?;
                }
            }
        }
        Ok(dropped)
    }

    /// Every record of a database.
    ///
    /// # Errors
    /// As every read.
    pub async fn records_of(db: &Db) -> Result<Vec<Id>> {
        ids(sqlx::query_scalar("SELECT id FROM account").fetch_all(db.read()).await)
    }
}

fn ids(rows: sqlx::Result<Vec<Vec<u8>>>) -> Result<Vec<Id>> {
    rows.map_err(sql)?.iter().map(|id| Id::from_column(id)).collect()
}
