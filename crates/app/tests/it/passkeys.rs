//! Passkeys: signing in with one, everything that can be wrong with one, and what is kept of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use accounts::Accounts;
use app::connections::Bounds;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use platform::db::Db;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::TestApp;
use crate::authenticator::{Authenticator, VERIFIED};

const ORIGIN: &str = "http://localhost";
const DOOR: &str = "/sign-in/passkey";
const OWN: &str = "/account/passkeys";

impl TestApp {
    /// A program at an address that passkeys like.
    pub(crate) async fn with_passkeys() -> Self {
        Self::with_passkeys_at(Arc::new(SystemClock)).await
    }

    pub(crate) async fn with_passkeys_at(clock: Arc<dyn Clock>) -> Self {
        Self::start_with(clock, Bounds::default(), &["--public-url", ORIGIN]).await
    }

    /// Sends JSON as a script of this site does.
    async fn send(&self, browser: &Client, path: &str, body: &Value) -> Response {
        let request = browser.post(self.url(path)).header("sec-fetch-site", "same-origin");
        request.header("accept", "application/json").json(body).send().await.unwrap()
    }

    /// The question of a door or of the account page.
    async fn question(&self, browser: &Client, path: &str) -> Value {
        let answer = self.send(browser, &format!("{path}/question"), &json!(null)).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    async fn add(&self, browser: &Client, passkey: &mut Authenticator, name: &str) -> Response {
        let credential = passkey.make(&self.question(browser, OWN).await);
        self.send(browser, OWN, &json!({ "name": name, "credential": credential })).await
    }

    /// A new passkey of whoever is signed in.
    pub(crate) async fn passkey(&self, browser: &Client, name: &str) -> Authenticator {
        let mut passkey = Authenticator::at(ORIGIN);
        assert_eq!(self.add(browser, &mut passkey, name).await.status(), 204);
        passkey
    }

    /// Signs a browser in.
    pub(crate) async fn enter(&self, browser: &Client, passkey: &mut Authenticator) -> Response {
        let proof = passkey.prove(&self.question(browser, DOOR).await);
        self.send(browser, DOOR, &proof).await
    }

    async fn account_page(&self, browser: &Client) -> (u16, String) {
        let answer = browser.get(self.url("/account")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// Ids of the passkeys that an account page lists.
fn listed(page: &str) -> Vec<String> {
    let parts = page.split("/account/passkeys/").skip(1);
    parts.filter_map(|part| part.split_once("/remove")).map(|(id, _)| id.to_owned()).collect()
}

#[tokio::test]
async fn a_passkey_signs_in_without_an_address_until_it_is_removed() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "grey key").await;
    let (_, page) = app.account_page(&member).await;
    assert!(page.contains("grey key") && page.contains("never used") && page.contains("with a code"));

    let other = app.browser();
    assert!(
        other.get(app.url("/sign-in")).send().await.unwrap().text().await.unwrap().contains("<passkey-door")
    );
    let entered = app.enter(&other, &mut passkey).await;
    assert_eq!(entered.status(), 204);
    let cookies: Vec<_> =
        entered.headers().get_all("set-cookie").iter().map(|one| one.to_str().unwrap()).collect();
    assert!(cookies[0].starts_with("session=") && cookies[1].starts_with("passkey=;"));
    let (status, page) = app.account_page(&other).await;
    assert!(status == 200 && page.contains("with a passkey") && !page.contains("never used"));

    let id = listed(&page).remove(0);
    assert_eq!(app.form(&other, &format!("{OWN}/{id}/remove"), &[]).await.status(), 303);
    assert_eq!(app.form(&other, &format!("{OWN}/{id}/remove"), &[]).await.status(), 404);
    assert!(!app.account_page(&other).await.1.contains("grey key"));
    let refused = app.enter(&app.browser(), &mut passkey).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.text().await.unwrap().contains("may have been removed"));
}

/// What can be wrong with a proof: what is done to the authenticator or to what it sends, the status, a word of the reason.
type Wrong = (fn(&mut Authenticator), fn(&mut Value), u16, &'static str);
const RIGHT: fn(&mut Authenticator) = |_| {};
const AS_IT_IS: fn(&mut Value) = |_| {};

/// Turns a letter of a text into another.
fn bend(text: &mut Value, at: usize) {
    let mut bent = text.as_str().unwrap().to_owned();
    let other = if &bent[at..=at] == "A" { "B" } else { "A" };
    bent.replace_range(at..=at, other);
    *text = bent.into();
}

const WRONG: &[Wrong] = &[
    (|key| key.origin = "https://evil.example".to_owned(), AS_IT_IS, 403, "another site"),
    (|key| key.origin = "http://localhost:81".to_owned(), AS_IT_IS, 403, "another site"),
    (|key| key.host = "evil.example".to_owned(), AS_IT_IS, 403, "another site"),
    (|key| key.count -= 1, AS_IT_IS, 403, "a copy"),
    (|key| key.count = 0, AS_IT_IS, 403, "a copy"),
    (|key| key.flags = 0, AS_IT_IS, 401, "unlock"),
    (|key| key.id = vec![7; 32], AS_IT_IS, 401, "opens nothing"),
    (|key| key.user = BASE64URL_NOPAD.encode(&[7; 16]), AS_IT_IS, 401, "opens nothing"),
    (RIGHT, |proof| proof["response"]["userHandle"] = Value::Null, 401, "opens nothing"),
    (RIGHT, |proof| bend(&mut proof["response"]["signature"], 20), 401, "opens nothing"),
    (RIGHT, |proof| proof["response"]["signature"] = "AAAA".into(), 400, "cannot be read"),
    (RIGHT, |proof| proof["response"]["authenticatorData"] = "AAAA".into(), 400, "cannot be read"),
    (RIGHT, |proof| proof["response"]["clientDataJSON"] = "AAAA".into(), 400, "cannot be read"),
    (RIGHT, |proof| proof["response"] = json!({}), 400, "check its fields"),
    (RIGHT, |proof| *proof = json!([1, "x"]), 400, "check its fields"),
];

#[tokio::test]
async fn what_is_wrong_with_a_proof_is_refused_with_its_reason() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "key").await;
    for _ in 0..2 {
        assert_eq!(app.enter(&app.browser(), &mut passkey).await.status(), 204);
    }
    for (n, (tamper, mangle, status, reason)) in WRONG.iter().enumerate() {
        let (count, id, user) = (passkey.count, passkey.id.clone(), passkey.user.clone());
        tamper(&mut passkey);
        let browser = app.browser();
        let mut proof = passkey.prove(&app.question(&browser, DOOR).await);
        mangle(&mut proof);
        let answer = app.send(&browser, DOOR, &proof).await;
        let (found, words) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(found == *status && words.contains(reason), "{n}: {found} {words}");
        assert_eq!(app.account_page(&browser).await.0, 401, "{n}");
        (passkey.count, passkey.id, passkey.user, passkey.flags) = (count, id, user, VERIFIED);
        (passkey.origin, passkey.host) = (ORIGIN.to_owned(), "localhost".to_owned());
    }
    let browser = app.browser();
    let proof = passkey.prove(&app.question(&browser, DOOR).await);
    assert_eq!(app.send(&app.browser(), DOOR, &proof).await.status(), 400, "another browser's question");
    assert_eq!(app.send(&browser, DOOR, &proof).await.status(), 204, "what was refused has changed nothing");
    assert_eq!(app.send(&browser, DOOR, &proof).await.status(), 400, "a question is answered once");
    let older = passkey.prove(&app.question(&browser, DOOR).await);
    app.question(&browser, DOOR).await;
    assert_eq!(app.send(&browser, DOOR, &older).await.status(), 400, "a newer question takes its place");
    let huge = json!({ "id": "x".repeat(70_000) });
    assert_eq!(app.send(&browser, DOOR, &huge).await.status(), 413);
    assert_eq!(app.form(&browser, DOOR, &[("id", "x")]).await.status(), 415);
}

