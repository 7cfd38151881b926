//! This owns the client of OpenAI-compatible image APIs: the prompt goes out, pixels come back, nothing else is said.
//! Whether a server streams is left to it: both a JSON answer and server-sent events are understood.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use imaging::Picture;
use kernel::{Error, Kind, Ratio, Result, Secret, purpose};
use outgoing::multipart::{Form, Part};
use outgoing::{Answer, Ask, Client, Fault, Limits, StatusCode, Url};
use serde_json::{Value, json};

use crate::inspect::{Inspecting, inspect};
use crate::{Developing, Engine, Model, Place, Progress, Request, State};

/// Bytes of an answer: one picture as base64, and previews.
const ANSWER_BYTES_MAX: usize = 96 * 1024 * 1024;
/// How long a server may be silent.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(180);
const LIMITS: Limits = Limits { bytes_max: ANSWER_BYTES_MAX, silence_max: SILENCE_TIMEOUT };
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
    /// A client for the API at `base`, which ends with a slash, with these models and their prices.
    #[must_use]
    pub fn new(client: Client, base: Url, key: Option<Secret<String>>, models: Vec<(String, u32)>) -> Self {
        let host = base.host_str().unwrap_or_default().to_owned();
        let models = models.into_iter().map(|(id, credits)| model(id, credits, &host)).collect();
        Self { client, base, key, models }
    }

    fn post(&self, path: &str) -> Result<Ask> {
        let url = self
            .base
            .join(path)
            .map_err(|cause| Error::internal("an engine's address is broken").because(cause))?;
        let ask = self.client.post(url, LIMITS).map_err(failed)?;
        Ok(match &self.key {
            Some(key) => ask.bearer(key),
            None => ask,
        })
    }

    fn request(&self, request: &Request) -> Result<Ask> {
        let (width, height) = request.size_px;
        let prompt = request.prompt.reveal(purpose::Develop);
        let size = format!("{width}x{height}");
        if request.references.is_empty() {
            let body = json!({ "model": request.model, "prompt": prompt, "n": 1, "size": size, "stream": true, "partial_images": PREVIEWS });
            return Ok(self.post("images/generations")?.json(&body));
        }
        let mut form = Form::new()
            .text("model", request.model.clone())
            .text("prompt", prompt.to_owned())
            .text("n", "1")
            .text("size", size);
        for reference in &request.references {
            let part = Part::bytes(imaging::encode_png(reference)?).file_name("reference.png");
            let part = part
                .mime_str("image/png")
                .map_err(|cause| Error::internal("a form could not be made").because(cause))?;
            form = form.part("image[]", part);
        }
        Ok(self.post("images/edits")?.multipart(form))
    }

    async fn draw(&self, request: Request, progress: &Progress) -> Result<Picture> {
        let answer = self.request(&request)?.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        let last = if answer.content_type().starts_with("text/event-stream") {
            self.listen(answer, progress).await?
        } else {
            json_of(answer).await?
        };
        let found = last.pointer("/data/0").unwrap_or(&last);
        let bytes = match (found["b64_json"].as_str(), found["url"].as_str()) {
            (Some(text), _) => BASE64.decode(text.as_bytes()).map_err(|cause| garbled().because(cause))?,
            (None, Some(url)) => self.fetch(url).await?,
            _ => return Err(garbled()),
        };
        imaging::decode(&bytes).map_err(|cause| garbled().because(cause))
    }

    /// Follows server-sent events up to the completed picture, telling of each preview.
    async fn listen(&self, mut answer: Answer, progress: &Progress) -> Result<Value> {
        let (mut waiting, mut step) = (Vec::new(), 0);
        while let Some(part) = answer.part().await.map_err(failed)? {
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
        let answer = self.client.get(url, LIMITS).map_err(failed)?.send().await.map_err(failed)?;
        if answer.status().is_success() { answer.bytes().await.map_err(failed) } else { Err(garbled()) }
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

    fn inspect(&self) -> Inspecting<'_> {
        Box::pin(async { Some(inspect(&self.client, &self.base, self.key.as_ref()).await) })
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

async fn json_of(answer: Answer) -> Result<Value> {
    let bytes = answer.bytes().await.map_err(failed)?;
    serde_json::from_slice(&bytes).map_err(|cause| garbled().because(cause))
}

/// What it means to the member that nothing came back.
fn failed(fault: Fault) -> Error {
    let words = match fault {
        Fault::NotListed => {
            "The engine keeps its result on another host, which this server does not contact. Its operator can choose base64 answers."
        }
        Fault::Forbidden(_) | Fault::Unreachable(_) => {
            "The engine cannot be reached. Please try again, or choose another model."
        }
        Fault::Silent => "The engine did not answer within three minutes. Please try again.",
        Fault::TooLong => "The engine's answer is larger than this server accepts.",
    };
    Error::new(Kind::Upstream, words).because(fault)
}

/// What a status means to the member. What the server wrote is not shown: it may repeat the prompt.
async fn refusal(answer: Answer) -> Error {
    let status = answer.status();
    let body = answer.bytes().await.unwrap_or_default();
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

fn garbled() -> Error {
    Error::new(
        Kind::Upstream,
        "The engine's answer holds no picture. Please try again, or choose another model.",
    )
}
