//! An export on its way: whole for other programs, the same bytes in any parts, one at a time, and never half a picture.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;

use kernel::{EmailAddress, Id};
use proptest::prelude::*;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use vault::Kind;

use crate::{TestApp, until};

/// So much does not fit into what lies between the two ends of a connection.
const LARGE_BYTES: usize = 16 * 1024 * 1024;

/// What is in an archive, by name.
pub(crate) fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = BTreeMap::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(files.insert(file.name().unwrap().into_owned(), bytes), None, "a name stands there twice");
    }
    files
}

async fn export(app: &TestApp, member: &Client) -> Response {
    member.get(app.url("/account/export")).send().await.unwrap()
}

async fn part(app: &TestApp, member: &Client, range: &str) -> Response {
    member.get(app.url("/account/export")).header("range", range).send().await.unwrap()
}

/// A picture of an account, as if it had been made here: these bytes.
async fn keep(app: &TestApp, account: Id, original: &[u8]) -> Id {
    let (id, house) = (Id::random(), &app.house);
    let details =
        json!({ "failure": "", "model": "m", "ratio": "1:1", "width": 8, "height": 8, "credits": 1 });
    let mut writing = house.db.write().await.unwrap();
    let key = house.keys.create(&mut writing, id, Some(account)).await.unwrap();
    sqlx::query(
        "INSERT INTO generation (id, account, hold, state, details_sealed, created_at) VALUES (?, ?, ?, 'completed', ?, ?)",
    )
    .bind(id.as_bytes().as_slice())
    .bind(account.as_bytes().as_slice())
    .bind(Id::random().as_bytes().as_slice())
    .bind(vault::seal_field(&key, id, "details", details.to_string().as_bytes()).unwrap())
    .bind(1_764_000_000 + i64::from(id.as_bytes()[0]))
    .execute(&mut *writing)
    .await
    .unwrap();
    platform::db::commit(writing).await.unwrap();
    house.blobs.write(id, &key, &[(Kind::Original, original.to_vec())]).unwrap();
    house.blobs.settle(&[id]).unwrap();
    id
}

/// A member with so many pictures of so many bytes.
async fn member(app: &TestApp, pictures: usize, bytes: usize) -> (Client, Id) {
    let member = app.sign_in("ada@example.org").await;
    let address = EmailAddress::parse(&"ada@example.org".into()).unwrap();
    let account = app.house.accounts.find_or_create(&address).await.unwrap();
    for n in 0..pictures {
        keep(app, account, &vec![u8::try_from(n).unwrap(); bytes]).await;
    }
    (member, account)
}

/// Waits until an account's place is free again.
async fn ended(app: &TestApp, member: &Client) {
    let mut turn = tokio::time::interval(crate::POLL);
    for _ in 0..crate::POLLS_MAX {
        turn.tick().await;
        let mut events = member.get(app.url("/account/export/events")).send().await.unwrap();
        if events.chunk().await.unwrap().is_some_and(|event| event.starts_with(b"event: idle")) {
            return;
        }
    }
    panic!("the export did not end");
}

/// Whether an archive is whole, by the words of programs that are not ours, as far as they are here.
fn check_elsewhere(archive: &Path) {
    let python = "import sys, zipfile; a = zipfile.ZipFile(sys.argv[1]); sys.exit(a.testzip() and 1)";
    for (program, args) in [("python3", vec!["-c", python]), ("unzip", vec!["-tqq"])] {
        match Command::new(program).args(args).arg(archive).output() {
            Ok(output) => {
                assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr))
            }
            Err(_) => println!("{program} is missing"),
        }
    }
}

