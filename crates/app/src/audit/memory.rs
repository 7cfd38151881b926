//! This owns the probe of memory: the root is locked, and no core dump is written.

use trust::audit::{Finding, Probe};

use crate::house::House;

const ADVICE: &str = "let the program lock memory (ulimit -l, or LimitMEMLOCK= of systemd)";

pub(super) async fn look(house: &House) -> Finding {
    let mut faults = Vec::new();
    if !house.keys.root_is_locked().await {
        faults.push("the root could be swapped out".to_owned());
    }
    if !vault::core_dumps_are_denied() {
        faults.push("a core dump could be written".to_owned());
    }
    Finding::of(Probe::Memory, &faults, "the root is locked in memory, and core dumps are off", ADVICE)
}
