//! This owns sessions on the account page.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use kernel::{Id, Result};
use platform::http::Reply;

use super::Began;
use crate::sign_in::pages::{Next, local, signed_out};
use crate::{Accounts, Member, day_text};

/// Sessions, as the account page shows them.
pub(crate) struct SessionsSection {
    pub(crate) sessions: Vec<SessionView>,
}

/// A session that can be ended.
pub(crate) struct SessionView {
    pub(crate) id: Id,
    /// Key of the words for how it began.
    pub(crate) began: &'static str,
    pub(crate) created: String,
    pub(crate) used: String,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

impl Accounts {
    pub(crate) async fn sessions_section(&self, member: Member) -> Result<SessionsSection> {
        let view = |session: super::Session| SessionView {
            id: session.id,
            began: match session.began {
                Began::Code => "began-code",
                Began::Passkey => "began-passkey",
            },
            created: day_text(session.created_day),
            used: day_text(session.used_day),
            current: session.id == member.session(),
        };
        let sessions = self.sessions(member.account()).await?;
        Ok(SessionsSection { sessions: sessions.into_iter().map(view).collect() })
    }
}

/// `POST /account/sessions/dismiss`: that was me. Leads back to the page it was said on.
pub async fn dismiss_notice(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Form(back): Form<Next>,
) -> Reply<Redirect> {
    accounts.dismiss_notice(member.session()).await?;
    Ok(Redirect::to(local(&back.next)))
}

/// `POST /account/sessions/revoke-all`.
pub async fn revoke_all(State(accounts): State<Arc<Accounts>>, member: Member) -> Reply {
    accounts.end_sessions(member.account(), None).await?;
    Ok(signed_out(&accounts))
}

/// `POST /account/sessions/{id}/revoke`.
pub async fn revoke_session(
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Redirect> {
    accounts.end_sessions(member.account(), Some(id)).await?;
    Ok(Redirect::to("/account"))
}
