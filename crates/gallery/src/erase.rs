//! This owns removing artwork, and keeping index and database the same after a crash.

use std::collections::HashSet;

use kernel::{Error, Result};

use crate::Gallery;
use crate::artwork::ArtworkId;
use crate::extract::Extracted;
use crate::import::document;
use crate::source::Entry;
use crate::store::{self, Filter};

/// Artworks that are indexed together.
const BATCH_ARTWORKS: usize = 256;

impl Gallery {
    /// Removes an artwork everywhere: rows, pictures, keys, index. It is invisible once the rows are gone; removing it
    /// again does nothing.
    ///
    /// # Errors
    /// As every write; what is left after a failure is removed by calling again, or at the next start.
    pub async fn erase(&self, id: &ArtworkId) -> Result<()> {
        let mut writing = self.db.write().await?;
        let deleted = store::delete(&mut writing, id).await?;
        platform::db::commit(writing).await?;
        let Some((key, records)) = deleted else { return Ok(()) };
        let (index, blobs) = (self.index.clone(), self.blobs.clone());
        tokio::task::spawn_blocking(move || {
            blobs.erase(&records)?;
            index.erase(&[key])
        })
        .await
        .map_err(|_| Error::internal("erasing an artwork stopped"))?
    }

    /// Makes the index hold exactly the artworks of the database; returns how many entries were wrong.
    ///
    /// # Errors
    /// As every read of the database and write of the index.
    pub async fn reconcile_index(&self) -> Result<usize> {
        let stored: HashSet<i64> = store::keys(&self.db).await?.into_iter().collect();
        let indexed: HashSet<i64> = self.index.keys()?.into_iter().collect();
        let extra: Vec<i64> = indexed.difference(&stored).copied().collect();
        let missing: Vec<i64> = stored.difference(&indexed).copied().collect();
        if !extra.is_empty() {
            self.index.erase(&extra)?;
        }
        for batch in missing.chunks(BATCH_ARTWORKS) {
            let artworks = store::list_candidates(&self.db, batch, &Filter::default()).await?;
            let documents: Vec<_> = artworks
                .into_iter()
                .map(|artwork| {
                    let entry = Entry {
                        prompt: Some(Extracted { title: artwork.title, prompt: artwork.prompt }),
                        alt: artwork.alt,
                        creator_handle: artwork.creator_handle,
                        creator_name: artwork.creator_name,
                        model: artwork.model,
                        category: artwork.category,
                        ..Entry::default()
                    };
                    document(artwork.key, &entry)
                })
                .collect();
            let index = self.index.clone();
            tokio::task::spawn_blocking(move || index.put(&documents))
                .await
                .map_err(|_| Error::internal("indexing stopped"))??;
        }
        Ok(extra.len() + missing.len())
    }
}
