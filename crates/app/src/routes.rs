//! This owns the whole routing table: every address of the program, in one place.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Form, Router};
use kernel::limits::PICTURE_BYTES_MAX;
use kernel::{Error, Locale};
use platform::http::limits::{CHECKS, CLOSURES, EXPORTS, ORDERS, PURCHASE_CODES, PURCHASES, READS};
use platform::http::{
    Clients, Cookie, Edge, Failure, Guard, Theme, edge, know_client, refuse_foreign_posts,
    refuse_long_addresses, security_headers,
};
use platform::log::Log;
use platform::ui;
use serde::Deserialize;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::timeout::TimeoutLayer;

use crate::connections::Bounds;
use crate::house::House;
use crate::table::{Table, bodied, limited};

/// Bytes of a body: a form, or JSON without pictures.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body with a receipt, which names each record that was erased.
const RECEIPT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a body with an event of the payment processor.
const EVENT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a body with a picture: the largest as base64 in JSON, and the form around it.
const PICTURED_BYTES_MAX: usize = PICTURE_BYTES_MAX / 3 * 4 + 1024 * 1024;
/// What is sent as it is.
const ARCHIVES: NotForContentType = NotForContentType::const_new("application/zip");
/// How long a choice of language or theme is kept.
const PREFERENCE_SECONDS: i64 = 365 * 24 * 3600;

/// Every route of the site.
pub fn router(house: House, bounds: Bounds) -> Router {
    let edge_state = Edge { log: house.log.clone(), site: house.site.clone() };
    let clients = Clients { proxies: Arc::clone(&house.proxies), limits: Arc::clone(&house.limits) };
    let guard = Guard::of(house.studio.public_url());
    table()
        .into_router()
        .fallback(async || Failure(Error::not_found("There is nothing at this address.")))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(refuse_foreign_posts))
        .layer(from_fn(refuse_long_addresses))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, bounds.answer))
        .layer(from_fn_with_state(clients, know_client))
        .layer(from_fn_with_state(edge_state, edge))
        // An archive has its length told and its parts asked for, and pictures in it are compressed already.
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(ARCHIVES)))
        .layer(from_fn_with_state(guard, security_headers))
        .with_state(house)
}

/// The operator's figures, on an address of their own.
pub fn metrics(log: Log) -> Router {
    let text = move || {
        let text = log.metrics().text();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    Router::new().route_service("/metrics", get(text))
}

/// Every route, without what holds on all of them.
#[must_use]
pub fn table() -> Table {
    programs(pages(Table::default()))
}

fn pages(table: Table) -> Table {
    table
        .route("/", limited(&READS, get(gallery::pages::browse)))
        .route("/a/{id}", get(gallery::pages::artwork))
        .route("/p/{record}/{form}", get(gallery::picture))
        .route("/sign-in", get(accounts::pages::sign_in).post(accounts::pages::send_code))
        .route("/sign-in/code", get(accounts::pages::ask_for_code).post(accounts::pages::redeem_code))
        .route("/sign-in/mail", limited(&READS, get(accounts::pages::mail)))
        .route("/sign-in/passkey", post(accounts::pages::sign_in_with_passkey))
        .route("/sign-in/passkey/question", post(accounts::pages::ask_for_proof))
        .route("/sign-out", post(accounts::pages::sign_out))
        .route("/studio", get(studio::pages::studio))
        .route("/studio/references", bodied(PICTURED_BYTES_MAX, limited(&ORDERS, post(studio::upload))))
        .route(
            "/studio/generations",
            bodied(PICTURED_BYTES_MAX, limited(&ORDERS, post(studio::pages::develop))),
        )
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
        .route("/account/passkeys", post(accounts::pages::add_passkey))
        .route("/account/passkeys/question", post(accounts::pages::ask_for_new_passkey))
        .route("/account/passkeys/{id}/remove", post(accounts::pages::remove_passkey))
        .route("/account/sessions/dismiss", post(accounts::pages::dismiss_notice))
        .route("/account/purchases", limited(&PURCHASES, post(accounts::pages::buy)))
        .route("/account/purchases/{id}", limited(&READS, get(accounts::pages::purchase)))
        .route("/account/purchases/{id}/state", limited(&READS, get(accounts::pages::purchase_state)))
        .route("/account/sessions/revoke-all", post(accounts::pages::revoke_all))
        .route("/account/sessions/{id}/revoke", post(accounts::pages::revoke_session))
        .route("/account/vouchers", post(accounts::pages::redeem_voucher))
        .route("/account/delete-all", limited(&CLOSURES, post(trust::erase::erase_pictures)))
        .route("/account/export", limited(&EXPORTS, get(trust::export::export)))
        .route("/account/export/events", get(trust::export::export_events))
        .route("/account/close", limited(&CLOSURES, post(trust::erase::close_account)))
        .route(
            "/verify",
            bodied(RECEIPT_BYTES_MAX, limited(&CHECKS, post(trust::receipts::verify)))
                .get(trust::receipts::verify_form),
        )
        .route(
            "/receipt",
            limited(&PURCHASE_CODES, post(accounts::pages::receipt)).get(accounts::pages::receipt_form),
        )
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

fn programs(table: Table) -> Table {
    table
        .route("/webhooks/stripe", bodied(EVENT_BYTES_MAX, post(accounts::pages::payment_event)))
        .route("/api/search", limited(&READS, get(gallery::api::search)))
        .route("/api/images/{id}", limited(&READS, get(gallery::api::image)))
        .route("/api/models", limited(&READS, get(studio::api::models)))
        .route("/api/generate/v2", bodied(PICTURED_BYTES_MAX, limited(&ORDERS, post(studio::api::generate))))
        .route("/api/generate/v2/status/{id}", limited(&READS, get(studio::api::status)))
        .route("/api/generate/v2/requests/{id}", limited(&READS, get(studio::api::request)))
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
