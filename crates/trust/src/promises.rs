//! This owns the promises as data: what is promised, what makes it true, what shows it, how strong that is.

use kernel::{Error, Result};
use serde::Deserialize;

const FILE: &str = include_str!("../promises.toml");

/// One promise.
#[derive(Debug, Deserialize)]
pub struct Promise {
    /// Clause of the policy.
    pub id: String,
    /// What is promised.
    pub text: String,
    /// What makes it true.
    pub mechanism: String,
    /// `file#test` that fails if it stops being true; empty for conduct.
    pub evidence: String,
    /// `proven`, `enforced`, `accountable` or `promised`.
    pub strength: String,
}

#[derive(Deserialize)]
struct Promises {
    promise: Vec<Promise>,
}

/// The promises.
///
/// # Errors
/// `Internal` when the file in the program is broken, which a test forbids.
pub fn promises() -> Result<Vec<Promise>> {
    let all: Promises =
        toml::from_str(FILE).map_err(|cause| Error::internal("the promises are broken").because(cause))?;
    Ok(all.promise)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_piece_of_evidence_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for promise in promises().unwrap() {
            assert!(["proven", "enforced", "accountable", "promised"].contains(&promise.strength.as_str()));
            let Some((file, test)) = promise.evidence.split_once('#') else {
                assert_eq!(promise.strength, "promised", "{} has no evidence", promise.id);
                continue;
            };
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            assert!(text.contains(&format!("fn {test}(")), "{}: no test {test} in {file}", promise.id);
        }
    }
}
