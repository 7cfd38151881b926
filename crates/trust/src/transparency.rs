//! This owns the page on which the site says what it keeps and why that can be checked.

use std::sync::Arc;

use accounts::{Accounts, Disclosures, MaybeMember};
use axum::extract::State;
use axum::response::IntoResponse;
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Nav, Page, Site, say};
use studio::Studio;

use crate::audit::{LastAudit, Summary};
use crate::data_map::{Stored, data_map};
use crate::promises::{Promise, promises};
use crate::statement::engines;

#[derive(askama::Template)]
#[template(path = "transparency.html")]
struct TransparencyPage {
    page: Page,
    promises: Vec<Promise>,
    engines: Vec<(String, Option<String>)>,
    audit: Option<Summary>,
    disclosures: Vec<Disclosures>,
    map: Vec<Stored>,
}

/// `GET /transparency`.
pub async fn transparency(
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    State(last): State<LastAudit>,
    visitor: Visitor,
    member: MaybeMember,
) -> Reply<impl IntoResponse> {
    let title = say(visitor.locale, "transparency-title");
    Ok(Html(TransparencyPage {
        page: Page::new(&site, &visitor, Nav::Other, title).for_member(member.0.as_ref()),
        promises: promises()?,
        engines: engines(&studio),
        audit: last.get()?,
        disclosures: accounts.disclosures().await?,
        map: data_map()?.stored,
    }))
}
