//! This owns the erasure of all that a member has: every slice is reached from here.

use std::sync::Arc;

use accounts::{Accounts, Member};
use axum::Form;
use axum::extract::State;
use axum::response::IntoResponse;
use kernel::{Error, Id, Result};
use platform::http::{Reply, Visitor};
use platform::keys::{Erased, Keys};
use platform::ui::{Nav, Page, Site, receipt_page, say};
use serde::Deserialize;
use studio::Studio;

/// The box that says that its reader understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sure {
    sure: String,
}

impl Sure {
    fn check(&self) -> Result<()> {
        if self.sure == "yes" {
            return Ok(());
        }
        Err(Error::invalid("sure", "Please tick the box: nothing brings back what is deleted."))
    }
}

/// `POST /account/delete-all`: every picture of a member.
pub async fn erase_pictures(
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Form(sure): Form<Sure>,
) -> Reply<impl IntoResponse> {
    sure.check()?;
    let erased = studio.erase_all(member.account()).await?;
    let page = Page::new(&site, &visitor, Nav::Account, say(visitor.locale, "erased-title"));
    let page = receipt_page(page.for_member(Some(&member)), erased.receipts, "/studio");
    Ok(([("clear-site-data", "\"cache\"")], page))
}

/// `POST /account/close`: pictures and the account.
pub async fn close_account(
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Form(sure): Form<Sure>,
) -> Reply<impl IntoResponse> {
    sure.check()?;
    let erased = close(&accounts, &studio, member.account()).await?;
    let page = Page::new(&site, &visitor, Nav::Other, say(visitor.locale, "erased-title"));
    Ok((accounts::pages::forgetting(&accounts), receipt_page(page, erased.receipts, "/")))
}

/// Erases an account and all it has made, in one turn.
///
/// # Errors
/// As a turn. May be repeated.
pub async fn close(accounts: &Arc<Accounts>, studio: &Studio, account: Id) -> Result<Erased<()>> {
    studio.cancel_all(account);
    let rows = Arc::clone(accounts);
    let erased = studio.blobs().keys().turn(move |writing| {
        Box::pin(async move {
            rows.delete(writing, account).await?;
            Studio::delete_all(writing, account).await?;
            // Whatever else hangs on the account goes too: its key is a part of theirs.
            let mut records = Keys::owned(writing, account).await?;
            records.push(account);
            Ok(((), records))
        })
    });
    let erased = erased.await?;
    accounts.forget(account).await;
    studio.blobs().sweep_soon();
    Ok(erased)
}
