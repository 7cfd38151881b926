//! A stand-in for Stripe, which is not Stripe: it speaks the wire format of the calls that are made of it, serves a plain page
//! for paying, keeps a list of events, and signs and sends them as Stripe does. It remembers all that it is told.

pub(crate) mod stories;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use stories::Step;

pub(crate) const KEY: &str = "sk_test_of_the_operator";
pub(crate) const SECRET: &str = "whsec_of_the_operator";
/// Stands in every object that is sent, where Stripe has what a buyer typed there.
pub(crate) const BUYER: &str = "zelda.quokka@buyer.example";
/// Parameters of a page for paying that the stand-in knows; Stripe refuses what it does not know, and so does this.
const KNOWN: [&str; 11] = [
    "mode",
    "client_reference_id",
    "line_items[0][quantity]",
    "line_items[0][price_data][currency]",
    "line_items[0][price_data][unit_amount]",
    "line_items[0][price_data][product_data][name]",
    "adaptive_pricing[enabled]",
    "customer_creation",
    "locale",
    "success_url",
    "cancel_url",
];

/// What it was asked to do.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) headers: HeaderMap,
    pub(crate) form: BTreeMap<String, String>,
}

/// A page for paying.
#[derive(Clone)]
struct Page {
    id: String,
    form: BTreeMap<String, String>,
    open: bool,
    number: usize,
}

#[derive(Default)]
struct Kept {
    pages: Vec<Page>,
    /// What was asked under an idempotency key, and which page answers it.
    answered: BTreeMap<String, (Bytes, String)>,
    events: Vec<Value>,
    heard: Vec<Heard>,
    out_of_order: bool,
}

/// A stand-in on a port of its own.
#[derive(Clone)]
pub(crate) struct Stripe {
    /// Its address, without a path.
    pub(crate) base: String,
    kept: Arc<Mutex<Kept>>,
    /// Where events are sent of what happens on its pages for paying.
    webhook: Arc<Mutex<Option<String>>>,
}

impl Stripe {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    pub(crate) async fn start_on(address: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stripe = Self { base, kept: Arc::default(), webhook: Arc::default() };
        let app = Router::new()
            .route("/v1/checkout/sessions", post(create))
            .route("/v1/checkout/sessions/{id}", get(retrieve))
            .route("/v1/events", get(list))
            .route("/c/pay/{id}", get(checkout).post(pay))
            .with_state(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        stripe
    }

    /// Settings of a program that is paid through it.
    pub(crate) fn settings(&self) -> [String; 4] {
        [
            "--packs=100=5.00 EUR,500=20.00 EUR".to_owned(),
            format!("--stripe-key={KEY}"),
            format!("--stripe-webhook-secrets={SECRET},whsec_the_next_one"),
            format!("--stripe-url={}", self.base),
        ]
    }

    /// From now on what happens on its pages is told there.
    pub(crate) fn tell(&self, webhook: &str) {
        *self.webhook.lock().unwrap() = Some(webhook.to_owned());
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.kept.lock().unwrap().heard.clone()
    }

    /// How many pages for paying were made.
    pub(crate) fn pages(&self) -> usize {
        self.kept.lock().unwrap().pages.len()
    }

    /// Answers nothing but failures, or works again.
    pub(crate) fn be_out_of_order(&self, state: bool) {
        self.kept.lock().unwrap().out_of_order = state;
    }

    fn page(&self, id: &str) -> Option<Page> {
        self.kept.lock().unwrap().pages.iter().find(|page| page.id == id).cloned()
    }

    /// The page for paying of a purchase.
    pub(crate) fn page_of(&self, purchase: &str) -> String {
        let kept = self.kept.lock().unwrap();
        kept.pages.iter().find(|page| page.form["client_reference_id"] == purchase).unwrap().id.clone()
    }

    /// Lets something happen to the payment of a page, and lists its event, which is not sent.
    pub(crate) fn happen(&self, page: &str, step: Step, time: i64) -> Value {
        let page = self.page(page).unwrap();
        let mut kept = self.kept.lock().unwrap();
        let event = json!({
            "id": format!("evt_{}x{}", page.number, kept.events.len()),
            "object": "event",
            "api_version": "2026-02-25.clover",
            "created": time,
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": step.kind(),
            "data": { "object": step.object(&page.id, page.number, &page.form) },
        });
        kept.events.push(event.clone());
        event
    }

    /// Closes a page for paying.
    pub(crate) fn close(&self, page: &str) {
        let mut kept = self.kept.lock().unwrap();
        kept.pages.iter_mut().filter(|one| one.id == page).for_each(|page| page.open = false);
    }
}

/// The header that Stripe would sign these bytes with.
pub(crate) fn signature(secret: &str, body: &[u8], time: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, &[time.to_string().as_bytes(), b".", body].concat());
    format!("t={time},v1={},v0={}", HEXLOWER.encode(tag.as_ref()), "0".repeat(64))
}

/// Sends an event to a webhook.
pub(crate) async fn send(webhook: &str, event: &Value, time: i64) -> u16 {
    let body = event.to_string();
    let request =
        reqwest::Client::new().post(webhook).header("content-type", "application/json; charset=utf-8");
    let request = request.header("stripe-signature", signature(SECRET, body.as_bytes(), time));
    request.header("user-agent", "Stripe/1.0 (stand-in)").body(body).send().await.unwrap().status().as_u16()
}

fn refusal(status: StatusCode, kind: &str, words: &str) -> Response {
    (status, axum::Json(json!({ "error": { "type": kind, "message": words } }))).into_response()
}