#[tokio::test]
async fn a_question_waits_for_five_minutes() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::with_passkeys_at(clock.clone()).await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "key").await;
    for (seconds, status) in [(299, 204), (300, 400)] {
        let browser = app.browser();
        let question = app.question(&browser, DOOR).await;
        clock.advance(seconds);
        assert_eq!(app.send(&browser, DOOR, &passkey.prove(&question)).await.status(), status);
    }
}

#[tokio::test]
async fn refused_proofs_are_guesses_and_a_right_one_still_opens() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "key").await;
    let browser = app.browser();
    let late = passkey.prove(&app.question(&browser, DOOR).await);
    assert_eq!(app.send(&browser, DOOR, &late).await.status(), 204);
    for _ in 0..platform::http::limits::GUESSES.most {
        assert_eq!(app.send(&browser, DOOR, &late).await.status(), 400);
    }
    assert_eq!(app.send(&browser, DOOR, &late).await.status(), 429);
    assert_eq!(app.enter(&app.browser(), &mut passkey).await.status(), 204);
}

#[tokio::test]
async fn questions_are_not_asked_without_end() {
    let app = TestApp::with_passkeys().await;
    let browser = app.browser();
    for _ in 0..platform::http::limits::QUESTIONS.most {
        app.question(&browser, DOOR).await;
    }
    let member = app.sign_in("ada@example.org").await;
    for (browser, path) in [(&browser, DOOR), (&member, OWN)] {
        assert_eq!(
            app.send(browser, &format!("{path}/question"), &json!(null)).await.status(),
            429,
            "{path}"
        );
    }
}

