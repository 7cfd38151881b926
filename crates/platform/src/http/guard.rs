//! This owns the two rules that hold on every route: foreign pages cannot post here, and answers carry strict headers.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kernel::{Error, Kind};

use super::failure::Failure;
use super::heard::Heard;

/// Nothing but this origin; no inline script or style, no evaluation, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer carries.
pub const STRICT_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("referrer-policy", "no-referrer"),
    ("tdm-reservation", "1"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// Adds the security headers, and `no-store` where the handler said nothing of caching.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in STRICT_HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses requests that change something, carry a cookie, and do not come from a page of this site.
pub async fn refuse_foreign_posts(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || comes_from_here(request.headers()) {
        return next.run(request).await;
    }
    Failure(Error::new(Kind::Forbidden, "This was sent from another site. Please use the form on this site."))
        .into_response()
}

fn comes_from_here(headers: &HeaderMap) -> bool {
    let has_cookie = Heard::Cookie.all_of(headers).next().is_some();
    if !has_cookie && Heard::Origin.of(headers).is_none() {
        // Without a cookie there is nobody to act for; programs with a key come this way.
        return !matches!(Heard::SecFetchSite.of(headers), Some("cross-site" | "same-site"));
    }
    match (Heard::SecFetchSite.of(headers), Heard::Origin.of(headers), Heard::Host.of(headers)) {
        (Some(site), _, _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin)| origin == host)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_our_own_pages_may_act_with_a_cookie() {
        let cookie = ("cookie", "session=x");
        assert!(comes_from_here(&headers(&[cookie, ("sec-fetch-site", "same-origin")])));
        assert!(comes_from_here(&headers(&[cookie, ("origin", "http://a:1"), ("host", "a:1")])));
        assert!(!comes_from_here(&headers(&[cookie, ("origin", "http://b"), ("host", "a")])));
        assert!(!comes_from_here(&headers(&[cookie, ("origin", "null"), ("host", "a")])));
        assert!(!comes_from_here(&headers(&[cookie, ("sec-fetch-site", "cross-site")])));
        assert!(!comes_from_here(&headers(&[cookie, ("host", "a")])));
        assert!(!comes_from_here(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(comes_from_here(&headers(&[])));
    }
}
