//! This owns finding artworks: by filters and order, by words and meaning, by likeness to another.
//! What the index returns are candidates; each is read from the database before it is shown.

use kernel::limits::SHEET_ARTWORKS;
use kernel::{Error, Result};

use crate::Gallery;
use crate::artwork::{Artwork, ArtworkId};
use crate::store::{self, Facet, Filter, Order};

/// Candidates that a search looks at.
const CANDIDATES_MAX: usize = 480;
/// Characters of a query.
const QUERY_CHARS_MAX: usize = 400;
/// Sheets that can be asked for.
const SHEET_MAX: usize = 100_000;

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct Browse {
    /// Words; empty shows everything.
    pub query: String,
    /// Filters.
    pub filter: Filter,
    /// Order, where there are no words.
    pub order: Order,
    /// Artworks to pass over.
    pub offset: usize,
    /// Artworks at most.
    pub limit: usize,
}

impl Browse {
    /// The sheet with this number, from 1.
    #[must_use]
    pub fn sheet(query: String, filter: Filter, order: Order, sheet: usize) -> Self {
        let offset = (sheet.clamp(1, SHEET_MAX) - 1) * SHEET_ARTWORKS;
        Self { query, filter, order, offset, limit: SHEET_ARTWORKS }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The artworks of this page.
    pub artworks: Vec<Artwork>,
    /// How many there are on all pages.
    pub all: u64,
}

impl Gallery {
    /// Finds artworks.
    ///
    /// # Errors
    /// As every read of the database or the index.
    pub async fn browse(&self, browse: &Browse) -> Result<Found> {
        let query: String = browse.query.trim().chars().take(QUERY_CHARS_MAX).collect();
        if query.is_empty() {
            let artworks =
                store::list(&self.db, &browse.filter, browse.order, browse.offset, browse.limit).await?;
            return Ok(Found { artworks, all: store::count(&self.db, &browse.filter).await? });
        }
        let index = self.index.clone();
        let hits = tokio::task::spawn_blocking(move || index.search(&query, CANDIDATES_MAX))
            .await
            .map_err(|_| Error::internal("a search stopped"))??;
        let candidates: Vec<i64> = hits.into_iter().map(|hit| hit.key).collect();
        let keys = store::filter_candidates(&self.db, &candidates, &browse.filter).await?;
        let page: Vec<i64> = keys.iter().copied().skip(browse.offset).take(browse.limit).collect();
        let artworks = store::list_candidates(&self.db, &page, &browse.filter).await?;
        Ok(Found { artworks, all: keys.len() as u64 })
    }

    /// The artwork with this id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get(&self, id: &ArtworkId) -> Result<Artwork> {
        store::find(&self.db, id).await?.ok_or_else(|| Error::not_found("There is no artwork with this id."))
    }

    /// Artworks like this one, the most alike first; without it.
    ///
    /// # Errors
    /// As every read of the database or the index.
    pub async fn similar(&self, artwork: &Artwork, limit: usize) -> Result<Vec<Artwork>> {
        let (index, key) = (self.index.clone(), artwork.key);
        let hits = tokio::task::spawn_blocking(move || index.similar(key, limit + 1))
            .await
            .map_err(|_| Error::internal("a search stopped"))??;
        let keys: Vec<i64> =
            hits.into_iter().map(|hit| hit.key).filter(|other| *other != key).take(limit).collect();
        store::list_candidates(&self.db, &keys, &Filter::default()).await
    }

    /// The models by which visitors can filter.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn models(&self) -> Result<Vec<String>> {
        store::facets(&self.db, Facet::Model).await
    }

    /// The categories by which visitors can filter.
    ///
    /// # Errors
    /// As every read of the database.
    pub async fn categories(&self) -> Result<Vec<String>> {
        store::facets(&self.db, Facet::Category).await
    }
}
