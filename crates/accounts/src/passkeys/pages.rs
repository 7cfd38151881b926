//! This owns passkeys on the account page and at the door, and what scripts of those pages ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use kernel::{Id, Result, purpose};
use platform::http::limits::{GUESSES, QUESTIONS};
use platform::http::{Client, Cookie, Failure, Reply, Visitor};
use platform::ui::say;
use serde::Deserialize;

use super::ceremony::{NewCredential, Proof};
use super::{ANSWER_SECONDS, Asked, ListedPasskey};
use crate::sign_in::pages::signed_in;
use crate::{Accounts, Member, day_text};

/// Passkeys, as the account page shows them.
pub(crate) struct PasskeysSection {
    pub(crate) passkeys: Vec<PasskeyView>,
}

/// A passkey that can be removed.
pub(crate) struct PasskeyView {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) created: String,
    /// Empty for one that was not used yet.
    pub(crate) used: String,
}

/// Accounts of a site that offers passkeys; elsewhere there is nothing at the address, for whoever asks.
pub struct Offered(Arc<Accounts>);

impl<S: Send + Sync> FromRequestParts<S> for Offered
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Failure> {
        let accounts = Arc::<Accounts>::from_ref(state);
        accounts.passkeys()?;
        Ok(Self(accounts))
    }
}

impl Accounts {
    pub(crate) async fn passkeys_section(&self, account: Id) -> Result<Option<PasskeysSection>> {
        if self.passkeys.is_none() {
            return Ok(None);
        }
        let view = |passkey: ListedPasskey| PasskeyView {
            id: passkey.id,
            name: passkey.name,
            created: day_text(passkey.created_day),
            used: passkey.used_day.map(day_text).unwrap_or_default(),
        };
        let passkeys = self.list_passkeys(account).await?.into_iter().map(view).collect();
        Ok(Some(PasskeysSection { passkeys }))
    }
}

/// The question, and the cookie that binds it to the browser.
fn asked(accounts: &Accounts, asked: Asked) -> impl IntoResponse + use<> {
    let browser = asked.browser.reveal(purpose::ShowOnce);
    let cookie = Cookie::Passkey.set(browser, ANSWER_SECONDS.into(), accounts.public_url());
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Json(asked.question))
}

/// `POST /sign-in/passkey/question`.
pub async fn ask_for_proof(Offered(accounts): Offered, client: Client) -> Reply<impl IntoResponse> {
    client.count(&QUESTIONS)?;
    Ok(asked(&accounts, accounts.ask_for_proof()?))
}

/// `POST /sign-in/passkey`: nothing but a session.
pub async fn sign_in_with_passkey(
    Offered(accounts): Offered,
    client: Client,
    headers: HeaderMap,
    Json(proof): Json<Proof>,
) -> Reply<impl IntoResponse> {
    let browser = Cookie::Passkey.of(&headers).unwrap_or_default();
    let token = accounts.sign_in_with_passkey(browser, &proof, &client).await?;
    Ok((signed_in(&accounts, &token, Cookie::Passkey), StatusCode::NO_CONTENT))
}

/// `POST /account/passkeys/question`.
pub async fn ask_for_new_passkey(
    Offered(accounts): Offered,
    client: Client,
    visitor: Visitor,
    member: Member,
) -> Reply<impl IntoResponse> {
    client.count(&QUESTIONS)?;
    let shown = say(visitor.locale, "passkey-member");
    Ok(asked(&accounts, accounts.ask_for_new_passkey(member.account(), &shown).await?))
}

/// A new passkey and its name.
#[derive(Deserialize)]
pub struct NewPasskey {
    name: String,
    credential: NewCredential,
}

/// `POST /account/passkeys`.
pub async fn add_passkey(
    Offered(accounts): Offered,
    client: Client,
    member: Member,
    headers: HeaderMap,
    Json(new): Json<NewPasskey>,
) -> Reply<impl IntoResponse> {
    let browser = Cookie::Passkey.of(&headers).unwrap_or_default();
    let added = accounts.add_passkey(member.account(), browser, &new.name, &new.credential).await;
    if added.is_err() {
        client.count(&GUESSES)?;
    }
    added?;
    let done = Cookie::Passkey.forget(accounts.public_url());
    Ok((AppendHeaders([(header::SET_COOKIE, done)]), StatusCode::NO_CONTENT))
}

/// `POST /account/passkeys/{id}/remove`.
pub async fn remove_passkey(
    Offered(accounts): Offered,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Redirect> {
    accounts.remove_passkey(member.account(), id).await?;
    Ok(Redirect::to("/account"))
}
