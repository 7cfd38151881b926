//! An engine elsewhere, as a stand-in: it speaks the wire format of OpenAI-compatible APIs, remembers all that it is
//! told, and plants the prompt wherever a picture has room for words.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use imaging::Picture;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const CANARY: &str = "zanzibarquokka";

/// What was asked of an engine.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A stand-in on a port of its own.
#[derive(Clone)]
pub(crate) struct Engine {
    /// Its address, without a path.
    pub(crate) base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// Lets a streamed picture go on after its preview.
    pub(crate) go_on: Arc<Notify>,
}

impl Engine {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let engine = Self { base, heard: Arc::default(), go_on: Arc::default() };
        let app = Router::new().fallback(any(answer)).with_state(engine.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        engine
    }

    /// Settings of a program that draws with this engine.
    pub(crate) fn settings(&self) -> [String; 3] {
        [
            format!("--openai-url={}/v1", self.base),
            "--openai-models=m=1".to_owned(),
            "--openai-key=sk-of-the-operator".to_owned(),
        ]
    }

    /// All that was asked so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

async fn answer(State(engine): State<Engine>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let turn = {
        let mut heard = engine.heard.lock().unwrap();
        heard.push(Heard { path: uri.path().to_owned(), headers, body: body.clone() });
        heard.len()
    };
    let streamed = body.windows(9).any(|window| window == b"in stream");
    match uri.path() {
        "/v1/images/generations" if streamed => stream(engine),
        "/v1/images/generations" | "/v1/images/edits" => {
            let forms = planted(CANARY);
            let picture = &forms[turn % forms.len()];
            axum::Json(json!({ "data": [{ "b64_json": BASE64.encode(picture), "revised_prompt": CANARY }] }))
                .into_response()
        }
        "/v1/models" => axum::Json(json!({ "data": [{ "id": "m", "owned_by": "local" }] })).into_response(),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

/// A preview, then, once the test says so, the picture.
fn stream(engine: Engine) -> Response {
    let event = |name: &str| {
        let picture = BASE64.encode(&planted(CANARY)[0]);
        format!("data: {}\n\n", json!({ "type": format!("image_generation.{name}"), "b64_json": picture }))
    };
    let (first, last) = (event("partial_image"), event("completed"));
    let parts = futures_util::stream::unfold((0, engine, last), move |(turn, engine, last)| {
        let first = first.clone();
        async move {
            match turn {
                0 => Some((Ok::<_, std::io::Error>(first), (1, engine, last))),
                1 => {
                    engine.go_on.notified().await;
                    Some((Ok(last.clone()), (2, engine, last)))
                }
                _ => None,
            }
        }
    });
    ([("content-type", "text/event-stream")], axum::body::Body::from_stream(parts)).into_response()
}

fn pixels() -> Picture {
    let rgba =
        (0..800 * 600).flat_map(|at: u32| [(at / 800 / 3) as u8, (at % 800 / 4) as u8, 90, 255]).collect();
    Picture { width: 800, height: 600, rgba }
}

/// The same picture as PNG, WebP and JPEG, with these words in every place that those forms have for words.
pub(crate) fn planted(words: &str) -> [Vec<u8>; 3] {
    [png(words), webp(words), jpeg(words)]
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn exif(words: &str) -> Vec<u8> {
    // One entry: ImageDescription, as ASCII, whose text begins after the directory.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0".to_vec();
    exif.extend(u32::try_from(words.len() + 1).unwrap().to_le_bytes());
    exif.extend(b"\x1a\0\0\0\0\0\0\0");
    exif.extend(words.as_bytes());
    exif.push(0);
    exif
}

fn xmp(words: &str) -> Vec<u8> {
    format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'>{words}</x:xmpmeta>").into_bytes()
}

fn png(words: &str) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [kind.as_slice(), data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), body.as_slice(), &sum.sum().to_be_bytes()]
            .concat()
    };
    let words_bytes = words.as_bytes();
    let planted = [
        chunk(b"iCCP", &[format!("{words}\0\0").as_bytes(), &deflated(words_bytes)].concat()),
        chunk(b"tEXt", format!("parameters\0{words}").as_bytes()),
        chunk(b"tEXt", format!("Copyright\0{words}").as_bytes()),
        chunk(b"zTXt", &[b"prompt\0\0", deflated(words_bytes).as_slice()].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", xmp(words).as_slice()].concat()),
        chunk(b"eXIf", &exif(words)),
    ];
    let bytes = imaging::encode_png(&pixels()).unwrap();
    let (head, rest) = bytes.split_at(8 + 25);
    [head, &planted.concat(), rest].concat()
}

fn webp(words: &str) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let padding = vec![0; data.len() % 2];
        [kind.as_slice(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data, &padding].concat()
    };
    let plain = imaging::encode_webp(&pixels(), imaging::Quality::FULL).unwrap();
    let [width, height] = [800_u32, 600].map(|side| (side - 1).to_le_bytes());
    let head = [&[0x2c, 0, 0, 0], &width[..3], &height[..3]].concat();
    let inner = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &head),
        chunk(b"ICCP", words.as_bytes()),
        plain[12..].to_vec(),
        chunk(b"EXIF", &exif(words)),
        chunk(b"XMP ", &xmp(words)),
    ]
    .concat();
    [b"RIFF".as_slice(), &u32::try_from(inner.len()).unwrap().to_le_bytes(), &inner].concat()
}

fn jpeg(words: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.add_app_segment(1, [b"Exif\0\0", exif(words).as_slice()].concat()).unwrap();
    encoder.add_app_segment(1, [b"http://ns.adobe.com/xap/1.0/\0", xmp(words).as_slice()].concat()).unwrap();
    encoder.add_app_segment(13, [b"Photoshop 3.0\0", words.as_bytes()].concat()).unwrap();
    encoder.add_icc_profile(words.as_bytes()).unwrap();
    encoder.encode(&pixels().rgba, 800, 600, jpeg_encoder::ColorType::Rgba).unwrap();
    bytes
}

/// The body of a request for a picture.
pub(crate) fn body(heard: &Heard) -> Value {
    serde_json::from_slice(&heard.body).unwrap()
}
