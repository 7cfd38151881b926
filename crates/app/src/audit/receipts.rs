//! This owns the probe of the public log of deletions.

use kernel::Result;
use trust::audit::{Finding, Probe};

use crate::house::House;

const ADVICE: &str = "restore the rows from a backup; whoever holds a receipt could show this";

pub(super) async fn look(house: &House) -> Result<Finding> {
    let found = house.keys.check_log().await?;
    let faults: Vec<String> =
        found.broken.iter().map(|number| format!("bundle {number} does not fit")).collect();
    let good = format!("{} bundles, in their order and with their heads", found.bundles);
    Ok(Finding::of(Probe::Receipts, &faults, good, ADVICE))
}