#[tokio::test]
async fn of_two_proofs_with_one_count_one_opens() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "key").await;
    for _ in 0..8 {
        let (one, other) = (app.browser(), app.browser());
        let first = passkey.prove(&app.question(&one, DOOR).await);
        passkey.count -= 1;
        let second = passkey.prove(&app.question(&other, DOOR).await);
        let (first, second) = tokio::join!(app.send(&one, DOOR, &first), app.send(&other, DOOR, &second));
        let opened = [first, second].iter().filter(|answer| answer.status() == 204).count();
        assert_eq!(opened, 1);
    }
}

#[tokio::test]
async fn a_new_passkey_answers_its_owners_question_and_an_account_has_ten() {
    let app = TestApp::with_passkeys().await;
    let (ada, bob) = (app.sign_in("ada@example.org").await, app.sign_in("bob@example.org").await);
    let mut foreign = Authenticator::at(ORIGIN);
    foreign.origin = "https://evil.example".to_owned();
    assert_eq!(app.add(&ada, &mut foreign, "key").await.status(), 403);
    let mut unchecked = Authenticator::at(ORIGIN);
    unchecked.flags = 0;
    assert_eq!(app.add(&ada, &mut unchecked, "key").await.status(), 401);
    for name in ["", "  ", &"x".repeat(61)] {
        assert_eq!(app.add(&ada, &mut Authenticator::at(ORIGIN), name).await.status(), 400, "{name}");
    }
    let mut endless = Authenticator::at(ORIGIN);
    endless.id = vec![7; 1024];
    assert_eq!(app.add(&ada, &mut endless, "key").await.status(), 400);

    let mut passkey = Authenticator::at(ORIGIN);
    let made = json!({ "name": "key", "credential": passkey.make(&app.question(&ada, OWN).await) });
    app.question(&bob, OWN).await;
    assert_eq!(app.send(&bob, OWN, &made).await.status(), 400, "the question was another's");
    assert_eq!(app.send(&ada, OWN, &made).await.status(), 204);
    assert_eq!(app.send(&ada, OWN, &made).await.status(), 400, "a question is answered once");
    assert_eq!(app.add(&bob, &mut passkey, "key").await.status(), 409, "it is somebody's already");
    let excluded = app.question(&ada, OWN).await["excludeCredentials"][0]["id"].clone();
    assert_eq!(excluded, BASE64URL_NOPAD.encode(&passkey.id));

    for n in 1..10 {
        app.passkey(&ada, &format!("key {n}")).await;
    }
    let eleventh = app.send(&ada, "/account/passkeys/question", &json!(null)).await;
    assert_eq!(eleventh.status(), 409);
    assert!(eleventh.text().await.unwrap().contains("ten passkeys"));
    let (_, page) = app.account_page(&ada).await;
    let ids = listed(&page);
    assert_eq!(ids.len(), 10);
    assert_eq!(app.form(&bob, &format!("{OWN}/{}/remove", ids[0]), &[]).await.status(), 404, "not another's");
    assert_eq!(app.form(&ada, &format!("{OWN}/{}/remove", ids[0]), &[]).await.status(), 303);
    app.passkey(&ada, "another").await;
}

