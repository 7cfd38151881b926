//! This owns the page on which the site says what it keeps and why that can be checked.

use std::sync::Arc;

use accounts::MaybeMember;
use axum::extract::State;
use axum::response::IntoResponse;
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Nav, Page, Site, say};
use studio::Studio;

use crate::data_map::{Stored, data_map};
use crate::promises::{Promise, promises};

#[derive(askama::Template)]
#[template(path = "transparency.html")]
struct TransparencyPage {
    page: Page,
    promises: Vec<Promise>,
    engines: Vec<(String, Option<String>)>,
    map: Vec<Stored>,
}

/// `GET /transparency`.
pub async fn transparency(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
) -> Reply<impl IntoResponse> {
    let engines = studio.models().all().map(|model| {
        let host = match &model.place {
            engines::Place::Here => None,
            engines::Place::Remote(host) => Some(host.clone()),
        };
        (model.name.clone(), host)
    });
    let title = say(visitor.locale, "transparency-title");
    Ok(Html(TransparencyPage {
        page: Page::new(&site, &visitor, Nav::Other, title).for_member(member.0.as_ref()),
        promises: promises()?,
        engines: engines.collect(),
        map: data_map()?,
    }))
}
