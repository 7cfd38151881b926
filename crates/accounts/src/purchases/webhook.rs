//! This owns the door through which the payment processor's events come.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use platform::http::limits::GUESSES;
use platform::http::{Client, Failure, Heard, Reply};

use super::{event, signature};
use crate::Accounts;

/// That something is for sale. Where nothing is, a route that asks for this is not there, for anybody.
pub struct Selling;

impl<S: Send + Sync> FromRequestParts<S> for Selling
where
    Arc<Accounts>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Failure> {
        Arc::<Accounts>::from_ref(state).till()?;
        Ok(Self)
    }
}

/// `POST /webhooks/stripe`: an event as it was signed. An answer of 200 means that it is in the books, or that it need not be.
pub async fn payment_event(
    _: Selling,
    State(accounts): State<Arc<Accounts>>,
    client: Client,
    headers: HeaderMap,
    body: Bytes,
) -> Reply<StatusCode> {
    let signed = Heard::StripeSignature.of(&headers).unwrap_or_default();
    if let Err(error) = signature::check(signed, &body, &accounts.till()?.secrets, accounts.clock.now()) {
        client.count(&GUESSES)?;
        return Err(error.into());
    }
    if let Some(event) = event::read(&body)? {
        accounts.settle(&event).await?;
    }
    Ok(StatusCode::OK)
}
