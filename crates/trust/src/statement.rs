//! This owns what the site says of itself to programs: `/.well-known/privacy.json`, from the same data as the page for people.
//! Its shape is documented in `docs/privacy-json.md`.

use std::sync::Arc;

use accounts::Accounts;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use kernel::Result;
use platform::http::Reply;
use platform::ui::Site;
use serde_json::{Value, json};
use studio::Studio;

use crate::audit::{LastAudit, Summary};
use crate::data_map::data_map;
use crate::promises::{self, promises};

/// Version of the shape.
const SHAPE: u32 = 1;
/// How long a program may go without asking again.
const FRESH: &str = "public, max-age=300";

/// `GET /.well-known/privacy.json`.
pub async fn statement(
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    State(last): State<LastAudit>,
) -> Reply<impl IntoResponse> {
    let audit = last.get()?.as_ref().map(Summary::json);
    let engines = engines(&studio).into_iter().map(|(name, host)| json!({ "name": name, "remote": host }));
    let statement = json!({
        "version": SHAPE,
        "software": { "name": "Safelight", "version": env!("CARGO_PKG_VERSION") },
        "policy": { "version": promises::version() },
        "contact": site.contact,
        "promises": vows()?,
        "purposes": data_map()?.purposes,
        "data": data()?,
        "engines": engines.collect::<Vec<_>>(),
        "audit": audit,
        "disclosures": accounts.disclosures().await?,
    });
    Ok(([(header::CACHE_CONTROL, FRESH)], Json(statement)))
}

fn vows() -> Result<Vec<Value>> {
    let vow = |promise: promises::Promise| {
        let evidence =
            promise.evidence.split_once('#').map(|(file, test)| json!({ "file": file, "test": test }));
        json!({
            "id": promise.id,
            "text": promise.text,
            "mechanism": promise.mechanism,
            "strength": promise.strength,
            "evidence": evidence,
            "probes": promise.probes,
        })
    };
    Ok(promises()?.into_iter().map(vow).collect())
}

fn data() -> Result<Vec<Value>> {
    let line = |stored: crate::data_map::Stored| {
        let places = stored.places().map(|(kind, name)| json!({ "kind": kind, "name": name }));
        json!({
            "id": stored.id,
            "places": places.collect::<Vec<_>>(),
            "purposes": stored.purposes,
            "whose": stored.whose,
            "why": stored.why,
            "until": stored.until,
            "eraser": stored.eraser,
        })
    };
    Ok(data_map()?.stored.into_iter().map(line).collect())
}

/// Every model on offer, and the host that draws it where that is another machine.
pub(crate) fn engines(studio: &Studio) -> Vec<(String, Option<String>)> {
    let place = |model: &engines::Model| match &model.place {
        engines::Place::Here => None,
        engines::Place::Remote(host) => Some(host.clone()),
    };
    studio.models().all().map(|model| (model.name.clone(), place(model))).collect()
}
