//! What holds for every request and answer: limits, headers, what is cached, and what an answer does not tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::connections::Bounds;
use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::TestApp;
use crate::doors::MATRIX;

/// Routes whose answers anyone may keep, and for how long at most it is told.
const CACHED: [(&str, &str); 7] = [
    ("/", "private, no-cache"),
    ("/a/{id}", "private, no-cache"),
    ("/.well-known/privacy.json", "public, max-age=300"),
    ("/.well-known/statistics.json", "public, max-age=600"),
    ("/log/checkpoint", "public, max-age=5"),
    ("/p/{record}/{form}", "public"),
    ("/assets/{digest}/{*path}", "public"),
];

/// Status, body and headers of an answer, without what differs by the second.
async fn told(answer: Response) -> (u16, BTreeMap<String, String>, String) {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (status, headers, answer.text().await.unwrap())
}

#[tokio::test]
async fn every_limit_of_a_network_is_kept_and_only_for_that_network() {
    let proxied = ["--trusted-proxies", "127.0.0.1"];
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_with(Arc::clone(&clock) as Arc<dyn Clock>, Bounds::default(), &proxied).await;
    let client = crate::program::client();
    // The window that is used up is each one's own, so that the order does not matter.
    let tries: [(&str, &str, u32, u16); 6] = [
        ("GET", "/api/models", 1200, 200),
        ("POST", "/api/generate/v2", 240, 401),
        ("POST", "/verify", 60, 400),
        ("POST", "/account/close", 20, 401),
        ("GET", "/r/{none}/1/x", 300, 404),
        ("GET", "/account", 300, 401),
    ];
    for (n, (method, path, most, status)) in tries.into_iter().enumerate() {
        let ask = async |network: &str| {
            let path = path.replace("{none}", &kernel::Id::random().to_string());
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method, app.url(&path)).header("x-forwarded-for", network);
            let cookie = format!("session={}", "a".repeat(43));
            let request = request.header("sec-fetch-site", "same-origin").form(&[("receipt", "x")]);
            request.header("cookie", cookie).send().await.unwrap().status().as_u16()
        };
        let (mine, other) = (format!("2001:db8:{n}::1"), format!("2001:db8:{n}:1::1"));
        for _ in 0..most {
            assert_eq!(ask(&mine).await, status, "{path}");
        }
        assert_eq!(ask(&mine.replace("::1", "::2")).await, 429, "{path}: a neighbour in the same network");
        assert_eq!(ask(&other).await, status, "{path}: another network");
        clock.advance(3600);
        assert_eq!(ask(&mine).await, status, "{path}: a new window");
    }
}

