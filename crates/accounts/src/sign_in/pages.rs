//! This owns the pages of signing in and out.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use kernel::{Error, Kind, Token, Typed, purpose};
use platform::http::{Client, Cookie, Html, Reply, Visitor};
use platform::ui::{Nav, Page, Said, Site, say, say_failure};
use serde::Deserialize;

use super::CODE_SECONDS;
use super::live::{Told, tell};
use crate::sessions::SESSION_SECONDS;
use crate::{Accounts, Member};

/// `GET /sign-in`.
#[derive(askama::Template)]
#[template(path = "sign_in/sign_in.html")]
struct SignInPage {
    page: Page,
    /// How far the mail is with the code that is asked for; nothing while an address is.
    mail: Option<Told>,
    /// Whether passkeys are offered beside it.
    passkeys: bool,
    /// Where to go afterwards.
    next: String,
    wrong: Option<Said>,
}

/// Where to go after sign-in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Next {
    pub(crate) next: String,
}

/// An address, as typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AddressForm {
    address: Typed,
    next: String,
}

/// A code, as typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    code: Typed,
    next: String,
}

/// An address of this site to go to, or the studio.
pub(crate) fn local(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_?=&%+.".contains(&b));
    if next.starts_with('/') && !next.starts_with("//") && plain { next } else { "/studio" }
}

fn sign_in_page(
    accounts: &Accounts,
    site: &Arc<Site>,
    visitor: &Visitor,
    next: &str,
    mail: Option<Told>,
    wrong: Option<&Error>,
) -> Response {
    let page = Page::new(site, visitor, Nav::Other, say(visitor.locale, "sign-in-title"));
    let status = wrong.map_or(200, |error| error.kind.http_status());
    let view = SignInPage {
        page,
        mail,
        passkeys: accounts.passkeys().is_ok(),
        next: local(next).to_owned(),
        wrong: wrong.map(|error| say_failure(visitor.locale, &error.public)),
    };
    (StatusCode::from_u16(status).unwrap_or_default(), Html(view)).into_response()
}

/// `GET /sign-in`.
pub async fn sign_in(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(next): Query<Next>,
) -> Response {
    sign_in_page(&accounts, &site, &visitor, &next.next, None, None)
}

/// `POST /sign-in`: the same answer for every address. It leads to the page that asks for the code, which can be loaded again.
pub async fn send_code(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    client: Client,
    visitor: Visitor,
    Form(form): Form<AddressForm>,
) -> Reply {
    match accounts.send_code(&form.address, &client, visitor.locale) {
        Ok(browser) => {
            let token = browser.reveal(purpose::ShowOnce);
            let bound = Cookie::SignIn.set(token, CODE_SECONDS.into(), accounts.public_url());
            let page = format!("/sign-in/code?next={}", local(&form.next));
            Ok(([(header::SET_COOKIE, bound)], Redirect::to(&page)).into_response())
        }
        Err(error) if is_for_the_visitor(&error) => {
            Ok(sign_in_page(&accounts, &site, &visitor, &form.next, None, Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is said on the page, beside what was asked for.
fn is_for_the_visitor(error: &Error) -> bool {
    matches!(error.kind, Kind::Invalid | Kind::RateLimited)
}

/// How far the mail is with the code of the browser that asks.
fn mail_of(accounts: &Accounts, visitor: &Visitor, headers: &HeaderMap) -> Told {
    let progress = accounts.mail_to(Cookie::SignIn.of(headers).unwrap_or_default());
    tell(progress.map(|progress| *progress.borrow()), visitor.locale)
}

/// `GET /sign-in/code`: asks for the code, and says how far the mail with it is.
pub async fn ask_for_code(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(next): Query<Next>,
) -> Response {
    let mail = mail_of(&accounts, &visitor, &headers);
    sign_in_page(&accounts, &site, &visitor, &next.next, Some(mail), None)
}

/// `POST /sign-in/code`.
pub async fn redeem_code(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    client: Client,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Reply {
    let browser = Cookie::SignIn.of(&headers).unwrap_or_default();
    match accounts.redeem_code(browser, &form.code, &client).await {
        Ok((_, token)) => {
            let cookies = signed_in(&accounts, &token, Cookie::SignIn);
            Ok((cookies, Redirect::to(local(&form.next))).into_response())
        }
        Err(error) if is_for_the_visitor(&error) => {
            let mail = mail_of(&accounts, &visitor, &headers);
            Ok(sign_in_page(&accounts, &site, &visitor, &form.next, Some(mail), Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The cookie of a new session; the one that led to it has done its work.
pub(crate) fn signed_in(
    accounts: &Accounts,
    token: &Token,
    done: Cookie,
) -> AppendHeaders<[(HeaderName, HeaderValue); 2]> {
    let url = accounts.public_url();
    let session = Cookie::Session.set(token.reveal(purpose::ShowOnce), SESSION_SECONDS, url);
    AppendHeaders([(header::SET_COOKIE, session), (header::SET_COOKIE, done.forget(url))])
}

/// What makes a browser forget that it was signed in. Cookies go by their names: `Clear-Site-Data` would take those of every
/// other host of the domain too.
pub fn forgetting(accounts: &Accounts) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for cookie in [Cookie::Session, Cookie::SignIn, Cookie::Passkey] {
        headers.append(header::SET_COOKIE, cookie.forget(accounts.public_url()));
    }
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    headers
}

/// Leads a browser that is not signed in any more to the gallery.
pub(crate) fn signed_out(accounts: &Accounts) -> Response {
    (forgetting(accounts), Redirect::to("/")).into_response()
}

/// `POST /sign-out`.
pub async fn sign_out(State(accounts): State<Arc<Accounts>>, member: Member) -> Reply {
    accounts.end_sessions(member.account(), Some(member.session())).await?;
    Ok(signed_out(&accounts))
}
