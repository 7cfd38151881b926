//! What leaves this program: to whom, and what it says.

use app::connections::Bounds;
use std::collections::BTreeSet;
use std::process::Output;
use std::sync::Arc;

use app::operator::Request;
use data_encoding::BASE64;
use kernel::SystemClock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::engine::{CANARY, Engine, Heard, body, planted};
use crate::program::{report, safelight};
use crate::{TestApp, holds};

/// All that may stand in a request for a picture.
const HEADERS: [&str; 5] = ["accept", "authorization", "content-length", "content-type", "host"];
const FIELDS: [&str; 6] = ["model", "n", "partial_images", "prompt", "size", "stream"];
/// What a browser says of its owner.
const TELLING: [(&str, &str); 5] = [
    ("user-agent", "Tellbrowser/7 (teal phone)"),
    ("x-forwarded-for", "203.0.113.77"),
    ("accept-language", "mi-NZ"),
    ("referer", "https://tell.example/page"),
    ("x-request-id", "tell-4711"),
];

async fn start() -> (TestApp, Engine) {
    let engine = Engine::start().await;
    let settings = engine.settings();
    let more: Vec<&str> = settings.iter().map(String::as_str).collect();
    (TestApp::start_with(Arc::new(SystemClock), Bounds::default(), &more).await, engine)
}

fn names(heard: &Heard) -> BTreeSet<&str> {
    heard.headers.keys().map(|name| name.as_str()).collect()
}

#[tokio::test]
async fn an_engine_hears_the_prompt_and_nothing_of_who_asks() {
    let (app, engine) = start().await;
    let grant = Request::CreateAccount { address: "ada@example.org".into(), credits: 20 };
    let made = app.operate(grant).await.unwrap();
    let browser = app.sign_in("ada@example.org").await;
    let (account, key) = (made["account_id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    let telling = |request: reqwest::RequestBuilder| {
        TELLING.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    };
    let form = reqwest::multipart::Form::new().text("prompt", CANARY).text("model", "m");
    let page = browser.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made = telling(page.header("accept", "application/json")).multipart(form).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let first = made["generations"][0]["id"].as_str().unwrap().to_owned();
    app.ended(&first).await;
    let asked =
        json!({ "prompt": CANARY, "modelId": "m", "idempotencyKey": "tell-9b2f", "user": "tell-ada" });
    let made = telling(app.browser().post(app.url("/api/generate/v2")).bearer_auth(key)).json(&asked);
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let second = made["generationId"].as_str().unwrap().to_owned();
    app.ended(&second).await;
    // With a reference it is a form.
    let reference = format!("data:image/png;base64,{}", BASE64.encode(&planted(CANARY)[0]));
    let asked = json!({ "prompt": CANARY, "modelId": "m", "referenceImages": [reference] });
    let made = telling(app.browser().post(app.url("/api/generate/v2")).bearer_auth(key)).json(&asked);
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    app.ended(made["generationId"].as_str().unwrap()).await;

    let heard = engine.heard();
    let paths: Vec<&str> = heard.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["/v1/images/generations", "/v1/images/generations", "/v1/images/edits"]);
    for one in &heard {
        assert_eq!(names(one), BTreeSet::from(HEADERS));
        assert_eq!(one.headers["authorization"], "Bearer sk-of-the-operator");
        assert_eq!(one.headers["accept"], "*/*");
        let said = format!("{:?} {}", one.headers, String::from_utf8_lossy(&one.body));
        for telling in
            TELLING.map(|(_, value)| value).into_iter().chain([account, &first, &second, "ada", "tell-", key])
        {
            assert!(!said.contains(telling), "{telling} was told");
        }
    }
    for one in &heard[..2] {
        let body = body(one);
        let fields: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, BTreeSet::from(FIELDS));
        let rest = json!({ "model": "m", "n": 1, "partial_images": 2, "prompt": CANARY, "size": "1024x1024", "stream": true });
        assert_eq!(body, rest);
    }
    let form = String::from_utf8_lossy(&heard[2].body).into_owned();
    let fields: Vec<&str> =
        form.split("; name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(fields, ["model", "prompt", "n", "size", "image[]"]);
}