#[tokio::test]
async fn an_export_is_whole_for_other_programs() {
    let shop = crate::purchases::Shop::open().await;
    let app = &shop.app;
    let member = crate::export::lived_in(&shop).await;
    let asked = member.get(app.url("/account/export")).header("accept-encoding", "gzip, br");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert!(!answer.headers().contains_key("content-encoding"), "it is not compressed again");
    let told: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let archive = answer.bytes().await.unwrap();
    assert_eq!(archive.len(), told);
    let path = app.dir.path().join("export.zip");
    std::fs::write(&path, &archive).unwrap();
    check_elsewhere(&path);

    let files = files(&archive);
    let account: Value = serde_json::from_slice(&files["account.json"]).unwrap();
    let pictures =
        account["sections"].as_array().unwrap().iter().find(|one| one["id"] == "pictures").unwrap();
    let named: Vec<&str> =
        pictures["pictures"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(named[0].starts_with("pictures/") && named[1].starts_with("references/"), "{named:?}");
    for name in &named {
        assert!(files[*name].starts_with(b"\x89PNG"), "{name}");
        let id = name[name.len() - 30..].strip_suffix(".png").unwrap();
        if name.starts_with("pictures/") {
            let own = member.get(app.url(&format!("/g/{id}/full"))).send().await.unwrap();
            assert_eq!(own.bytes().await.unwrap(), files[*name]);
        }
        assert!(files[&format!("thumbnails/{id}.webp")].starts_with(b"RIFF"));
    }
    assert_eq!(files.len(), 3 + 2 * named.len());
    let ledger = String::from_utf8(files["ledger.csv"].clone()).unwrap();
    let balance = app.house.accounts.records().await;
    let balance = app.house.accounts.ledger().balance(balance[0]).await.unwrap();
    let last = ledger.lines().last().unwrap().rsplit(',').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(last, balance.daily + balance.welcome + balance.purchased);
    assert_eq!(account["usage"][0]["pictures"], 1);
    page_stands_alone(&files);
}

/// The page names only what lies beside it, asks nobody for anything and runs nothing.
fn page_stands_alone(files: &BTreeMap<String, Vec<u8>>) {
    let page = String::from_utf8(files["index.html"].clone()).unwrap();
    let links = ["href=\"", "src=\""].map(|start| page.split(start).skip(1).collect::<Vec<_>>()).concat();
    let links: Vec<&str> = links.iter().map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() > 8, "{links:?}");
    for link in links.iter().filter(|link| !link.starts_with('#')) {
        assert!(files.contains_key(*link), "{link} is not in the archive");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "{page}");
}

#[test]
fn any_parts_of_an_export_are_the_bytes_of_the_whole() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    let (member, _) = runtime.block_on(member(&app, 3, 70_000));
    let (tag, whole) = runtime.block_on(async {
        let answer = export(&app, &member).await;
        (answer.headers()["etag"].clone(), answer.bytes().await.unwrap())
    });
    let bytes = whole.len();
    proptest!(ProptestConfig::with_cases(24), |(cuts in prop::collection::btree_set(1..bytes, 1..4))| {
        let (mut parts, mut from) = (Vec::new(), 0);
        for to in cuts.iter().copied().chain([bytes]) {
            runtime.block_on(ended(&app, &member));
            let answer = runtime.block_on(part(&app, &member, &format!("bytes={from}-{}", to - 1)));
            prop_assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
            prop_assert_eq!(&answer.headers()["content-range"], &format!("bytes {from}-{}/{bytes}", to - 1));
            prop_assert_eq!(&answer.headers()["etag"], &tag);
            prop_assert_eq!(&answer.headers()["content-length"], &(to - from).to_string());
            parts.extend_from_slice(&runtime.block_on(answer.bytes()).unwrap());
            from = to;
        }
        prop_assert_eq!(&parts, &whole);
    });
}