#[tokio::test]
async fn wrong_keys_become_silent_and_a_right_one_still_opens() {
    let app = TestApp::start().await;
    let key = app.account(1).await;
    let status = async |key: &str| {
        let request = app.browser().get(app.url("/api/generate/v2/requests/none")).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..300 {
        assert_eq!(status("meigen_sk_wrong").await, 401);
    }
    assert_eq!(status("meigen_sk_wrong").await, 429);
    assert_eq!(status(&key).await, 404, "whoever shares the network is not locked out");
}

#[tokio::test]
async fn nobody_is_believed_about_an_address_unless_it_is_set() {
    let app = TestApp::start().await;
    for n in 0..31 {
        let form = [("address", format!("a{n}@example.org"))];
        let request = app.browser().post(app.url("/sign-in")).header("x-forwarded-for", format!("9.9.9.{n}"));
        let status = request.form(&form).send().await.unwrap().status().as_u16();
        assert_eq!(status, if n < 30 { 303 } else { 429 }, "{n}");
    }
}

#[tokio::test]
async fn every_answer_has_every_header_and_private_ones_are_not_kept() {
    let app = TestApp::start_with(
        Arc::new(SystemClock),
        Bounds::default(),
        &["--public-url", "https://pictures.example.org"],
    )
    .await;
    let member = app.sign_in("a@example.org").await;
    let key = app.account(1).await;
    for (method, route, address, _) in MATRIX {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let address = app.url(&address.replace("{none}", &kernel::Id::random().to_string()));
        let request = member.request(method, address).header("sec-fetch-site", "same-origin");
        let answer = request.bearer_auth(&key).send().await.unwrap();
        let headers = answer.headers();
        for (name, wanted) in [
            ("content-security-policy", "default-src 'none'"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("origin-agent-cluster", "?1"),
            ("permissions-policy", "accelerometer=()"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=63072000"),
            ("x-content-type-options", "nosniff"),
            ("x-permitted-cross-domain-policies", "none"),
            ("x-robots-tag", "noai"),
        ] {
            let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            assert!(value.starts_with(wanted), "{route}: {name}: {value}");
        }
        let cached = headers["cache-control"].to_str().unwrap();
        let public = CACHED.iter().find(|(public, _)| public == route);
        let kept = public.is_some_and(|(_, how)| cached.starts_with(how));
        assert!(cached == "no-store" || kept, "{route}: {cached}");
    }
}

#[tokio::test]
async fn results_are_not_kept_and_browsers_forget_when_they_should() {
    let app = TestApp::start().await;
    assert!(
        !app.browser()
            .get(app.url("/"))
            .send()
            .await
            .unwrap()
            .headers()
            .contains_key("strict-transport-security"),
        "a site without https does not promise it"
    );
    let browser = app.sign_in("a@example.org").await;
    let form = reqwest::multipart::Form::new().text("prompt", "a quiet sea").text("resolution", "512");
    let made = browser.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made: Value =
        made.header("accept", "application/json").multipart(form).send().await.unwrap().json().await.unwrap();
    let id = made["generations"][0]["id"].as_str().unwrap().to_owned();
    let status = app.ended(&id).await;
    let signed = status["imageUrl"].as_str().unwrap().to_owned();
    for path in [
        "/studio",
        "/account",
        &format!("/g/{id}/480"),
        &format!("/g/{id}/full"),
        &format!("/g/{id}/download"),
    ] {
        let answer = browser.get(app.url(path)).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()),
            (200, "no-store"),
            "{path}"
        );
    }
    assert_eq!(browser.get(&signed).send().await.unwrap().headers()["cache-control"], "no-store");
    let cleared = |answer: &Response| answer.headers()["clear-site-data"].to_str().unwrap().to_owned();
    let deleted = app.form(&browser, "/studio/generations/delete", &[("id", &id), ("sure", "yes")]).await;
    assert_eq!(cleared(&deleted), "\"cache\"");
    assert_eq!(browser.get(&signed).send().await.unwrap().status(), 410, "refused after the deletion");
    let all = app.form(&browser, "/account/delete-all", &[("sure", "yes")]).await;
    assert_eq!(cleared(&all), "\"cache\"");
    let out = app.form(&browser, "/sign-out", &[]).await;
    assert_eq!(cleared(&out), "\"cache\", \"storage\"");
    let browser = app.sign_in("a@example.org").await;
    let closed = app.form(&browser, "/account/close", &[("sure", "yes")]).await;
    assert_eq!(cleared(&closed), "\"cache\", \"storage\"");
    assert!(
        closed
            .headers()
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.to_str().unwrap().contains("session=;"))
    );
}

