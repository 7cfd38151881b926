//! This owns what an account's owner takes along of the studio: rows with their sealed details opened, and which pictures
//! there are.

use std::collections::HashMap;

use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Result};
use platform::export::Tables;
use serde_json::Value;
use vault::Kind as Blob;

use crate::generation::{Details, State};
use crate::{Studio, store};

/// A picture that its owner takes along.
#[derive(Clone, Debug)]
pub struct Keepsake {
    /// Its record.
    pub id: Id,
    /// When it was asked for, or uploaded.
    pub created_at: UnixSeconds,
    /// What it is like, where it was made here; a reference was uploaded.
    pub made: Option<Details>,
}

impl Keepsake {
    /// The blob that is the picture.
    #[must_use]
    pub const fn original(&self) -> Blob {
        match self.made {
            Some(_) => Blob::Original,
            None => Blob::Reference,
        }
    }

    /// The blob that shows it small.
    #[must_use]
    pub const fn thumbnail(&self) -> Blob {
        match self.made {
            Some(_) => Blob::Thumbnail(360),
            None => Blob::Thumbnail(240),
        }
    }
}

impl Studio {
    /// Every row that leads to an account.
    ///
    /// # Errors
    /// As every read.
    pub async fn export(&self, account: Id) -> Result<Tables> {
        let mut tables = store::rows_of(&self.db, account).await?;
        let opened = store::list(&self.db, self.blobs.keys(), account, u32::MAX).await?;
        let mut details: HashMap<String, Details> =
            opened.into_iter().map(|one| (one.id.to_string(), one.details)).collect();
        for row in tables.get_mut("generation").into_iter().flatten() {
            // One without a key has just been erased.
            let own = row.get("id").and_then(Value::as_str).and_then(|id| details.remove(id));
            let own = own.map(serde_json::to_value).transpose();
            let own = own.map_err(|cause| Error::internal("details cannot be written").because(cause))?;
            row.insert("details_sealed".to_owned(), own.unwrap_or_default());
        }
        Ok(tables)
    }

    /// Every picture of an account, the newest first, then those that it has uploaded.
    ///
    /// # Errors
    /// As every read.
    pub async fn keepsakes(&self, account: Id) -> Result<Vec<Keepsake>> {
        let made = store::list(&self.db, self.blobs.keys(), account, u32::MAX).await?;
        let made = made.into_iter().filter(|one| one.state == State::Completed).map(|one| Keepsake {
            id: one.id,
            created_at: one.created_at,
            made: Some(one.details),
        });
        let uploaded = store::list_references(&self.db, account).await?;
        let uploaded = uploaded.into_iter().map(|(id, created_at)| Keepsake { id, created_at, made: None });
        Ok(made.chain(uploaded).collect())
    }
}
