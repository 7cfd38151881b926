//! Who may open which door: every route, asked by a visitor, a member, and a program with a key.

use std::collections::BTreeSet;

use reqwest::{Client, Method, RequestBuilder};

use crate::TestApp;
use crate::registered::registered;

/// Method, route, an address of it in which `{none}` is an id of nothing, and the answers to a visitor, a member and a key. Nothing is there, so where the
/// door opens it says 404 or what is wrong with the request.
pub(crate) const MATRIX: &[(&str, &str, &str, [u16; 3])] = &[
    ("GET", "/", "/", [200, 200, 200]),
    ("GET", "/a/{id}", "/a/none", [404, 404, 404]),
    ("GET", "/p/{record}/{form}", "/p/{none}/360.webp", [404, 404, 404]),
    ("GET", "/sign-in", "/sign-in", [200, 200, 200]),
    ("POST", "/sign-in", "/sign-in", [400, 400, 400]),
    ("GET", "/sign-in/code", "/sign-in/code", [200, 200, 200]),
    ("POST", "/sign-in/code", "/sign-in/code", [400, 400, 400]),
    ("GET", "/sign-in/mail", "/sign-in/mail", [200, 200, 200]),
    ("POST", "/sign-in/passkey", "/sign-in/passkey", [415, 415, 415]),
    ("POST", "/sign-in/passkey/question", "/sign-in/passkey/question", [200, 200, 200]),
    ("POST", "/sign-out", "/sign-out", [401, 303, 401]),
    ("GET", "/studio", "/studio", [401, 200, 401]),
    ("POST", "/studio/references", "/studio/references", [401, 400, 401]),
    ("POST", "/studio/generations", "/studio/generations", [401, 400, 401]),
    ("GET", "/studio/generations/{id}/events", "/studio/generations/{none}/events", [401, 404, 401]),
    ("GET", "/studio/generations/{id}/preview", "/studio/generations/{none}/preview", [401, 404, 401]),
    ("POST", "/studio/generations/{id}/cancel", "/studio/generations/{none}/cancel", [401, 404, 401]),
    ("GET", "/studio/generations/{id}/delete", "/studio/generations/{none}/delete", [401, 404, 401]),
    ("POST", "/studio/generations/delete", "/studio/generations/delete", [401, 400, 401]),
    ("GET", "/studio/compare", "/studio/compare", [401, 400, 401]),
    ("GET", "/g/{id}/download", "/g/{none}/download", [401, 404, 401]),
    ("GET", "/g/{id}/{form}", "/g/{none}/full", [401, 404, 401]),
    ("GET", "/account", "/account", [401, 200, 401]),
    ("POST", "/account/keys", "/account/keys", [401, 400, 401]),
    ("POST", "/account/keys/{id}/revoke", "/account/keys/{none}/revoke", [401, 404, 401]),
    ("POST", "/account/passkeys", "/account/passkeys", [401, 415, 401]),
    ("POST", "/account/passkeys/question", "/account/passkeys/question", [401, 200, 401]),
    ("POST", "/account/passkeys/{id}/remove", "/account/passkeys/{none}/remove", [401, 404, 401]),
    ("POST", "/account/sessions/dismiss", "/account/sessions/dismiss", [401, 303, 401]),
    // Where nothing is for sale these are not there for anybody; `purchases.rs` asks them where something is.
    ("POST", "/account/purchases", "/account/purchases", [404, 404, 404]),
    ("GET", "/account/purchases/{id}", "/account/purchases/{none}", [404, 404, 404]),
    ("GET", "/account/purchases/{id}/state", "/account/purchases/{none}/state", [404, 404, 404]),
    ("GET", "/receipt", "/receipt", [404, 404, 404]),
    ("POST", "/receipt", "/receipt", [404, 404, 404]),
    ("POST", "/webhooks/stripe", "/webhooks/stripe", [404, 404, 404]),
    ("POST", "/account/sessions/revoke-all", "/account/sessions/revoke-all", [401, 303, 401]),
    ("POST", "/account/sessions/{id}/revoke", "/account/sessions/{none}/revoke", [401, 303, 401]),
    ("POST", "/account/vouchers", "/account/vouchers", [401, 400, 401]),
    ("POST", "/account/delete-all", "/account/delete-all", [401, 400, 401]),
    ("GET", "/account/export", "/account/export", [401, 200, 401]),
    ("GET", "/account/export/events", "/account/export/events", [401, 200, 401]),
    ("POST", "/account/close", "/account/close", [401, 400, 401]),
    ("GET", "/verify", "/verify", [200, 200, 200]),
    ("POST", "/verify", "/verify", [400, 400, 400]),
    ("GET", "/log/checkpoint", "/log/checkpoint", [200, 200, 200]),
    ("GET", "/log/tile/{*path}", "/log/tile/0/999", [404, 404, 404]),
    ("GET", "/.well-known/privacy.json", "/.well-known/privacy.json", [200, 200, 200]),
    ("GET", "/transparency", "/transparency", [200, 200, 200]),
    ("GET", "/statistics", "/statistics", [200, 200, 200]),
    ("GET", "/.well-known/statistics.json", "/.well-known/statistics.json", [200, 200, 200]),
    ("POST", "/preferences", "/preferences", [303, 303, 303]),
    ("GET", "/assets/{digest}/{*path}", "/assets/0/none.css", [404, 404, 404]),
    ("GET", "/favicon.ico", "/favicon.ico", [204, 204, 204]),
    ("GET", "/robots.txt", "/robots.txt", [200, 200, 200]),
    ("GET", "/healthz", "/healthz", [200, 200, 200]),
    ("GET", "/api/search", "/api/search?q=fox", [200, 200, 200]),
    ("GET", "/api/images/{id}", "/api/images/none", [404, 404, 404]),
    ("GET", "/api/models", "/api/models", [200, 200, 200]),
    ("POST", "/api/generate/v2", "/api/generate/v2", [401, 401, 400]),
    ("GET", "/api/generate/v2/status/{id}", "/api/generate/v2/status/{none}", [404, 404, 404]),
    ("GET", "/api/generate/v2/requests/{id}", "/api/generate/v2/requests/none", [401, 401, 404]),
    ("DELETE", "/api/generations/{id}", "/api/generations/{none}", [401, 401, 404]),
    ("GET", "/api/tokens", "/api/tokens", [401, 200, 401]),
    ("POST", "/api/tokens", "/api/tokens", [401, 400, 401]),
    ("DELETE", "/api/tokens/{id}", "/api/tokens/{none}", [401, 404, 401]),
    ("GET", "/r/{id}/{expiry}/{signature}", "/r/{none}/1/x", [404, 404, 404]),
];

