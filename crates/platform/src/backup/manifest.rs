//! This owns the manifest of a backup: which files of the folder count, and what they have to be like.
//! It does not write it; the folder does.

use std::fs;
use std::io;
use std::path::Path;

use kernel::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use vault::{Quorum, SetId};

use super::{ROWS_KEPT, file_digest};

/// The form of backups that this program writes.
pub const VERSION: u32 = 1;
/// Bytes of a manifest at most.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// Letters of the name of a snapshot.
const NAME_LETTERS_MAX: usize = 64;

/// What a backup consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    written: Written,
    quorum: Quorum,
    set: SetId,
}

/// A snapshot of rows that is kept, and its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    name: String,
    sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    time: String,
    epoch: u64,
    needed: u8,
    of: u8,
    set: String,
    keys_sha256: String,
    /// The newest first.
    rows: Vec<Kept>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Kept {
    /// A snapshot and the digest of its file.
    ///
    /// # Errors
    /// As [`file_digest`].
    pub fn of(name: String, path: &Path) -> Result<Self> {
        Ok(Self { name, sha256: file_digest(path)? })
    }

    /// Its name: the time at which it was taken.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its file is what it was.
    ///
    /// # Errors
    /// `Invalid` where it is missing or damaged.
    pub fn check(&self, path: &Path) -> Result<()> {
        check(path, &self.sha256, "rows")
    }

    fn is_sound(&self) -> bool {
        (1..=NAME_LETTERS_MAX).contains(&self.name.len())
            && self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    }
}

impl Manifest {
    /// The manifest of a new backup, which keeps the newest snapshots of the one before.
    ///
    /// # Errors
    /// As [`file_digest`].
    pub fn new(
        (time, epoch): (String, u64),
        (quorum, set): (Quorum, SetId),
        keys: &Path,
        rows: Kept,
        before: Option<&Self>,
    ) -> Result<Self> {
        let older = before.map(Self::rows).unwrap_or_default().iter().cloned();
        let rows: Vec<Kept> = std::iter::once(rows).chain(older).take(ROWS_KEPT).collect();
        let (needed, of, keys_sha256) = (quorum.needed(), quorum.of(), file_digest(keys)?);
        let written =
            Written { version: VERSION, time, epoch, needed, of, set: set.to_string(), keys_sha256, rows };
        Ok(Self { written, quorum, set })
    }

    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let damaged = || {
            let words =
                "The manifest of the backup is damaged. Use another copy of the backup, or make a new one.";
            Error::invalid("folder", words)
        };
        let text = match fs::metadata(path).and_then(|found| {
            if found.len() > MANIFEST_BYTES_MAX { Ok(String::new()) } else { fs::read_to_string(path) }
        }) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(damaged().because(cause)),
        };
        let of: Versioned = serde_json::from_str(&text).map_err(|cause| damaged().because(cause))?;
        if of.version > VERSION {
            let words = "This backup was made by a newer version of Safelight. Use that version.";
            return Err(Error::new(Kind::Invalid, words));
        }
        let written: Written = serde_json::from_str(&text).map_err(|cause| damaged().because(cause))?;
        let set = written.set.parse().map_err(|_| damaged())?;
        let quorum = Quorum::new(written.needed, written.of).map_err(|_| damaged())?;
        if written.rows.is_empty() || !written.rows.iter().all(Kept::is_sound) {
            return Err(damaged());
        }
        Ok(Some(Self { written, quorum, set }))
    }

    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.written)
            .map_err(|cause| Error::internal("a manifest cannot be written").because(cause))
    }

    /// When the backup was made.
    #[must_use]
    pub fn time(&self) -> &str {
        &self.written.time
    }

    /// How many shares open it.
    #[must_use]
    pub const fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Which shares open it.
    #[must_use]
    pub const fn set(&self) -> SetId {
        self.set
    }

    /// The snapshots of rows, the newest first.
    #[must_use]
    pub fn rows(&self) -> &[Kept] {
        &self.written.rows
    }

    /// Whether the keys are what they were.
    ///
    /// # Errors
    /// `Invalid` where they are missing or damaged.
    pub fn check_keys(&self, path: &Path) -> Result<()> {
        check(path, &self.written.keys_sha256, "keys")
    }
}

fn check(path: &Path, wanted: &str, what: &'static str) -> Result<()> {
    let wrong = |state: &str| {
        let words = format!("The {what} of the backup are {state}. Use another copy of the backup.");
        Error::invalid("folder", words)
    };
    match file_digest(path) {
        Ok(found) if found == wanted => Ok(()),
        Ok(_) => Err(wrong("damaged")),
        Err(cause) => Err(wrong("missing, or cannot be read").because(cause)),
    }
}
