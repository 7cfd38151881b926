//! What is told of engines that keep prompts, against stand-ins that answer as those engines do.
#![allow(clippy::unwrap_used, clippy::panic)] // It is a test.
#![allow(clippy::disallowed_methods)] // The stand-in looks at what it is sent.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::any;
use engines::Engine;
use engines::inspect::Inspection;
use engines::openai::OpenAi;
use kernel::Secret;
use outgoing::{Outgoing, Peer, Purpose, Url};
use serde_json::{Value, json};

/// Paths that were asked for, each with whether a key came along.
type Asked = Arc<Mutex<Vec<(String, bool)>>>;

/// A stand-in that answers these paths, and knows no others.
async fn stand_in(answers: &'static [(&'static str, &'static str)]) -> (String, Asked) {
    let asked = Asked::default();
    let told = Arc::clone(&asked);
    let answer = move |uri: Uri, headers: HeaderMap| async move {
        told.lock().unwrap().push((uri.to_string(), headers.contains_key("authorization")));
        match answers.iter().find(|(path, _)| uri == *path) {
            Some((_, body)) => ([("content-type", "application/json")], *body).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    (base, asked)
}

async fn inspect(base: &str) -> Inspection {
    let base = Url::parse(base).unwrap();
    let peers = vec![Peer::at(&base, Purpose::Engine, "openai-url").unwrap()];
    let client = Outgoing::new(peers).client(Purpose::Engine).unwrap();
    let engine = OpenAi::new(client, base, Some(Secret::new("sk-test".into())), vec![("m".into(), 1)]);
    engine.inspect().await.unwrap()
}

fn says(found: &Inspection, words: &str) -> bool {
    found.words.iter().any(|sentence| sentence.contains(words))
}

/// As AUTOMATIC1111 answers.
const OPTIONS: &str =
    r#"{"samples_save":true,"enable_pnginfo":true,"save_txt":false,"samples_log_stdout":true}"#;
/// As ComfyUI answers.
const STATS: &str = r#"{"system":{"os":"posix","comfyui_version":"0.3.40","python_version":"3.12","pytorch_version":"2.7","embedded_python":false,"argv":["main.py","--listen","0.0.0.0"]},"devices":[]}"#;
const STATS_WITHOUT_METADATA: &str = r#"{"system":{"os":"posix","comfyui_version":"0.3.40","argv":["main.py","--disable-metadata"]},"devices":[]}"#;
const HISTORY: &str = r#"{"5f1c":{"prompt":[0,"5f1c",{"6":{"class_type":"CLIPTextEncode","inputs":{"text":"zanzibarquokka"}}},{},["9"]],"outputs":{},"status":{"status_str":"success","completed":true,"messages":[]},"meta":{}},"77aa":{"prompt":[1,"77aa",{},{},["9"]],"outputs":{},"status":{},"meta":{}}}"#;

#[tokio::test]
async fn comfyui_tells_by_its_arguments_and_its_history_what_it_keeps() {
    let (base, asked) = stand_in(&[("/system_stats", STATS), ("/history?max_items=100", HISTORY)]).await;
    let found = inspect(&base).await;
    assert!(!found.good && says(&found, "ComfyUI 0.3.40 writes prompt and workflow"), "{found:?}");
    assert!(says(&found, "--disable-metadata") && says(&found, "SaveImageWebsocket"));
    assert!(says(&found, "remembers 2 prompts") && says(&found, "{\"clear\": true} to /history"));
    assert!(!format!("{found:?}").contains("zanzibarquokka"));
    let keyed: Vec<String> =
        asked.lock().unwrap().iter().filter(|(_, key)| *key).map(|(path, _)| path.clone()).collect();
    assert_eq!(keyed, ["/v1/models"], "the key goes to the API alone");

    let (base, _) =
        stand_in(&[("/system_stats", STATS_WITHOUT_METADATA), ("/history?max_items=100", "{}")]).await;
    let found = inspect(&base).await;
    assert!(
        found.good && says(&found, "writes no prompt") && says(&found, "remembers no prompt now"),
        "{found:?}"
    );
}

#[tokio::test]
async fn other_engines_are_known_by_what_they_answer() {
    let (base, _) = stand_in(&[
        ("/v1/models", r#"{"data":[{"id":"sd-cpp-local","object":"model","owned_by":"local"}]}"#),
        ("/sdapi/v1/options", r#"{"samples_format":"png","sd_model_checkpoint":"x"}"#),
    ])
    .await;
    assert!(says(&inspect(&base).await, "stable-diffusion.cpp"));
    let (base, _) =
        stand_in(&[("/v1/models", r#"{"object":"list","data":[{"id":"x","owned_by":"vllm"}]}"#)]).await;
    assert!(says(&inspect(&base).await, "--enable-log-requests"));
    let (base, _) = stand_in(&[("/sdapi/v1/options", OPTIONS)]).await;
    let found = inspect(&base).await;
    assert!(!found.good && says(&found, "enable_pnginfo") && says(&found, "samples_log_stdout"), "{found:?}");
    assert!(!says(&found, "save_txt"));
    let (base, _) = stand_in(&[("/v1/models", r#"{"data":[{"id":"gpt-image-1"}]}"#)]).await;
    let found = inspect(&base).await;
    assert!(found.good && says(&found, "does not say what it keeps"), "{found:?}");
    let (base, _) = stand_in(&[]).await;
    assert!(says(&inspect(&base).await, "lists no models"));
}

#[tokio::test]
async fn nobody_and_somebody_who_is_silent_are_told_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1/", listener.local_addr().unwrap());
    let started = std::time::Instant::now();
    let found = inspect(&base).await;
    assert!(!found.good && says(&found, "does not answer in time"), "{found:?}");
    assert!(started.elapsed().as_secs() < 10);
    drop(listener);
    let found = inspect(&base).await;
    assert!(!found.good && says(&found, "cannot be reached") && says(&found, "openai-url"), "{found:?}");
}

#[test]
fn a_stand_in_speaks_json() {
    for text in [STATS, STATS_WITHOUT_METADATA, HISTORY, OPTIONS] {
        assert_ne!(serde_json::from_str::<Value>(text).unwrap(), json!(null));
    }
}
