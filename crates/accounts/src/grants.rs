//! This owns credits that the operator grants to an address: how many at a time, and to whom.

use kernel::{EmailAddress, Error, Result};

use crate::Accounts;
use crate::ledger::CREDITS_MAX;

impl Accounts {
    /// Grants credits to the account of an address.
    ///
    /// # Errors
    /// `Invalid` for an amount that is none or absurd, `NotFound` for an address without an account; nothing is written then.
    pub async fn grant_to(&self, address: &EmailAddress, credits: i64) -> Result<()> {
        let wrong = || {
            let words = format!("credits is a whole number from 1 to {CREDITS_MAX}. Nothing was granted.");
            Error::invalid("credits", words)
        };
        let credits = u32::try_from(credits).ok().filter(|credits| (1..=CREDITS_MAX).contains(credits));
        let credits = credits.ok_or_else(wrong)?;
        let account = self
            .find(address)
            .await
            .ok_or_else(|| Error::not_found("No account has this address. Nothing was granted."))?;
        self.ledger.grant(account, credits).await
    }
}
