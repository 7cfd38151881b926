//! This owns the promises as data: what is promised, what makes it true, what shows it, how strong that is.

use kernel::{Error, Result};
use platform::ui::Words;
use serde::Deserialize;

use crate::audit::Probe;

const FILE: &str = include_str!("../promises.toml");

/// One promise.
#[derive(Debug, Deserialize)]
pub struct Promise {
    /// Clause of the policy.
    pub id: String,
    /// What is promised.
    pub text: Words,
    /// What makes it true.
    pub mechanism: Words,
    /// `file#test` that fails if it stops being true; empty for conduct.
    pub evidence: String,
    /// Probes of `safelight audit` that look at it again.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// `proven`, `enforced`, `accountable` or `promised`.
    pub strength: String,
}

#[derive(Deserialize)]
struct Promises {
    promise: Vec<Promise>,
}

impl Promise {
    /// Name of the test that shows it, in words.
    #[must_use]
    pub fn test(&self) -> Option<String> {
        Some(self.evidence.split_once('#')?.1.replace('_', " "))
    }

    /// The file that the test stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        self.evidence.split('#').next().unwrap_or_default()
    }
}

/// What tells this version of the promises from another: a digest of their text.
#[must_use]
pub fn version() -> String {
    platform::ui::digest([FILE.as_bytes()])
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

    use kernel::Locale;

    use super::*;

    #[test]
    fn every_promise_is_made_in_every_language() {
        for promise in promises().unwrap() {
            for (place, locale) in Locale::ALL.iter().enumerate() {
                for words in [&promise.text, &promise.mechanism] {
                    let said = words.in_language(locale);
                    assert!(!said.is_empty(), "{} says nothing in {}", promise.id, locale.tag());
                    let english = words.in_language(&Locale::English);
                    assert_eq!(said == english, place == 0, "{} is not translated", promise.id);
                }
            }
        }
    }

    #[test]
    fn a_promise_without_a_language_or_with_one_too_many_cannot_be_read() {
        let whole = "en = \"a\"\nzh-Hans = \"b\"\nja = \"c\"\n";
        assert!(toml::from_str::<Words>(whole).is_ok());
        assert!(toml::from_str::<Words>(&whole.replace("ja", "jp")).is_err());
        assert!(toml::from_str::<Words>(&format!("{whole}de = \"d\"")).is_err());
    }

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
