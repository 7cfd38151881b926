//! This owns API keys on the account page.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use kernel::{Id, Result, purpose};
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Site, say_failure};
use serde::Deserialize;

use crate::{Accounts, Member, day_text};

/// API keys, as the account page shows them.
pub(crate) struct KeysSection {
    pub(crate) keys: Vec<KeyView>,
    /// A key that was just made, shown this once.
    pub(crate) new_key: Option<String>,
}

/// A key that can be revoked.
pub(crate) struct KeyView {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) hint: String,
    pub(crate) created: String,
}

impl Accounts {
    pub(crate) async fn keys_section(&self, account: Id) -> Result<KeysSection> {
        let view = |key: super::ListedKey| KeyView {
            id: key.id,
            name: key.name,
            hint: key.hint,
            created: day_text(key.created_day),
        };
        Ok(KeysSection { keys: self.keys(account).await?.into_iter().map(view).collect(), new_key: None })
    }
}

/// Name of a new key.
#[derive(Deserialize)]
pub struct KeyForm {
    name: String,
}

/// `POST /account/keys`: the page again, with the key shown this once.
pub async fn create_key(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Form(form): Form<KeyForm>,
) -> Reply<impl IntoResponse> {
    let made = accounts.create_key(member.account(), &form.name).await;
    let mut view = accounts.account_page(&site, &visitor, member).await?;
    let status = match made {
        Ok(key) => {
            view.keys.new_key = Some(key.token.reveal(purpose::ShowOnce).to_owned());
            StatusCode::OK
        }
        Err(error) => {
            view.wrong = Some(say_failure(visitor.locale, &error.public));
            StatusCode::from_u16(error.kind.http_status()).unwrap_or_default()
        }
    };
    Ok((status, Html(view)))
}

/// `POST /account/keys/{id}/revoke`.
pub async fn revoke_key(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Redirect> {
    accounts.revoke_key(member.account(), id).await?;
    Ok(Redirect::to("/account"))
}
