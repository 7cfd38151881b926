//! API keys: what they may do, until when, and what is shown of them.

use std::sync::Arc;

use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::TestApp;

const DAY: i64 = 24 * 3600;

impl TestApp {
    /// Asks `/api/tokens` as the page of its owner does.
    async fn tokens(&self, member: &Client, method: Method, path: &str, body: Value) -> Response {
        let request = member.request(method, self.url(&format!("/api/tokens{path}")));
        request.header("sec-fetch-site", "same-origin").json(&body).send().await.unwrap()
    }

    /// A key of this form: its id and itself.
    async fn key(&self, member: &Client, wish: Value) -> (String, String) {
        let made: Value = self.tokens(member, Method::POST, "", wish).await.json().await.unwrap();
        ["id", "token"]
            .map(|field| made[field].as_str().unwrap_or_else(|| panic!("{made}")).to_owned())
            .into()
    }

    async fn listed(&self, member: &Client) -> Vec<Value> {
        self.tokens(member, Method::GET, "", Value::Null).await.json().await.unwrap()
    }

    /// Asks a door with a key; the status, and the code of the failure.
    async fn with_key(&self, key: &str, method: Method, path: &str) -> (u16, String) {
        let request = self.browser().request(method, self.url(path)).bearer_auth(key);
        let answer = request.json(&json!({ "prompt": "" })).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn a_key_opens_the_doors_that_were_chosen_for_it_and_no_other() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    let none = kernel::Id::random();
    // What each door says where it is open: nothing is there.
    let doors = [
        (Method::POST, "/api/generate/v2".to_owned(), 400),
        (Method::GET, "/api/generate/v2/requests/none".to_owned(), 404),
        (Method::DELETE, format!("/api/generations/{none}"), 404),
    ];
    for (scopes, open) in [
        (json!(["make"]), [true, true, false]),
        (json!(["read"]), [false, true, false]),
        (json!(["delete"]), [false, false, true]),
        (json!(["delete", "read"]), [false, true, true]),
        (Value::Null, [true, true, true]),
    ] {
        let (id, key) = app.key(&member, json!({ "name": "k", "scopes": scopes })).await;
        for ((method, path, empty), open) in doors.iter().zip(open) {
            let (status, code) = app.with_key(&key, method.clone(), path).await;
            let wanted = if open { *empty } else { 403 };
            assert_eq!((status, code == "scope_missing"), (wanted, !open), "{scopes} at {path}");
        }
        let status = format!("/api/generate/v2/status/{none}");
        assert_eq!(app.with_key(&key, Method::GET, &status).await.0, 404, "whoever knows an id may ask");
        app.tokens(&member, Method::DELETE, &format!("/{id}"), Value::Null).await;
    }
    for wrong in [json!([]), json!(["manage"]), json!("make")] {
        let made = app.tokens(&member, Method::POST, "", json!({ "name": "k", "scopes": wrong })).await;
        assert_eq!(made.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_key_that_may_only_look_spends_and_deletes_nothing() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    let account = app.house.accounts.records().await[0];
    app.house.accounts.ledger().grant(account, 5).await.unwrap();
    let (_, make) = app.key(&member, json!({ "name": "make", "scopes": ["make"] })).await;
    let (_, read) = app.key(&member, json!({ "name": "read", "scopes": ["read"] })).await;
    let (id, _) = app.develop(&make, "a lake").await;
    let left = app.house.accounts.ledger().balance(account).await.unwrap().purchased;
    let refused = app.generate(&read, json!({ "prompt": "a lake", "resolution": "512" })).await;
    let refused: Value = refused.json().await.unwrap();
    assert_eq!((&refused["success"], &refused["code"]), (&json!(false), &json!("scope_missing")));
    assert_eq!(app.with_key(&read, Method::DELETE, &format!("/api/generations/{id}")).await.0, 403);
    let own = app.browser().get(app.url(&format!("/api/generate/v2/status/{id}"))).bearer_auth(&read);
    assert_eq!(own.send().await.unwrap().json::<Value>().await.unwrap()["status"], "completed");
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, left);
}

#[tokio::test]
async fn a_key_ends_after_its_last_day_and_its_row_a_month_later() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let member = app.sign_in("a@example.org").await;
    let (_, key) = app.key(&member, json!({ "name": "k", "expires_in_days": 30 })).await;
    for _ in 0..4 {
        app.key(&member, json!({ "name": "lasting" })).await;
    }
    let sixth =
        async || app.tokens(&member, Method::POST, "", json!({ "name": "k" })).await.status().as_u16();
    assert_eq!(sixth().await, 409);
    let call = async || app.with_key(&key, Method::POST, "/api/generate/v2").await;
    assert_eq!(call().await.0, 400);
    clock.advance(29 * DAY);
    assert_eq!(call().await.0, 400);
    clock.advance(DAY);
    assert_eq!(call().await.0, 400, "it works on its last day");
    let member = app.sign_in("a@example.org").await;
    clock.advance(DAY);
    assert_eq!(call().await, (401, "token_expired".to_owned()));
    let expired = app.listed(&member).await.into_iter().find(|key| !key["expires_at"].is_null()).unwrap();
    assert_eq!((&expired["is_active"], &expired["name"]), (&json!(false), &json!("k")));
    let page = member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("expired"));
    assert_eq!(app.tokens(&member, Method::POST, "", json!({ "name": "fifth" })).await.status(), 200);

