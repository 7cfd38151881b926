//! Deleting everything and closing an account, at bad moments: what goes is gone, and the books still add up.

use kernel::{EmailAddress, Id};
use reqwest::Client;
use serde_json::Value;

use crate::TestApp;

async fn account(app: &TestApp) -> Id {
    app.house.accounts.find_or_create(&EmailAddress::parse(&"ada@example.org".into()).unwrap()).await.unwrap()
}

/// Asks for pictures without waiting for them.
async fn order(app: &TestApp, member: &Client, count: &'static str) -> Vec<Id> {
    let form = reqwest::multipart::Form::new().text("prompt", "a quiet sea").text("resolution", "4K");
    let made = member.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made = made.header("accept", "application/json").multipart(form.text("count", count));
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let ids = made["generations"].as_array().unwrap().iter();
    ids.map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// Waits until none of these is drawn any more.
async fn ended(app: &TestApp, ids: &[Id]) {
    for id in ids {
        if let Some(mut live) = app.house.studio.live(*id) {
            let over =
                |phase: &studio::Phase| !matches!(phase, studio::Phase::Queued | studio::Phase::Drawing);
            let _ = live.phase.wait_for(over).await;
        }
    }
}

async fn open_holds(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM hold WHERE state = 'open'")
        .fetch_one(app.house.db.read())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_account_that_closes_while_pictures_develop_leaves_no_hold_and_no_file() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let ids = order(&app, &member, "4").await;
    assert_eq!(app.form(&member, "/account/close", &[("sure", "yes")]).await.status(), 200);
    ended(&app, &ids).await;
    assert_eq!(open_holds(&app).await, 0);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
    app.house.blobs.sweep().await.unwrap();
    assert!(app.house.studio.records().await.unwrap().is_empty());
    assert!(app.house.keys.records().await.unwrap().is_empty(), "no key of it is left");
    assert_eq!(app.house.blobs.sweep_strays().await.unwrap(), 0, "no file of it is left");
}

#[tokio::test]
async fn deleting_everything_while_pictures_develop_gives_their_credits_back() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let account = account(&app).await;
    let before = app.house.accounts.ledger().balance(account).await.unwrap();
    let ids = order(&app, &member, "2").await;
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().held, 2);
    assert_eq!(app.form(&member, "/account/delete-all", &[("sure", "yes")]).await.status(), 200);
    ended(&app, &ids).await;
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap(), before);
    assert_eq!(open_holds(&app).await, 0);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn an_account_that_is_closed_twice_at_once_is_closed_once() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let close = || app.form(&member, "/account/close", &[("sure", "yes")]);
    let (one, other) = tokio::join!(close(), close());
    let statuses = [one.status().as_u16(), other.status().as_u16()];
    assert!(statuses.contains(&200), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    let receipts = [one.text().await.unwrap(), other.text().await.unwrap()];
    let receipts = receipts.iter().filter(|page| page.contains("safelight-receipt.txt")).count();
    assert_eq!(receipts, 1, "one of them has erased it, and has the receipt");
    assert!(app.house.accounts.records().await.is_empty());
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn a_held_credit_ends_with_its_account() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let account = account(&app).await;
    app.house.accounts.ledger().grant(account, 5).await.unwrap();
    let mut writing = app.house.db.write().await.unwrap();
    app.house.accounts.ledger().hold(&mut writing, account, 3, accounts::Terms::PurchasedOnly).await.unwrap();
    platform::db::commit(writing).await.unwrap();
    assert_eq!(app.form(&member, "/account/close", &[("sure", "yes")]).await.status(), 200);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
    // No job belongs to this hold; the next start ends it.
    app.house.studio.recover().await.unwrap();
    assert_eq!(open_holds(&app).await, 0);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn the_pages_say_what_goes_and_what_stays_and_give_a_receipt() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let page = member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    for words in ["Take your data along first", "every picture you made", "tax law keeps", "cut off from you"]
    {
        assert!(page.contains(words), "{words}");
    }
    let nothing = app.form(&member, "/account/delete-all", &[("sure", "yes")]).await.text().await.unwrap();
    assert!(nothing.contains("There was nothing to delete.") && !nothing.contains("safelight-receipt.txt"));
    let closed = app.form(&member, "/account/close", &[("sure", "yes")]).await.text().await.unwrap();
    assert!(closed.contains("safelight-receipt.txt"));
}

#[tokio::test]
async fn many_pictures_are_deleted_without_scripts_after_one_question() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    let ids = order(&app, &member, "2").await;
    for id in &ids {
        app.house.studio.cancel(*id);
    }
    ended(&app, &ids).await;
    let page = member.get(app.url("/studio")).send().await.unwrap().text().await.unwrap();
    for id in &ids {
        assert!(page.contains(&format!("name=\"id\" value=\"{id}\" form=\"chosen\"")), "each can be chosen");
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let chosen: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
    let asked = app.form(&member, "/studio/generations/delete", &chosen).await.text().await.unwrap();
    assert!(asked.contains("2 pictures") && asked.contains("href=\"/account/export\""), "{asked}");
    let sure = [chosen.as_slice(), &[("sure", "yes")]].concat();
    let done = app.form(&member, "/studio/generations/delete", &sure).await.text().await.unwrap();
    assert!(done.contains("safelight-receipt.txt"));
    assert!(app.house.studio.records().await.unwrap().is_empty());
}
