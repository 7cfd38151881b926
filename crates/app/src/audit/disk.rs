//! This owns the probe of the file system under the root.

use trust::audit::{Finding, Probe};

use crate::house::House;

pub(super) fn look(house: &House) -> Finding {
    let words = house.anchor.words();
    if house.anchor.objection.is_none() {
        Finding::good(Probe::Disk, words)
    } else {
        Finding::breach(Probe::Disk, format!("{words}; give the root another folder with --anchor"))
    }
}
