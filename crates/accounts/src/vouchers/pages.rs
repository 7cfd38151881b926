//! This owns vouchers on the account page.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use kernel::{Id, Kind, Result, Typed};
use platform::http::limits::GUESSES;
use platform::http::{Client, Html, Reply, Visitor};
use platform::ui::{Site, say_count};
use serde::Deserialize;

use super::code;
use crate::{Accounts, Member};

/// Vouchers, as the account page shows them.
pub(crate) struct VouchersSection {
    /// Whether this site has any; without, the page does not speak of them.
    pub(crate) offered: bool,
    /// What one has just given, in words.
    pub(crate) given: Option<String>,
}

impl Accounts {
    pub(crate) async fn vouchers_section(&self) -> Result<VouchersSection> {
        Ok(VouchersSection { offered: self.has_vouchers().await?, given: None })
    }

    /// Takes a code as typed; one that is no voucher's counts as a guess.
    async fn redeem_typed(&self, account: Id, typed: &Typed, client: &Client) -> Result<u32> {
        let redeemed = self.redeem_voucher(account, &code::read(typed)?).await;
        if redeemed.as_ref().is_err_and(|error| error.kind == Kind::NotFound) {
            client.count(&GUESSES)?;
        }
        redeemed
    }
}

/// A code, as typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct VoucherForm {
    code: Typed,
}

/// `POST /account/vouchers`: the page again, with what the voucher gave or what is wrong with it.
pub async fn redeem_voucher(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    client: Client,
    visitor: Visitor,
    member: Member,
    Form(form): Form<VoucherForm>,
) -> Reply<impl IntoResponse> {
    let redeemed = accounts.redeem_typed(member.account(), &form.code, &client).await;
    let mut view = accounts.account_page(&site, &visitor, member).await?;
    let status = match redeemed {
        Ok(credits) => {
            view.vouchers.given = Some(say_count(visitor.locale, "voucher-given", credits.into()));
            StatusCode::OK
        }
        Err(error) => view.refuse(&error, visitor.locale),
    };
    Ok((status, Html(view)))
}
