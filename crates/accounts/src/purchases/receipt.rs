//! This owns receipts: what was bought, for whoever knows the number of a purchase and its code. So support needs no
//! identity: the code is shown to the buyer alone, follows from the number, and is kept nowhere.

use aws_lc_rs::constant_time;
use kernel::{Error, Id, Result, crockford};
use serde::Serialize;

use super::books::{Books, Dispute, Payment};
use super::store::{self, Purchase};
use crate::{Accounts, day_text};

/// Symbols of five bits each.
const SYMBOLS_OF_A_CODE: usize = 10;

/// A purchase, as its receipt says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Its number.
    pub purchase: Id,
    /// When it was begun.
    pub day: String,
    /// Credits that were for sale.
    pub credits: u32,
    /// For this price.
    pub price: String,
    /// Of the price.
    pub refunded: String,
    /// Credits that its buyer has of it.
    pub credited: u32,
    /// How far it is: a key of the interface's words.
    pub state: &'static str,
}

impl Receipt {
    pub(crate) fn of(purchase: &Purchase, books: &Books) -> Self {
        let price = purchase.pack.price;
        Self {
            purchase: purchase.id,
            day: day_text(purchase.day),
            credits: purchase.pack.credits,
            price: price.to_string(),
            refunded: platform::payments::Money { minor: books.refunded, ..price }.to_string(),
            credited: purchase.given,
            state: state(books, price.minor),
        }
    }

    /// Whether something was refunded.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        ["purchase-is-refunded", "purchase-is-partly-refunded"].contains(&self.state)
    }

    /// Whether it may still change by itself, so that looking again is of use.
    #[must_use]
    pub fn is_open(&self) -> bool {
        ["purchase-is-open", "purchase-is-pending"].contains(&self.state)
    }
}

/// How far a purchase is, as the key of the words for it.
fn state(books: &Books, price: i64) -> &'static str {
    match (books.payment, books.dispute) {
        (Payment::Open, _) => "purchase-is-open",
        (Payment::Expired, _) => "purchase-is-expired",
        (Payment::Pending, _) => "purchase-is-pending",
        (Payment::Failed, _) => "purchase-is-failed",
        (Payment::Paid, Some(Dispute::Open)) => "purchase-is-disputed",
        (Payment::Paid, Some(Dispute::Lost)) => "purchase-is-taken-back",
        (Payment::Paid, _) if books.refunded >= price => "purchase-is-refunded",
        (Payment::Paid, _) if books.refunded > 0 => "purchase-is-partly-refunded",
        (Payment::Paid, _) => "purchase-is-paid",
    }
}

impl Accounts {
    /// The code of a purchase, for its buyer.
    pub(crate) fn purchase_code(&self, id: Id) -> String {
        let print = self.keys.site().fingerprint("purchase code", id.as_bytes());
        let code: String =
            print.iter().take(SYMBOLS_OF_A_CODE).map(|byte| crockford::symbol(*byte)).collect();
        let (first, second) = code.split_at(SYMBOLS_OF_A_CODE / 2);
        format!("{first}-{second}")
    }

    /// The receipt of a purchase, for whoever knows its number and its code, also when its account is closed.
    ///
    /// # Errors
    /// `NotFound`, whichever of them is wrong.
    pub async fn receipt(&self, number: &str, code: &str) -> Result<Receipt> {
        let unknown = || Error::not_found("No purchase has this number and this code. Please check both.");
        let id: Id = number.trim().to_lowercase().parse().map_err(|_| unknown())?;
        let (given, code) = (plain(code), plain(&self.purchase_code(id)));
        // The code follows from the number, so a wrong one is found out before anything is looked up.
        constant_time::verify_slices_are_equal(&given, &code).map_err(|_| unknown())?;
        let purchase = store::find(self.db.read(), id).await?.ok_or_else(unknown)?;
        let (purchase, books) = self.with_books(purchase).await?;
        Ok(Receipt::of(&purchase, &books))
    }
}

/// A code as it may be typed: without its hyphen, in small letters, or with letters that were taken for digits.
fn plain(code: &str) -> Vec<u8> {
    let symbols = code.bytes().filter(u8::is_ascii_alphanumeric).map(crockford::meant);
    symbols.take(SYMBOLS_OF_A_CODE + 1).collect()
}
