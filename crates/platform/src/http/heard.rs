//! This owns which headers of a request the program reads: a closed list, so that none is read beside it. The lints refuse
//! to read headers by any other way, and a test holds the list against the data map.

use axum::http::{HeaderMap, HeaderName, header};

/// A header of a request that the program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Whether a page or data is wanted.
    Accept,
    /// The languages that a visitor reads.
    AcceptLanguage,
    /// A program's key.
    Authorization,
    /// A session, and the choice of language and theme.
    Cookie,
    /// Whom a trusted proxy speaks for.
    ForwardedFor,
    /// The site that was asked, to be held against where a form came from.
    Host,
    /// The state of which a part is wanted; of another one, the whole is.
    IfRange,
    /// Where a form came from.
    Origin,
    /// Which part of a picture or of an export is wanted.
    Range,
    /// Where a form came from, as newer browsers say it.
    SecFetchSite,
    /// What an event of the payment processor is signed with.
    StripeSignature,
}

impl Heard {
    /// Every header that is read.
    pub const ALL: [Self; 11] = [
        Self::Accept,
        Self::AcceptLanguage,
        Self::Authorization,
        Self::Cookie,
        Self::ForwardedFor,
        Self::Host,
        Self::IfRange,
        Self::Origin,
        Self::Range,
        Self::SecFetchSite,
        Self::StripeSignature,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> HeaderName {
        match self {
            Self::Accept => header::ACCEPT,
            Self::AcceptLanguage => header::ACCEPT_LANGUAGE,
            Self::Authorization => header::AUTHORIZATION,
            Self::Cookie => header::COOKIE,
            Self::ForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Host => header::HOST,
            Self::IfRange => header::IF_RANGE,
            Self::Origin => header::ORIGIN,
            Self::Range => header::RANGE,
            Self::SecFetchSite => HeaderName::from_static("sec-fetch-site"),
            Self::StripeSignature => HeaderName::from_static("stripe-signature"),
        }
    }

    /// Its value in a request, where it is text.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads a header of a request")]
    pub fn of(self, headers: &HeaderMap) -> Option<&str> {
        headers.get(self.name())?.to_str().ok()
    }

    /// Each of its values, for a header that may stand more than once.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads a header of a request")]
    pub fn all_of(self, headers: &HeaderMap) -> impl Iterator<Item = &str> {
        headers.get_all(self.name()).iter().filter_map(|value| value.to_str().ok())
    }
}
