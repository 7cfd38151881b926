//! This owns taking out of restored rows what was removed after they were kept: an older snapshot brings back no artwork
//! that is gone since.

use std::collections::{BTreeSet, HashSet};

use kernel::{Id, Result};
use platform::db::{Db, Writing};

use crate::Gallery;
use crate::artwork::ArtworkId;
use crate::store;

impl Gallery {
    /// Deletes every artwork that the newest rows do not have, and those whose pictures have lost their keys; returns how
    /// many. An artwork without pictures has no key, so that only the newest rows can tell. Where its pictures were
    /// replaced since, an artwork stays as words.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn drop_keyless(
        writing: &mut Writing,
        living: &HashSet<Id>,
        newest: Option<&Db>,
    ) -> Result<u64> {
        let newest = match newest {
            Some(db) => Some(store::artwork_ids(db).await?),
            None => None,
        };
        let mut dropped = 0;
        let pictures = store::list_pictures(writing).await?.into_iter();
        let keyless: BTreeSet<String> =
            pictures.filter(|(record, _)| !living.contains(record)).map(|(_, artwork)| artwork).collect();
        for id in store::list_ids(writing).await? {
            let lives_on = newest.as_ref().map(|newest| newest.contains(&id));
            match (lives_on, keyless.contains(&id)) {
                (Some(false), _) | (None, true) => {
                    store::delete(writing, &ArtworkId::parse(&id)?).await?;
                    dropped += 1;
                }
                (Some(true), true) => store::strip(writing, &id).await?,
                (_, false) => {}
            }
        }
        Ok(dropped)
    }
}
