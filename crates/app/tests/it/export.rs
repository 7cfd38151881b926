//! What a member takes along, and what the site says of itself to programs: both are what the data map says.

use std::collections::{BTreeMap, BTreeSet};

use accounts::LookReason;
use app::operator::{Desk, Request};
use platform::http::Heard;
use serde_json::{Value, json};
use trust::data_map::data_map;

use crate::TestApp;
use crate::archive::files;
use crate::purchases::Shop;
use crate::stripe::stories::Step;

/// Tables and columns of a section, as the data map names them.
pub(crate) fn columns(section: &Value) -> BTreeSet<String> {
    let tables = section["held"].as_object().unwrap();
    let columns = tables.iter().flat_map(|(table, rows)| {
        let row = rows.as_array().unwrap()[0].as_object().unwrap();
        row.keys().map(move |column| format!("{table}.{column}"))
    });
    columns.collect()
}

/// An account with something in every table.
pub(crate) async fn lived_in(shop: &Shop) -> reqwest::Client {
    let app = &shop.app;
    let member = app.sign_in("ada@example.org").await;
    app.passkey(&member, "grey key").await;
    app.form(&member, "/account/keys", &[("name", "my script"), ("may", "make")]).await;
    let form = reqwest::multipart::Form::new().text("prompt", "a quiet sea").text("resolution", "512");
    let made = member.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made: Value =
        made.header("accept", "application/json").multipart(form).send().await.unwrap().json().await.unwrap();
    app.ended(made["generations"][0]["id"].as_str().unwrap()).await;
    let png = imaging::encode_png(&imaging::Picture { width: 8, height: 8, rgba: vec![9; 256] }).unwrap();
    let part = reqwest::multipart::Part::bytes(png).file_name("x.png");
    let upload = member.post(app.url("/studio/references")).header("sec-fetch-site", "same-origin");
    let form = reqwest::multipart::Form::new().part("picture", part);
    assert_eq!(upload.multipart(form).send().await.unwrap().status(), 200);
    let (_, page) = shop.begin(&member).await;
    assert_eq!(shop.tell(&page, Step::Completed).await, 200);
    let look =
        Request::Desk(Desk::Inquire { address: "ada@example.org".into(), reason: LookReason::Support });
    app.operate(look).await.unwrap();
    member
}

#[tokio::test]
async fn the_export_is_what_the_data_map_says_of_an_account_and_nothing_else() {
    let shop = Shop::open().await;
    let app = &shop.app;
    let (member, other) = (lived_in(&shop).await, app.sign_in("bob@example.org").await);
    let answer = member.get(app.url("/account/export")).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let files = files(&answer.bytes().await.unwrap());
    let export: Value = serde_json::from_slice(&files["account.json"]).unwrap();
    let sections = export["sections"].as_array().unwrap();
    let told: BTreeMap<&str, BTreeSet<String>> =
        sections.iter().map(|section| (section["id"].as_str().unwrap(), columns(section))).collect();
    let map = data_map().unwrap();
    let of_account = map.stored.iter().filter(|stored| stored.is_of_account());
    let wanted: BTreeMap<&str, BTreeSet<String>> =
        of_account.map(|stored| (stored.id.as_str(), stored.columns.iter().cloned().collect())).collect();
    assert_eq!(told, wanted);
    let texts = sections.iter().flat_map(|section| [&section["purpose"], &section["lifetime"]]);
    assert!(texts.into_iter().all(|text| !text.as_str().unwrap().is_empty()));

    let held = |id: &str| sections.iter().find(|section| section["id"] == id).unwrap();
    assert_eq!(held("api-keys")["held"]["api_key"][0]["name_sealed"], "my script", "opened for its owner");
    assert_eq!(held("passkeys")["held"]["passkey"][0]["name_sealed"], "grey key");
    assert_eq!(held("generations")["held"]["generation"][0]["details_sealed"]["width"], 512);
    let pictures = held("pictures")["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 2);
    assert!(pictures.iter().all(|name| files.contains_key(name.as_str().unwrap())), "they lie beside it");
    let others = other.get(app.url("/account/export")).send().await.unwrap().bytes().await.unwrap();
    let others = crate::archive::files(&others);
    let text = String::from_utf8(others["account.json"].clone()).unwrap();
    assert!(!text.contains(export["account"].as_str().unwrap()), "nobody else's is in it");
    assert_eq!(others.len(), 3, "nor is a picture of somebody else");
}

#[tokio::test]
async fn the_slices_hold_back_no_row_of_an_account() {
    let shop = Shop::open().await;
    lived_in(&shop).await;
    let app = &shop.app;
    let account = app.house.accounts.records().await[0];
    let mut tables = app.house.accounts.export(account).await.unwrap();
    tables.extend(app.house.studio.export(account).await.unwrap());
    tables.extend(app.house.keys.export(account).await.unwrap());
    let map = data_map().unwrap();
    let mapped: BTreeSet<&str> = map
        .stored
        .iter()
        .filter(|stored| stored.is_of_account())
        .flat_map(|stored| stored.columns.iter().map(String::as_str))
        .collect();
    let given: BTreeSet<String> = tables
        .iter()
        .flat_map(|(table, rows)| rows[0].keys().map(move |column| format!("{table}.{column}")))
        .collect();
    assert_eq!(given.iter().map(String::as_str).collect::<BTreeSet<_>>(), mapped);
}

#[tokio::test]
async fn programs_read_the_promises_the_data_map_and_the_last_audit() {
    let app = TestApp::start().await;
    let answer = app.browser().get(app.url("/.well-known/privacy.json")).send().await.unwrap();
    let statement: Value = answer.json().await.unwrap();
    let promised = trust::promises::promises().unwrap().len();
    assert_eq!(statement["promises"].as_array().unwrap().len(), promised);
    assert_eq!(statement["data"].as_array().unwrap().len(), data_map().unwrap().stored.len());
    assert_eq!(statement["audit"], Value::Null, "never audited");
    assert_eq!(statement["policy"]["version"].as_str().unwrap().len(), 16);
    assert!(statement["engines"].as_array().unwrap().iter().any(|engine| engine["remote"] == Value::Null));
    let first = &statement["promises"][0];
    for field in ["id", "text", "mechanism", "strength", "evidence", "probes"] {
        assert!(!first[field].is_null(), "{field}");
    }
    assert!(first["text"]["ja"].is_string());
    let heard = Heard::Accept.name().to_string();
    assert!(statement["data"].to_string().contains(&json!({ "kind": "header", "name": heard }).to_string()));

    let page = app.browser().get(app.url("/transparency")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("never audited"));
    let findings = vec![trust::audit::Finding::breach(trust::audit::Probe::Sealed, "a file")];
    let report = trust::audit::Report { time: "2026-11-25T12:00:00Z".to_owned(), findings };
    app.house.last_audit.replace(&report.summary()).unwrap();
    let page = app.browser().get(app.url("/transparency")).send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("2026-11-25T12:00:00Z")
            && page.contains("Something is not as promised")
            && page.contains("breached 1")
    );
    let again = app.browser().get(app.url("/.well-known/privacy.json")).send().await.unwrap();
    let again: Value = again.json().await.unwrap();
    assert_eq!((&again["audit"]["outcome"], &again["audit"]["breaches"]), (&json!("breach"), &json!(1)));
    assert!(!again["audit"].to_string().contains("a file"), "words are for the operator");
}
