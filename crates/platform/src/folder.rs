//! This owns the data folder: its layout, and the lock that keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use kernel::{Error, Kind, Result};

/// What only folders of previews have.
const PREVIEW: &str = "vault/keys";
const LOCK: &str = "lock";

/// The data folder, held by this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// What came of trying to take a data folder.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Here(DataFolder),
    /// Another process holds it.
    Elsewhere,
}

impl DataFolder {
    /// Takes the folder at `path`, which is made if it is missing.
    ///
    /// # Errors
    /// `StorageFull` or `Invalid` where the folder cannot be made or written.
    pub fn take(path: &Path) -> Result<Taken> {
        let unusable = |cause: std::io::Error| {
            let kind = if cause.kind() == std::io::ErrorKind::StorageFull {
                Kind::StorageFull
            } else {
                Kind::Invalid
            };
            Error::new(
                kind,
                "The data folder cannot be written. Choose another with --data, or change its owner.",
            )
            .because(cause)
        };
        create_private_dir(path).map_err(unusable)?;
        if path.join(PREVIEW).exists() {
            let words = "This data folder was made by a preview of Safelight, before there were releases. Choose an empty folder with --data, and import the artworks again.";
            return Err(Error::new(Kind::Conflict, words));
        }
        let lock = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Taken::Here(Self { path: path.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(Taken::Elsewhere),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// The SQL database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        Self::database_in(&self.path)
    }

    /// The SQL database of a folder that another process may hold.
    #[must_use]
    pub fn database_in(path: &Path) -> PathBuf {
        path.join("safelight.db")
    }

    /// Sealed pictures.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        Self::blobs_in(&self.path)
    }

    /// Sealed pictures of a folder that another process may hold.
    #[must_use]
    pub fn blobs_in(path: &Path) -> PathBuf {
        path.join("blobs")
    }

    /// The settings of a folder, if they are kept there.
    #[must_use]
    pub fn settings_in(path: &Path) -> PathBuf {
        path.join("safelight.toml")
    }

    /// Whether a process holds a folder.
    #[must_use]
    pub fn is_held(path: &Path) -> bool {
        let lock = File::open(path.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// The search index, which can be rebuilt from the rest.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Where the commands of the operator reach a running server.
    #[must_use]
    pub fn operator_socket(path: &Path) -> PathBuf {
        path.join("operator.sock")
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes every file and folder of this process, whoever makes it, its owner's alone.
pub fn make_all_private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Makes a folder that only its owner may enter.
///
/// # Errors
/// Whatever the file system says.
pub fn create_private_dir(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_that_the_folder_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::take(dir.path()).unwrap();
        assert!(matches!(first, Taken::Here(_)));
        assert!(matches!(DataFolder::take(dir.path()).unwrap(), Taken::Elsewhere));
        assert!(DataFolder::is_held(dir.path()));
        drop(first);
        assert!(!DataFolder::is_held(dir.path()));
        assert!(matches!(DataFolder::take(dir.path()).unwrap(), Taken::Here(_)));
    }

    #[test]
    fn a_folder_of_a_preview_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("vault")).unwrap();
        fs::write(dir.path().join(PREVIEW), "x").unwrap();
        assert_eq!(DataFolder::take(dir.path()).unwrap_err().kind, Kind::Conflict);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_explained() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(DataFolder::take(file.path()).unwrap_err().kind, Kind::Invalid);
    }
}
