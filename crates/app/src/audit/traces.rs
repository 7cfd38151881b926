//! This owns the probe of traces: no email address stands in a column that may have none, and no column begins as a picture
//! file does.

use std::collections::BTreeSet;

use kernel::Result;
use platform::inspect::Look;
use trust::audit::{Finding, Probe};
use trust::data_map::{Whose, data_map};

use crate::house::House;

const ADVICE: &str = "find out what wrote them, delete them, and report it as a defect";

pub(super) async fn look(house: &House) -> Result<Finding> {
    let map = data_map()?;
    // What creators published may say anything.
    let published = map.stored.iter().filter(|stored| stored.whose == [Whose::Creator]);
    let published: BTreeSet<&String> = published.flat_map(|stored| &stored.columns).collect();
    let columns = house.db.columns().await?;
    let mut faults = Vec::new();
    for column in &columns {
        let pictures = house.db.count_looking(column, Look::Picture).await?;
        if pictures > 0 {
            faults.push(format!("{pictures} values of {column} are pictures"));
        }
        if published.contains(column) {
            continue;
        }
        let addresses = house.db.count_looking(column, Look::Address).await?;
        if addresses > 0 {
            faults.push(format!("{addresses} values of {column} hold an address"));
        }
    }
    let good = format!("no picture in {} columns, no address in those that are not public", columns.len());
    Ok(Finding::of(Probe::Traces, &faults, good, ADVICE))
}
