//! This owns the client of OpenAI-compatible image APIs: the prompt goes out, pixels come back, nothing else is said.
//! Whether a server streams is left to it: both a JSON answer and server-sent events are understood.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::StreamExt;
use imaging::Picture;
use kernel::{Error, Kind, Ratio, Result, Secret, purpose};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::{Value, json};

use crate::{Developing, Engine, Model, Place, Progress, Request, State};

/// Bytes of an answer: one picture as base64, and previews.
const ANSWER_BYTES_MAX: usize = 96 * 1024 * 1024;
/// How long a server may be silent.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(180);
/// Previews that are asked for.
const PREVIEWS: u32 = 2;

/// An image API of the operator's choice.
pub struct OpenAi {
    client: Client,
    base: Url,
    key: Option<Secret<String>>,
    models: Vec<Model>,
}

impl OpenAi {
    /// A client for the API at `base` with these models and their prices.
    ///
    /// # Errors
    /// `Invalid` when the address cannot be read.
    pub fn new(
        client: Client,
        base: &str,
        key: Option<Secret<String>>,
        models: Vec<(String, u32)>,
    ) -> Result<Self> {
        let wrong =
            || Error::invalid("openai-url", "openai-url is an address such as https://api.example.com/v1.");
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/')))
            .map_err(|cause| wrong().because(cause))?;
        let host = base.host_str().ok_or_else(wrong)?.to_owned();
        let models = models.into_iter().map(|(id, credits)| model(id, credits, &host)).collect();
        Ok(Self { client, base, key, models })
    }

    fn post(&self, path: &str) -> Result<RequestBuilder> {
        let url = self
            .base
            .join(path)
            .map_err(|cause| Error::internal("an engine's address is broken").because(cause))?;
        let request = self.client.post(url);
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        })
    }

    fn request(&self, request: &Request) -> Result<RequestBuilder> {
        let (width, height) = request.size_px;
        let prompt = request.prompt.reveal(purpose::Develop);
        let size = format!("{width}x{height}");
        if request.references.is_empty() {
            let body = json!({ "model": request.model, "prompt": prompt, "n": 1, "size": size, "stream": true, "partial_images": PREVIEWS });
            return Ok(self.post("images/generations")?.json(&body));
        }
        let mut form = reqwest::multipart::Form::new()
            .text("model", request.model.clone())
            .text("prompt", prompt.to_owned())
            .text("n", "1")
            .text("size", size);
        for reference in &request.references {
            let part =
                reqwest::multipart::Part::bytes(imaging::encode_png(reference)?).file_name("reference.png");
            let part = part
                .mime_str("image/png")
                .map_err(|cause| Error::internal("a form could not be made").because(cause))?;
            form = form.part("image[]", part);
        }
        Ok(self.post("images/edits")?.multipart(form))
    }

    async fn draw(&self, request: Request, progress: &Progress) -> Result<Picture> {
        let answer = self.request(&request)?.send().await.map_err(|cause| unreachable().because(cause))?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        let last =
            if is_stream(&answer) { self.listen(answer, progress).await? } else { json_of(answer).await? };
        let found = last.pointer("/data/0").unwrap_or(&last);
        let bytes = match (found["b64_json"].as_str(), found["url"].as_str()) {
            (Some(text), _) => BASE64.decode(text.as_bytes()).map_err(|cause| garbled().because(cause))?,
            (None, Some(url)) => self.fetch(url).await?,
            _ => return Err(garbled()),
        };
        imaging::decode(&bytes).map_err(|cause| garbled().because(cause))
    }

    /// Follows server-sent events up to the completed picture, telling of each preview.
    async fn listen(&self, answer: Response, progress: &Progress) -> Result<Value> {
        let (mut parts, mut waiting, mut step, mut heard) = (answer.bytes_stream(), Vec::new(), 0, 0);
        while let Some(part) =
            tokio::time::timeout(SILENCE_TIMEOUT, parts.next()).await.map_err(|_| silent())?
        {
            let part = part.map_err(|cause| unreachable().because(cause))?;
            heard += part.len();
            if heard > ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            waiting.extend_from_slice(&part);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                let Some(event) =
                    line.strip_prefix(b"data:").and_then(|data| serde_json::from_slice::<Value>(data).ok())
                else {
                    continue;
                };
                let name = event["type"].as_str().unwrap_or_default();
                if name.ends_with(".completed") || event["data"].is_array() {
                    return Ok(event);
                }
                if name.ends_with(".partial_image") {
                    step += 1;
                    let preview =
                        event["b64_json"].as_str().and_then(|text| BASE64.decode(text.as_bytes()).ok());
                    let preview = preview
                        .and_then(|bytes| imaging::decode(&bytes).ok())
                        .and_then(|picture| imaging::fit(&picture, 256).ok());
                    progress.report(State { step, steps: PREVIEWS + 1, preview: preview.map(Arc::new) })?;
                }
                if event["error"].is_object() {
                    return Err(declined());
                }
            }
        }
        Err(garbled())
    }

    /// Fetches a result that was given as an address, from the API's own host only.
    async fn fetch(&self, address: &str) -> Result<Vec<u8>> {
        let url = self.base.join(address).map_err(|cause| garbled().because(cause))?;
        if url.origin() != self.base.origin() {
            return Err(Error::new(
                Kind::Upstream,
                "The engine keeps its result on another host, which this server does not contact. Its operator can choose base64 answers.",
            ));
        }
        let answer = self.client.get(url).send().await.map_err(|cause| unreachable().because(cause))?;
        if answer.status().is_success() { read(answer).await } else { Err(garbled()) }
    }
}

