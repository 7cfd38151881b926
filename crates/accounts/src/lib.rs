//! This owns members: sign-in, sessions, API keys and credits. It does not know what credits are spent on.

mod api_key;
mod extract;
pub mod ledger;
mod mail;
pub mod pages;
mod session;
mod sign_in;
pub mod view;

use std::sync::Arc;

use kernel::{Clock, EmailAddress, Error, Id, Purpose, Result};
use platform::db::{Db, Writing, sql};
use platform::http::RateLimits;
use platform::log::Log;
use platform::mail::Mailer;
use vault::Vault;

pub use api_key::{NewKey, tokens_create, tokens_delete, tokens_list};
pub use extract::{ApiCaller, MaybeMember, Member};
pub use ledger::{Balance, Terms};

/// Members of this site, with what they stand on.
pub struct Accounts {
    db: Db,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    mailer: Mailer,
    limits: Arc<RateLimits>,
    codes: sign_in::Codes,
    log: Log,
    daily_credits: u32,
    site_name: String,
    public_url: String,
}

/// What accounts stand on.
#[allow(missing_docs)] // Each is named by its type, or stands in the settings.
pub struct Parts {
    pub db: Db,
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
    pub mailer: Mailer,
    pub limits: Arc<RateLimits>,
    pub log: Log,
    pub daily_credits: u32,
    pub site_name: String,
    pub public_url: String,
}

impl Accounts {
    /// Accounts over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            db: parts.db,
            vault: parts.vault,
            clock: parts.clock,
            mailer: parts.mailer,
            limits: parts.limits,
            codes: sign_in::Codes::default(),
            log: parts.log,
            daily_credits: parts.daily_credits,
            site_name: parts.site_name,
            public_url: parts.public_url,
        }
    }

    /// The keyed fingerprint under which an address is found.
    fn print(&self, address: &EmailAddress) -> [u8; 32] {
        let canonical = address.canonical(Purpose::FindAccount);
        self.vault.fingerprint("address", canonical.reveal(Purpose::FindAccount).as_bytes())
    }

    /// The account of an address, made if there is none.
    ///
    /// # Errors
    /// As every write.
    pub async fn find_or_create(&self, address: &EmailAddress) -> Result<Id> {
        let print = self.print(address);
        let mut writing = self.db.write().await?;
        let created = sqlx::query(
            "INSERT INTO account (id, address_print, created_day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(Id::random().as_bytes().as_slice())
        .bind(print.as_slice())
        .bind(self.clock.today())
        .execute(&mut *writing)
        .await
        .map_err(sql)?;
        let id: Vec<u8> = sqlx::query_scalar("SELECT id FROM account WHERE address_print = ?")
            .bind(print.as_slice())
            .fetch_one(&mut *writing)
            .await
            .map_err(sql)?;
        let id = Id::from_column(&id)?;
        if created.rows_affected() == 1 {
            ledger::open_books(&mut writing, id).await?;
        }
        platform::db::commit(writing).await?;
        Ok(id)
    }

    /// Closes an account: sessions, keys and fingerprint go; its books stay without an owner, since sums must not
    /// change. What it made has to be erased before.
    ///
    /// # Errors
    /// As every write.
    pub async fn erase(&self, writing: &mut Writing, account: Id) -> Result<()> {
        let id = account.as_bytes().as_slice();
        for statement in [
            "UPDATE book SET account = NULL WHERE account = ?",
            "UPDATE hold SET account = NULL WHERE account = ?",
            "DELETE FROM account WHERE id = ?",
        ] {
            sqlx::query(statement).bind(id).execute(&mut **writing).await.map_err(sql)?;
        }
        Ok(())
    }

    /// Address of this site, for cookies.
    pub(crate) fn public_url(&self) -> &str {
        &self.public_url
    }
}

/// A day as text, `2026-11-24`.
#[must_use]
pub fn day_text(day: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(day))
        .map_or_else(|_| String::new(), |date| date.to_string())
}

fn unauthenticated() -> Error {
    Error::new(kernel::Kind::Unauthenticated, "Please sign in.")
}
