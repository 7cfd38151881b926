//! This owns the studio's JSON door, as existing clients expect it: submit, status, models, deletion.

use std::sync::Arc;

use accounts::{ApiCaller, Scope};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use imaging::Picture;
use kernel::{Error, Id, Kind, Prompt, Result, Typed, purpose};
use platform::http::Reply;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Studio;
use crate::generation::{Generation, State as Stored};
use crate::order::{Asked, Door, Order};
use crate::references::decode;
use crate::store::{self, Print};

/// Seconds that a client is told to wait before it asks again.
const POLL_SECONDS: u32 = 2;

/// Body of `POST /api/generate/v2`; what is not listed here is ignored.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct GenerateBody {
    prompt: Typed,
    #[serde(flatten)]
    wish: Wish,
}

/// What a body says beside the prompt.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    model_id: String,
    aspect_ratio: String,
    resolution: String,
    technique: String,
    seed: Option<u64>,
    reference_images: Vec<String>,
    idempotency_key: Option<String>,
}

/// `POST /api/generate/v2`.
pub async fn generate(
    State(studio): State<Studio>,
    caller: ApiCaller,
    body: std::result::Result<Json<Value>, axum::extract::rejection::JsonRejection>,
) -> Reply<Json<Value>> {
    let account = caller.may(Scope::Make)?;
    let Json(body) = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Kind::TooLarge, "The request is larger than this server accepts.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Error::new(Kind::Unsupported, "Send JSON, with content-type application/json.")
        }
        _ => Error::new(Kind::Invalid, "The body is not JSON."),
    })?;
    let GenerateBody { prompt, wish } = parse_body(body)?;
    let prompt = Prompt::parse(prompt)?;
    let request = studio.request(account, &prompt, &wish).await?;
    if let Some(request) = &request
        && let Some(known) = store::find_request(&studio.db, request.print).await?
    {
        return Ok(Json(studio.replay(known, &request.inputs).await?));
    }
    let references = studio.api_references(account, &wish.reference_images).await?;
    let asked = Asked {
        model: wish.model_id,
        ratio: wish.aspect_ratio,
        resolution: wish.resolution,
        technique: wish.technique,
        seed: wish.seed.map(|seed| seed.to_string()).unwrap_or_default(),
        references,
    };
    let order = Order::parse(Arc::new(prompt), asked, &studio.models)?;
    let accepted = studio.submit_request(account, Door::Key, order, request).await?;
    Ok(Json(studio.accepted(&accepted).await?))
}

