//! This owns the rules that hold on every route: foreign pages cannot post here, addresses have an end, and answers carry
//! strict headers.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kernel::{Error, Kind};

use super::failure::Failure;
use super::heard::Heard;

/// Nothing but this origin; no inline script or style, no evaluation, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Nothing that a page here has no use for; passkeys for this site alone.
const PERMISSIONS_POLICY: &str = "accelerometer=(), ambient-light-sensor=(), attribution-reporting=(), autoplay=(), \
     bluetooth=(), browsing-topics=(), camera=(), compute-pressure=(), display-capture=(), encrypted-media=(), \
     gamepad=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), \
     interest-cohort=(), join-ad-interest-group=(), keyboard-map=(), local-fonts=(), magnetometer=(), microphone=(), \
     midi=(), otp-credentials=(), payment=(), private-state-token-issuance=(), private-state-token-redemption=(), \
     publickey-credentials-create=(self), publickey-credentials-get=(self), run-ad-auction=(), screen-wake-lock=(), serial=(), shared-storage=(), storage-access=(), unload=(), usb=(), \
     web-share=(), window-management=(), xr-spatial-tracking=()";
/// Two years, as lists of sites that are asked for by https alone want it. Other hosts of the domain are not ours to bind.
const HTTPS_ONLY: &str = "max-age=63072000";
/// Longest path and query; what is searched for fits in many times.
const ADDRESS_BYTES_MAX: usize = 8 * 1024;

/// What every answer carries.
pub const STRICT_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("referrer-policy", "no-referrer"),
    ("tdm-reservation", "1"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-frame-options", "DENY"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-robots-tag", "noai, noimageai"),
];

/// What the headers depend on.
#[derive(Clone, Copy, Debug)]
pub enum Guard {
    /// Visitors come by https.
    Https,
    /// They do not, as when trying things out.
    Http,
}

impl Guard {
    /// As the public address says.
    #[must_use]
    pub fn of(public_url: &str) -> Self {
        if public_url.starts_with("https://") { Self::Https } else { Self::Http }
    }
}

/// Adds the security headers, and `no-store` where the handler said nothing of caching.
pub async fn security_headers(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in STRICT_HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if let Guard::Https = guard {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_ONLY));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses addresses that are longer than any of ours.
pub async fn refuse_long_addresses(request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if length > ADDRESS_BYTES_MAX {
        StatusCode::URI_TOO_LONG.into_response()
    } else {
        next.run(request).await
    }
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
