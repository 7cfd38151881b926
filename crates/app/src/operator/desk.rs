//! This owns what the operator's desk can ask of the process that holds the data folder.

use accounts::{LookReason, NewVouchers, read_voucher};
use kernel::{EmailAddress, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::house::House;

/// A request of the desk.
#[derive(Serialize, Deserialize)]
pub enum Desk {
    /// Grant credits to the account of an address.
    Grant {
        /// Address; not stored.
        address: String,
        /// How many.
        credits: i64,
    },
    /// What is held on an address, in counts.
    Inquire {
        /// Address; not stored.
        address: String,
        /// Why; its account is told.
        reason: LookReason,
    },
    /// Everything that is held on an address.
    Disclose {
        /// Address; not stored.
        address: String,
        /// Why; its account is told.
        reason: LookReason,
    },
    /// Make vouchers.
    CreateVouchers(NewVouchers),
    /// How many vouchers are in which state.
    CountVouchers,
    /// Take the worth of vouchers that nobody has used.
    VoidVouchers {
        /// Their codes.
        codes: Vec<String>,
    },
}

pub(super) async fn carry_out(house: &House, asked: Desk) -> Result<Value> {
    let (accounts, studio) = (&house.accounts, &house.studio);
    match asked {
        Desk::Grant { address, credits } => {
            accounts.grant_to(&parsed(address)?, credits).await?;
            Ok(json!({ "granted": credits }))
        }
        Desk::Inquire { address, reason } => {
            let address = parsed(address)?;
            let told = trust::inquiry::inquire(accounts, studio, &address, reason).await?;
            Ok(told.unwrap_or_default())
        }
        Desk::Disclose { address, reason } => {
            let address = parsed(address)?;
            let held = trust::inquiry::disclose(accounts, studio, &address, reason).await?;
            Ok(held.unwrap_or_default())
        }
        Desk::CreateVouchers(new) => Ok(json!(accounts.create_vouchers(new).await?)),
        Desk::CountVouchers => Ok(json!(accounts.count_vouchers().await?)),
        Desk::VoidVouchers { codes } => {
            let codes =
                codes.iter().map(|code| read_voucher(&code.as_str().into())).collect::<Result<Vec<_>>>()?;
            Ok(json!({ "voided": accounts.void_vouchers(&codes).await? }))
        }
    }
}

fn parsed(address: String) -> Result<EmailAddress> {
    EmailAddress::parse(&address.into())
}
