//! This owns removing artwork for good.

use kernel::{Error, Result};

use crate::Gallery;
use crate::artwork::ArtworkId;
use crate::store;

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
}
