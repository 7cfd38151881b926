//! This owns what the pages of accounts show: plain data, and the templates beside it.

use platform::ui::{Page, Said};

/// `GET /sign-in`.
#[derive(askama::Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// The frame.
    pub page: Page,
    /// Whether a code was sent and is asked for.
    pub code_sent: bool,
    /// Where to go afterwards.
    pub next: String,
    /// What went wrong.
    pub wrong: Option<Said>,
}

/// A ledger line.
pub struct LineView {
    /// Day.
    pub day: String,
    /// What happened, in words.
    pub what: String,
    /// The buckets that changed, in words.
    pub buckets: String,
    /// With a sign.
    pub amount: String,
}

/// A key or session that can be revoked.
pub struct Revocable {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Day it was made.
    pub created: String,
    /// Day it was last used.
    pub used: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `GET /account`.
#[derive(askama::Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The frame.
    pub page: Page,
    /// Key of each bucket's name, with its balance.
    pub buckets: Vec<(&'static str, u32)>,
    /// The ledger, the newest first.
    pub lines: Vec<LineView>,
    /// API keys.
    pub keys: Vec<Revocable>,
    /// A key that was just made, shown this once.
    pub new_key: Option<String>,
    /// Sessions.
    pub sessions: Vec<Revocable>,
    /// What went wrong.
    pub wrong: Option<Said>,
}