#[tokio::test]
async fn where_a_prompt_goes_is_said_before_it_goes_in_every_language_and_to_programs() {
    let (app, _engine) = start().await;
    let browser = app.sign_in("a@example.org").await;
    let words = [
        ("en", "sent to 127.0.0.1", "nothing about you"),
        ("zh-Hans", "发送至 127.0.0.1", "不包含任何关于您的信息"),
        ("ja", "送信先 127.0.0.1", "あなたに関する情報は一切送られません"),
    ];
    for (language, place, more) in words {
        let page = browser.get(app.url("/studio")).header("accept-language", language);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(place) && page.contains(more), "{language}");
        assert!(!page.contains("sent to") || language == "en");
    }
    let models: Value = app.browser().get(app.url("/api/models")).send().await.unwrap().json().await.unwrap();
    let places: Vec<&Value> =
        models["models"].as_array().unwrap().iter().map(|model| &model["place"]).collect();
    assert_eq!(places, ["here", "127.0.0.1"]);
    assert!(models["models"][1]["description"].as_str().unwrap().contains("sent there"));
}

#[tokio::test]
async fn a_reference_by_address_is_refused_in_words_and_nobody_is_asked() {
    let (app, engine) = start().await;
    let key = app.account(5).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local = listener.local_addr().unwrap();
    let addresses = [
        format!("http://{local}/x.png"),
        format!("{}/x.png", engine.base),
        format!("{}.example/r/x", app.base),
        format!("{}@{local}/r/x", app.base),
        format!("{}/p/x/full.webp", app.base),
        "https://images.meigen.ai/x.png".into(),
        "//images.meigen.ai/x.png".into(),
        "http://169.254.169.254/latest".into(),
        "file:///etc/passwd".into(),
        "data:text/html;base64,eA==".into(),
        "data:image/png,raw".into(),
        "data:image/png;base64,???".into(),
    ];
    for address in addresses {
        let answer = app.generate(&key, json!({ "prompt": "a hill", "referenceImages": [&address] })).await;
        assert_eq!(answer.status(), 400, "{address}");
        let answer: Value = answer.json().await.unwrap();
        let said = (&answer["success"], &answer["code"], &answer["field"]);
        assert_eq!(
            said,
            (&json!(false), &json!("invalid_reference_url"), &json!("referenceImages")),
            "{address}"
        );
        let words = answer["error"].as_str().unwrap();
        assert!(words.contains("data:image/") && words.contains("results of this server"), "{words}");
        assert!(!words.contains("meigen") && !words.contains("169"), "what was sent is not repeated");
    }
    assert!(engine.heard().is_empty());
    let asked = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(asked.is_err(), "somebody was asked for a picture");
    // A result of this server is one.
    let (_, status) = app.develop(&key, "a hill").await;
    let own = json!({ "prompt": "a hill", "resolution": "512", "referenceImages": [status["imageUrl"]] });
    assert_ne!(app.generate(&key, own).await.json::<Value>().await.unwrap()["code"], "invalid_reference_url");
}

/// A command of the real program with this engine, and a proxy in its environment that nobody should ask.
async fn run_beside_a_proxy(
    engine: &str,
    proxy: &str,
    args: &'static [&'static str],
) -> (Output, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = safelight(&dir.path().join("data"));
    command.env("SAFELIGHT_OPENAI_URL", engine).env("SAFELIGHT_OPENAI_MODELS", "m=1").args(args);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, proxy);
    }
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (done, dir)
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let (engine, proxy) = (Engine::start().await, Engine::start().await);
    let address = format!("{}/v1", engine.base);
    let args = &["generate", CANARY, "--model", "m", "--output", "/dev/null/none"];
    // An output that cannot be written stops it before it asks.
    let (refused, _dir) = run_beside_a_proxy(&address, &proxy.base, args).await;
    assert!(!refused.status.success() && engine.heard().is_empty());
    let (done, dir) = run_beside_a_proxy(&address, &proxy.base, &["doctor", "--json"]).await;
    let found: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", report(&done)));
    let check = found["checks"].as_array().unwrap().iter().find(|check| check["check"] == "engine").unwrap();
    let words = check["words"].as_str().unwrap();
    assert!(
        words.contains("prompts are sent to 127.0.0.1") && words.contains("does not say what it keeps"),
        "{words}"
    );
    assert_eq!(check["good"], true);
    assert!(!engine.heard().is_empty() && proxy.heard().is_empty());
    // Only the API hears its key, and nobody hears a name.
    assert!(engine.heard().iter().all(|heard| names(heard) == BTreeSet::from(["accept", "host"])));
    assert!(!holds(dir.path(), engine.base.as_bytes()));
}
