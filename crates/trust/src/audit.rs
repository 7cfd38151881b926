//! This owns what an audit is: its probes, what each found, and which promises it belongs to. It does not look at anything
//! itself (see `app::audit`).

mod report;

use kernel::Result;
use serde::{Deserialize, Serialize};

use crate::promises::promises;

pub use report::{LastAudit, Report, Summary};

/// One look at a live data folder, its server, or what the program is made of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Columns of the database against the data map.
    Schema,
    /// The sealed form of every file and column that has to have it.
    Sealed,
    /// Addresses and pictures where none may be.
    Traces,
    /// Rows, keys and files against each other.
    Orphans,
    /// What lies in the data folder, who may read it, and whose it is.
    Folder,
    /// The file system under the root.
    Disk,
    /// The root in memory, and core dumps.
    Memory,
    /// What the running server may do.
    Sandbox,
    /// Whom the program may speak to.
    Peers,
    /// The ledger's sums.
    Ledger,
    /// The public log of deletions.
    Receipts,
    /// The lines of a log file.
    Log,
    /// The headers of the running server.
    Headers,
    /// Known weaknesses of the packages that the program is made of.
    Advisories,
}

impl Probe {
    /// Every probe, in the order of a report.
    pub const ALL: [Self; 14] = [
        Self::Schema,
        Self::Sealed,
        Self::Traces,
        Self::Orphans,
        Self::Folder,
        Self::Disk,
        Self::Memory,
        Self::Sandbox,
        Self::Peers,
        Self::Ledger,
        Self::Receipts,
        Self::Log,
        Self::Headers,
        Self::Advisories,
    ];

    /// Its id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Sealed => "sealed",
            Self::Traces => "traces",
            Self::Orphans => "orphans",
            Self::Folder => "folder",
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Sandbox => "sandbox",
            Self::Peers => "peers",
            Self::Ledger => "ledger",
            Self::Receipts => "receipts",
            Self::Log => "log",
            Self::Headers => "headers",
            Self::Advisories => "advisories",
        }
    }

    /// What it re-checks, for the operator.
    #[must_use]
    pub const fn checks(self) -> &'static str {
        match self {
            Self::Schema => "every column of the database stands in the data map",
            Self::Sealed => "every picture file and every sealed column has the sealed form",
            Self::Traces => "no address and no picture lies where none may be",
            Self::Orphans => "rows, keys and files belong together",
            Self::Folder => "the data folder holds what the data map lists, for its owner alone",
            Self::Disk => "overwriting the root erases it",
            Self::Memory => "the root is kept out of swap and core dumps",
            Self::Sandbox => "the running server has given up what it does not need",
            Self::Peers => "whoever the program speaks to is chosen by a setting, and heard by nobody else",
            Self::Ledger => "every credit is accounted for",
            Self::Receipts => "the public log of deletions fits together",
            Self::Log => "every line of the log is one of the closed list",
            Self::Headers => "the running server answers with the strict headers",
            Self::Advisories => "no package of the program has a known weakness",
        }
    }
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is as promised.
    Good,
    /// It is not.
    Breach,
    /// It could not be looked at; the words say why.
    NotChecked,
}

impl Outcome {
    /// Its id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Breach => "breach",
            Self::NotChecked => "not-checked",
        }
    }
}

/// What a probe found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Finding {
    /// Which probe.
    pub probe: Probe,
    /// What came of it.
    pub outcome: Outcome,
    /// What was seen and, where it is not good, what to do. It is printed for the operator and kept nowhere.
    pub words: String,
}

impl Finding {
    /// It is as promised.
    #[must_use]
    pub fn good(probe: Probe, words: impl Into<String>) -> Self {
        Self { probe, outcome: Outcome::Good, words: words.into() }
    }

    /// It is not; the words say what to do.
    #[must_use]
    pub fn breach(probe: Probe, words: impl Into<String>) -> Self {
        Self { probe, outcome: Outcome::Breach, words: words.into() }
    }

    /// It could not be looked at.
    #[must_use]
    pub fn not_checked(probe: Probe, words: impl Into<String>) -> Self {
        Self { probe, outcome: Outcome::NotChecked, words: words.into() }
    }

    /// Good where there are no faults; else a breach, with the first of them and what to do.
    #[must_use]
    pub fn of(probe: Probe, faults: &[String], good: impl Into<String>, advice: &str) -> Self {
        if faults.is_empty() {
            return Self::good(probe, good);
        }
        let shown = faults.iter().take(FAULTS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let rest = faults.len().saturating_sub(FAULTS_SHOWN);
        let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
        Self::breach(probe, format!("{shown}{rest}; {advice}"))
    }
}

/// Faults that are named; the others are counted.
const FAULTS_SHOWN: usize = 5;

/// Promises that a probe belongs to.
///
/// # Errors
/// As [`promises`].
pub fn promises_of(probe: Probe) -> Result<Vec<String>> {
    let all = promises()?.into_iter().filter(|promise| promise.probes.contains(&probe));
    Ok(all.map(|promise| promise.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_belongs_to_a_promise() {
        for probe in Probe::ALL {
            assert!(!promises_of(probe).unwrap().is_empty(), "{}", probe.id());
            assert_eq!(serde_json::to_value(probe).unwrap(), probe.id());
        }
    }

    #[test]
    fn many_faults_are_counted_and_the_first_are_named() {
        let faults: Vec<String> = (0..7).map(|number| format!("f{number}")).collect();
        let finding = Finding::of(Probe::Folder, &faults, "", "do it");
        assert_eq!(finding.words, "f0, f1, f2, f3, f4 and 2 more; do it");
    }
}
