//! This owns reading the files of an import: the imported file itself, and pictures beside it, by their names in its
//! folder. It does not know what is in them.
//!
//! A running server may open no file outside its own folders. So an import asks for files by name, and whoever asked for
//! the import reads them: the command, which sends them over its socket, or this process.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;

/// What an import reads.
pub trait Files: Send + Sync {
    /// The bytes of a file of at most so many bytes, by its name in the folder.
    fn read<'a>(&'a self, name: &'a Path, bytes_max: u64) -> BoxFuture<'a, Result<Vec<u8>, Unread>>;
}

/// Files, as the tasks of an import share them.
pub type SharedFiles = Arc<dyn Files>;

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unread {
    /// There is none.
    Missing,
    /// It has more bytes than asked for.
    TooLarge,
    /// The disk refuses, or nobody is there to read it.
    Unreadable,
}

/// A folder on a disk that this process may read. Nothing above it is read.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of a file, and the file's name in it.
    #[must_use]
    pub fn of(file: &Path) -> Option<(Self, PathBuf)> {
        Some((Self { path: file.parent()?.to_owned() }, PathBuf::from(file.file_name()?)))
    }
}

impl Files for Folder {
    fn read<'a>(&'a self, name: &'a Path, bytes_max: u64) -> BoxFuture<'a, Result<Vec<u8>, Unread>> {
        Box::pin(async move {
            if !stays_inside(name) {
                return Err(Unread::Missing);
            }
            let unread = |cause: std::io::Error| match cause.kind() {
                ErrorKind::NotFound => Unread::Missing,
                _ => Unread::Unreadable,
            };
            let file = tokio::fs::File::open(self.path.join(name)).await.map_err(unread)?;
            let mut bytes = Vec::new();
            // One more than asked for, since a file may grow while it is read.
            file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).await.map_err(unread)?;
            if bytes.len() as u64 > bytes_max { Err(Unread::TooLarge) } else { Ok(bytes) }
        })
    }
}

/// No folder: whoever asks has no file to give.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read<'a>(&'a self, _: &'a Path, _: u64) -> BoxFuture<'a, Result<Vec<u8>, Unread>> {
        Box::pin(std::future::ready(Err(Unread::Missing)))
    }
}

/// Whether a name leads to no place above the folder that it is read in.
pub(super) fn stays_inside(name: &Path) -> bool {
    name.components().count() > 0 && name.components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_files_of_the_folder_are_read_and_only_up_to_a_size() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("posts");
        std::fs::create_dir_all(inside.join("media")).unwrap();
        for (name, text) in [("posts/list", "four"), ("posts/media/1", "1"), ("above", "secret")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let (folder, name) = Folder::of(&inside.join("list")).unwrap();
        assert_eq!(name, Path::new("list"));
        assert_eq!(folder.read(&name, 4).await.unwrap(), b"four");
        assert_eq!(folder.read(&name, 3).await, Err(Unread::TooLarge));
        assert_eq!(folder.read(Path::new("media/1"), 4).await.unwrap(), b"1");
        assert_eq!(folder.read(Path::new("media"), 4).await, Err(Unread::Unreadable));
        let above = dir.path().join("above");
        for name in ["none", "", "../above", "media/../../above", above.to_str().unwrap()] {
            assert_eq!(folder.read(Path::new(name), 9).await, Err(Unread::Missing), "{name}");
        }
        assert_eq!(NoFiles.read(&name, 4).await, Err(Unread::Missing));
    }
}
