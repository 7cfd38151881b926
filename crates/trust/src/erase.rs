//! This owns the erasure of all that a member has: every slice is reached from here.

use std::sync::Arc;

use accounts::{Accounts, Member};
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use kernel::{Error, Id, Result};
use platform::db::Db;
use platform::http::Reply;
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
    member: Member,
    Form(sure): Form<Sure>,
) -> Reply<impl IntoResponse> {
    sure.check()?;
    studio.erase_all(member.account()).await?;
    Ok(([("clear-site-data", "\"cache\"")], Redirect::to("/studio")))
}

/// `POST /account/close`: pictures, then the account.
pub async fn close_account(
    State(db): State<Db>,
    State(accounts): State<Arc<Accounts>>,
    State(studio): State<Studio>,
    member: Member,
    Form(sure): Form<Sure>,
) -> Reply {
    sure.check()?;
    close(&db, &accounts, &studio, member.account()).await?;
    Ok(accounts::pages::signed_out(&accounts))
}

/// Erases an account and all it has made. Repeated after a failure, it finishes.
///
/// # Errors
/// As every write.
pub async fn close(db: &Db, accounts: &Accounts, studio: &Studio, account: Id) -> Result<()> {
    // Sessions first, so that nothing new is made while the rest goes.
    accounts.end_sessions(account, None).await?;
    studio.erase_all(account).await?;
    let mut writing = db.write().await?;
    accounts.erase(&mut writing, account).await?;
    platform::db::commit(writing).await?;
    db.truncate_journal().await
}
