//! This owns members' pictures: models, references, the queue, generations and their erasure.
//! It does not draw (see `engines`) and does not keep the books (see `accounts`).

pub mod api;
mod erase;
mod export;
pub mod generation;
mod jobs;
mod live;
mod models;
mod order;
pub mod pages;
mod pictures;
mod references;
mod restore;
mod store;
pub mod view;

use std::sync::Arc;

use accounts::Accounts;
use gallery::Gallery;
use kernel::{Clock, Id, Result};
use platform::blobs::Blobs;
use platform::db::Db;
use platform::log::Log;
use platform::statistics::Counters;

pub use export::Keepsake;
pub use jobs::{Live, Phase};
pub use live::events;
pub use models::{Models, Offer};
pub use order::{Asked, Door, Order};
pub use pictures::{download, picture, preview, signed_picture};
pub use references::upload;

/// The studio, with what it stands on.
#[derive(Clone)]
pub struct Studio {
    db: Db,
    blobs: Blobs,
    accounts: Arc<Accounts>,
    gallery: Gallery,
    models: Arc<Models>,
    jobs: Arc<jobs::Jobs>,
    clock: Arc<dyn Clock>,
    log: Log,
    counters: Counters,
    public_url: Arc<str>,
}

/// What a studio stands on.
#[allow(missing_docs)] // Each is named by its type.
pub struct Parts {
    pub db: Db,
    pub blobs: Blobs,
    pub accounts: Arc<Accounts>,
    pub gallery: Gallery,
    pub models: Models,
    pub clock: Arc<dyn Clock>,
    pub log: Log,
    pub counters: Counters,
    pub public_url: String,
}

impl Studio {
    /// A studio over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let jobs = Arc::new(jobs::Jobs::new(&parts.models));
        Self {
            db: parts.db,
            blobs: parts.blobs,
            accounts: parts.accounts,
            gallery: parts.gallery,
            models: Arc::new(parts.models),
            jobs,
            clock: parts.clock,
            log: parts.log,
            counters: parts.counters,
            public_url: parts.public_url.into(),
        }
    }

    /// Address under which visitors reach the site.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The sealed files of members.
    #[must_use]
    pub const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Vault records that belong to members.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn records(&self) -> Result<Vec<Id>> {
        store::records(&self.db).await
    }

    /// The models on offer.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.models
    }
}