    clock.advance(29 * DAY);
    app.house.accounts.erase_expired_keys().await.unwrap();
    assert_eq!(call().await.1, "token_expired");
    clock.advance(DAY);
    app.house.accounts.erase_expired_keys().await.unwrap();
    assert_eq!(call().await, (401, String::new()), "as one that never was");
    let member = app.sign_in("a@example.org").await;
    assert_eq!(app.listed(&member).await.len(), 5);
    for wrong in [json!(0), json!(-30), json!(31), json!("30"), json!(3.5)] {
        let made = app.tokens(&member, Method::POST, "", json!({ "name": "k", "expires_in_days": wrong }));
        assert_eq!(made.await.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn its_owner_sees_the_day_of_its_last_use_and_no_more() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let member = app.sign_in("a@example.org").await;
    let (id, key) = app.key(&member, json!({ "name": "k" })).await;
    assert_eq!(app.listed(&member).await[0]["last_used_at"], Value::Null);
    clock.advance(DAY);
    app.with_key(&key, Method::POST, "/api/generate/v2").await;
    let today = accounts::day_text(clock.today());
    assert_eq!(app.listed(&member).await[0]["last_used_at"], json!(today));
    let page = member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("last used {today}")), "{page}");
    let usage = app.tokens(&member, Method::GET, &format!("/{id}/usage"), Value::Null).await;
    assert_eq!(usage.status(), 404, "which key made which picture is not kept");
    assert_eq!(usage.json::<Value>().await.unwrap()["success"], false);
}

#[tokio::test]
async fn the_page_makes_the_key_that_was_chosen_and_shows_it_once() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    let wish = [("name", "my script"), ("days", "90"), ("may", "make"), ("may", "read")];
    let page = app.form(&member, "/account/keys", &wish).await.text().await.unwrap();
    let key = page.split("id=\"new-key\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(key.starts_with("meigen_sk_"), "{key}");
    let listed = app.listed(&member).await;
    assert_eq!((listed.len(), &listed[0]["scopes"]), (1, &json!(["make", "read"])));
    let last = accounts::day_text(SystemClock.today() + 90);
    assert_eq!(listed[0]["expires_at"], json!(last));
    let again = member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(
        !again.contains(key) && again.contains("make pictures · look up pictures") && again.contains(&last)
    );

    let fields = [&[("name", "x")][..], &[("name", "x"), ("days", "7"), ("may", "make")], &[("may", "read")]];
    for (fields, words) in fields.iter().zip(["一つ選んで", "365 日", "文字の名前"]) {
        let answer = member.post(app.url("/account/keys")).header("sec-fetch-site", "same-origin");
        let answer = answer.header("accept-language", "ja").form(fields).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains(words), "{words}");
    }
    assert_eq!(app.listed(&member).await.len(), 1);
}

#[tokio::test]
async fn a_key_manages_no_keys() {
    let app = TestApp::start().await;
    let member = app.sign_in("a@example.org").await;
    let (id, key) = app.key(&member, json!({ "name": "k" })).await;
    for (method, path) in [
        (Method::GET, "/api/tokens".to_owned()),
        (Method::POST, "/api/tokens".to_owned()),
        (Method::DELETE, format!("/api/tokens/{id}")),
        (Method::POST, "/account/keys".to_owned()),
        (Method::POST, format!("/account/keys/{id}/revoke")),
    ] {
        let request = app.browser().request(method.clone(), app.url(&path)).bearer_auth(&key);
        let answer =
            request.header("sec-fetch-site", "same-origin").json(&json!({ "name": "x" })).send().await;
        assert_eq!(answer.unwrap().status(), 401, "{method} {path}");
    }
    assert_eq!(app.listed(&member).await.len(), 1);
}
