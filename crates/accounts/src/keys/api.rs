//! This owns API keys in JSON, for the browser session of their owner. A key does not manage keys: no handler here takes one.
//! There is no list of what a key was used for, since no row says which key asked for a picture.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use kernel::{Id, purpose};
use platform::http::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{KeyWish, ListedKey, PREFIX, Scope, Scopes};
use crate::{Accounts, Member, day_text};

/// Body of `POST /api/tokens`; without a lifetime the key works until it is revoked, without scopes for everything.
#[derive(Deserialize)]
pub struct TokenWish {
    name: String,
    expires_in_days: Option<i64>,
    scopes: Option<Vec<Scope>>,
}

/// A key in an answer of `/api/tokens`.
#[derive(Serialize)]
pub struct TokenAnswer {
    id: Id,
    name: String,
    token_value: String,
    is_active: bool,
    scopes: Vec<Scope>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

impl TokenAnswer {
    fn of(key: ListedKey, today: i64) -> Self {
        Self {
            is_active: key.works_on(today),
            id: key.id,
            name: key.name,
            token_value: format!("{PREFIX}{}...****", key.hint),
            scopes: key.scopes.iter().collect(),
            created_at: day_text(key.created_day),
            expires_at: key.last_day.map(day_text),
            last_used_at: key.used_day.map(day_text),
        }
    }
}

/// A new key: as it is listed, and whole this once.
#[derive(Serialize)]
pub struct NewTokenAnswer {
    token: String,
    #[serde(flatten)]
    listed: TokenAnswer,
}

/// `POST /api/tokens`.
pub async fn tokens_create(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Json(body): Json<TokenWish>,
) -> Reply<Json<NewTokenAnswer>> {
    let scopes = body.scopes.map_or(Ok(Scopes::ALL), Scopes::of)?;
    let wish = KeyWish { name: body.name, scopes, days: body.expires_in_days };
    let key = accounts.create_key(member.account(), wish).await?;
    let token = key.token.reveal(purpose::ShowOnce).to_owned();
    Ok(Json(NewTokenAnswer { token, listed: TokenAnswer::of(key.listed, accounts.clock.today()) }))
}

/// `GET /api/tokens`.
pub async fn tokens_list(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
) -> Reply<Json<Vec<TokenAnswer>>> {
    let (keys, today) = (accounts.keys(member.account()).await?, accounts.clock.today());
    Ok(Json(keys.into_iter().map(|key| TokenAnswer::of(key, today)).collect()))
}

/// `DELETE /api/tokens/{id}`.
pub async fn tokens_delete(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    accounts.revoke_key(member.account(), id.parse()?).await?;
    Ok(Json(json!({ "success": true })))
}
