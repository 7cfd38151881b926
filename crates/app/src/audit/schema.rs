//! This owns the probe of the schema: every column there is against the data map, both ways.

use std::collections::BTreeSet;

use kernel::Result;
use trust::audit::{Finding, Probe};
use trust::data_map::data_map;

use crate::house::House;

pub(super) async fn look(house: &House) -> Result<Finding> {
    let there = house.db.columns().await?;
    let mapped: BTreeSet<String> = data_map()?.stored.into_iter().flat_map(|stored| stored.columns).collect();
    let unmapped = there.difference(&mapped).map(|column| format!("{column} is not in the data map"));
    let missing = mapped.difference(&there).map(|column| format!("{column} of the data map is not there"));
    let faults: Vec<String> = unmapped.chain(missing).collect();
    let good = format!("{} columns, each in the data map", there.len());
    Ok(Finding::of(Probe::Schema, &faults, good, "find out who changed the database, and restore it"))
}
