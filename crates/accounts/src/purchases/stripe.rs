//! This owns what is said to Stripe, which takes payments: a page for paying is asked for, and what has happened is listed.
//! It hears a random id, a number of credits and a price, and nothing of who buys.

use std::time::Duration;

use kernel::{Error, Id, Kind, Locale, Result, Secret};
use outgoing::{Answer, Ask, Client, Limits, StatusCode, Url};
use platform::payments::Pack;
use platform::ui::say_count;
use serde::Deserialize;
use serde_json::Value;

use super::event::TYPES;

/// The version of its interface that this is written for.
const VERSION: &str = "2026-02-25.clover";
const LIMITS: Limits = Limits { bytes_max: 4 * 1024 * 1024, silence_max: Duration::from_secs(20) };
/// Events of one page of the list, the most there can be.
const EVENTS_OF_A_PAGE: u32 = 100;

/// The way to Stripe.
pub(crate) struct Stripe {
    client: Client,
    url: Url,
    key: Secret<String>,
}

/// A page for paying.
#[derive(Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// Its address, while it is open.
    pub(crate) url: Option<String>,
}

/// A part of the list of events, the newest first.
#[derive(Deserialize)]
pub(crate) struct Events {
    pub(crate) data: Vec<Value>,
    pub(crate) has_more: bool,
}

impl Stripe {
    pub(crate) const fn new(client: Client, url: Url, key: Secret<String>) -> Self {
        Self { client, url, key }
    }

    /// Makes a page for paying, once per id: asked again, the same one is answered.
    pub(crate) async fn create_session(
        &self,
        purchase: Id,
        pack: &Pack,
        back: &str,
        locale: Locale,
    ) -> Result<Session> {
        let id = purchase.to_string();
        let (amount, currency) = (pack.price.minor.to_string(), pack.price.currency.small_letters());
        let product = say_count(locale, "purchase-credits", f64::from(pack.credits));
        let form = [
            ("mode", "payment"),
            ("client_reference_id", &id),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", &product),
            // Otherwise another amount in another currency could be asked for than is said here.
            ("adaptive_pricing[enabled]", "false"),
            ("customer_creation", "if_required"),
            ("locale", locale.tag().split('-').next().unwrap_or("auto")),
            ("success_url", back),
            ("cancel_url", back),
        ];
        let form = serde_urlencoded::to_string(form)
            .map_err(|cause| Error::internal("a form cannot be written").because(cause))?;
        let ask = self.client.post(self.at("v1/checkout/sessions")?, LIMITS).map_err(failed)?;
        self.answer(ask.header("idempotency-key", &id).form(form)).await
    }

    /// A page for paying that was made before.
    pub(crate) async fn session(&self, session: &str) -> Result<Session> {
        let url = self.at(&format!("v1/checkout/sessions/{session}"))?;
        self.answer(self.client.get(url, LIMITS).map_err(failed)?).await
    }

    /// Events since a time, from the newest on, or from behind the one with this name.
    pub(crate) async fn events(&self, since: i64, behind: Option<&str>) -> Result<Events> {
        let mut url = self.at("v1/events")?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", &EVENTS_OF_A_PAGE.to_string());
            query.append_pair("created[gte]", &since.to_string());
            query.extend_pairs(TYPES.iter().map(|kind| ("types[]", kind)));
            if let Some(behind) = behind {
                query.append_pair("starting_after", behind);
            }
        }
        self.answer(self.client.get(url, LIMITS).map_err(failed)?).await
    }

    fn at(&self, path: &str) -> Result<Url> {
        self.url.join(path).map_err(|cause| Error::internal("an address cannot be joined").because(cause))
    }

    async fn answer<T: for<'a> Deserialize<'a>>(&self, ask: Ask) -> Result<T> {
        let ask = ask.bearer(&self.key).header("stripe-version", VERSION);
        let answer: Answer = ask.send().await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(unanswered());
        }
        let bytes = answer.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|cause| unanswered().because(cause))
    }
}

fn failed(fault: outgoing::Fault) -> Error {
    unanswered().because(fault)
}

fn unanswered() -> Error {
    Error::new(
        Kind::Upstream,
        "The payment processor did not answer as it should. Nothing was charged. Please try again later.",
    )
}
