//! What is in a picture file beside its pixels: nothing, through every door and in every file that is kept, though the
//! engine and the sources plant the prompt wherever they can.

use app::connections::Bounds;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use ::vault::Kind;
use app::operator::Request;
use data_encoding::BASE64;
use kernel::SystemClock;
use serde_json::{Value, json};

use crate::engine::{CANARY, Engine, planted};
use crate::program::{Server, client, safelight};
use crate::{POLL, POLLS_MAX, TestApp};

/// All that a file may be made of.
const PARTS: [&str; 8] = ["IHDR", "IDAT", "IEND", "tEXt", "VP8 ", "VP8L", "VP8X", "ALPH"];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The names and contents of a file's parts.
fn parts(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    let name = |at: usize| String::from_utf8_lossy(&bytes[at..at + 4]).into_owned();
    if bytes.starts_with(PNG) {
        let mut at = PNG.len();
        while at < bytes.len() {
            let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            found.push((name(at + 4), &bytes[at + 8..at + 8 + length]));
            at += length + 12;
        }
    } else if bytes.starts_with(b"RIFF") && bytes[8..12] == *b"WEBP" {
        let mut at = 12;
        while at < bytes.len() {
            let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
            found.push((name(at), &bytes[at + 8..at + 8 + length]));
            at += 8 + length + length % 2;
        }
    } else if bytes.starts_with(b"\xff\xd8") {
        let mut at = 2;
        while bytes[at + 1] != 0xda {
            let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            found.push((format!("JPEG {:02x}", bytes[at + 1]), &bytes[at + 4..at + 2 + length]));
            at += 2 + length;
        }
    } else {
        panic!("a file of no known form: {:?}", &bytes[..bytes.len().min(16)]);
    }
    found
}

/// What is wrong with a file that leaves or is kept.
fn fault(bytes: &[u8], credit: &str) -> Option<String> {
    let parts = parts(bytes);
    if let Some((name, _)) = parts.iter().find(|(name, _)| !PARTS.contains(&name.as_str())) {
        return Some(format!("it has a part {name}"));
    }
    let credited = format!("Copyright\0{credit}");
    if parts.iter().any(|(name, text)| name == "tEXt" && (credit.is_empty() || *text != credited.as_bytes()))
    {
        return Some("it has words that are not our credit".to_owned());
    }
    let flags = parts.iter().find(|(name, _)| name == "VP8X").map_or(0, |(_, data)| data[0]);
    if flags & !0x10 != 0 {
        return Some(format!("it announces more than transparency: {flags:02x}"));
    }
    bytes
        .windows(CANARY.len())
        .any(|window| window == CANARY.as_bytes())
        .then(|| "it has the prompt".to_owned())
}

#[track_caller]
fn assert_bare(bytes: &[u8], credit: &str, door: &str) {
    assert_eq!(fault(bytes, credit), None, "{door}");
}

#[test]
fn the_stand_in_plants_words_in_every_form_and_this_test_sees_them() {
    let seen = |bytes: &[u8]| parts(bytes).into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
    let [png, webp, jpeg] = planted(CANARY);
    assert!(["iCCP", "tEXt", "zTXt", "iTXt", "eXIf"].iter().all(|name| seen(&png).contains(*name)));
    assert!(["ICCP", "EXIF", "XMP "].iter().all(|name| seen(&webp).contains(*name)));
    assert!(["JPEG e1", "JPEG e2", "JPEG ed"].iter().all(|name| seen(&jpeg).contains(*name)));
    for bytes in [png, webp, jpeg] {
        assert!(imaging::decode(&bytes).is_ok() && fault(&bytes, "").is_some());
    }
}

async fn start() -> (TestApp, Engine) {
    let engine = Engine::start().await;
    let settings = engine.settings();
    let more: Vec<&str> = settings.iter().map(String::as_str).collect();
    (TestApp::start_with(Arc::new(SystemClock), Bounds::default(), &more).await, engine)
}

