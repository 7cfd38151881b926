//! This owns telling a browser how far the mail is that it asked for, on the page and as server-sent events.
//! It says what the mail server says, and nothing of accounts.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use kernel::Locale;
use platform::http::{Cookie, Visitor};
use platform::mail::Progress;
use platform::ui::say;
use serde::Serialize;
use tokio::sync::watch;

use crate::Accounts;

/// How far a mail is, for whoever waits for it.
#[derive(Serialize)]
pub(crate) struct Told {
    /// `waiting`, `taken` or `failed`, as the page shows it.
    pub(crate) state: &'static str,
    pub(crate) words: String,
}

/// What is said of a mail; of `None` where the browser has no code any more.
pub(crate) fn tell(progress: Option<Progress>, locale: Locale) -> Told {
    let (state, key) = match progress {
        Some(Progress::Waiting) => ("waiting", "mail-waiting"),
        Some(Progress::Delayed) => ("waiting", "mail-delayed"),
        Some(Progress::Accepted) => ("taken", "mail-accepted"),
        Some(Progress::Refused) => ("failed", "mail-refused"),
        Some(Progress::Setup) => ("failed", "mail-setup"),
        Some(Progress::GivenUp) => ("failed", "mail-given-up"),
        None => ("failed", "mail-gone"),
    };
    Told { state, words: say(locale, key) }
}

/// `GET /sign-in/mail`: `mail` whenever it comes further, until nothing more can be said.
pub async fn mail(
    State(accounts): State<Arc<Accounts>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> impl IntoResponse {
    let progress = accounts.mail_to(Cookie::SignIn.of(&headers).unwrap_or_default());
    let watch = Watch { progress, locale: visitor.locale, said: None };
    let events = Sse::new(futures_util::stream::unfold(Some(watch), next));
    ([(header::CACHE_CONTROL, "no-store")], events.keep_alive(KeepAlive::default()))
}

struct Watch {
    progress: Option<watch::Receiver<Progress>>,
    locale: Locale,
    said: Option<Progress>,
}

/// The next event; nothing after the last one.
async fn next(watch: Option<Watch>) -> Option<(Result<Event, Infallible>, Option<Watch>)> {
    let mut watch = watch?;
    let now = match &mut watch.progress {
        Some(progress) => {
            let said = watch.said;
            // Its sender is gone only after it has said how the mail ended.
            Some(*progress.wait_for(|now| Some(*now) != said).await.ok()?)
        }
        None => None,
    };
    let told = tell(now, watch.locale);
    let event = Event::default().event("mail").json_data(&told).unwrap_or_default();
    watch.said = now;
    let more = now.is_some_and(|now| !now.is_end());
    Some((Ok(event), more.then_some(watch)))
}
