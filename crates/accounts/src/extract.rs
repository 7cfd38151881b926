//! This owns who is asking: a member by session cookie, a program by API key, or nobody.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Error, Id, Kind};
use platform::http::limits::GUESSES;
use platform::http::{Client, Cookie, Failure, Heard};
use platform::statistics::{Counter, Who};
use platform::ui::SignedIn;

use crate::keys::{Found, Scope, Scopes};
use crate::{Accounts, unauthenticated};

/// Someone who is signed in. Where it is asked for and nobody is, pages lead to sign-in and programs get 401.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    account: Id,
    session: Id,
    shown: SignedIn,
}

impl Member {
    pub(crate) const fn new(account: Id, session: Id, notice_day: Option<i64>) -> Self {
        Self { account, session, shown: SignedIn { notice_day } }
    }

    /// Whose session it is.
    #[must_use]
    pub const fn account(&self) -> Id {
        self.account
    }

    /// Which session it is.
    #[must_use]
    pub const fn session(&self) -> Id {
        self.session
    }
}

impl AsRef<SignedIn> for Member {
    fn as_ref(&self) -> &SignedIn {
        &self.shown
    }
}

/// Someone who may be signed in.
#[derive(Clone, Copy, Debug)]
pub struct MaybeMember(pub Option<Member>);

impl MaybeMember {
    /// Whose session it is, if it is anyone's.
    #[must_use]
    pub fn account(&self) -> Option<Id> {
        self.0.as_ref().map(Member::account)
    }
}

/// A program with an API key. Whose it is comes out only for what the key may do.
#[derive(Clone, Copy, Debug)]
pub struct ApiCaller {
    account: Id,
    scopes: Scopes,
}

impl ApiCaller {
    /// Whose key it is, for something that the key may do.
    ///
    /// # Errors
    /// `Forbidden` where it may not.
    pub fn may(&self, scope: Scope) -> kernel::Result<Id> {
        if self.scopes.has(scope) {
            return Ok(self.account);
        }
        Err(Error::new(Kind::Forbidden, scope.refusal()).with_code("scope_missing"))
    }

    /// Whether it is a key of this account, whatever it may do.
    #[must_use]
    pub fn is_of(&self, account: Id) -> bool {
        self.account == account
    }
}

/// A cookie that opens nothing counts as a guess, and so does a token.
async fn find(accounts: &Accounts, parts: &Parts) -> kernel::Result<Option<Member>> {
    let Some(token) = Cookie::Session.of(&parts.headers) else { return Ok(None) };
    let found = accounts.find_session(token).await?;
    if found.is_none() {
        Client::count_of(parts, &GUESSES)?;
    }
    Ok(found)
}

impl<S: Send + Sync> FromRequestParts<S> for Member
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let accounts = Arc::<Accounts>::from_ref(state);
        if let Some(member) = find(&accounts, parts).await.map_err(|error| Failure(error).into_response())? {
            return Ok(member);
        }
        let wants_page =
            Heard::Accept.of(&parts.headers).is_some_and(|accept| accept.starts_with("text/html"));
        if wants_page {
            let next = if parts.method == axum::http::Method::GET { parts.uri.path() } else { "/studio" };
            return Err((StatusCode::SEE_OTHER, [(header::LOCATION, format!("/sign-in?next={next}"))])
                .into_response());
        }
        Err(Failure(unauthenticated()).into_response())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeMember
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        Ok(Self(find(&Arc::<Accounts>::from_ref(state), parts).await?))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    Heard::Authorization.of(headers)?.strip_prefix("Bearer ").map(str::trim)
}

fn bad_token() -> Failure {
    Failure(Error::new(
        Kind::Unauthenticated,
        "The token is missing, invalid or revoked. Send Authorization: Bearer with a key from your account page.",
    ))
}

fn expired_token() -> Failure {
    let words = "This token has expired. Make another key on your account page.";
    Failure(Error::new(Kind::Unauthenticated, words).with_code("token_expired"))
}

impl<S: Send + Sync> FromRequestParts<S> for ApiCaller
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let token = bearer(&parts.headers).ok_or_else(bad_token)?;
        let accounts = Arc::<Accounts>::from_ref(state);
        match accounts.find_key(token).await? {
            Found::Key(account, scopes) => {
                accounts.counters.count(Counter::ProgramCall, Who::Account(account));
                Ok(Self { account, scopes })
            }
            Found::Expired => Err(expired_token()),
            Found::Nothing => {
                Client::count_of(parts, &GUESSES)?;
                Err(bad_token())
            }
        }
    }
}

/// No key is fine; a wrong one is not.
impl<S: Send + Sync> OptionalFromRequestParts<S> for ApiCaller
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Failure> {
        if bearer(&parts.headers).is_none() {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}
