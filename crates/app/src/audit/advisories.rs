//! This owns the probe of the packages that the program is made of: each against a copy of the RustSec advisory database,
//! which lies in a folder, since the program asks nobody. It reads `crates/NAME/RUSTSEC-….md`, each with its facts as TOML.

use std::fs;
use std::path::Path;

use kernel::{Error, Result};
use semver::{Version, VersionReq};
use serde::Deserialize;
use trust::audit::{Finding, Probe};

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

const FENCE: &str = "```";
const ADVICE: &str = "update Safelight; where there is no newer one yet, read the advisory to judge it";

/// The facts of an advisory.
#[derive(Deserialize)]
struct File {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
    #[serde(default)]
    affected: Affected,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    date: String,
    /// Since when it is taken back.
    withdrawn: Option<String>,
    /// `unmaintained`, `unsound` or `notice`: no weakness by itself.
    informational: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Versions {
    patched: Vec<Versioned>,
    unaffected: Vec<Versioned>,
}

/// Some versions of a package, as Cargo writes them.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Versioned(VersionReq);

impl TryFrom<String> for Versioned {
    type Error = semver::Error;

    fn try_from(text: String) -> std::result::Result<Self, semver::Error> {
        text.parse().map(Self)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Affected {
    /// Systems that it is about; all where there are none.
    os: Vec<String>,
    arch: Vec<String>,
}

pub(super) fn look(folder: Option<&Path>) -> Finding {
    let Some(folder) = folder else {
        let words =
            "no list of advisories was given; name a copy of the RustSec advisory database with --advisories";
        return Finding::not_checked(Probe::Advisories, words);
    };
    match read(folder) {
        Ok(list) => judge(&list, &PACKAGES),
        Err(error) => Finding::breach(Probe::Advisories, error.to_string()),
    }
}

/// Every advisory under a folder.
fn read(folder: &Path) -> Result<Vec<File>> {
    let none = || {
        let words = "The folder holds no advisories: it has no crates/NAME/RUSTSEC-….md. Give a copy of the RustSec advisory database.";
        Error::invalid("advisories", words)
    };
    let mut list = Vec::new();
    for krate in fs::read_dir(folder.join("crates")).map_err(|cause| none().because(cause))?.flatten() {
        for entry in fs::read_dir(krate.path()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("RUSTSEC-") && name.ends_with(".md") {
                list.push(parse(&fs::read_to_string(entry.path())?).map_err(|cause| {
                    let words = format!("The advisory {name} cannot be read. Give a newer copy of the database, or a newer Safelight.");
                    Error::invalid("advisories", words).because(cause)
                })?);
            }
        }
    }
    if list.is_empty() { Err(none()) } else { Ok(list) }
}

fn parse(text: &str) -> std::result::Result<File, toml::de::Error> {
    let fenced = text.split_once(FENCE).and_then(|(_, rest)| rest.split_once('\n')?.1.split_once(FENCE));
    toml::from_str(fenced.map_or("", |(facts, _)| facts))
}

fn judge(list: &[File], packages: &[(&str, &str)]) -> Finding {
    let newest = list.iter().map(|file| file.advisory.date.as_str()).max().unwrap_or_default();
    let mut faults = Vec::new();
    let mut notes = Vec::new();
    for file in list.iter().filter(|file| file.advisory.withdrawn.is_none() && file.affected.is_of_here()) {
        for (name, version) in packages.iter().filter(|(name, _)| *name == file.advisory.package) {
            if !file.versions.affect(version) {
                continue;
            }
            let hit = format!("{} is about {name} {version}", file.advisory.id);
            match &file.advisory.informational {
                None => faults.push(hit),
                Some(kind) => notes.push(format!("{hit} ({kind})")),
            }
        }
    }
    let notes =
        if notes.is_empty() { String::new() } else { format!("; for information: {}", notes.join(", ")) };
    let good =
        format!("{} packages, none with a known weakness by the list of {newest}{notes}", packages.len());
    Finding::of(Probe::Advisories, &faults, good, &format!("{ADVICE} (the list is of {newest}{notes})"))
}

impl Versions {
    /// Whether a version has the weakness: it is neither patched nor was it ever affected.
    fn affect(&self, version: &str) -> bool {
        Version::parse(version).map_or(true, |version| {
            !self.patched.iter().chain(&self.unaffected).any(|safe| safe.0.matches(&version))
        })
    }
}

impl Affected {
    fn is_of_here(&self) -> bool {
        let names = |list: &[String], here: &str| list.is_empty() || list.iter().any(|one| one == here);
        names(&self.os, std::env::consts::OS) && names(&self.arch, std::env::consts::ARCH)
    }
}

#[cfg(test)]
mod tests {
    use trust::audit::Outcome;

    use super::*;

    const TEXT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"leftpad\"\ndate = \"2026-02-03\"\n\
        url = \"https://example.org\"\ncategories = [\"code-execution\"]\n\n[versions]\npatched = [\">= 1.2.3, < 1.3.0\", \">= 1.3.4\"]\n\
        unaffected = [\"< 1.0.0\"]\n```\n\n# It pads to the right\n\n```rust\nlet x = 1;\n```\n";

    fn outcome(text: &str, version: &str) -> Outcome {
        judge(&[parse(text).unwrap()], &[("leftpad", version), ("other", "1.0.0")]).outcome
    }

    #[test]
    fn a_version_is_hit_where_it_is_neither_patched_nor_unaffected() {
        for (version, hit) in [
            ("0.9.9", false),
            ("1.0.0", true),
            ("1.2.3", false),
            ("1.3.0", true),
            ("1.3.4", false),
            ("2.0.0", false),
        ] {
            let expected = if hit { Outcome::Breach } else { Outcome::Good };
            assert_eq!(outcome(TEXT, version), expected, "{version}");
        }
    }

    #[test]
    fn what_is_withdrawn_of_another_system_or_for_information_is_no_breach() {
        for words in ["withdrawn = \"2026-03-01\"", "informational = \"unmaintained\""] {
            let text = TEXT.replace("date =", &format!("{words}\ndate ="));
            assert_eq!(outcome(&text, "1.0.0"), Outcome::Good, "{words}");
        }
        let elsewhere = TEXT.replace("[versions]", "[affected]\nos = [\"windows\"]\n\n[versions]");
        assert_eq!(outcome(&elsewhere, "1.0.0"), Outcome::Good);
        let here = elsewhere.replace("windows", std::env::consts::OS);
        assert_eq!(outcome(&here, "1.0.0"), Outcome::Breach);
    }

    #[test]
    fn the_program_knows_its_own_packages() {
        assert!(PACKAGES.iter().any(|(name, _)| *name == "tokio"));
        assert!(PACKAGES.iter().all(|(_, version)| Version::parse(version).is_ok()));
        let found = judge(&[parse(TEXT).unwrap()], &PACKAGES);
        assert!(found.words.contains("2026-02-03"), "{}", found.words);
    }
}
