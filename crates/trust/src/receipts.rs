//! This owns checking receipts of deletions, and the public log that they stand in, as c2sp.org/tlog-tiles has it.

use std::sync::Arc;

use accounts::MaybeMember;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kernel::clock::utc_text;
use kernel::{Error, Result};
use platform::http::{Html, Reply, Visitor};
use platform::keys::Keys;
use platform::keys::log::Checked;
use platform::statistics::{Counter, Visit};
use platform::ui::{Nav, Page, Receipt, Said, Site, say, say_failure};
use serde::Deserialize;
use vault::receipt::{Tile, bundle_bytes, bundle_from_path};

/// What does not change once it is written may be kept for good.
const IMMUTABLE: &str = "public, max-age=604800, immutable";
/// How long a browser may keep the state of the log.
const FRESH: &str = "public, max-age=5";

/// A receipt, as pasted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pasted {
    receipt: String,
}

/// What a good receipt shows.
struct Found {
    records: u32,
    time: String,
    /// `entry / entries in all`.
    place: Option<String>,
    completed: Option<Receipt>,
}

#[derive(askama::Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    page: Page,
    key: String,
    pasted: String,
    found: Option<Found>,
    wrong: Option<Said>,
}

/// `GET /verify`.
pub async fn verify_form(
    State(keys): State<Keys>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
) -> Reply<impl IntoResponse> {
    let page = page(&site, &visitor, &member);
    let key = keys.verifier().to_string();
    Ok(Html(VerifyPage { page, key, pasted: String::new(), found: None, wrong: None }))
}

/// `POST /verify`: checks a receipt; it is kept nowhere.
pub async fn verify(
    State(keys): State<Keys>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
    visit: Visit,
    Form(Pasted { receipt }): Form<Pasted>,
) -> Reply<impl IntoResponse> {
    visit.count(Counter::ReceiptChecked, member.account());
    let (status, found, wrong) = match keys.check_receipt(&receipt).await {
        Ok(checked) => (200, Some(found(checked)), None),
        Err(error) if error.field.is_some() => (400, None, Some(say_failure(visitor.locale, &error.public))),
        Err(error) => return Err(error.into()),
    };
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    let page = page(&site, &visitor, &member);
    let key = keys.verifier().to_string();
    // What is no receipt is not repeated: it may be anything that was in the clipboard.
    let pasted = if wrong.is_some() { String::new() } else { receipt };
    Ok((status, Html(VerifyPage { page, key, pasted, found, wrong })))
}

fn page(site: &Arc<Site>, visitor: &Visitor, member: &MaybeMember) -> Page {
    Page::new(site, visitor, Nav::Other, say(visitor.locale, "verify-title")).for_member(member.0.as_ref())
}

fn found(checked: Checked) -> Found {
    let Checked { verified, completed } = checked;
    Found {
        records: u32::try_from(verified.deletion.records.len()).unwrap_or(u32::MAX),
        time: utc_text(verified.deletion.time),
        place: verified.inclusion.map(|place| format!("{} / {}", place.index, place.size)),
        completed: completed.map(Receipt::from),
    }
}

/// `GET /log/checkpoint`: the signed state of the log.
pub async fn checkpoint(State(keys): State<Keys>) -> Reply<impl IntoResponse> {
    let text = keys.log_checkpoint().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, FRESH)], text))
}

/// `GET /log/tile/{*path}`: hashes as `LEVEL/NUMBER`, entries as `entries/NUMBER`.
pub async fn tile(State(keys): State<Keys>, Path(path): Path<String>) -> Reply<impl IntoResponse> {
    let bytes = read(&keys, &path).await?;
    let fixed = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, IMMUTABLE)];
    Ok((fixed, bytes))
}

async fn read(keys: &Keys, path: &str) -> Result<Vec<u8>> {
    let missing = || Error::not_found("The log has no such tile.");
    match path.strip_prefix("entries/") {
        Some(path) => {
            let number = bundle_from_path(path).ok_or_else(missing)?;
            Ok(bundle_bytes(&keys.log_entries(number).await?))
        }
        None => keys.log_tile(Tile::from_path(path).ok_or_else(missing)?).await,
    }
}
