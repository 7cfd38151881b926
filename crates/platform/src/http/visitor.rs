//! This owns what a request tells of the person looking: language and theme, and nothing else.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use kernel::{Error, Locale};

use super::failure::Failure;
use super::heard::Heard;

/// Colours of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the visitor's system says.
    #[default]
    System,
    /// Light paper.
    Light,
    /// Dark paper.
    Dark,
}

impl Theme {
    /// The value in the cookie and in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of this name, or the system's.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.name() == name).unwrap_or_default()
    }
}

/// The person looking at a page.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Their language: chosen, or else negotiated.
    pub locale: Locale,
    /// Their theme.
    pub theme: Theme,
    /// Path and query of a page that was asked for, to come back to after a choice; the front page for what was sent.
    pub here: String,
}

impl Visitor {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = Heard::AcceptLanguage.of(headers).unwrap_or_default();
        Self {
            locale: Cookie::Lang
                .of(headers)
                .and_then(Locale::from_tag)
                .unwrap_or_else(|| Locale::negotiate(accepted)),
            theme: Cookie::Theme.of(headers).map(Theme::from_name).unwrap_or_default(),
            here: "/".to_owned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let visitor = Self::of(&parts.headers);
        Ok(match parts.uri.path_and_query() {
            Some(here) if parts.method == Method::GET => Self { here: here.to_string(), ..visitor },
            _ => visitor,
        })
    }
}

/// A cookie that this site sets; there are no others, and a test holds them against the data map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Who is signed in.
    Session,
    /// The browser that asked for a sign-in code.
    SignIn,
    /// The browser that was asked for a passkey.
    Passkey,
    /// The language that was chosen.
    Lang,
    /// The colours that were chosen.
    Theme,
}

impl Cookie {
    /// Every cookie.
    pub const ALL: [Self; 5] = [Self::Session, Self::SignIn, Self::Passkey, Self::Lang, Self::Theme];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SignIn => "sign-in",
            Self::Passkey => "passkey",
            Self::Lang => "lang",
            Self::Theme => "theme",
        }
    }

    /// Its value in a request.
    #[must_use]
    pub fn of(self, headers: &HeaderMap) -> Option<&str> {
        Heard::Cookie
            .all_of(headers)
            .flat_map(|line| line.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(self.name())?.strip_prefix('='))
    }

    /// A `Set-Cookie` value that pages cannot read and other sites do not send. `public_url` decides on `Secure`.
    #[must_use]
    pub fn set(self, value: &str, max_age_seconds: i64, public_url: &str) -> HeaderValue {
        let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
        let name = self.name();
        let text =
            format!("{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A `Set-Cookie` value that makes the browser forget it.
    #[must_use]
    pub fn forget(self, public_url: &str) -> HeaderValue {
        self.set("", 0, public_url)
    }
}

/// A rendered page.
pub struct Html<T>(pub T);

impl<T: askama::Template> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(page) => axum::response::Html(page).into_response(),
            Err(cause) => {
                Failure(Error::internal("a page could not be rendered").because(cause)).into_response()
            }
        }
    }
}
