//! This owns API keys: shown once, kept as a fingerprint, told from typing errors by a checksum.

pub(crate) mod pages;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use kernel::{ApiKey, Error, Id, Kind, Result, purpose};
use platform::db::sql;
use platform::http::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use pages::KeysSection;

use crate::{Accounts, Member, day_text};

/// How every key begins.
pub(crate) const PREFIX: &str = "meigen_sk_";
/// Characters behind the prefix: 27 random ones and 5 of a checksum.
const BODY_CHARS: usize = 32;
const RANDOM_CHARS: usize = 27;
/// Keys of one account.
const KEYS_MAX: i64 = 5;
/// Characters of a key's name.
const NAME_CHARS_MAX: usize = 60;

/// A key that was just made; its token is shown now and never again.
pub struct NewKey {
    /// Its id, to revoke it by.
    pub id: Id,
    /// What the caller sends.
    pub token: ApiKey,
    /// Its name.
    pub name: String,
}

/// Name of the sealed name of a key.
pub(crate) const NAME_FIELD: &str = "key name";

/// A key as its owner sees it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its id, to revoke it by.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The first characters of its random part.
    pub hint: String,
    /// Day on which it was made.
    pub created_day: i64,
}

fn checksum(random: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, random.as_bytes());
    let text = BASE32_NOPAD.encode(digest.as_ref()).to_lowercase();
    text.chars().take(BODY_CHARS - RANDOM_CHARS).collect()
}

/// Whether a token can be one of ours, so that typing errors cost no look-up.
fn well_formed(token: &str) -> bool {
    token.strip_prefix(PREFIX).and_then(|body| body.split_at_checked(RANDOM_CHARS)).is_some_and(
        |(random, sum)| {
            random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && sum == checksum(random)
        },
    )
}

impl Accounts {
    /// Makes a key.
    ///
    /// # Errors
    /// `Invalid` for a name that is empty or too long, `Conflict` when the account has five keys.
    pub async fn create_key(&self, account: Id, name: &str) -> Result<NewKey> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(Error::invalid(
                "name",
                format!("Give the key a name of 1 to {NAME_CHARS_MAX} characters."),
            ));
        }
        let random: String =
            BASE64URL_NOPAD.encode(&rand::random::<[u8; 21]>()).chars().take(RANDOM_CHARS).collect();
        let token = ApiKey::from(format!("{PREFIX}{random}{}", checksum(&random)));
        let id = Id::random();
        let name_sealed = vault::seal_field(&self.keys.get(account).await?, id, NAME_FIELD, name.as_bytes())?;
        let mut writing = self.db.write().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM api_key WHERE account = ?")
            .bind(account.as_bytes().as_slice())
            .fetch_one(&mut *writing)
            .await
            .map_err(sql)?;
        if count >= KEYS_MAX {
            return Err(Error::new(
                Kind::Conflict,
                "You have five keys already. Revoke one to make another.",
            ));
        }
        sqlx::query("INSERT INTO api_key (id, account, name_sealed, token_print, hint, created_day) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(id.as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .bind(name_sealed)
            .bind(self.token_fingerprint(token.reveal(purpose::Recognise)).as_slice())
            .bind(random.chars().take(4).collect::<String>())
            .bind(self.clock.today())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        Ok(NewKey { id, token, name })
    }

    fn token_fingerprint(&self, token: &str) -> [u8; 32] {
        self.keys.site().fingerprint("api-key", token.as_bytes())
    }

    /// The account of a key.
    pub(crate) async fn find_key(&self, token: &str) -> Result<Option<Id>> {
        if !well_formed(token) {
            return Ok(None);
        }
        let account: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT account FROM api_key WHERE token_print = ?")
                .bind(self.token_fingerprint(token).as_slice())
                .fetch_optional(self.db.read())
                .await
                .map_err(sql)?;
        account.map(|account| Id::from_column(&account)).transpose()
    }

    /// The keys of an account, the oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn keys(&self, account: Id) -> Result<Vec<ListedKey>> {
        let rows: Vec<(Vec<u8>, Vec<u8>, String, i64)> = sqlx::query_as(
            "SELECT id, name_sealed, hint, created_day FROM api_key WHERE account = ? ORDER BY created_day, id",
        )
        .bind(account.as_bytes().as_slice())
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        let key = self.keys.get(account).await?;
        rows.into_iter()
            .map(|(id, sealed, hint, created_day)| {
                let id = Id::from_column(&id)?;
                let name =
                    String::from_utf8_lossy(&vault::open_field(&key, id, NAME_FIELD, &sealed)?).into_owned();
                Ok(ListedKey { id, name, hint, created_day })
            })
            .collect()
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// `NotFound` when the account has no such key.
    pub async fn revoke_key(&self, account: Id, id: Id) -> Result<()> {
        let mut writing = self.db.write().await?;
        let done = sqlx::query("DELETE FROM api_key WHERE account = ? AND id = ?")
            .bind(account.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::not_found("There is no such key.")) }
    }
}

/// Body of `POST /api/tokens`.
#[derive(Deserialize)]
pub struct TokenName {
    name: String,
}

/// An answer of `/api/tokens`.
#[derive(Serialize)]
pub struct TokenAnswer {
    id: Id,
    name: String,
    token_value: String,
    is_active: bool,
    created_at: String,
}

/// `POST /api/tokens`, for a browser session.
pub async fn tokens_create(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Json(body): Json<TokenName>,
) -> Reply<Json<Value>> {
    let key = accounts.create_key(member.account(), &body.name).await?;
    let created_at = day_text(accounts.clock.today());
    Ok(Json(
        json!({ "id": key.id, "token": key.token.reveal(purpose::ShowOnce), "name": key.name, "created_at": created_at }),
    ))
}

/// `GET /api/tokens`, for a browser session.
pub async fn tokens_list(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
) -> Reply<Json<Vec<TokenAnswer>>> {
    let answer = |key: ListedKey| TokenAnswer {
        id: key.id,
        name: key.name,
        token_value: format!("{PREFIX}{}...****", key.hint),
        is_active: true,
        created_at: day_text(key.created_day),
    };
    Ok(Json(accounts.keys(member.account()).await?.into_iter().map(answer).collect()))
}

/// `DELETE /api/tokens/{id}`, for a browser session.
pub async fn tokens_delete(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    accounts.revoke_key(member.account(), id.parse()?).await?;
    Ok(Json(json!({ "success": true })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_noticed() {
        let random = "abcdefghijklmnopqrstuvwxyz0";
        let token = format!("{PREFIX}{random}{}", checksum(random));
        assert_eq!(token.len(), PREFIX.len() + BODY_CHARS);
        assert!(well_formed(&token));
        for wrong in ["", PREFIX, &token[1..], &token[..token.len() - 1], &token.replace('c', "d")] {
            assert!(!well_formed(wrong), "{wrong}");
        }
    }
}
