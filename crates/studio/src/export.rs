//! This owns what an account's owner takes along of the studio: rows with their sealed details opened, and where the
//! pictures are.

use std::collections::HashMap;

use kernel::{Error, Id, Result};
use platform::export::Tables;
use serde_json::Value;

use crate::generation::Details;
use crate::{Studio, store};

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

    /// Addresses of every picture of an account, for its owner.
    ///
    /// # Errors
    /// As every read.
    pub async fn picture_addresses(&self, account: Id) -> Result<Vec<String>> {
        let owned = store::pictures_of(&self.db, account).await?;
        let address = |(id, form): (Id, &str)| format!("{}/g/{id}/{form}", self.public_url());
        Ok(owned.into_iter().map(address).collect())
    }
}
