//! This owns API keys on the account page.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use kernel::{Id, Locale, Result, purpose};
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Site, say, say_count};

use super::{KeyWish, LIFETIMES_DAYS, ListedKey, Scope, Scopes};
use crate::{Accounts, Member, day_text};

/// API keys, as the account page shows them.
pub(crate) struct KeysSection {
    pub(crate) keys: Vec<KeyView>,
    /// What a key may be made for: a name in the form, and words.
    pub(crate) scopes: Vec<(&'static str, String)>,
    /// How long a key may live: days, and words.
    pub(crate) lifetimes: Vec<(i64, String)>,
    /// A key that was just made, shown this once.
    pub(crate) new_key: Option<String>,
}

/// A key that can be revoked.
pub(crate) struct KeyView {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) hint: String,
    pub(crate) scopes: String,
    pub(crate) created: String,
    pub(crate) used: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) expired: bool,
}

impl KeyView {
    fn of(key: ListedKey, today: i64, locale: Locale) -> Self {
        let scopes: Vec<String> = key.scopes.iter().map(|scope| say(locale, scope.words())).collect();
        Self {
            expired: !key.works_on(today),
            id: key.id,
            name: key.name,
            hint: key.hint,
            scopes: scopes.join(" · "),
            created: day_text(key.created_day),
            used: key.used_day.map(day_text),
            last: key.last_day.map(day_text),
        }
    }
}

impl Accounts {
    pub(crate) async fn keys_section(&self, account: Id, locale: Locale) -> Result<KeysSection> {
        let (keys, today) = (self.keys(account).await?, self.clock.today());
        Ok(KeysSection {
            keys: keys.into_iter().map(|key| KeyView::of(key, today, locale)).collect(),
            scopes: Scope::ALL.map(|scope| (scope.name(), say(locale, scope.words()))).into(),
            lifetimes: LIFETIMES_DAYS.map(|days| (days, say_count(locale, "key-days", days as f64))).into(),
            new_key: None,
        })
    }
}

/// The fields of a form; a box that may be ticked with others has the name of the others.
type Fields = Vec<(String, String)>;

fn wish(fields: &Fields) -> Result<KeyWish> {
    let all = |wanted: &'static str| {
        fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let first = |wanted| all(wanted).next().unwrap_or_default();
    let scopes = all("may").filter_map(|name| Scope::ALL.into_iter().find(|scope| scope.name() == name));
    Ok(KeyWish {
        name: first("name").to_owned(),
        scopes: Scopes::of(scopes)?,
        // What is not a number is not on the list either.
        days: Some(first("days")).filter(|days| !days.is_empty()).map(|days| days.parse().unwrap_or(0)),
    })
}

/// `POST /account/keys`: the page again, with the key shown this once.
pub async fn create_key(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Form(fields): Form<Fields>,
) -> Reply<impl IntoResponse> {
    let made = match wish(&fields) {
        Ok(wish) => accounts.create_key(member.account(), wish).await,
        Err(error) => Err(error),
    };
    let mut view = accounts.account_page(&site, &visitor, member).await?;
    let status = match made {
        Ok(key) => {
            view.keys.new_key = Some(key.token.reveal(purpose::ShowOnce).to_owned());
            StatusCode::OK
        }
        Err(error) => view.refuse(&error, visitor.locale),
    };
    Ok((status, Html(view)))
}

/// `POST /account/keys/{id}/revoke`.
pub async fn revoke_key(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Redirect> {
    accounts.revoke_key(member.account(), id).await?;
    Ok(Redirect::to("/account"))
}
