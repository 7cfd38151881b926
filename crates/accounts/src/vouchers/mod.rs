//! This owns vouchers: codes that are worth credits once, to whoever types them first. A voucher is kept as a keyed
//! fingerprint, and never led to an account: the ledger says that one was used, and not which.

mod batch;
pub(crate) mod code;
pub(crate) mod pages;

use kernel::{Error, Id, Kind, Result, VoucherCode, purpose};
use platform::db::{Db, Writing, sql};

pub use batch::{NewVouchers, VoucherCount};
pub(crate) use pages::VouchersSection;

use crate::{Accounts, ledger};

/// Days for which a voucher is remembered after it has expired, to tell its holder so.
const REMEMBERED_DAYS: i64 = 365;

impl Accounts {
    fn code_print(&self, code: &VoucherCode) -> [u8; 32] {
        self.keys.site().fingerprint("voucher", code.reveal(purpose::Recognise).as_bytes())
    }

    /// Gives an account the credits of a voucher, which is used up in the same transaction; returns how many.
    ///
    /// # Errors
    /// `NotFound` for a code that was never given out here, `Conflict` for a used one, `Gone` for one that has expired or was
    /// withdrawn.
    pub async fn redeem_voucher(&self, account: Id, code: &VoucherCode) -> Result<u32> {
        let (print, today) = (self.code_print(code), self.clock.today());
        let mut writing = self.db.write().await?;
        let credits: Option<u32> = sqlx::query_scalar(
            "UPDATE voucher SET state = 'used' WHERE code_print = ? AND state = 'open' AND expires_day >= ? \
             RETURNING credits",
        )
        .bind(print.as_slice())
        .bind(today)
        .fetch_optional(&mut *writing)
        .await
        .map_err(sql)?;
        let Some(credits) = credits else { return Err(refusal(&mut writing, &print).await?) };
        self.ledger.adjust(&mut writing, Some(account), credits.into(), ledger::Reason::Voucher).await?;
        platform::db::commit(writing).await?;
        Ok(credits)
    }

    /// Whether the operator has ever made vouchers that are remembered.
    async fn has_vouchers(&self) -> Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM voucher)")
            .fetch_one(self.db.read())
            .await
            .map_err(sql)
    }

    /// Erases vouchers that expired a year ago: their codes are unknown then.
    ///
    /// # Errors
    /// As every write.
    pub async fn erase_old_vouchers(&self) -> Result<()> {
        let mut writing = self.db.write().await?;
        sqlx::query("DELETE FROM voucher WHERE expires_day < ?")
            .bind(self.clock.today() - REMEMBERED_DAYS)
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await
    }
}

/// Why a code gives nothing.
async fn refusal(writing: &mut Writing, print: &[u8; 32]) -> Result<Error> {
    let state: Option<String> = sqlx::query_scalar("SELECT state FROM voucher WHERE code_print = ?")
        .bind(print.as_slice())
        .fetch_optional(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(match state.as_deref() {
        None => Error::not_found("No voucher of this site has this code."),
        Some("used") => Error::new(Kind::Conflict, "This voucher has been used already."),
        Some("voided") => {
            Error::new(Kind::Gone, "The operator has withdrawn this voucher. Please ask where you got it.")
        }
        Some(_) => Error::new(Kind::Gone, "This voucher has expired."),
    })
}

/// Takes the vouchers of newer rows in place of these: one that was used since must not be good again.
pub(crate) async fn carry_over(writing: &mut Writing, newer: &Db) -> Result<()> {
    sqlx::query("DELETE FROM voucher").execute(&mut **writing).await.map_err(sql)?;
    let vouchers: Vec<(Vec<u8>, i64, String, i64)> =
        sqlx::query_as("SELECT code_print, credits, state, expires_day FROM voucher")
            .fetch_all(newer.read())
            .await
            .map_err(sql)?;
    for (print, credits, state, expires_day) in vouchers {
        sqlx::query("INSERT INTO voucher (code_print, credits, state, expires_day) VALUES (?, ?, ?, ?)")
            .bind(print)
            .bind(credits)
            .bind(state)
            .bind(expires_day)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    Ok(())
}
