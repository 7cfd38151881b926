//! This owns the report of an audit, and the last one that the site keeps and shows.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{Finding, Outcome, Probe, promises_of};

/// Version of the report's shape.
const SHAPE: u32 = 1;
/// The last report, in the data folder.
const FILE: &str = "audit.json";

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
    /// As [`promises_of`].
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

    /// How many probes came to each outcome, by its id.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u32); 3] {
        [Outcome::Good, Outcome::Breach, Outcome::NotChecked]
            .map(|outcome| (outcome.id(), self.count(outcome)))
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
}
