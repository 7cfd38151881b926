//! The client of OpenAI-compatible APIs against a stand-in that speaks the wire format; no real service is reached.
#![allow(clippy::unwrap_used, clippy::panic)] // It is a test.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Multipart;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use data_encoding::BASE64;
use engines::openai::OpenAi;
use engines::{Engine, Progress, Request, State};
use imaging::Picture;
use kernel::{Kind, Prompt, Secret};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const CANARY: &str = "zanzibarquokka";
/// All that may be said beside the form itself.
const EDIT_HEADERS: [&str; 6] =
    ["accept", "accept-encoding", "authorization", "content-length", "content-type", "host"];

fn picture() -> String {
    let rgba = [200, 40, 40, 255].repeat(64 * 64);
    BASE64.encode(&imaging::encode_png(&Picture { width: 64, height: 64, rgba }).unwrap())
}

/// A stand-in that gives the same answer to every request.
async fn stand_in(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new().route("/v1/images/generations", post(move || async move { answer() }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

fn request(references: Vec<Picture>) -> Request {
    Request {
        prompt: Arc::new(Prompt::parse(CANARY).unwrap()),
        model: "m".into(),
        size_px: (1024, 1024),
        seed: 1,
        technique: None,
        references,
    }
}

fn engine(base: &str, key: Option<Secret<String>>) -> OpenAi {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    OpenAi::new(client, base, key, vec![("m".into(), 5)]).unwrap()
}

async fn draw(base: &str, cancel: CancellationToken) -> (kernel::Result<Picture>, State) {
    let (engine, request) = (engine(base, None), request(Vec::new()));
    let (state, seen) = watch::channel(State::default());
    let drawn = engine.develop(request, Progress::new(state, cancel)).await;
    let last = seen.borrow().clone();
    (drawn, last)
}

async fn refusal(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> kernel::Error {
    let error = draw(&stand_in(answer).await, CancellationToken::new()).await.0.unwrap_err();
    assert!(!error.public.contains(CANARY));
    error
}

#[tokio::test]
async fn a_json_answer_becomes_pixels() {
    let base = stand_in(|| axum::Json(json!({ "data": [{ "b64_json": picture() }] })).into_response()).await;
    let (drawn, _) = draw(&base, CancellationToken::new()).await;
    assert_eq!(drawn.unwrap().width, 64);
}

#[tokio::test]
async fn references_are_sent_as_an_edit_and_nothing_about_the_member() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let edit = move |headers: HeaderMap, mut form: Multipart| async move {
        while let Some(part) = form.next_field().await.unwrap() {
            let name = part.name().unwrap().to_owned();
            told.send((name, part.bytes().await.unwrap())).unwrap();
        }
        let sent: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
        assert!(sent.iter().all(|name| EDIT_HEADERS.contains(name)), "{sent:?}");
        assert_eq!(headers["authorization"], "Bearer sk-test");
        axum::Json(json!({ "data": [{ "b64_json": picture() }] })).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1/", listener.local_addr().unwrap());
    let app = Router::new().route("/v1/images/edits", post(edit));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let reference = Picture { width: 3, height: 2, rgba: [1, 2, 3, 255].repeat(6) };
    let engine = engine(&base, Some(Secret::new("sk-test".into())));
    let progress = Progress::new(watch::channel(State::default()).0, CancellationToken::new());
    let drawn = engine.develop(request(vec![reference.clone(), reference.clone()]), progress).await.unwrap();
    assert_eq!(drawn.width, 64);
    let mut fields = Vec::new();
    while let Ok((name, bytes)) = heard.try_recv() {
        if name == "image[]" {
            assert_eq!(imaging::decode(&bytes).unwrap(), reference);
        } else {
            assert_eq!(
                bytes,
                match name.as_str() {
                    "model" => "m",
                    "prompt" => CANARY,
                    "n" => "1",
                    _ => "1024x1024",
                }
            );
        }
        fields.push(name);
    }
    assert_eq!(fields, ["model", "prompt", "n", "size", "image[]", "image[]"]);
}

#[tokio::test]
async fn streamed_previews_arrive_however_the_stream_is_cut() {
    let base = stand_in(|| {
        let event = |name: &str| {
            let event = json!({ "type": format!("image_generation.{name}"), "b64_json": picture() });
            format!("data: {event}\n\n")
        };
        let bytes = (event("partial_image") + &event("completed")).into_bytes();
        let parts: Vec<Result<Vec<u8>, std::io::Error>> =
            bytes.chunks(7).map(|part| Ok(part.to_vec())).collect();
        let body = Body::from_stream(futures_util::stream::iter(parts));
        ([("content-type", "text/event-stream")], body).into_response()
    })
    .await;
    let (drawn, last) = draw(&base, CancellationToken::new()).await;
    assert_eq!(drawn.unwrap().height, 64);
    assert!(last.step == 1 && last.preview.is_some());
}

#[tokio::test]
async fn refusals_say_what_to_do_and_never_repeat_the_prompt() {
    let moderated = || {
        let body = json!({ "error": { "code": "moderation_blocked", "message": CANARY } });
        (StatusCode::BAD_REQUEST, body.to_string()).into_response()
    };
    assert!(refusal(moderated).await.public.contains("safety"));
    assert!(refusal(|| StatusCode::UNAUTHORIZED.into_response()).await.public.contains("key"));
    assert!(refusal(|| StatusCode::TOO_MANY_REQUESTS.into_response()).await.public.contains("busy"));
    assert_eq!(refusal(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await.kind, Kind::Upstream);
    assert!(refusal(|| CANARY.into_response()).await.public.contains("no picture"));
    assert!(
        refusal(|| axum::Json(json!({ "data": [] })).into_response()).await.public.contains("no picture")
    );
    let foreign = || axum::Json(json!({ "data": [{ "url": "http://other.example/x.png" }] })).into_response();
    assert!(refusal(foreign).await.public.contains("another host"));
}

#[tokio::test]
async fn a_cancelled_request_ends_though_the_server_is_silent() {
    let base = stand_in(|| {
        let silent = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        ([("content-type", "text/event-stream")], Body::from_stream(silent)).into_response()
    })
    .await;
    let cancel = CancellationToken::new();
    let later = cancel.clone();
    let (drawn, ()) = tokio::join!(draw(&base, cancel), async move { later.cancel() });
    assert_eq!(drawn.0.unwrap_err().kind, Kind::Cancelled);
}
