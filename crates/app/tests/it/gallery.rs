//! The gallery: import, browse, search, removal.

use app::operator::Request;
use imaging::Picture;
use serde_json::{Value, json};

use crate::TestApp;

fn png(tone: u8) -> Vec<u8> {
    let rgba = (0..300 * 200_u32).flat_map(|i| [tone, (i % 251) as u8, (i / 300) as u8, 255]).collect();
    imaging::encode_png(&Picture { width: 300, height: 200, rgba }).unwrap()
}

/// A folder with an X API answer of three posts: one whole, one without its picture, one without words.
fn posts(app: &TestApp) -> std::path::PathBuf {
    let folder = app.dir.path().join("posts");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("1.png"), png(40)).unwrap();
    std::fs::write(folder.join("3.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let post = |id: &str, text: &str| json!({ "id": id, "author_id": "7", "text": text, "attachments": { "media_keys": [id] } });
    let media = |id: &str, url: &str| json!({ "media_key": id, "type": "photo", "url": url });
    let answer = json!({
        "data": [post("101", "A copper kettle on a windowsill"), post("102", "夜の図書館と猫"), post("103", "A broken picture of a tall ship"), post("104", "🦊")],
        "includes": { "users": [{ "id": "7", "username": "ada", "name": "Ada" }],
            "media": [media("101", "1.png"), media("102", "missing.png"), media("103", "3.png"), media("104", "../1.png")] }
    });
    let file = folder.join("posts.json");
    std::fs::write(&file, answer.to_string()).unwrap();
    file
}

async fn search(app: &TestApp, words: &str) -> Vec<String> {
    let answer = app.browser().get(app.url("/api/search")).query(&[("q", words)]).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["success"], true);
    answer["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_import_reports_what_it_skipped_and_a_second_run_changes_nothing() {
    let app = TestApp::start().await;
    let file = posts(&app);
    let report = app.import(&file).await.unwrap();
    assert_eq!((&report["added"], &report["unchanged"]), (&json!(3), &json!(0)));
    assert_eq!(report["skipped"].as_object().unwrap().len(), 1);
    let kept: u64 = report["without_picture"]
        .as_object()
        .unwrap()
        .values()
        .map(|tally| tally["count"].as_u64().unwrap())
        .sum();
    assert_eq!(kept, 2);
    let again = app.import(&file).await.unwrap();
    assert_eq!((&again["added"], &again["updated"], &again["unchanged"]), (&json!(0), &json!(0), &json!(3)));
    let page = app.browser().get(app.url("/a/102")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("could not be had") && page.contains("夜の図書館と猫"));
}

#[tokio::test]
async fn words_of_every_script_find_their_artwork_and_pictures_are_served_here() {
    let app = TestApp::start().await;
    app.import(&posts(&app)).await.unwrap();
    assert_eq!(search(&app, "copper kettle").await.first().map(String::as_str), Some("101"));
    assert_eq!(search(&app, "図書館").await.first().map(String::as_str), Some("102"));
    assert!(search(&app, "zzqxj wvkpt").await.is_empty());
    let found: Value =
        app.browser().get(app.url("/api/images/101")).send().await.unwrap().json().await.unwrap();
    let picture = app.browser().get(found["data"]["thumbnail_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/webp");
    let hostile = [
        "/?page=0",
        "/?page=99999999999999999999",
        "/?q=%00&model='--",
        "/?ratio=%F0%9F%A6%8A&sort=x&page=-1",
    ];
    for path in hostile {
        assert_eq!(app.browser().get(app.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_removed_artwork_is_gone_from_every_door() {
    let app = TestApp::start().await;
    app.import(&posts(&app)).await.unwrap();
    let found: Value =
        app.browser().get(app.url("/api/images/101")).send().await.unwrap().json().await.unwrap();
    let picture = found["data"]["thumbnail_url"].as_str().unwrap().to_owned();
    app.operate(Request::RemoveArtwork { id: "101".into() }).await.unwrap();
    for path in [picture, app.url("/a/101"), app.url("/api/images/101")] {
        assert_eq!(app.browser().get(&path).send().await.unwrap().status(), 404, "{path}");
    }
    assert!(!search(&app, "copper kettle").await.contains(&"101".to_owned()));
    assert!(!app.browser().get(app.url("/")).send().await.unwrap().text().await.unwrap().contains("/a/101"));
    assert_eq!(app.house.gallery.records().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_picture_that_is_kept_at_hand_is_gone_with_its_artwork_and_with_the_picture_that_replaces_it() {
    let app = TestApp::start().await;
    let file = posts(&app);
    app.import(&file).await.unwrap();
    let thumbnail = async || {
        let found = app.browser().get(app.url("/api/images/101")).send().await.unwrap();
        found.json::<Value>().await.unwrap()["data"]["thumbnail_url"].as_str().unwrap().to_owned()
    };
    let status = async |url: &str| app.browser().get(url).send().await.unwrap().status();
    let kept = async || {
        let url = thumbnail().await;
        let cold = app.browser().get(&url).send().await.unwrap();
        let hot = app.browser().get(&url).send().await.unwrap();
        for name in ["content-type", "cache-control", "content-length", "content-security-policy"] {
            assert_eq!(cold.headers()[name], hot.headers()[name]);
        }
        assert_eq!(cold.bytes().await.unwrap(), hot.bytes().await.unwrap());
        let record: kernel::Id = url.split('/').rev().nth(1).unwrap().parse().unwrap();
        let width = url.split('/').next_back().unwrap().trim_end_matches(".webp").parse().unwrap();
        assert!(app.house.blobs.keys().shelf().get(record, vault::Kind::Thumbnail(width)).is_some());
        url
    };
    let first = kept().await;
    std::fs::write(file.with_file_name("1.png"), png(90)).unwrap();
    let changed = std::fs::read_to_string(&file).unwrap().replace("copper kettle", "copper kettle, dented,");
    std::fs::write(&file, changed).unwrap();
    app.import(&file).await.unwrap();
    assert_eq!(status(&first).await, 404);
    let second = kept().await;
    assert_ne!(first, second);
    app.operate(Request::RemoveArtwork { id: "101".into() }).await.unwrap();
    assert_eq!(status(&second).await, 404);
}

#[tokio::test]
async fn files_that_are_no_artwork_are_explained() {
    let app = TestApp::start().await;
    let file = app.dir.path().join("x.json");
    for text in ["", "[1, 2]", "{\"data\": 7}", "not json"] {
        std::fs::write(&file, text).unwrap();
        match app.import(&file).await {
            Ok(report) => assert_eq!(report["added"], 0, "{text}"),
            Err(error) => assert!(error.public.contains("form"), "{text}"),
        }
    }
}
