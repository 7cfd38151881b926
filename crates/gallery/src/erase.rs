//! This owns removing artwork for good.

use kernel::{Error, Result};
use platform::keys::Erased;

use crate::Gallery;
use crate::artwork::ArtworkId;
use crate::store;

impl Gallery {
    /// Removes an artwork everywhere: rows, pictures, keys, index. It is invisible once the rows are gone; removing it
    /// again does nothing.
    ///
    /// # Errors
    /// As a turn; what is left of the index after a failure is removed at the next start.
    pub async fn erase(&self, id: &ArtworkId) -> Result<Erased<()>> {
        let id = id.clone();
        let erased = self.blobs.keys().turn(move |writing| {
            Box::pin(async move {
                let deleted = store::delete(writing, &id).await?;
                Ok(deleted.map_or((None, Vec::new()), |(key, records)| (Some(key), records)))
            })
        });
        let Erased { value, records, receipts } = erased.await?;
        self.blobs.sweep_soon();
        if let Some(key) = value {
            let index = self.index.clone();
            tokio::task::spawn_blocking(move || index.erase(&[key]))
                .await
                .map_err(|_| Error::internal("erasing an artwork stopped"))??;
        }
        Ok(Erased { value: (), records, receipts })
    }
}
