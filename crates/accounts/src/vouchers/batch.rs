//! This owns vouchers as the operator sees them: how they are made, counted and withdrawn.

use kernel::{Error, Result, VoucherCode};
use platform::db::sql;
use serde::{Deserialize, Serialize};

use super::code;
use crate::Accounts;

/// Credits of a voucher.
const VOUCHER_CREDITS_MAX: u32 = 100_000;
/// Vouchers that are made at a time.
const VOUCHERS_MAX: u32 = 10_000;
/// Days for which a voucher is good.
const VOUCHER_DAYS_MAX: u32 = 3_660;

/// Vouchers to make.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct NewVouchers {
    /// Credits of each.
    pub credits: u32,
    /// How many.
    pub count: u32,
    /// Days for which they are good.
    pub days: u32,
}

/// Vouchers in the same state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct VoucherCount {
    /// `open`, `used`, `voided` or `expired`.
    pub state: String,
    /// How many.
    pub vouchers: i64,
    /// Their credits.
    pub credits: i64,
}

impl NewVouchers {
    fn check(&self) -> Result<()> {
        let limits = [
            ("credits", self.credits, VOUCHER_CREDITS_MAX),
            ("count", self.count, VOUCHERS_MAX),
            ("expires-in-days", self.days, VOUCHER_DAYS_MAX),
        ];
        for (name, number, most) in limits {
            if !(1..=most).contains(&number) {
                return Err(Error::invalid(name, format!("{name} is a whole number from 1 to {most}.")));
            }
        }
        Ok(())
    }
}

impl Accounts {
    /// Makes vouchers; their codes, in groups, are shown now and never again.
    ///
    /// # Errors
    /// `Invalid` for a number out of its limits; as every write.
    pub async fn create_vouchers(&self, new: NewVouchers) -> Result<Vec<String>> {
        new.check()?;
        self.erase_old_vouchers().await?;
        let codes: Vec<VoucherCode> = (0..new.count).map(|_| code::random()).collect();
        let mut writing = self.db.write().await?;
        for code in &codes {
            sqlx::query(
                "INSERT INTO voucher (code_print, credits, state, expires_day) VALUES (?, ?, 'open', ?)",
            )
            .bind(self.code_print(code).as_slice())
            .bind(new.credits)
            .bind(self.clock.today() + i64::from(new.days))
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        }
        platform::db::commit(writing).await?;
        Ok(codes.iter().map(code::grouped).collect())
    }

    /// Takes the worth of vouchers that nobody has used; returns how many there were.
    ///
    /// # Errors
    /// As every write.
    pub async fn void_vouchers(&self, codes: &[VoucherCode]) -> Result<u64> {
        let (mut writing, mut voided) = (self.db.write().await?, 0);
        for code in codes {
            let done =
                sqlx::query("UPDATE voucher SET state = 'voided' WHERE code_print = ? AND state = 'open'")
                    .bind(self.code_print(code).as_slice())
                    .execute(&mut *writing)
                    .await
                    .map_err(sql)?;
            voided += done.rows_affected();
        }
        platform::db::commit(writing).await?;
        Ok(voided)
    }

    /// How many vouchers are in which state.
    ///
    /// # Errors
    /// As every read.
    pub async fn count_vouchers(&self) -> Result<Vec<VoucherCount>> {
        sqlx::query_as(
            "SELECT CASE WHEN state = 'open' AND expires_day < ? THEN 'expired' ELSE state END AS state, \
             count(*) AS vouchers, sum(credits) AS credits FROM voucher GROUP BY 1 ORDER BY 1",
        )
        .bind(self.clock.today())
        .fetch_all(self.db.read())
        .await
        .map_err(sql)
    }
}
