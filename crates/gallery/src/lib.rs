//! This owns the public gallery: where artwork comes from, how it is kept, found, shown and removed.
//! It does not know members' own pictures; those are the studio's.

pub mod api;
pub mod artwork;
mod discover;
mod erase;
pub mod extract;
mod fetch;
mod import;
mod indexing;
pub mod pages;
mod pictures;
mod restore;
pub mod source;
mod store;
pub mod view;

use std::sync::Arc;

use kernel::{Clock, Id, Result};
use platform::blobs::Blobs;
use platform::db::Db;
use search::Index;

pub use discover::{Browse, Found};
pub use fetch::Fetcher;
pub use import::{Phase, Report, Tick};
pub use pictures::picture;
pub use store::{Filter, Order};

/// The gallery, with what it stands on.
#[derive(Clone)]
pub struct Gallery {
    db: Db,
    blobs: Blobs,
    index: Arc<Index>,
    fetcher: Arc<Fetcher>,
    clock: Arc<dyn Clock>,
    public_url: Arc<str>,
    indexing: Arc<tokio::sync::Mutex<()>>,
}

/// What a gallery stands on.
#[allow(missing_docs)] // Each is named by its type.
pub struct Parts {
    pub db: Db,
    pub blobs: Blobs,
    pub index: Arc<Index>,
    pub fetcher: Fetcher,
    pub clock: Arc<dyn Clock>,
    pub public_url: String,
}

impl Gallery {
    /// A gallery over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            db: parts.db,
            blobs: parts.blobs,
            index: parts.index,
            fetcher: Arc::new(parts.fetcher),
            clock: parts.clock,
            public_url: parts.public_url.into(),
            indexing: Arc::default(),
        }
    }

    /// How many artworks there are.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn len(&self) -> Result<u64> {
        store::count(&self.db, &Filter::default()).await
    }

    /// Whether there is no artwork at all.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.len().await? == 0)
    }

    /// Vault records that belong to artworks; each has a picture.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn records(&self) -> Result<Vec<Id>> {
        Self::records_of(&self.db).await
    }

    /// As [`Gallery::records`], of a database that no gallery stands on yet.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn records_of(db: &Db) -> Result<Vec<Id>> {
        store::picture_records(db).await
    }
}
