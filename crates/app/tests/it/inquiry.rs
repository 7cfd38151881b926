//! The inquiry desk: what an operator is told of an address, that every look is recorded before and shown to its account, and
//! the exact text of a disclosure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use accounts::LookReason;
use app::desk::disclosure_text;
use app::operator::{Desk, Request};
use kernel::clock::{DAY_SECONDS, SetClock};
use kernel::{Clock, Kind};
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use trust::data_map::data_map;

use crate::TestApp;
use crate::archive::files;
use crate::export::{columns, lived_in};
use crate::purchases::Shop;

const ADDRESS: &str = "ada@example.org";
/// What the member types as the name of a key.
const KEY_NAME: &str = "my script";
/// 2026-11-26, at noon.
const NOON: i64 = 20_783 * DAY_SECONDS + DAY_SECONDS / 2;
const GOLDEN: &str = include_str!("golden/disclosure.txt");

async fn inquire(app: &TestApp, address: &str) -> kernel::Result<Value> {
    let address = address.to_owned();
    app.operate(Request::Desk(Desk::Inquire { address, reason: LookReason::OwnRequest })).await
}

async fn disclose(app: &TestApp, address: &str) -> kernel::Result<Value> {
    let address = address.to_owned();
    app.operate(Request::Desk(Desk::Disclose { address, reason: LookReason::CourtOrder })).await
}

async fn page(app: &TestApp, browser: &Client, path: &str) -> String {
    browser.get(app.url(path)).send().await.unwrap().text().await.unwrap()
}

/// What the owner takes along.
async fn taken_along(app: &TestApp, member: &Client) -> Value {
    let asked = member.get(app.url("/account/export")).header("accept-language", "en");
    let archive = asked.send().await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&files(&archive)["account.json"]).unwrap()
}

/// The database, beside the program.
async fn beside(app: &TestApp) -> SqliteConnection {
    let path = app.dir.path().join("data/safelight.db");
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    let count = match table {
        "look" => "SELECT count(*) FROM look",
        _ => "SELECT count(*) FROM disclosure_count",
    };
    sqlx::query_scalar(count).fetch_one(app.house.db.read()).await.unwrap()
}

