//! A full disk, a locked database, a client that hangs up, and a clock that runs out.

use std::process::Command;
use std::sync::Arc;

use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{TestApp, until};

/// Bytes of the small disk: enough for a folder, too few for a picture.
const SMALL_DISK: &str = "size=16k";

#[tokio::test]
async fn a_full_disk_is_told_and_costs_nothing() {
    let app = TestApp::start().await;
    let key = app.account(2).await;
    let blobs = app.dir.path().join("data/blobs");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SMALL_DISK, "tmpfs"]).arg(&blobs).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: a_full_disk_is_told_and_costs_nothing: no file system can be mounted here");
        return;
    }
    let (_, status) = app.develop(&key, "a lake at dawn").await;
    let left = std::fs::read_dir(&blobs).unwrap().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let files = left.iter().flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten()).count();
    assert!(Command::new("umount").arg(&blobs).status().unwrap().success());
    assert_eq!(status["status"], "failed", "{status}");
    assert!(status["error"].as_str().unwrap().contains("disk"), "{status}");
    assert_eq!(files, 0, "nothing half-written stays: {left:?}");
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
    // Both credits are still there.
    for _ in 0..2 {
        assert_eq!(app.develop(&key, "a lake at dawn").await.1["status"], "completed");
    }
    assert_eq!(app.generate(&key, json!({ "prompt": "a lake" })).await.status(), 402);
}

#[tokio::test]
async fn a_locked_database_is_told_and_costs_nothing() {
    let app = TestApp::start().await;
    let key = app.account(1).await;
    let path = app.dir.path().join("data/safelight.db");
    let mut other =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let answer = app.generate(&key, json!({ "prompt": "a hill", "resolution": "512" })).await;
    assert_eq!(answer.status(), 503);
    let words: Value = answer.json().await.unwrap();
    assert!(words["error"].as_str().unwrap().contains("busy"), "{words}");
    assert_eq!(app.browser().get(app.url("/")).send().await.unwrap().status(), 200, "reading goes on");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(app.develop(&key, "a hill").await.1["status"], "completed");
}

#[tokio::test]
async fn who_hangs_up_is_charged_only_for_a_whole_request_and_gets_that_picture() {
    let app = TestApp::start().await;
    let key = app.account(1).await;
    let body = json!({ "prompt": "a quiet hill", "resolution": "512" }).to_string();
    let head = |length: usize| {
        format!(
            "POST /api/generate/v2 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let address = app.base.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(format!("{}{}", head(body.len()), &body[..20]).as_bytes()).await.unwrap();
    half.shutdown().await.unwrap();
    // The server ends its side once it has given the request up.
    half.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(app.house.studio.records().await.unwrap().is_empty());

    let mut whole = TcpStream::connect(&address).await.unwrap();
    whole.write_all(format!("{}{body}", head(body.len())).as_bytes()).await.unwrap();
    whole.read_exact(&mut [0; 12]).await.unwrap();
    drop(whole);
    // Its row is written before the first picture of the answer is drawn; the credit is held by then.
    let mut turn = tokio::time::interval(crate::POLL);
    let mut records = app.house.studio.records().await.unwrap();
    for _ in 0..crate::POLLS_MAX {
        if !records.is_empty() {
            break;
        }
        turn.tick().await;
        records = app.house.studio.records().await.unwrap();
    }
    let status = app.ended(&records[0].to_string()).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(app.generate(&key, json!({ "prompt": "a hill" })).await.status(), 402);
}

#[tokio::test]
async fn leaving_the_live_stream_does_not_stop_the_picture() {
    let app = TestApp::start().await;
    let browser = app.sign_in("a@example.org").await;
    let form = reqwest::multipart::Form::new().text("prompt", "a quiet sea").text("resolution", "1K");
    let made = browser.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made = made.header("accept", "application/json").multipart(form).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let id = made["generations"][0]["id"].as_str().unwrap();
    let mut stream = browser.get(app.url(&format!("/studio/generations/{id}/events"))).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    drop(stream);
    assert_eq!(app.ended(id).await["status"], "completed");
}

#[tokio::test]
async fn codes_end_after_ten_minutes_and_sessions_after_thirty_days() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let late = app.browser();
    app.form(&late, "/sign-in", &[("address", "late@example.org")]).await;
    until("no mail came", || (!app.mails().is_empty()).then_some(())).await;
    let code = app.code().await;
    clock.advance(601);
    assert_eq!(app.form(&late, "/sign-in/code", &[("code", &code)]).await.status(), 400);

    let browser = app.sign_in("a@example.org").await;
    let account = || async { browser.get(app.url("/account")).send().await.unwrap().status() };
    assert_eq!(account().await, 200);
    clock.advance(29 * 24 * 3600);
    assert_eq!(account().await, 200);
    clock.advance(31 * 24 * 3600);
    assert_eq!(account().await, 401, "an expired session is none");
}

#[tokio::test]
async fn the_command_line_renews_its_key_instead_of_using_the_five_up() {
    let app = TestApp::start().await;
    let mut keys = Vec::new();
    for _ in 0..7 {
        let request = app::operator::Request::CreateAccount { address: "a@example.org".into(), credits: 1 };
        keys.push(app.operate(request).await.unwrap()["api_key"].as_str().unwrap().to_owned());
    }
    let status = async |key: &str| app.generate(key, json!({})).await.status();
    assert_eq!(status(&keys[5]).await, 401, "the one before has ended");
    assert_eq!(status(&keys[6]).await, 400);
}
