//! This owns what all pages share: the frame around them, their language, their assets, and error pages.
//! Each page's own template stands beside its handler.

mod assets;
mod text;
mod words;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use kernel::clock::day_text;
use kernel::{Error, Kind, Locale};

use crate::http::{Html, Theme, Visitor};

pub use assets::{asset, digest};
pub use text::{say, say_count};
pub use words::{Said, Words, say_failure};

/// What the operator set, for every page.
#[derive(Debug)]
pub struct Site {
    /// Name of the site.
    pub name: String,
    /// Address of the operator.
    pub contact: Option<String>,
}

/// The part of the bar that is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Named after the pages.
pub enum Nav {
    Gallery,
    Studio,
    Account,
    Other,
}

/// What the frame shows of someone who is signed in.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignedIn {
    /// Day of a sign-in elsewhere that they have not said was theirs.
    pub notice_day: Option<i64>,
}

/// What the frame around a page needs.
pub struct Page {
    /// What the operator set.
    pub site: Arc<Site>,
    /// Who looks.
    pub visitor: Visitor,
    nav: Nav,
    /// Whether they are signed in.
    pub signed_in: bool,
    /// Day of a sign-in elsewhere, to be told of.
    pub notice: Option<String>,
    /// Title of the page, before the site's name.
    pub title: String,
}

impl Page {
    /// The frame of a page with this title, which is already in the visitor's language.
    #[must_use]
    pub fn new(site: &Arc<Site>, visitor: &Visitor, nav: Nav, title: String) -> Self {
        Self { site: Arc::clone(site), visitor: visitor.clone(), nav, signed_in: false, notice: None, title }
    }

    /// The same for a visitor who is signed in, if `member` is someone.
    #[must_use]
    pub fn for_member(mut self, member: Option<&impl AsRef<SignedIn>>) -> Self {
        self.signed_in = member.is_some();
        self.notice = member.and_then(|member| member.as_ref().notice_day).map(day_text);
        self
    }

    /// Text in the visitor's language.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        say(self.visitor.locale, key)
    }

    /// Text with a number, in the plural form that the language asks for.
    #[must_use]
    pub fn count(&self, key: &str, number: &u32) -> String {
        say_count(self.visitor.locale, key, f64::from(*number))
    }

    /// Address of an asset.
    #[must_use]
    pub fn asset(&self, path: &str) -> String {
        assets::address(path)
    }

    /// Whether the fonts were fetched when the program was built.
    #[must_use]
    pub fn has_fonts(&self) -> bool {
        assets::has("fonts/geist-400.woff2")
    }

    /// The languages to choose from.
    #[must_use]
    pub const fn locales(&self) -> [Locale; 3] {
        Locale::ALL
    }

    /// Whether this part of the bar is marked.
    #[must_use]
    pub fn is(&self, nav: &str) -> bool {
        format!("{:?}", self.nav) == nav
    }

    /// The chosen theme.
    #[must_use]
    pub const fn theme(&self) -> &'static str {
        self.visitor.theme.name()
    }

    /// The themes to choose from.
    #[must_use]
    pub fn themes(&self) -> [&'static str; 3] {
        [Theme::System, Theme::Light, Theme::Dark].map(Theme::name)
    }
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    heading: String,
    said: Said,
    /// Nothing broke; the address is empty, or what was there is gone.
    empty: bool,
}

/// A failure as a page: what happened, in words that say what to do.
pub fn error_page(site: &Arc<Site>, visitor: &Visitor, error: &Error) -> Response {
    let key = match error.kind {
        Kind::NotFound => "error-not-found",
        Kind::Gone => "error-gone",
        Kind::RateLimited => "error-too-fast",
        Kind::Internal | Kind::Unavailable | Kind::StorageFull | Kind::Upstream => "error-ours",
        _ => "error-yours",
    };
    let heading = say(visitor.locale, key);
    let mut page = Page::new(site, visitor, Nav::Other, heading.clone());
    // Nobody looked who this is: the bar offers the account, which leads to signing in where that is needed.
    page.signed_in = true;
    let said = say_failure(visitor.locale, &error.public);
    let empty = matches!(error.kind, Kind::NotFound | Kind::Gone);
    Html(ErrorPage { page, status: error.kind.http_status(), heading, said, empty }).into_response()
}

/// A receipt to be shown and saved.
pub struct Receipt {
    /// Its words.
    pub text: String,
    /// An address that is the receipt itself, so that saving it asks nobody.
    pub href: String,
}

impl From<String> for Receipt {
    fn from(text: String) -> Self {
        let href = format!("data:text/plain;charset=utf-8;base64,{}", BASE64.encode(text.as_bytes()));
        Self { text, href }
    }
}

#[derive(askama::Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    page: Page,
    receipts: Vec<Receipt>,
    back: &'static str,
}

/// Says that something is gone for good, with the receipts for it, and leads on to `back`.
pub fn receipt_page(page: Page, receipts: Vec<String>, back: &'static str) -> impl IntoResponse {
    let receipts = receipts.into_iter().map(Receipt::from).collect();
    Html(ReceiptPage { page, receipts, back })
}
