//! This owns keeping the search index at what the database says, also after a crash between the two.

use std::collections::HashSet;

use kernel::{Error, Result};
use search::Document;

use crate::Gallery;
use crate::artwork::Artwork;
use crate::store::{self, Filter};

/// Artworks that are indexed together.
const BATCH_ARTWORKS: usize = 256;

impl Gallery {
    /// Indexes artworks as the database has them now, and remembers that they are.
    pub(crate) async fn index_rows(&self, keys: &[i64]) -> Result<()> {
        // One at a time: of two that read different states of a row, the later reader also has to be the later writer.
        let _turn = self.indexing.lock().await;
        for batch in keys.chunks(BATCH_ARTWORKS) {
            let artworks = store::list_candidates(&self.db, batch, &Filter::default()).await?;
            let documents: Vec<Document> = artworks.iter().map(document).collect();
            let index = self.index.clone();
            tokio::task::spawn_blocking(move || index.put(&documents))
                .await
                .map_err(|_| Error::internal("indexing stopped"))??;
            let mut writing = self.db.write().await?;
            store::mark_indexed(&mut writing, batch).await?;
            platform::db::commit(writing).await?;
        }
        Ok(())
    }

    /// Makes the index hold exactly the artworks of the database; returns how many entries were wrong.
    ///
    /// # Errors
    /// As every read of the database and write of the index.
    pub async fn reconcile_index(&self) -> Result<usize> {
        let stored: HashSet<i64> = store::keys(&self.db).await?.into_iter().collect();
        let stale: HashSet<i64> = store::list_stale(&self.db).await?.into_iter().collect();
        let indexed: HashSet<i64> = self.index.keys()?.into_iter().collect();
        let extra: Vec<i64> = indexed.difference(&stored).copied().collect();
        let wrong: Vec<i64> =
            stored.into_iter().filter(|key| stale.contains(key) || !indexed.contains(key)).collect();
        if !extra.is_empty() {
            self.index.erase(&extra)?;
        }
        self.index_rows(&wrong).await?;
        Ok(extra.len() + wrong.len())
    }
}

/// What the search index is told of an artwork.
fn document(artwork: &Artwork) -> Document {
    let extra =
        [&artwork.alt, &artwork.creator_handle, &artwork.creator_name, &artwork.model, &artwork.category];
    Document {
        key: artwork.key,
        title: artwork.title.clone(),
        text: artwork.prompt.clone(),
        extra: extra.map(String::as_str).join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use kernel::SystemClock;
    use platform::blobs::Blobs;
    use platform::db::Db;
    use platform::keys::Keys;
    use platform::log::Log;
    use platform::outgoing::{Outgoing, Purpose};
    use search::Index;

    use super::*;
    use crate::extract::Extracted;
    use crate::source::{Entry, NoFiles};
    use crate::{Fetcher, Parts};

    async fn open(dir: &Path) -> Gallery {
        let db = Db::open(&dir.join("db")).await.unwrap();
        let keys = Keys::open(db.clone(), &dir.join("root"), "x/log", Arc::new(SystemClock)).await.unwrap();
        let blobs = Blobs::open(dir.join("blobs"), keys, db.clone(), Log::default()).unwrap();
        let fetcher = Fetcher::new(Outgoing::new(Vec::new()).client(Purpose::PictureSource).unwrap());
        let index = Arc::new(Index::open(&dir.join("index"), None).unwrap());
        Gallery::new(Parts {
            db,
            blobs,
            index,
            fetcher,
            clock: Arc::new(SystemClock),
            public_url: String::new(),
        })
    }

    fn entry(id: &str, prompt: &str) -> std::result::Result<Entry, &'static str> {
        let prompt = Extracted { title: String::new(), prompt: prompt.to_owned() };
        Ok(Entry { id: id.to_owned(), prompt: Some(prompt), ..Entry::default() })
    }

    fn finds(gallery: &Gallery, word: &str) -> bool {
        !gallery.index.search(word, 9).unwrap().is_empty()
    }

    #[tokio::test]
    async fn an_index_that_missed_a_change_is_mended_and_one_that_did_not_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let gallery = open(dir.path()).await;
        gallery
            .take_in(vec![entry("1", "a red fox"), entry("2", "a grey heron")], Arc::new(NoFiles), |_| Ok(()))
            .await
            .unwrap();
        assert_eq!(gallery.reconcile_index().await.unwrap(), 0);

        // What a crash between the commit and the index leaves: a new text, a missing one, and one of no artwork.
        let mut writing = gallery.db.write().await.unwrap();
        let changed = entry("1", "a blue whale").unwrap();
        store::upsert(&mut writing, &changed, "en", 0).await.unwrap();
        platform::db::commit(writing).await.unwrap();
        let heron = store::keys(&gallery.db).await.unwrap()[1];
        gallery.index.erase(&[heron]).unwrap();
        let stray = Document { key: 99, text: "a green toad".into(), ..Document::default() };
        gallery.index.put(&[stray]).unwrap();
        assert!(finds(&gallery, "fox") && !finds(&gallery, "whale") && !finds(&gallery, "heron"));

        assert_eq!(gallery.reconcile_index().await.unwrap(), 3);
        assert!(finds(&gallery, "whale") && finds(&gallery, "heron"));
        assert!(!finds(&gallery, "fox") && !finds(&gallery, "toad"));
        assert_eq!(gallery.reconcile_index().await.unwrap(), 0);
    }
}