#[tokio::test]
async fn nothing_of_a_passkey_is_kept_in_the_clear_and_its_maker_not_at_all() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkey = app.passkey(&member, "Zanzibar quokka").await;
    assert_eq!(app.enter(&app.browser(), &mut passkey).await.status(), 204);
    let (x, _) = passkey.public();
    for secret in [passkey.id.as_slice(), &passkey.model, x, b"Zanzibar quokka"] {
        for form in [
            secret.to_vec(),
            BASE64URL_NOPAD.encode(secret).into(),
            BASE64.encode(secret).into(),
            HEXLOWER.encode(secret).into(),
        ] {
            assert!(!app.disk_holds(&form), "{}", String::from_utf8_lossy(&form));
        }
    }
    assert!(app.disk_holds(b"credential_print"), "the scan sees the database");
    let account = app.house.accounts.records().await[0];
    let row = app.house.accounts.export(account).await.unwrap().remove("passkey").unwrap().remove(0);
    let kept: BTreeSet<&str> = row["key_sealed"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(kept, BTreeSet::from(["id", "key", "counter", "copied"]), "opened, it has no other field");
    assert_eq!(row["key_sealed"]["counter"], 1);
    assert_eq!(row["name_sealed"], "Zanzibar quokka");
    app.form(&member, "/account/close", &[("sure", "yes")]).await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM passkey").fetch_one(app.house.db.read()).await.unwrap();
    assert_eq!(left, 0, "passkeys go with their account");
}

#[tokio::test]
async fn older_rows_bring_back_no_passkey_that_was_removed_since() {
    let app = TestApp::with_passkeys().await;
    let member = app.sign_in("ada@example.org").await;
    let mut passkeys = [app.passkey(&member, "stays").await, app.passkey(&member, "goes").await];
    let older = app.dir.path().join("older.db");
    let copy = format!("VACUUM INTO '{}'", older.display());
    sqlx::query(sqlx::AssertSqlSafe(copy)).execute(app.house.db.read()).await.unwrap();
    let account = app.house.accounts.records().await[0];
    let goes = app.house.accounts.list_passkeys(account).await.unwrap();
    let goes = goes.iter().find(|passkey| passkey.name == "goes").unwrap().id;
    app.house.accounts.remove_passkey(account, goes).await.unwrap();
    let older = Db::open(&older).await.unwrap();
    let mut writing = older.write().await.unwrap();
    let living = [account].into();
    Accounts::drop_keyless(&mut writing, &living, Some(&app.house.db), 0).await.unwrap();
    platform::db::commit(writing).await.unwrap();
    let left: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM passkey").fetch_all(older.read()).await.unwrap();
    assert!(left.len() == 1 && left[0] != goes.as_bytes());
    assert_eq!(app.enter(&app.browser(), &mut passkeys[0]).await.status(), 204);
    assert_eq!(app.enter(&app.browser(), &mut passkeys[1]).await.status(), 401);
}

#[tokio::test]
async fn where_the_address_allows_no_passkeys_nothing_speaks_of_them() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    for path in ["/sign-in", "/account"] {
        let page = member.get(app.url(path)).send().await.unwrap().text().await.unwrap();
        assert!(!page.to_lowercase().contains("passkey-") && !page.contains("js/passkeys.js"), "{path}");
    }
    let none = kernel::Id::random();
    for path in [
        DOOR,
        OWN,
        "/sign-in/passkey/question",
        "/account/passkeys/question",
        &format!("{OWN}/{none}/remove"),
    ] {
        for browser in [&member, &app.browser()] {
            assert_eq!(app.send(browser, path, &json!({})).await.status(), 404, "{path}");
        }
    }
}
