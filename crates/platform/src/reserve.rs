//! This owns a file that keeps room on the disk, so that deleting works when it is full: who deletes to make room has to
//! write first.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Room that a turn needs at most: its rows twice, in the journal and in their place.
const RESERVE_BYTES: usize = 2 * 1024 * 1024;
/// The reserve is laid up again where there is this much more room than it takes.
const PLENTY: u64 = 4;

/// The reserve of one folder.
#[derive(Clone, Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve beside a file.
    pub(crate) fn beside(path: &Path) -> Self {
        Self { path: path.with_file_name("reserve") }
    }

    /// Lays the reserve up, if there is plenty of room; nothing depends on it.
    pub(crate) fn lay_up(&self) {
        let there = fs::metadata(&self.path).is_ok_and(|file| file.len() == RESERVE_BYTES as u64);
        if !there && self.room().is_ok_and(|room| room > PLENTY * RESERVE_BYTES as u64) {
            let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&self.path);
            let written = file.and_then(|mut file| file.write_all(&vec![0; RESERVE_BYTES]));
            if written.is_err() {
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// Gives the reserve up, if there is not enough room without it.
    pub(crate) fn spend_if_needed(&self) {
        if self.room().is_ok_and(|room| room < RESERVE_BYTES as u64) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn room(&self) -> io::Result<u64> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        let found = rustix::fs::statvfs(folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}