#[tokio::test]
async fn an_inquiry_answers_in_counts_and_shows_nothing_that_its_owner_typed() {
    let shop = Shop::open().await;
    let app = &shop.app;
    let member = lived_in(&shop).await;
    let found = inquire(app, &format!("  {}\n", ADDRESS.to_uppercase())).await.unwrap();
    assert!(found["made"].as_str().unwrap().starts_with("20"), "{found}");
    assert_eq!(found["pictures"], json!({ "completed": 1 }));
    assert!(found["credits"]["daily"].as_u64().unwrap() > 0, "{found}");
    let parts = found["parts"].as_array().unwrap();
    let counts: BTreeMap<&str, &Value> =
        parts.iter().map(|part| (part["id"].as_str().unwrap(), &part["counts"])).collect();
    for (id, wanted) in [
        ("sessions", json!({ "session": 1 })),
        ("api-keys", json!({ "api_key": 1 })),
        ("passkeys", json!({ "passkey": 1 })),
        ("references", json!({ "reference": 1 })),
        ("pictures", json!({ "file": 2 })),
        ("looks", json!({ "look": 2 })),
        ("purchases", json!({ "purchase": 1 })),
    ] {
        assert_eq!(counts[id], &wanted, "{id}");
    }
    let of_account = data_map().unwrap().stored.into_iter().filter(|stored| stored.is_of_account());
    let ids: BTreeSet<String> = of_account.map(|stored| stored.id).collect();
    assert_eq!(counts.keys().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), ids, "something in each");
    assert!(parts.iter().all(|part| !part["purpose"].as_str().unwrap().is_empty()
        && !part["lifetime"].as_str().unwrap().is_empty()));

    let account = app.house.accounts.records().await[0].to_string();
    let export = taken_along(app, &member).await;
    let pictures = export["sections"].as_array().unwrap().iter().find(|one| one["id"] == "pictures").unwrap();
    let name = pictures["pictures"][0].as_str().unwrap();
    let said = found.to_string();
    for secret in [KEY_NAME, "grey key", ADDRESS, account.as_str(), name, "/g/"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[tokio::test]
async fn a_look_is_recorded_before_anything_is_shown_and_told_to_its_account() {
    let app = TestApp::start().await;
    let (member, other) = (app.sign_in(ADDRESS).await, app.sign_in("bob@example.org").await);
    assert!(page(&app, &member, "/account").await.contains("Nobody has looked."));
    let mut database = beside(&app).await;
    // As on a full disk: no row can be added.
    let full = "CREATE TRIGGER no_room BEFORE INSERT ON look BEGIN SELECT raise(ABORT, 'no room'); END";
    sqlx::query(full).execute(&mut database).await.unwrap();
    for refused in [inquire(&app, ADDRESS).await, disclose(&app, ADDRESS).await] {
        assert_eq!(refused.unwrap_err().kind, Kind::Internal);
    }
    sqlx::query("DROP TRIGGER no_room").execute(&mut database).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
    assert_eq!(disclose(&app, ADDRESS).await.unwrap_err().kind, Kind::Unavailable);
    sqlx::query("ROLLBACK").execute(&mut database).await.unwrap();
    assert_eq!((count(&app, "look").await, count(&app, "disclosure_count").await), (0, 0));

    inquire(&app, ADDRESS).await.unwrap();
    let seen = page(&app, &member, "/account").await;
    assert!(
        seen.contains("Asked what is held, in counts") && seen.contains("asked for by the owner"),
        "{seen}"
    );
    assert!(!seen.contains("Printed everything"));
    disclose(&app, ADDRESS).await.unwrap();
    let seen = page(&app, &member, "/account").await;
    assert!(seen.contains("Printed everything that is held") && seen.contains("s order"), "{seen}");
    assert!(page(&app, &other, "/account").await.contains("Nobody has looked."), "it is its account's alone");
    assert_eq!(app.house.accounts.count_stray_looks().await.unwrap(), 0);
}

#[tokio::test]
async fn an_address_without_an_account_is_answered_honestly_and_recorded_nowhere() {
    let app = TestApp::start().await;
    app.sign_in(ADDRESS).await;
    let nobody = "nobody.at.all@example.org";
    assert_eq!(inquire(&app, nobody).await.unwrap(), Value::Null);
    assert_eq!(disclose(&app, nobody).await.unwrap(), Value::Null);
    assert!(disclosure_text(&Value::Null).starts_with("Nothing is held on this address."));
    assert_eq!((count(&app, "look").await, count(&app, "disclosure_count").await), (0, 0));
    assert!(!app.disk_holds(nobody.as_bytes()));
    for garbage in ["", "ada", "ada@", "a@b.c\0", "ada@example.org, bob@example.org", &"a".repeat(4096)] {
        let refused = inquire(&app, garbage).await.unwrap_err();
        assert!(refused.kind == Kind::Invalid && refused.public.contains("email address"), "{garbage}");
    }
    assert_eq!(app.house.accounts.records().await.len(), 1, "asking makes no account");
}

#[tokio::test]
async fn disclosures_are_counted_by_year_for_everyone_also_when_the_account_is_gone() {
    let clock = Arc::new(SetClock::at(NOON));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let member = app.sign_in(ADDRESS).await;
    let public = app.browser();
    let statement = async || -> Value {
        public.get(app.url("/.well-known/privacy.json")).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(statement().await["disclosures"], json!([]));
    assert!(page(&app, &public, "/transparency").await.contains("Nothing has ever been printed"));
    for _ in 0..2 {
        disclose(&app, ADDRESS).await.unwrap();
    }
    inquire(&app, ADDRESS).await.unwrap();
    let counted = json!([{ "year": 2026, "reason": "court-order", "count": 2 }]);
    assert_eq!(statement().await["disclosures"], counted, "an inquiry hands nothing over");
    assert_eq!(app.form(&member, "/account/close", &[("sure", "yes")]).await.status(), 200);
    assert_eq!((statement().await["disclosures"].clone(), count(&app, "look").await), (counted, 0));
    assert_eq!(disclose(&app, ADDRESS).await.unwrap(), Value::Null);
    clock.advance(60 * DAY_SECONDS);
    app.sign_in(ADDRESS).await;
    disclose(&app, ADDRESS).await.unwrap();
    let seen = page(&app, &public, "/transparency").await;
    let newer = seen.find("2027</span> · once").unwrap();
    assert!(newer < seen.find("2026</span> · 2 times").unwrap(), "the newest year first");
}

/// The text with what is random in it named by the order in which it comes.
fn normalised(text: &str) -> String {
    let (mut ids, mut prints, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    let mut named = |word: &str| {
        let (kind, all) = match word.len() {
            26 if word.chars().any(|c| c.is_ascii_digit()) => ("ID", &mut ids),
            28 if word.chars().any(|c| c.is_ascii_digit()) => ("PAGE", &mut pages),
            64 => ("PRINT", &mut prints),
            _ => return word.to_owned(),
        };
        let place = all.iter().position(|known| known == word).unwrap_or_else(|| {
            all.push(word.to_owned());
            all.len() - 1
        });
        format!("{kind}{}", place + 1)
    };
    let mut out = String::new();
    for line in text.lines() {
        let mut parts = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let column = line.split_whitespace().next().unwrap_or_default();
        match column {
            "hint" | "key_sealed" => out += &format!("    {column:<18}{}", column.to_uppercase()),
            _ => parts.by_ref().for_each(|part| {
                let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                out += &named(word);
                out += &part[word.len()..];
            }),
        }
        out.push('\n');
    }
    out
}

#[tokio::test]
async fn a_disclosure_is_the_golden_text_to_the_last_byte() {
    let shop = Shop::open_at(NOON).await;
    let app = &shop.app;
    let member = lived_in(&shop).await;
    let held = disclose(app, ADDRESS).await.unwrap();
    let taken = taken_along(app, &member).await;
    assert_eq!(held, taken, "what is handed over is what the owner takes along");

    let text = normalised(&disclosure_text(&held));
    if text != GOLDEN {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disclosure.txt");
        std::fs::write(&new, &text).unwrap();
        panic!(
            "not what crates/app/tests/it/golden/disclosure.txt has; read it, then keep {}",
            new.display()
        );
    }
    // Every place of the map stands in the text as well, each column on a line of its own.
    let map = data_map().unwrap();
    let of_account = map.stored.iter().filter(|stored| stored.is_of_account());
    let wanted: BTreeSet<String> = of_account.flat_map(|stored| stored.columns.clone()).collect();
    let mut told = BTreeSet::new();
    let mut table = "";
    for line in GOLDEN.lines() {
        match line.len() - line.trim_start().len() {
            2 if !line.starts_with("  for ") && !line.starts_with("  kept ") => table = line.trim(),
            4 if !["picture", "usage"].contains(&table) => {
                told.insert(format!("{table}.{}", line.split_whitespace().next().unwrap()));
            }
            _ => {}
        }
    }
    assert_eq!(told, wanted, "the golden text against the data map");
    let sections: BTreeSet<String> = held["sections"].as_array().unwrap().iter().flat_map(columns).collect();
    assert_eq!(sections, wanted);
}