/// What keeps a request from being carried out.
fn objection(stripe: &Stripe, headers: &HeaderMap) -> Option<Response> {
    if stripe.kept.lock().unwrap().out_of_order {
        return Some(refusal(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "Something went wrong."));
    }
    let known = headers.get("authorization").is_some_and(|key| key == &format!("Bearer {KEY}"));
    if known {
        None
    } else {
        Some(refusal(StatusCode::UNAUTHORIZED, "invalid_request_error", "Invalid API Key."))
    }
}

async fn create(State(stripe): State<Stripe>, headers: HeaderMap, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = form_of(&body);
    stripe.kept.lock().unwrap().heard.push(Heard { headers: headers.clone(), form: form.clone() });
    if let Some(refused) = objection(&stripe, &headers) {
        return refused;
    }
    if let Some(unknown) = form.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            &format!("Received unknown parameter: {unknown}"),
        );
    }
    if let Some(missing) = KNOWN[..6].iter().find(|name| !form.contains_key(**name)) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            &format!("Missing required param: {missing}."),
        );
    }
    let key = headers.get("idempotency-key").map_or(String::new(), |key| key.to_str().unwrap().to_owned());
    let id = {
        let mut kept = stripe.kept.lock().unwrap();
        match kept.answered.get(&key).filter(|_| !key.is_empty()) {
            Some((asked, _)) if *asked != body => {
                return refusal(
                    StatusCode::BAD_REQUEST,
                    "idempotency_error",
                    "Keys can only be used with the same parameters.",
                );
            }
            Some((_, id)) => id.clone(),
            None => {
                let number = kept.pages.len();
                let id = format!("cs_test_{number}a{}", kernel::Id::random());
                kept.pages.push(Page { id: id.clone(), form, open: true, number });
                kept.answered.insert(key, (body, id.clone()));
                id
            }
        }
    };
    axum::Json(session(&stripe, &stripe.page(&id).unwrap())).into_response()
}

fn session(stripe: &Stripe, page: &Page) -> Value {
    let mut session = Step::Opened.object(&page.id, page.number, &page.form);
    session["status"] = if page.open { "open" } else { "complete" }.into();
    session["url"] =
        if page.open { format!("{}/c/pay/{}", stripe.base, page.id).into() } else { Value::Null };
    session
}

async fn retrieve(State(stripe): State<Stripe>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if let Some(refused) = objection(&stripe, &headers) {
        return refused;
    }
    match stripe.page(&id) {
        Some(page) => axum::Json(session(&stripe, &page)).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "invalid_request_error", "No such checkout.session"),
    }
}

async fn list(
    State(stripe): State<Stripe>,
    headers: HeaderMap,
    Query(asked): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refused) = objection(&stripe, &headers) {
        return refused;
    }
    let one = |name: &str| asked.iter().find(|(asked, _)| asked == name).map(|(_, value)| value.as_str());
    let types: Vec<&str> =
        asked.iter().filter(|(name, _)| name == "types[]").map(|(_, value)| value.as_str()).collect();
    if types.is_empty() || types.len() > 20 {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request_error", "Invalid types.");
    }
    let since: i64 = one("created[gte]").map_or(0, |text| text.parse().unwrap());
    let limit: usize = one("limit").map_or(10, |text| text.parse().unwrap());
    let kept = stripe.kept.lock().unwrap();
    let listed = kept.events.iter().rev().filter(|event| {
        event["created"].as_i64().unwrap() >= since && types.contains(&event["type"].as_str().unwrap())
    });
    let listed: Vec<&Value> = listed.collect();
    let start =
        one("starting_after").map_or(0, |id| listed.iter().position(|event| event["id"] == id).unwrap() + 1);
    let page: Vec<&Value> = listed[start..].iter().take(limit).copied().collect();
    let has_more = start + page.len() < listed.len();
    axum::Json(json!({ "object": "list", "url": "/v1/events", "has_more": has_more, "data": page }))
        .into_response()
}

/// A plain page, with a button for each way of paying.
async fn checkout(State(stripe): State<Stripe>, Path(id): Path<String>) -> Response {
    let Some(page) = stripe.page(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let form = &page.form;
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Not Stripe</title><h1>A stand-in for a page for paying</h1>\
         <p>{} for {} {}</p><form method=\"post\"><button name=\"way\" value=\"card\">Pay by card</button>\
         <button name=\"way\" value=\"transfer\">Pay by transfer</button></form><p><a href=\"{}\">Back</a></p>",
        form["line_items[0][price_data][product_data][name]"],
        form["line_items[0][price_data][unit_amount]"],
        form["line_items[0][price_data][currency]"],
        form["cancel_url"]
    ))
    .into_response()
}

async fn pay(State(stripe): State<Stripe>, Path(id): Path<String>, body: Bytes) -> Response {
    let Some(page) = stripe.page(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let step = if form_of(&body).get("way").is_some_and(|way| way == "transfer") {
        Step::CompletedUnpaid
    } else {
        Step::Completed
    };
    stripe.close(&id);
    let time = kernel::Clock::now(&kernel::SystemClock);
    let event = stripe.happen(&id, step, time);
    let webhook = stripe.webhook.lock().unwrap().clone();
    if let Some(webhook) = webhook {
        send(&webhook, &event, time).await;
    }
    Redirect::to(&page.form["success_url"]).into_response()
}

fn form_of(body: &[u8]) -> BTreeMap<String, String> {
    let address = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body))).unwrap();
    address.query_pairs().into_owned().collect()
}