#[tokio::test]
async fn what_broke_off_goes_on_where_nothing_changed_and_begins_again_where_something_did() {
    let app = TestApp::start().await;
    let (member, account) = member(&app, 2, 1_000).await;
    let answer = export(&app, &member).await;
    let tag = answer.headers()["etag"].clone();
    assert!(tag.to_str().unwrap().starts_with('"'), "a strong one");
    let whole = answer.bytes().await.unwrap();
    let resume = async |tag: &reqwest::header::HeaderValue| {
        ended(&app, &member).await;
        let ask =
            member.get(app.url("/account/export")).header("range", "bytes=1500-").header("if-range", tag);
        ask.send().await.unwrap()
    };
    let rest = resume(&tag).await;
    assert_eq!(rest.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.bytes().await.unwrap(), whole[1500..]);
    keep(&app, account, b"another").await;
    let fresh = resume(&tag).await;
    assert_eq!(fresh.status(), StatusCode::OK, "a rest of another state is of no use");
    assert_ne!(fresh.headers()["etag"], tag);
    assert_eq!(files(&fresh.bytes().await.unwrap()).len(), 3 + 3);
    ended(&app, &member).await;
    let all = part(&app, &member, "bytes=99999999-").await;
    assert_eq!(all.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert!(all.headers()["content-range"].to_str().unwrap().starts_with("bytes */"));
}

#[tokio::test]
async fn an_account_has_one_export_at_a_time_and_its_page_sees_how_far_it_is() {
    let app = TestApp::start().await;
    let (member, _) = member(&app, 3, LARGE_BYTES).await;
    let first = export(&app, &member).await;
    let second = member.get(app.url("/account/export")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(second.status(), StatusCode::CONFLICT);
    assert!(second.text().await.unwrap().contains("already on its way"));
    let mut events = member.get(app.url("/account/export/events")).send().await.unwrap();
    let told = String::from_utf8(events.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(told.contains("event: state") && told.contains("\"of\":3"), "{told}");
    assert!(!told.contains("\"packed\":3"), "no picture is opened before the one before it is taken: {told}");
    drop(first);
    let rest = events.text().await.unwrap();
    assert!(rest.contains("event: cut") && !rest.contains("event: done"), "{rest}");
    ended(&app, &member).await;
    assert_eq!(
        files(&export(&app, &member).await.bytes().await.unwrap()).len(),
        3 + 3,
        "the place is free again"
    );
}

#[tokio::test]
async fn a_resumed_download_takes_the_place_of_the_one_that_broke_off() {
    let app = TestApp::start().await;
    let (member, _) = member(&app, 3, LARGE_BYTES).await;
    let broken = export(&app, &member).await;
    let told = broken.content_length().unwrap();
    let rest = part(&app, &member, "bytes=1000-").await;
    assert_eq!(rest.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.bytes().await.unwrap().len() as u64, told - 1000);
    assert!(broken.bytes().await.is_err(), "it breaks off and is not taken for whole");
}

#[tokio::test]
async fn an_export_breaks_off_where_a_picture_was_erased_and_the_next_one_is_without_it() {
    let app = TestApp::start().await;
    let (member, account) = member(&app, 4, LARGE_BYTES).await;
    let answer = export(&app, &member).await;
    let erased = app.house.studio.keepsakes(account).await.unwrap().pop().unwrap().id;
    app.house.studio.erase(account, &[erased]).await.unwrap();
    let told = answer.content_length().unwrap();
    assert!(told > 4 * LARGE_BYTES as u64);
    assert!(answer.bytes().await.is_err(), "its length was told, so that nobody takes it for whole");
    ended(&app, &member).await;
    let next = export(&app, &member).await.bytes().await.unwrap();
    let next = files(&next);
    assert_eq!(next.len(), 3 + 3);
    assert!(!next.keys().any(|name| name.contains(&erased.to_string())));
}

#[tokio::test]
async fn closing_the_account_ends_its_export() {
    let app = TestApp::start().await;
    let (member, _) = member(&app, 4, LARGE_BYTES).await;
    let answer = export(&app, &member).await;
    assert_eq!(app.form(&member, "/account/close", &[("sure", "yes")]).await.status(), 200);
    assert!(answer.bytes().await.is_err());
    assert!(app.house.accounts.records().await.is_empty());
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
    assert_eq!(export(&app, &member).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_hears_when_all_is_packed_and_that_nothing_is_under_way() {
    let app = TestApp::start().await;
    let (member, _) = member(&app, 2, LARGE_BYTES).await;
    let idle = member.get(app.url("/account/export/events")).send().await.unwrap().text().await.unwrap();
    assert!(idle.contains("event: idle") && idle.contains("retry: 500"), "{idle}");
    let answer = export(&app, &member).await;
    let events = member.get(app.url("/account/export/events")).send().await.unwrap();
    let told = tokio::spawn(async move { events.text().await.unwrap() });
    assert!(answer.bytes().await.is_ok());
    let told = told.await.unwrap();
    assert!(told.contains("event: done") && told.contains("\"packed\":2"), "{told}");
}

#[tokio::test]
async fn nothing_of_an_export_is_written_to_the_disk() {
    let app = TestApp::start().await;
    let (member, account) = member(&app, 3, LARGE_BYTES).await;
    let canary = b"zanzibarquokka in pixels, as good as any picture";
    keep(&app, account, canary).await;
    let answer = export(&app, &member).await;
    let data = app.dir.path().join("data");
    let listed = || walk(&data);
    let before = until("no files", || Some(listed()).filter(|all| !all.is_empty())).await;
    let archive = answer.bytes().await.unwrap();
    assert!(archive.windows(canary.len()).any(|window| window == canary), "it was in the archive");
    assert!(!app.disk_holds(canary));
    assert_eq!(listed(), before, "no file has come");
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut all: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect();
    all.sort();
    all
}
