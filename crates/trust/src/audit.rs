//! This owns what an audit is: its probes, what each found, the report, and the last one that the site keeps and shows.
//! It does not look at anything itself (see `app::audit`).

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::promises::promises;

/// Version of the report's shape.
pub const SHAPE: u32 = 1;
/// The last report, in the data folder.
const FILE: &str = "audit.json";

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

/// A dated report.
#[derive(Debug)]
pub struct Report {
    /// When, in UTC.
    pub time: String,
    /// What was found, in the order of the probes.
    pub findings: Vec<Finding>,
}

/// What the site keeps of its last audit and shows: no words, since those name files and columns.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Summary {
    /// Version of the shape.
    pub version: u32,
    /// When, in UTC.
    pub time: String,
    /// Version of the program that looked.
    pub software: String,
    /// Each probe and its outcome.
    pub probes: Vec<(Probe, Outcome)>,
}

impl Report {
    /// A breach where there is any.
    #[must_use]
    pub fn has_breach(&self) -> bool {
        self.findings.iter().any(|finding| finding.outcome == Outcome::Breach)
    }

    /// What the site keeps of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            version: SHAPE,
            time: self.time.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            probes: self.findings.iter().map(|finding| (finding.probe, finding.outcome)).collect(),
        }
    }

    /// The report as JSON, in the shape that `docs/audit.md` documents.
    ///
    /// # Errors
    /// As [`promises`].
    pub fn json(&self) -> Result<serde_json::Value> {
        let summary = self.summary();
        let probes = self.findings.iter().map(|finding| {
            Ok(serde_json::json!({
                "probe": finding.probe,
                "checks": finding.probe.checks(),
                "promises": promises_of(finding.probe)?,
                "outcome": finding.outcome,
                "words": finding.words,
            }))
        });
        let probes = probes.collect::<Result<Vec<_>>>()?;
        let mut report = summary.json();
        report["probes"] = probes.into();
        Ok(report)
    }

    /// The report as lines for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mark = |outcome| match outcome {
            Outcome::Good => "good       ",
            Outcome::Breach => "BREACH     ",
            Outcome::NotChecked => "not checked",
        };
        let lines = self
            .findings
            .iter()
            .map(|finding| format!("{}  {:<11}{}", mark(finding.outcome), finding.probe.id(), finding.words));
        let summary = self.summary();
        let counts = format!(
            "Audit of {}: {} good, {} breached, {} not checked.",
            self.time,
            summary.count(Outcome::Good),
            summary.count(Outcome::Breach),
            summary.count(Outcome::NotChecked)
        );
        lines.chain([counts]).collect::<Vec<_>>().join("\n")
    }
}

impl Summary {
    /// How many probes came to this.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u32 {
        u32::try_from(self.probes.iter().filter(|(_, found)| *found == outcome).count()).unwrap_or(u32::MAX)
    }

    /// When, for people.
    #[must_use]
    pub fn shown_time(&self) -> String {
        self.time.replace('T', " ").replace('Z', " UTC")
    }

    /// A breach where there is any.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.count(Outcome::Breach) == 0 { Outcome::Good } else { Outcome::Breach }
    }

    /// The summary as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let probes = self.probes.iter();
        let probes = probes.map(|(probe, outcome)| serde_json::json!({ "probe": probe, "outcome": outcome }));
        serde_json::json!({
            "version": self.version,
            "time": self.time,
            "software": self.software,
            "outcome": self.outcome(),
            "good": self.count(Outcome::Good),
            "breaches": self.count(Outcome::Breach),
            "not_checked": self.count(Outcome::NotChecked),
            "probes": probes.collect::<Vec<_>>(),
        })
    }
}

/// Promises that a probe belongs to.
///
/// # Errors
/// As [`promises`].
pub fn promises_of(probe: Probe) -> Result<Vec<String>> {
    let all = promises()?.into_iter().filter(|promise| promise.probes.contains(&probe));
    Ok(all.map(|promise| promise.id).collect())
}

/// Where the last audit of a data folder is kept.
#[derive(Clone, Debug)]
pub struct LastAudit(PathBuf);

impl LastAudit {
    /// That of this data folder.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.join(FILE))
    }

    /// Keeps this one in place of the one before, whole or not at all.
    ///
    /// # Errors
    /// `StorageFull` or `Internal` where it cannot be written.
    pub fn replace(&self, summary: &Summary) -> Result<()> {
        let text = serde_json::to_vec(summary)
            .map_err(|cause| Error::internal("an audit cannot be written").because(cause))?;
        let part = self.0.with_extension("json.part");
        let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&text)?;
        Ok(fs::rename(part, &self.0)?)
    }

    /// The last one; none where there was none, or it is of another version.
    ///
    /// # Errors
    /// `Internal` where it cannot be read.
    pub fn get(&self) -> Result<Option<Summary>> {
        match fs::read(&self.0) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }
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
    fn the_last_audit_is_kept_without_words_and_replaced_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let last = LastAudit::of(dir.path());
        assert!(last.get().unwrap().is_none());
        let mut report = Report {
            time: "2026-11-25T12:00:00Z".to_owned(),
            findings: vec![Finding::breach(Probe::Sealed, "blobs/ab/abc; do something")],
        };
        last.replace(&report.summary()).unwrap();
        assert!(!fs::read_to_string(dir.path().join(FILE)).unwrap().contains("abc"));
        assert_eq!(last.get().unwrap().unwrap().outcome(), Outcome::Breach);
        report.findings = vec![Finding::good(Probe::Sealed, ""), Finding::not_checked(Probe::Log, "")];
        last.replace(&report.summary()).unwrap();
        let kept = last.get().unwrap().unwrap();
        assert_eq!((kept.outcome(), kept.count(Outcome::NotChecked)), (Outcome::Good, 1));
    }

    #[test]
    fn many_faults_are_counted_and_the_first_are_named() {
        let faults: Vec<String> = (0..7).map(|number| format!("f{number}")).collect();
        let finding = Finding::of(Probe::Folder, &faults, "", "do it");
        assert_eq!(finding.words, "f0, f1, f2, f3, f4 and 2 more; do it");
    }
}
