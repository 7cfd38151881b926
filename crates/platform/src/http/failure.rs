//! This owns the edge: each failure is rendered for its door and logged, once.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kernel::{Error, Kind};
use serde_json::json;

use super::heard::Heard;
use super::visitor::Visitor;
use crate::log::{Event, Log, Method};
use crate::ui;

/// What a handler returns.
pub type Reply<T = Response> = std::result::Result<T, Failure>;

/// An error on its way out; the edge gives it its form.
#[derive(Debug)]
pub struct Failure(pub Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Arc::new(self.0));
        response
    }
}

/// Which door a request came through, which decides the form of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Pages for people.
    Page,
    /// JSON for programs, in English.
    Json,
    /// JSON for the scripts of a page, in its language.
    Script,
}

impl Door {
    fn of(path: &str, headers: &HeaderMap) -> Self {
        let accept = Heard::Accept.of(headers).unwrap_or_default();
        if ["/api/", "/r/", "/webhooks/"].iter().any(|start| path.starts_with(start)) {
            Self::Json
        } else if accept.starts_with("application/json") {
            Self::Script
        } else {
            Self::Page
        }
    }
}

/// What the edge needs of the site.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Where requests and failures are written.
    pub log: Log,
    /// The site, for error pages.
    pub site: Arc<ui::Site>,
}

/// The outermost layer: times and logs each request, and gives every failure its form.
pub async fn edge(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = Method::of(request.method());
    let route = edge.log.route(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    // An error page does not repeat the address: what stands in it may be a secret, or somebody's name.
    let visitor = Visitor::of(request.headers());
    let door = Door::of(request.uri().path(), request.headers());
    let mut response = next.run(request).await;
    if let Some(error) = failure_of(&mut response) {
        edge.log.failure(&error);
        response = render(&error, response, door, &visitor, &edge.site);
    }
    edge.log.write(Event::Request {
        method,
        route,
        status: response.status().as_u16(),
        micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    });
    response
}

fn failure_of(response: &mut Response) -> Option<Arc<Error>> {
    if let Some(error) = response.extensions_mut().remove::<Arc<Error>>() {
        return Some(error);
    }
    let bare = match response.status().as_u16() {
        0..=399 => return None,
        // A body that a handler wrote on purpose stays; the libraries' own refusals are plain text or empty.
        _ if has_own_body(response) => return None,
        400 | 422 => {
            Error::new(Kind::Invalid, "This request cannot be read. Please check its fields and their types.")
        }
        404 => Error::not_found("There is nothing at this address."),
        405 => Error::new(Kind::Invalid, "This address does not take this method."),
        408 => Error::new(Kind::Unavailable, "The request took too long to arrive. Please try again."),
        413 => Error::new(Kind::TooLarge, "This is larger than this server accepts."),
        414 => Error::new(Kind::TooLarge, "This address is longer than any on this site."),
        415 => Error::new(Kind::Unsupported, "This address does not take this type of body."),
        503 => Error::new(Kind::Unavailable, "The server is busy. Please try again in a moment."),
        status if status < 500 => Error::new(Kind::Invalid, "This request cannot be answered as it stands."),
        _ => Error::internal("an answer without a reason"),
    };
    Some(Arc::new(bare))
}

#[expect(clippy::disallowed_methods, reason = "a header of the answer")]
fn has_own_body(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"))
}

fn render(error: &Error, bare: Response, door: Door, visitor: &Visitor, site: &Arc<ui::Site>) -> Response {
    let status = match bare.status() {
        // The framework's word for a form with a wrong field; every door here says 400.
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    let mut response = match door {
        Door::Json | Door::Script => {
            let mut body = json!({ "success": false, "error": error.public });
            if door == Door::Script {
                body["error"] = ui::say_failure(visitor.locale, &error.public).text.into();
            }
            if let Some(code) = error.code {
                body["code"] = code.into();
            }
            if let Some(field) = error.field {
                body["field"] = field.into();
            }
            (status, axum::Json(body)).into_response()
        }
        Door::Page => (status, ui::error_page(site, visitor, error)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(allowed_methods(&bare));
    if error.kind == Kind::RateLimited {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}

/// Which methods an address takes, as the router said it.
#[expect(clippy::disallowed_methods, reason = "a header of the answer")]
fn allowed_methods(answer: &Response) -> Option<(HeaderName, HeaderValue)> {
    Some((header::ALLOW, answer.headers().get(header::ALLOW)?.clone()))
}