#[tokio::test]
async fn every_route_opens_to_those_it_is_for_and_to_nobody_else() {
    let wanted: BTreeSet<_> =
        MATRIX.iter().map(|(method, route, ..)| ((*method).to_owned(), (*route).to_owned())).collect();
    assert_eq!(registered(), wanted, "a route is missing from the matrix or gone from the program");
    let mut wrong = Vec::new();
    for (method, _, address, expected) in MATRIX {
        // A fresh program each: some doors end the session that opens them.
        let app = TestApp::with_passkeys().await;
        let member = app.sign_in("a@example.org").await;
        let key = app.account(1).await;
        let address = address.replace("{none}", &kernel::Id::random().to_string());
        let ask = |client: &Client| -> RequestBuilder {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method, app.url(&address)).header("sec-fetch-site", "same-origin");
            let json = address.starts_with("/api/");
            let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
            request.header("content-type", kind).body(if json { "{}" } else { "" })
        };
        let visitor = ask(&app.browser()).send().await.unwrap().status().as_u16();
        let signed_in = ask(&member).send().await.unwrap().status().as_u16();
        let program = ask(&app.browser()).bearer_auth(&key).send().await.unwrap().status().as_u16();
        if [visitor, signed_in, program] != *expected {
            wrong.push(format!("{method} {address}: {:?}, not {expected:?}", [visitor, signed_in, program]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
