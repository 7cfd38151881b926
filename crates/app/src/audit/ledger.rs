//! This owns the probe of the ledger.

use kernel::Result;
use trust::audit::{Finding, Probe};

use crate::house::House;

pub(super) async fn look(house: &House) -> Result<Finding> {
    let proof = house.accounts.ledger().check(house.keys.site()).await?;
    if proof.holds() {
        return Ok(Finding::good(Probe::Ledger, proof.to_string()));
    }
    Ok(Finding::breach(Probe::Ledger, format!("{proof}; restore the rows from a backup")))
}
