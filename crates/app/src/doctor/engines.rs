//! This owns the check-up of engines elsewhere: who answers there, and what it keeps of the prompts it is sent.

use super::Check;
use crate::house::House;

/// One check for each engine that prompts are sent to.
pub(super) async fn examine(house: &House) -> Vec<Check> {
    let mut checks = Vec::new();
    for engine in house.studio.models().engines() {
        if let Some(found) = engine.inspect().await {
            checks.push(Check { name: "engine", good: found.good, words: found.words.join("; ") });
        }
    }
    checks
}