#[tokio::test]
async fn a_signed_address_is_bound_to_its_record_its_time_and_its_key() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let key = app.account(4).await;
    let mut addresses = Vec::new();
    for prompt in ["a lake", "a hill"] {
        let (_, status) = app.develop(&key, prompt).await;
        addresses.push(status["imageUrl"].as_str().unwrap().to_owned());
    }
    let parts = |address: &str| -> Vec<String> { address.rsplitn(4, '/').map(str::to_owned).collect() };
    let (first, second) = (parts(&addresses[0]), parts(&addresses[1]));
    let status = async |address: String| app.browser().get(address).send().await.unwrap().status().as_u16();
    assert_eq!(status(addresses[0].clone()).await, 200);
    let address = |id: &str, expiry: &str, signature: &str| format!("{}/{id}/{expiry}/{signature}", first[3]);
    let later = (first[1].parse::<i64>().unwrap() + 60).to_string();
    let flipped = if first[0].starts_with('0') { "1" } else { "0" };
    for (what, forged) in [
        ("moved to another record", address(&second[2], &first[1], &first[0])),
        ("with a later end", address(&first[2], &later, &first[0])),
        ("with another signature", address(&first[2], &first[1], &format!("{flipped}{}", &first[0][1..]))),
        ("with a signature cut short", address(&first[2], &first[1], &first[0][10..])),
        ("without a signature", address(&first[2], &first[1], ".png")),
    ] {
        assert_eq!(status(forged).await, 404, "{what}");
    }
    clock.advance(15 * 60);
    assert_eq!(status(addresses[0].clone()).await, 200, "to the last second");
    clock.advance(1);
    assert_eq!(status(addresses[0].clone()).await, 404, "expired");
}

#[tokio::test]
async fn what_is_anothers_and_what_is_nobodys_are_told_alike() {
    let app = TestApp::start().await;
    let (owner, stranger) = (app.account(2).await, app.account(1).await);
    let (id, _) = app.develop(&owner, "a lake").await;
    let browser = app.sign_in("stranger@example.org").await;
    let unknown = kernel::Id::random().to_string();
    for (method, path) in [
        ("GET", "/g/{id}/480"),
        ("GET", "/g/{id}/download"),
        ("GET", "/studio/generations/{id}/preview"),
        ("GET", "/studio/generations/{id}/events"),
        ("GET", "/studio/generations/{id}/delete"),
        ("POST", "/studio/generations/{id}/cancel"),
        ("GET", "/studio/compare?id={id}&id={id}"),
        ("DELETE", "/api/generations/{id}"),
        ("GET", "/api/generate/v2/status/{id}"),
        ("GET", "/api/generate/v2/requests/{id}"),
        ("POST", "/account/keys/{id}/revoke"),
        ("POST", "/account/sessions/{id}/revoke"),
        ("DELETE", "/api/tokens/{id}"),
        ("GET", "/p/{id}/480.webp"),
    ] {
        let mut answers = Vec::new();
        for id in [&id, &unknown] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = browser.request(method, app.url(&path.replace("{id}", id)));
            let request = request.header("sec-fetch-site", "same-origin").bearer_auth(&stranger);
            answers.push(told(request.send().await.unwrap()).await);
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    for prompt in [
        json!({ "prompt": "x", "referenceImages": [format!("{}/r/{id}/1/x.png", app.base)] }),
        json!({ "prompt": "x", "referenceImages": [format!("{}/r/{unknown}/1/x.png", app.base)] }),
    ] {
        let answer: Value = app.generate(&stranger, prompt).await.json().await.unwrap();
        assert_eq!(answer["success"], false, "{answer}");
    }
}

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_headers() {
    let app = TestApp::start().await;
    app.sign_in("known@example.org").await;
    let mut answers = Vec::new();
    for address in ["known@example.org", "nobody@example.org"] {
        let (status, mut headers, body) =
            told(app.form(&app.browser(), "/sign-in", &[("address", address)]).await).await;
        // Random, and of the same length.
        let cookie = headers.get_mut("set-cookie").unwrap();
        *cookie = cookie.chars().map(|c| if c.is_ascii_alphanumeric() { 'x' } else { '-' }).collect();
        answers.push((status, headers, body));
    }
    let lengths = |answer: &(u16, BTreeMap<String, String>, String)| answer.1["set-cookie"].len();
    assert_eq!(lengths(&answers[0]), lengths(&answers[1]));
    for answer in &mut answers {
        answer.1.remove("set-cookie");
    }
    assert_eq!(answers[0], answers[1]);
}
