//! This owns the pages of sign-in and account.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Error, Id, Kind, Locale, Typed, purpose};
use platform::http::{Client, Cookie, Html, Reply, Visitor};
use platform::ui::{Nav, Page, Site, say, say_count, say_failure};
use serde::Deserialize;

use crate::ledger::{Balance, Line};
use crate::session::SESSION_SECONDS;
use crate::sign_in::CODE_SECONDS;
use crate::view::{AccountPage, LineView, Revocable, SignInPage};
use crate::{Accounts, Member, day_text};

/// Ledger lines on the page.
const LINES_MAX: u32 = 60;

/// Where to go after sign-in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
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

/// A path of this site to go to, or the studio.
fn local(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_".contains(&b));
    if next.starts_with('/') && !next.starts_with("//") && plain { next } else { "/studio" }
}

fn sign_in_page(
    site: &Arc<Site>,
    visitor: &Visitor,
    next: &str,
    sent: Option<()>,
    wrong: Option<&Error>,
) -> Response {
    let page = Page::new(site, visitor, Nav::Other, say(visitor.locale, "sign-in-title"));
    let status = wrong.map_or(200, |error| error.kind.http_status());
    let view = SignInPage {
        page,
        code_sent: sent.is_some(),
        next: local(next).to_owned(),
        wrong: wrong.map(|error| say_failure(visitor.locale, &error.public)),
    };
    (StatusCode::from_u16(status).unwrap_or_default(), Html(view)).into_response()
}

/// `GET /sign-in`.
pub async fn sign_in(State(site): State<Arc<Site>>, visitor: Visitor, Query(next): Query<Next>) -> Response {
    sign_in_page(&site, &visitor, &next.next, None, None)
}

/// `POST /sign-in`: the same answer for every address.
pub async fn send_code(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    client: Client,
    visitor: Visitor,
    Form(form): Form<AddressForm>,
) -> Reply {
    match accounts.send_code(&form.address, &client, visitor.locale).await {
        Ok(browser) => {
            let bound =
                Cookie::SignIn.set(browser.reveal(purpose::ShowOnce), CODE_SECONDS, accounts.public_url());
            Ok(([(header::SET_COOKIE, bound)], sign_in_page(&site, &visitor, &form.next, Some(()), None))
                .into_response())
        }
        Err(error) if matches!(error.kind, Kind::Invalid | Kind::RateLimited) => {
            Ok(sign_in_page(&site, &visitor, &form.next, None, Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
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
            let url = accounts.public_url();
            let cookies = [
                (
                    header::SET_COOKIE,
                    Cookie::Session.set(token.reveal(purpose::ShowOnce), SESSION_SECONDS, url),
                ),
                (header::SET_COOKIE, Cookie::SignIn.forget(url)),
            ];
            let mut response = Redirect::to(local(&form.next)).into_response();
            response.headers_mut().extend(cookies);
            Ok(response)
        }
        Err(error) if matches!(error.kind, Kind::Invalid | Kind::RateLimited) => {
            Ok(sign_in_page(&site, &visitor, &form.next, Some(()), Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What makes a browser forget that it was signed in. Cookies go by their names: `Clear-Site-Data` would take those of every
/// other host of the domain too.
pub fn forgetting(accounts: &Accounts) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for cookie in [Cookie::Session, Cookie::SignIn] {
        headers.append(header::SET_COOKIE, cookie.forget(accounts.public_url()));
    }
    headers.insert("clear-site-data", header::HeaderValue::from_static("\"cache\", \"storage\""));
    headers
}

/// Leads a browser that is not signed in any more to the gallery.
fn signed_out(accounts: &Accounts) -> Response {
    (forgetting(accounts), Redirect::to("/")).into_response()
}

/// `POST /sign-out`.
pub async fn sign_out(State(accounts): State<Arc<Accounts>>, member: Member) -> Reply {
    accounts.end_sessions(member.account(), Some(member.session())).await?;
    Ok(signed_out(&accounts))
}

/// `POST /account/sessions/revoke-all`.
pub async fn revoke_all(State(accounts): State<Arc<Accounts>>, member: Member) -> Reply {
    accounts.end_sessions(member.account(), None).await?;
    Ok(signed_out(&accounts))
}

/// `POST /account/sessions/{id}/revoke`.
pub async fn revoke_session(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Redirect> {
    accounts.end_sessions(member.account(), Some(id)).await?;
    Ok(Redirect::to("/account"))
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

/// `GET /account`.
pub async fn account(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
) -> Reply<impl IntoResponse> {
    Ok(Html(accounts.account_page(&site, &visitor, member).await?))
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
            view.new_key = Some(key.token.reveal(purpose::ShowOnce).to_owned());
            StatusCode::OK
        }
        Err(error) => {
            view.wrong = Some(say_failure(visitor.locale, &error.public));
            StatusCode::from_u16(error.kind.http_status()).unwrap_or_default()
        }
    };
    Ok((status, Html(view)))
}

/// The buckets to show: the daily one, and others that have something in them.
fn buckets(balance: Balance) -> Vec<(&'static str, u32)> {
    let others = [
        ("bucket-welcome", balance.welcome),
        ("bucket-purchased", balance.purchased),
        ("bucket-held", balance.held),
    ];
    let filled = others.into_iter().filter(|(_, credits)| *credits > 0);
    [("bucket-daily", balance.daily)].into_iter().chain(filled).collect()
}

fn line_view(locale: Locale, line: &Line) -> LineView {
    let names = line.buckets.split(',').map(|bucket| say(locale, &format!("bucket-{bucket}")));
    LineView {
        day: day_text(line.day),
        what: say_count(locale, &format!("line-{}", line.reason), line.credits.into()),
        buckets: names.collect::<Vec<_>>().join(" + "),
        amount: if line.amount == 0 { "0".to_owned() } else { format!("{:+}", line.amount) },
    }
}

impl Accounts {
    async fn account_page(
        &self,
        site: &Arc<Site>,
        visitor: &Visitor,
        member: Member,
    ) -> kernel::Result<AccountPage> {
        let account = member.account();
        let balance = self.balance(account).await?;
        let lines = self.lines(account, LINES_MAX).await?;
        let keys = self.keys(account).await?.into_iter().map(|key| Revocable {
            id: key.id.to_string(),
            name: format!("{} · {}…", key.name, key.hint),
            created: day_text(key.created_day),
            used: String::new(),
            current: false,
        });
        let sessions = self.sessions(account).await?.into_iter().map(|session| Revocable {
            id: session.id.to_string(),
            name: String::new(),
            created: day_text(session.created_day),
            used: day_text(session.used_day),
            current: session.id == member.session(),
        });
        Ok(AccountPage {
            page: Page::new(site, visitor, Nav::Account, say(visitor.locale, "account-title"))
                .for_member(Some(&member)),
            buckets: buckets(balance),
            lines: lines.iter().map(|line| line_view(visitor.locale, line)).collect(),
            keys: keys.collect(),
            new_key: None,
            sessions: sessions.collect(),
            wrong: None,
        })
    }
}