/// What two requests have in common when they ask for the same, each part behind its length.
fn inputs(prompt: &Prompt, wish: &Wish) -> Zeroizing<Vec<u8>> {
    let seed = wish.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let words = prompt.reveal(purpose::Recognise);
    let parts = [words, &wish.model_id, &wish.aspect_ratio, &wish.resolution, &wish.technique, &seed];
    let mut bytes = Zeroizing::new(Vec::new());
    for part in parts.into_iter().chain(wish.reference_images.iter().map(String::as_str)) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// Names the field whose type is wrong, which a derived reader would not.
fn parse_body(body: Value) -> Result<GenerateBody> {
    let text_fields = ["prompt", "modelId", "aspectRatio", "resolution", "technique", "idempotencyKey"];
    let Value::Object(fields) = &body else {
        return Err(Error::new(Kind::Invalid, "The body has to be a JSON object."));
    };
    for name in text_fields {
        if fields.get(name).is_some_and(|value| !value.is_string()) {
            return Err(Error::invalid(name, format!("{name} has to be text.")));
        }
    }
    if fields.get("seed").is_some_and(|seed| !seed.is_u64()) {
        return Err(Error::invalid("seed", "seed has to be a whole number from 0."));
    }
    serde_json::from_value(body)
        .map_err(|_| Error::invalid("referenceImages", "referenceImages has to be a list of addresses."))
}

/// `GET /api/generate/v2/status/{id}`: for whoever knows the id, which nobody can guess.
pub async fn status(
    State(studio): State<Studio>,
    caller: Option<ApiCaller>,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    let unknown = || Error::not_found("There is no generation with this id.");
    let id: Id = id.parse().map_err(|_| unknown())?;
    let found = store::find(&studio.db, studio.blobs.keys(), id).await?.ok_or_else(unknown)?;
    if caller.is_some_and(|caller| !caller.is_of(found.account)) {
        return Err(unknown().into());
    }
    Ok(Json(studio.status_json(&found)))
}

/// `GET /api/generate/v2/requests/{request_id}`: clients look here before they order, so a key that may order may look.
pub async fn request(
    State(studio): State<Studio>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    let account = caller.may(Scope::Make).or_else(|_| caller.may(Scope::Read))?;
    let print = studio.request_print(account, &id).await?;
    let known = store::find_request(&studio.db, print).await?;
    let known = known.ok_or_else(|| {
        Error::not_found("There is no request with this id.").with_code("request_not_found")
    })?;
    let mut answer = studio.replayed(known.generation).await?;
    answer["requestId"] = id.into();
    Ok(Json(answer))
}

/// `DELETE /api/generations/{id}`: erased for good when this answers; again is fine.
pub async fn delete(
    State(studio): State<Studio>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    let account = caller.may(Scope::Delete)?;
    let id: Id = id.parse()?;
    let erased = studio.erase(account, &[id]).await?;
    let receipt = erased.receipts.into_iter().next();
    let receipt = receipt.ok_or_else(|| Error::not_found("There is no generation with this id."))?;
    Ok(Json(json!({ "success": true, "receipt": receipt })))
}

/// `GET /api/models`.
pub async fn models(State(studio): State<Studio>) -> Response {
    let default = studio.models.all().next().map(|model| model.id.clone());
    let models: Vec<Value> = studio.models.all().map(|model| model_json(model, default.as_ref())).collect();
    Json(json!({ "success": true, "models": models })).into_response()
}

fn model_json(model: &engines::Model, default: Option<&String>) -> Value {
    let names: Vec<&str> = model.resolutions.iter().map(|(name, _)| name.as_str()).collect();
    let place = match &model.place {
        engines::Place::Here => "here".to_owned(),
        engines::Place::Remote(host) => host.clone(),
    };
    json!({
        "id": model.id,
        "name": model.name,
        "provider": model.provider,
        "description": model.description,
        "credits_per_generation": model.credits,
        "supports_4k": names.contains(&"4K"),
        "supported_ratios": model.ratios.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "media_type": "image",
        "max_reference_images": model.references_max,
        "is_default": Some(&model.id) == default,
        "estimatedTiming": { "p50": model.seconds_p50 },
        "place": place,
        "techniques": model.techniques,
        "extra_config": { "resolutions": names, "defaultResolution": names.first() },
    })
}

impl Studio {
    async fn accepted(&self, accepted: &Generation) -> Result<Value> {
        let balance = self.accounts.ledger().balance(accepted.account).await?;
        Ok(json!({
            "success": true,
            "generationId": accepted.id,
            "status": accepted.state.name(),
            "creditsUsed": accepted.details.credits,
            "modelId": accepted.details.model,
            "aspectRatio": accepted.details.ratio,
            "credits": { "daily": balance.daily, "purchased": balance.welcome + balance.purchased, "unlimited": false },
        }))
    }

    fn status_json(&self, found: &Generation) -> Value {
        let url = (found.state == Stored::Completed).then(|| self.signed_url(found.id));
        let mut answer = json!({
            "jobId": found.id,
            "status": found.state.name(),
            "imageUrl": url,
            "imageUrls": url.as_ref().map(|url| vec![url]),
            "videoUrl": null,
            "mediaType": "image",
            "error": null,
            "aspectRatio": found.details.ratio,
        });
        match found.state {
            Stored::Processing => {
                let seconds =
                    self.models.get(&found.details.model).map_or(10, |(_, model)| model.seconds_p50);
                answer["expectedWaitSeconds"] = seconds.into();
                answer["pollHintSeconds"] = POLL_SECONDS.into();
            }
            Stored::Completed => answer["creditsStatus"] = "confirmed".into(),
            Stored::Failed => {
                answer["creditsStatus"] = "refunded".into();
                answer["error"] = found.details.failure.clone().into();
                answer["failureCode"] = Value::Null;
            }
        }
        answer
    }

    /// The answer to a request id that is known: the same generation, if the inputs are the same.
    async fn replay(&self, known: store::Request, inputs: &[u8]) -> Result<Value> {
        if !known.has_inputs(&self.blobs.keys().get(known.generation).await?, inputs) {
            let words = "This idempotencyKey was used before with other inputs. Use a new one.";
            return Err(Error::new(Kind::Conflict, words).with_code("idempotency_conflict"));
        }
        self.replayed(known.generation).await
    }

    async fn replayed(&self, id: Id) -> Result<Value> {
        let found = store::find(&self.db, self.blobs.keys(), id)
            .await?
            .ok_or_else(|| Error::internal("a request without generation"))?;
        let (mut answer, status) = (self.accepted(&found).await?, self.status_json(&found));
        if let (Value::Object(answer), Value::Object(status)) = (&mut answer, status) {
            answer.extend(status);
        }
        answer["deduped"] = true.into();
        Ok(answer)
    }

    async fn request_print(&self, account: Id, id: &str) -> Result<Print> {
        Ok(self.blobs.keys().get(account).await?.fingerprint("request id", id.as_bytes()))
    }

    /// The request id of a body, if it has one, with its inputs; both are kept as keyed fingerprints only.
    async fn request(&self, account: Id, prompt: &Prompt, wish: &Wish) -> Result<Option<store::NewRequest>> {
        let Some(id) = &wish.idempotency_key else { return Ok(None) };
        let print = self.request_print(account, id).await?;
        Ok(Some(store::NewRequest { print, inputs: inputs(prompt, wish) }))
    }

    /// Pictures given as `data:` addresses, or as addresses of this server's own results.
    async fn api_references(&self, account: Id, addresses: &[String]) -> Result<Vec<Picture>> {
        let refused = || {
            let words = "referenceImages takes data:image/…;base64 addresses and results of this server.";
            Error::invalid("referenceImages", words).with_code("invalid_reference_url")
        };
        let mut pictures = Vec::new();
        for address in addresses.iter().take(kernel::limits::REFERENCES_PER_REQUEST_MAX + 1) {
            if let Some(encoded) =
                address.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"))
            {
                let bytes = BASE64.decode(encoded.1.as_bytes()).map_err(|_| refused())?;
                pictures.push(decode(bytes).await?);
            } else {
                let own = address.strip_prefix(&*self.public_url).and_then(|path| path.strip_prefix("/r/"));
                let id = own.and_then(|path| path.split('/').next()).ok_or_else(refused)?;
                pictures.push(self.reference(account, id).await?);
            }
        }
        Ok(pictures)
    }
}