impl TestApp {
    async fn file(&self, browser: &reqwest::Client, path: &str) -> Vec<u8> {
        let answer = browser.get(self.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// A generation of the studio's page.
    async fn ask_for(&self, browser: &reqwest::Client, prompt: &str) -> String {
        let form = reqwest::multipart::Form::new().text("prompt", prompt.to_owned()).text("model", "m");
        let made = browser.post(self.url("/studio/generations")).header("sec-fetch-site", "same-origin");
        let made = made.header("accept", "application/json").multipart(form).send().await.unwrap();
        let made: Value = made.json().await.unwrap();
        made["generations"][0]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// Every file that is kept, opened.
    async fn kept(&self) -> usize {
        let records =
            [self.house.studio.records().await.unwrap(), self.house.gallery.records().await.unwrap()];
        let thumbnails = [240, 360, 480, 720].map(Kind::Thumbnail);
        let mut count = 0;
        for record in records.concat() {
            for kind in thumbnails.into_iter().chain([Kind::Original, Kind::Reference]) {
                if let Ok(bytes) = self.house.blobs.get(record, kind).await {
                    assert_bare(&bytes, "", "kept");
                    count += 1;
                }
            }
        }
        count
    }
}

#[tokio::test]
async fn pictures_of_an_engine_leave_through_every_door_as_pixels_alone() {
    let (app, engine) = start().await;
    let grant = Request::CreateAccount { address: "a@example.org".into(), credits: 20 };
    let key = app.operate(grant).await.unwrap()["api_key"].as_str().unwrap().to_owned();
    let browser = app.sign_in("a@example.org").await;

    // The API, once for each form that the engine answers with.
    for _ in 0..3 {
        let asked = app.generate(&key, json!({ "prompt": CANARY, "modelId": "m" })).await;
        let accepted: Value = asked.json().await.unwrap();
        let ended = app.ended(accepted["generationId"].as_str().unwrap()).await;
        assert_eq!(ended["status"], "completed", "{ended}");
        let address = ended["imageUrl"].as_str().unwrap();
        assert_bare(&app.file(&app.browser(), &address[app.base.len()..]).await, "", "/r");
    }
    // The page: a preview while it is drawn, then every form.
    let id = app.ask_for(&browser, &format!("{CANARY} in stream")).await;
    let mut live = app.house.studio.live(id.parse().unwrap()).unwrap();
    let _ = live.drawing.wait_for(|drawing| drawing.preview.is_some()).await.unwrap();
    assert_bare(&app.file(&browser, &format!("/studio/generations/{id}/preview")).await, "", "preview");
    engine.go_on.notify_one();
    assert_eq!(app.ended(&id).await["status"], "completed");
    for form in ["240", "360", "480", "720", "full", "download"] {
        assert_bare(&app.file(&browser, &format!("/g/{id}/{form}")).await, "", form);
    }
    // The command line.
    let request = Request::Generate {
        prompt: CANARY.into(),
        model: "m".into(),
        ratio: String::new(),
        resolution: String::new(),
        technique: String::new(),
        seed: String::new(),
    };
    let drawn = app.operate(request).await.unwrap();
    assert_bare(&BASE64.decode(drawn["png"].as_str().unwrap().as_bytes()).unwrap(), "", "command line");
    assert!(app.kept().await >= 4 * 5, "originals and thumbnails");
}

#[tokio::test]
async fn uploads_and_imports_are_kept_and_shown_as_pixels_alone() {
    let (app, engine) = start().await;
    let grant = Request::CreateAccount { address: "a@example.org".into(), credits: 20 };
    let key = app.operate(grant).await.unwrap()["api_key"].as_str().unwrap().to_owned();
    let browser = app.sign_in("a@example.org").await;
    let mut lines = String::new();
    for (number, bytes) in planted(CANARY).into_iter().enumerate() {
        let part = reqwest::multipart::Part::bytes(bytes.clone()).file_name(CANARY);
        let form = reqwest::multipart::Form::new().part("picture", part);
        let sent = browser.post(app.url("/studio/references")).header("sec-fetch-site", "same-origin");
        let kept: Value = sent.multipart(form).send().await.unwrap().json().await.unwrap();
        assert_bare(&app.file(&browser, kept["thumbnail_url"].as_str().unwrap()).await, "", "reference");
        // What goes on to the engine is made anew as well.
        let data = format!("data:image/png;base64,{}", BASE64.encode(&bytes));
        let body = json!({ "prompt": "a hill", "modelId": "m", "referenceImages": [data] });
        let accepted: Value = app.generate(&key, body).await.json().await.unwrap();
        app.ended(accepted["generationId"].as_str().unwrap()).await;
        let form = engine.heard().pop().unwrap().body;
        assert!(!form.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
        fs::write(app.dir.path().join(format!("{number}.png")), bytes).unwrap();
        let (prompt, image) = (format!("a heron, number {number}, on a pier"), format!("{number}.png"));
        lines += &json!({ "id": number.to_string(), "prompt": prompt, "image": image }).to_string();
        lines.push('\n');
    }
    let file = app.dir.path().join("posts.jsonl");
    fs::write(&file, lines).unwrap();
    app.import(&file).await.unwrap();
    let pictures = app.house.gallery.records().await.unwrap();
    assert_eq!(pictures.len(), 3);
    for record in pictures {
        for form in ["240", "360", "480", "720", "full"] {
            assert_bare(&app.file(&app.browser(), &format!("/p/{record}/{form}.webp")).await, "", "/p");
        }
    }
    assert!(app.kept().await >= 3 * 2 + 3 * 5 + 3 * 5);
}

#[tokio::test]
async fn what_is_drawn_here_says_whom_to_credit_and_no_more() {
    let app = TestApp::start().await;
    let credit = app.house.studio.credit("papercut");
    let key = app.account(1).await;
    let (_, status) = app.develop(&key, CANARY).await;
    let address = status["imageUrl"].as_str().unwrap();
    assert_bare(&app.file(&app.browser(), &address[app.base.len()..]).await, &credit, "/r");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("drawn.png");
    let mut command = safelight(&dir.path().join("data"));
    command.arg("generate").arg(CANARY).args(["--resolution", "512", "--output"]).arg(&file);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(done.status.success());
    assert_bare(&fs::read(&file).unwrap(), &credit, "command line");

    let mut command = safelight(&dir.path().join("data"));
    command.env("SAFELIGHT_STARTER_GALLERY", "on");
    let server = Server::run(command).await;
    let mut turn = tokio::time::interval(POLL);
    for _ in 0..POLLS_MAX {
        turn.tick().await;
        let page = client().get(server.url("/")).send().await.unwrap().text().await.unwrap();
        let Some(picture) = page.split('"').find(|part| part.starts_with("/p/") && part.ends_with(".webp"))
        else {
            continue;
        };
        let shown = client().get(server.url(picture)).send().await.unwrap().bytes().await.unwrap();
        return assert_bare(&shown, "", "starter");
    }
    panic!("no picture of the first gallery came");
}
