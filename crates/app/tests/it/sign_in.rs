//! Signing in: codes, sessions, keys, and what is not kept.

use crate::TestApp;

#[tokio::test]
async fn the_address_and_the_code_are_nowhere_on_the_disk() {
    let app = TestApp::start().await;
    let browser = app.sign_in("Ada.Canary@example.org").await;
    let code = app.code().await;
    assert_eq!(browser.get(app.url("/account")).send().await.unwrap().status(), 200);
    for wanted in ["Canary", "canary", &code] {
        assert!(!app.disk_holds(wanted.as_bytes()), "{wanted}");
    }
    assert!(app.disk_holds(b"address_print"), "the scan sees the database");
}

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    app.sign_in("known@example.org").await;
    let mut answers = Vec::new();
    for address in ["known@example.org", "unknown@example.org"] {
        let answer = app.form(&app.browser(), "/sign-in", &[("address", address)]).await;
        answers.push((answer.status(), answer.text().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 200);
}

#[tokio::test]
async fn codes_work_once_in_their_browser_and_five_times_wrong_at_most() {
    let app = TestApp::start().await;
    let (browser, other) = (app.browser(), app.browser());
    app.form(&browser, "/sign-in", &[("address", "a@example.org")]).await;
    let code = app.code().await;
    assert_eq!(app.form(&other, "/sign-in/code", &[("code", &code)]).await.status(), 400);
    assert_eq!(app.form(&browser, "/sign-in/code", &[("code", "00000000")]).await.status(), 400);
    assert_eq!(app.form(&browser, "/sign-in/code", &[("code", &code)]).await.status(), 303);
    assert_eq!(app.form(&browser, "/sign-in/code", &[("code", &code)]).await.status(), 400, "replayed");

    let browser = app.browser();
    app.form(&browser, "/sign-in", &[("address", "b@example.org")]).await;
    for _ in 0..5 {
        assert_eq!(app.form(&browser, "/sign-in/code", &[("code", "1")]).await.status(), 400);
    }
    let words = app.form(&browser, "/sign-in/code", &[("code", &code)]).await.text().await.unwrap();
    assert!(words.contains("expired"));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_strangers_are_led_to_sign_in() {
    let app = TestApp::start().await;
    let browser = app.sign_in("a@example.org").await;
    assert_eq!(app.form(&browser, "/sign-out", &[]).await.status(), 303);
    assert_eq!(browser.get(app.url("/account")).send().await.unwrap().status(), 401);
    let page = browser.get(app.url("/account")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.headers()["location"], "/sign-in?next=/account");
    assert_eq!(app.form(&app.browser(), "/sign-in", &[("address", "not an address")]).await.status(), 400);
}

#[tokio::test]
async fn keys_are_limited_checked_and_revocable() {
    let app = TestApp::start().await;
    let browser = app.sign_in("a@example.org").await;
    let tokens = app.url("/api/tokens");
    let mut ids = Vec::new();
    for n in 0..5 {
        let made = browser
            .post(&tokens)
            .header("sec-fetch-site", "same-origin")
            .json(&serde_json::json!({ "name": format!("k{n}") }));
        let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
        assert!(!app.disk_holds(made["token"].as_str().unwrap().as_bytes()));
        ids.push((made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned()));
    }
    let sixth = browser
        .post(&tokens)
        .header("sec-fetch-site", "same-origin")
        .json(&serde_json::json!({ "name": "k" }));
    assert_eq!(sixth.send().await.unwrap().status(), 409);
    let (id, token) = &ids[0];
    let try_key = async || app.generate(token, serde_json::json!({ "prompt": "" })).await.status();
    assert_eq!(try_key().await, 400);
    let revoked = browser
        .delete(format!("{tokens}/{id}"))
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 200);
    assert_eq!(try_key().await, 401);
}
