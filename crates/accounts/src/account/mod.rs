//! This owns the account page: its frame, and the order of the sections that the other folders fill.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use kernel::{Error, Locale};
use platform::http::{Html, Reply, Visitor};
use platform::ui::{Nav, Page, Said, Site, say, say_failure};

use crate::keys::KeysSection;
use crate::ledger::CreditsSection;
use crate::looks::LooksSection;
use crate::passkeys::PasskeysSection;
use crate::purchases::PurchasesSection;
use crate::sessions::SessionsSection;
use crate::vouchers::VouchersSection;
use crate::{Accounts, Member};

/// `GET /account`: one field for each section, named as its template beside it reads it.
#[derive(askama::Template)]
#[template(path = "account/account.html")]
pub(crate) struct AccountPage {
    page: Page,
    credits: CreditsSection,
    /// None where nothing is for sale.
    purchases: Option<PurchasesSection>,
    pub(crate) keys: KeysSection,
    /// Where the address of this site allows them.
    passkeys: Option<PasskeysSection>,
    sessions: SessionsSection,
    pub(crate) vouchers: VouchersSection,
    looks: LooksSection,
    /// What went wrong.
    wrong: Option<Said>,
}

impl AccountPage {
    /// Says what went wrong; returns the status for it.
    pub(crate) fn refuse(&mut self, error: &Error, locale: Locale) -> StatusCode {
        self.wrong = Some(say_failure(locale, &error.public));
        StatusCode::from_u16(error.kind.http_status()).unwrap_or_default()
    }
}

/// `GET /account`.
pub async fn account(
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
) -> Reply<impl IntoResponse> {
    Ok(Html(accounts.account_page(&site, &visitor, member).await?))
}

impl Accounts {
    pub(crate) async fn account_page(
        &self,
        site: &Arc<Site>,
        visitor: &Visitor,
        member: Member,
    ) -> kernel::Result<AccountPage> {
        let (account, locale) = (member.account(), visitor.locale);
        Ok(AccountPage {
            page: Page::new(site, visitor, Nav::Account, say(locale, "account-title"))
                .for_member(Some(&member)),
            credits: self.credits_section(account, locale).await?,
            purchases: self.purchases_section(account).await?,
            keys: self.keys_section(account, locale).await?,
            passkeys: self.passkeys_section(account).await?,
            sessions: self.sessions_section(member).await?,
            vouchers: self.vouchers_section().await?,
            looks: self.looks_section(account).await?,
            wrong: None,
        })
    }
}
