//! Signing in: codes, sessions, keys, and what is not kept.

use std::path::Path;

use reqwest::Client;

use crate::{TestApp, until};

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

/// What the page that asks for a code says once nothing more can be said of the mail.
async fn asked(app: &TestApp, browser: &Client, address: &str) -> (u16, String, String) {
    let answer = app.form(browser, "/sign-in", &[("address", address)]).await;
    let status = answer.status().as_u16();
    let page = answer.headers()["location"].to_str().unwrap().to_owned();
    browser.get(app.url("/sign-in/mail")).send().await.unwrap().text().await.unwrap();
    let words = browser.get(app.url(&page)).send().await.unwrap().text().await.unwrap();
    (status, page, words)
}

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    app.sign_in("known@example.org").await;
    let known = asked(&app, &app.browser(), "known@example.org").await;
    let unknown = asked(&app, &app.browser(), "unknown@example.org").await;
    assert_eq!(known, unknown);
    assert!(known.0 == 303 && known.2.contains("The mail server has taken the mail."), "{known:?}");
}

#[tokio::test]
async fn how_far_a_mail_is_is_told_to_the_browser_that_asked_for_it_alone() {
    let app = TestApp::start().await;
    let (browser, other) = (app.browser(), app.browser());
    asked(&app, &browser, "a@example.org").await;
    let events = async |browser: &Client| {
        browser.get(app.url("/sign-in/mail")).send().await.unwrap().text().await.unwrap()
    };
    assert!(events(&browser).await.contains("taken"));
    let nothing = events(&other).await;
    assert!(
        nothing.contains("no code for this browser") && nothing.matches("event:").count() == 1,
        "{nothing}"
    );
    let code = app.code().await;
    assert_eq!(app.form(&browser, "/sign-in/code", &[("code", &code)]).await.status(), 303);
    assert_eq!(events(&browser).await, nothing, "a code that was used is none");
}

#[tokio::test]
async fn asking_again_from_another_browser_ends_the_first_code() {
    let app = TestApp::start().await;
    let (first, second) = (app.browser(), app.browser());
    asked(&app, &first, "a@example.org").await;
    let code = app.code().await;
    asked(&app, &second, "A@example.ORG").await;
    let newer = app.code().await;
    assert_eq!(app.form(&first, "/sign-in/code", &[("code", &code)]).await.status(), 400);
    assert_eq!(app.form(&first, "/sign-in/code", &[("code", &newer)]).await.status(), 400);
    assert_eq!(app.form(&second, "/sign-in/code", &[("code", &newer)]).await.status(), 303);
}

#[tokio::test]
async fn a_mail_that_cannot_leave_is_told_and_its_code_opens_nothing() {
    let app = TestApp::start().await;
    // Where a folder should be is a file, so every try fails for now.
    std::fs::remove_dir(app.dir.path().join("mail")).unwrap();
    std::fs::write(app.dir.path().join("mail"), "").unwrap();
    let browser = app.browser();
    app.form(&browser, "/sign-in", &[("address", "a@example.org")]).await;
    until("nothing was tried", || {
        app.house.log.metrics().text().contains("delivery=\"delayed\"} 1").then_some(())
    })
    .await;
    let page = browser.get(app.url("/sign-in/code")).header("accept-language", "zh-CN");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("会在验证码有效期内继续尝试"), "{page}");
    app.house.close().await;
    assert_eq!(app.form(&browser, "/sign-in/code", &[("code", "12345678")]).await.status(), 400);
    let page = browser.get(app.url("/sign-in/code")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("could not be handed over"), "what waits is dropped when the house closes: {page}");
}

#[tokio::test]
async fn a_whole_life_of_an_account_is_one_mail() {
    let app = TestApp::start().await;
    let browser = app.sign_in("a@example.org").await;
    app.form(&browser, "/account/keys", &[("name", "k"), ("may", "make")]).await;
    let account = app.house.accounts.records().await[0];
    app.house.accounts.ledger().grant(account, 5).await.unwrap();
    let form = reqwest::multipart::Form::new().text("prompt", "a lake").text("resolution", "512");
    let made = browser.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made = made.header("accept", "application/json").multipart(form).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    app.ended(made["generations"][0]["id"].as_str().unwrap()).await;
    for path in ["/account/delete-all", "/account/close"] {
        assert!(app.form(&browser, path, &[("sure", "yes")]).await.status().as_u16() < 400, "{path}");
    }
    assert_eq!(app.mails().len(), 1);
}

/// Where the code of the program, tests aside, has lines like this.
fn places(is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            let name = path.to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && name.contains("/src/") && !name.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let place = name.split_once("/src/").unwrap().1.to_owned();
                found.extend(code.lines().filter(|line| is_one(line)).map(|_| place.clone()));
            }
        }
    }
    found
}

#[test]
fn mail_is_posted_from_one_place_and_written_in_one() {
    assert_eq!(places(|line| line.contains("mailer.post(")), ["sign_in/mod.rs"]);
    let declares = |line: &str| ["struct ", "impl ", "fn "].iter().any(|word| line.contains(word));
    assert_eq!(places(|line| line.ends_with("Letter {") && !declares(line)), ["sign_in/mail.rs"]);
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
