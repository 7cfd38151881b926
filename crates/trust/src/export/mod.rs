//! This owns what a member takes along: one ZIP archive with everything held about the account, sent as it is made, from any
//! byte on. Decision 0012 says why it has this form.

mod archive;
mod held;
mod index;
mod packing;
mod running;
mod sending;

use std::sync::Arc;

use accounts::{Accounts, Member, day_text};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::http::{ByteRange, Heard, Reply, Visitor};
use platform::ui::Site;
use studio::Studio;

pub(crate) use held::{PICTURES, of_line, tables};
use packing::Owner;
pub(crate) use packing::account_json;
use running::Start;
pub use running::{Exports, export_events};
use sending::Sending;

/// `GET /account/export`: everything held about the account as a file, or some bytes of it.
pub async fn export(
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    State(exports): State<Exports>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    headers: HeaderMap,
) -> Reply {
    let asked = ByteRange::of(&headers);
    let start = if asked.is_some_and(|range| range.first > 0) { Start::Within } else { Start::Afresh };
    let (account, today) = (member.account(), exports.today());
    let claim = exports.claim(account, start)?;
    let owner = Owner { account, locale: visitor.locale, site: &site.name, today };
    let parcel = packing::pack(&accounts, &studio, &owner).await?;

    let bytes = parcel.layout.bytes();
    let fixed = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"safelight-{}.zip\"", day_text(today))),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, parcel.etag.clone()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    // A part of another state is of no use to anybody: then all of this one is sent.
    let same = Heard::IfRange.of(&headers).is_none_or(|state| state == parcel.etag);
    let Some(range) = asked.filter(|_| same) else {
        let body = Sending::new(parcel, studio.blobs().clone(), claim, 0..bytes).into_body();
        return Ok((fixed, [(header::CONTENT_LENGTH, bytes)], body).into_response());
    };
    let Some(range) = range.within(bytes) else { return Ok(outside(fixed, bytes)) };
    let length = range.end - range.start;
    let span = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
    let body = Sending::new(parcel, studio.blobs().clone(), claim, range).into_body();
    let part = [(header::CONTENT_RANGE, span), (header::CONTENT_LENGTH, length.to_string())];
    Ok((StatusCode::PARTIAL_CONTENT, fixed, part, body).into_response())
}

/// The answer to who has all of it already, or asks for what is not there.
fn outside(fixed: [(header::HeaderName, String); 5], bytes: u64) -> Response {
    let span = [(header::CONTENT_RANGE, format!("bytes */{bytes}"))];
    (StatusCode::RANGE_NOT_SATISFIABLE, fixed, span, Body::empty()).into_response()
}
