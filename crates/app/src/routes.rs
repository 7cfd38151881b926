//! This owns the whole routing table: every address of the program, in one place.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Form, Router};
use kernel::limits::PICTURE_BYTES_MAX;
use kernel::{Error, Locale};
use platform::http::{Cookie, Edge, Failure, Theme, edge, refuse_foreign_posts, security_headers};
use platform::ui;
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::house::House;

/// How long a request may take until its answer begins.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a body: the largest picture as base64 in JSON, and the form around it.
const BODY_BYTES_MAX: usize = PICTURE_BYTES_MAX / 3 * 4 + 1024 * 1024;
/// How long a choice of language or theme is kept.
const PREFERENCE_SECONDS: i64 = 365 * 24 * 3600;

/// Every route.
pub fn router(house: House) -> Router {
    let edge_state = Edge { log: house.log, site: house.site.clone() };
    Router::new()
        .merge(pages())
        .merge(programs())
        .fallback(async || Failure(Error::not_found("There is nothing at this address.")))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(refuse_foreign_posts))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT))
        .layer(from_fn_with_state(edge_state, edge))
        .layer(CompressionLayer::new())
        .layer(from_fn(security_headers))
        .with_state(house)
}

fn pages() -> Router<House> {
    Router::new()
        .route("/", get(gallery::pages::browse))
        .route("/a/{id}", get(gallery::pages::artwork))
        .route("/p/{record}/{form}", get(gallery::picture))
        .route("/sign-in", get(accounts::pages::sign_in).post(accounts::pages::send_code))
        .route("/sign-in/code", post(accounts::pages::redeem_code))
        .route("/sign-out", post(accounts::pages::sign_out))
        .route("/studio", get(studio::pages::studio))
        .route("/studio/references", post(studio::upload))
        .route("/studio/generations", post(studio::pages::develop))
        .route("/studio/generations/{id}/events", get(studio::events))
        .route("/studio/generations/{id}/preview", get(studio::preview))
        .route("/studio/generations/{id}/cancel", post(studio::pages::cancel))
        .route("/studio/generations/{id}/delete", get(studio::pages::confirm_delete))
        .route("/studio/generations/delete", post(studio::pages::delete))
        .route("/studio/compare", get(studio::pages::compare))
        .route("/g/{id}/download", get(studio::download))
        .route("/g/{id}/{form}", get(studio::picture))
        .route("/account", get(accounts::pages::account))
        .route("/account/keys", post(accounts::pages::create_key))
        .route("/account/keys/{id}/revoke", post(accounts::pages::revoke_key))
        .route("/account/sessions/revoke-all", post(accounts::pages::revoke_all))
        .route("/account/sessions/{id}/revoke", post(accounts::pages::revoke_session))
        .route("/account/delete-all", post(trust::erase::erase_pictures))
        .route("/account/export", get(trust::export::export))
        .route("/account/close", post(trust::erase::close_account))
        .route("/verify", get(trust::receipts::verify_form).post(trust::receipts::verify))
        .route("/log/checkpoint", get(trust::receipts::checkpoint))
        .route("/log/tile/{*path}", get(trust::receipts::tile))
        .route("/.well-known/privacy.json", get(trust::statement::statement))
        .route("/transparency", get(trust::transparency::transparency))
        .route("/statistics", get(trust::statistics::statistics))
        .route("/.well-known/statistics.json", get(trust::statistics::statistics_json))
        .route("/preferences", post(preferences))
        .route("/assets/{digest}/{*path}", get(ui::asset))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .route("/robots.txt", get(async || "User-agent: *\nDisallow: /studio\nDisallow: /account\n"))
        .route("/healthz", get(async || "ok\n"))
}

fn programs() -> Router<House> {
    Router::new()
        .route("/api/search", get(gallery::api::search))
        .route("/api/images/{id}", get(gallery::api::image))
        .route("/api/models", get(studio::api::models))
        .route("/api/generate/v2", post(studio::api::generate))
        .route("/api/generate/v2/status/{id}", get(studio::api::status))
        .route("/api/generate/v2/requests/{id}", get(studio::api::request))
        .route("/api/generations/{id}", delete(studio::api::delete))
        .route("/api/tokens", get(accounts::tokens_list).post(accounts::tokens_create))
        .route("/api/tokens/{id}", delete(accounts::tokens_delete))
        .route("/r/{id}/{expiry}/{signature}", get(studio::signed_picture))
}

/// Language and theme, as chosen in the foot of a page.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Preferences {
    lang: String,
    theme: String,
    back: String,
}

/// `POST /preferences`.
async fn preferences(State(house): State<House>, Form(chosen): Form<Preferences>) -> Response {
    let url = house.studio.public_url();
    let locale = Locale::from_tag(&chosen.lang).unwrap_or_default();
    let local =
        chosen.back.starts_with('/') && !chosen.back.starts_with("//") && !chosen.back.starts_with("/\\");
    let back = HeaderValue::try_from(chosen.back.as_str()).ok().filter(|_| local);
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, back.unwrap_or(HeaderValue::from_static("/")));
    headers.append(header::SET_COOKIE, Cookie::Lang.set(locale.tag(), PREFERENCE_SECONDS, url));
    let theme = Theme::from_name(&chosen.theme).name();
    headers.append(header::SET_COOKIE, Cookie::Theme.set(theme, PREFERENCE_SECONDS, url));
    response
}
