//! This owns reference pictures: stripped at the door, sealed, and erased after 24 hours at the latest.

use accounts::Member;
use axum::Json;
use axum::extract::{Multipart, State};
use imaging::Picture;
use kernel::limits::PICTURE_BYTES_MAX;
use kernel::{Error, Id, Kind, Result};
use platform::http::Reply;
use serde_json::{Value, json};
use vault::Kind as Blob;

use crate::{Studio, store};

/// References that one account may have waiting.
const REFERENCES_WAITING_MAX: u32 = 64;
/// Longer side of a reference that is kept; engines use no more.
const REFERENCE_SIDE_MAX: u32 = 2048;

/// `POST /studio/references`: a picture as multipart field `picture`; answers `{id, thumbnail_url}`.
pub async fn upload(State(studio): State<Studio>, member: Member, mut form: Multipart) -> Reply<Json<Value>> {
    let missing = || Error::invalid("picture", "Choose a picture to upload.");
    let unreadable = |_| Error::new(Kind::Invalid, "The upload broke off, or is larger than 32 MiB.");
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() == Some("picture") {
            let bytes = field.bytes().await.map_err(unreadable)?;
            let id = studio.keep_reference(member.account(), &bytes).await?;
            return Ok(Json(json!({ "id": id, "thumbnail_url": format!("/g/{id}/240") })));
        }
    }
    Err(missing().into())
}

impl Studio {
    /// Decodes an uploaded picture and keeps its pixels, sealed.
    ///
    /// # Errors
    /// `TooLarge`, `Unsupported`, `Invalid` for a picture that is not accepted; `RateLimited` when too many wait.
    pub async fn keep_reference(&self, account: Id, bytes: &[u8]) -> Result<Id> {
        let picture = decode(bytes.to_vec()).await?;
        if store::count_references(&self.db, account).await? >= REFERENCES_WAITING_MAX {
            let words = "You have uploaded many reference pictures today. They are erased after 24 hours; try again then.";
            return Err(Error::new(Kind::RateLimited, words));
        }
        let (blobs, id) = (self.blobs.clone(), Id::random());
        let mut writing = self.db.write().await?;
        store::insert_reference(&mut writing, id, account, self.clock.now()).await?;
        let key = blobs.keys().create(&mut writing, id, Some(account)).await?;
        platform::db::commit(writing).await?;
        tokio::task::spawn_blocking(move || {
            let kept = imaging::fit(&picture, REFERENCE_SIDE_MAX)?;
            let small = imaging::fit(&picture, 240)?;
            let small = imaging::encode_webp(&small, imaging::Quality::THUMBNAIL)?;
            let parts = [(Blob::Reference, imaging::encode_png(&kept)?), (Blob::Thumbnail(240), small)];
            blobs.write(id, &key, &parts)?;
            blobs.settle(&[id])
        })
        .await
        .map_err(|_| Error::internal("sealing a reference stopped"))??;
        Ok(id)
    }

    /// A reference of this account: an upload, an earlier result, or an artwork by its public id.
    ///
    /// # Errors
    /// `NotFound` where this account has no such picture.
    pub async fn reference(&self, account: Id, name: &str) -> Result<Picture> {
        let missing =
            || Error::not_found("This reference picture is not there any more. Please choose it again.");
        let bytes = match name.parse::<Id>() {
            Ok(id) if store::owns_reference(&self.db, id, account).await? => {
                self.blobs.get(id, Blob::Reference).await?
            }
            Ok(id) => {
                if !store::owns_generation(&self.db, id, account).await? {
                    return Err(missing());
                }
                self.blobs.get(id, Blob::Original).await?
            }
            Err(_) => {
                let artwork = self.gallery.get(&gallery::artwork::ArtworkId::parse(name)?).await?;
                let picture = artwork.pictures.first().ok_or_else(missing)?;
                self.blobs.get(picture.record, Blob::Original).await?
            }
        };
        decode(bytes.to_vec()).await
    }
}

pub(crate) async fn decode(bytes: Vec<u8>) -> Result<Picture> {
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(Error::new(Kind::TooLarge, "A picture may have at most 32 MiB."));
    }
    tokio::task::spawn_blocking(move || imaging::decode(&bytes))
        .await
        .map_err(|_| Error::internal("decoding a picture stopped"))?
}
