//! This owns the probe of the ledger.

use kernel::Result;
use trust::audit::{Finding, Probe};

use crate::house::House;

pub(super) async fn look(house: &House) -> Result<Finding> {
    let proof = house.accounts.check_ledger().await?;
    if proof.holds() {
        return Ok(Finding::good(Probe::Ledger, format!("{} transfers add up", proof.transfers)));
    }
    let words = format!(
        "{} books and {} holds do not add up, over all {}; restore the rows from a backup",
        proof.wrong_books, proof.wrong_holds, proof.sum
    );
    Ok(Finding::breach(Probe::Ledger, words))
}