fn model(id: String, credits: u32, host: &str) -> Model {
    let ratio = |width, height| Ratio { width, height };
    Model {
        name: id.clone(),
        id,
        description: format!(
            "Drawn by an image API at {host}. Your words and references are sent there, and nothing about you."
        ),
        provider: host.to_owned(),
        place: Place::Remote(host.to_owned()),
        credits,
        basic: false,
        ratios: vec![ratio(1, 1), ratio(3, 2), ratio(2, 3)],
        resolutions: vec![("1K".to_owned(), 1024), ("1.5K".to_owned(), 1536)],
        techniques: Vec::new(),
        references_max: 4,
        seconds_p50: 25,
        credit: String::new(),
    }
}

impl Engine for OpenAi {
    fn models(&self) -> &[Model] {
        &self.models
    }

    fn develop(&self, request: Request, progress: Progress) -> Developing<'_> {
        Box::pin(async move {
            progress.report(State { step: 0, steps: PREVIEWS + 1, preview: None })?;
            tokio::select! {
                drawn = self.draw(request, &progress) => drawn,
                // Dropping the request closes the connection.
                () = progress.cancelled() => Err(Error::new(Kind::Cancelled, "Cancelled. Nothing was charged.")),
            }
        })
    }
}

async fn read(answer: Response) -> Result<Vec<u8>> {
    let (mut parts, mut bytes) = (answer.bytes_stream(), Vec::new());
    while let Some(part) = tokio::time::timeout(SILENCE_TIMEOUT, parts.next()).await.map_err(|_| silent())? {
        bytes.extend_from_slice(&part.map_err(|cause| unreachable().because(cause))?);
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(too_long());
        }
    }
    Ok(bytes)
}

async fn json_of(answer: Response) -> Result<Value> {
    serde_json::from_slice(&read(answer).await?).map_err(|cause| garbled().because(cause))
}

/// What a status means to the member. What the server wrote is not shown: it may repeat the prompt.
async fn refusal(answer: Response) -> Error {
    let status = answer.status();
    let body = read(answer).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body).to_lowercase();
    let moderated = ["moderation", "safety", "content_policy"].iter().any(|word| body.contains(word));
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if moderated => declined(),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Error::new(
            Kind::Upstream,
            "The engine does not accept this combination of settings. Try another ratio or size.",
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(
            Kind::Upstream,
            "The engine does not accept this server's key. The operator has to check it.",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            Error::new(Kind::Upstream, "The engine is busy. Please try again in a minute.")
        }
        _ => Error::new(Kind::Upstream, "The engine has failed. Please try again, or choose another model."),
    }
}

fn declined() -> Error {
    Error::new(
        Kind::Upstream,
        "The engine declined this picture for its safety rules. Please change the words.",
    )
}

fn unreachable() -> Error {
    Error::new(Kind::Upstream, "The engine cannot be reached. Please try again, or choose another model.")
}

fn silent() -> Error {
    Error::new(Kind::Upstream, "The engine did not answer within three minutes. Please try again.")
}

fn garbled() -> Error {
    Error::new(
        Kind::Upstream,
        "The engine's answer holds no picture. Please try again, or choose another model.",
    )
}

fn too_long() -> Error {
    Error::new(Kind::Upstream, "The engine's answer is larger than this server accepts.")
}
#[expect(clippy::disallowed_methods, reason = "a header of the remote side's answer")]
fn is_stream(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
