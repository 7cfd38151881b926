//! This owns serving the pictures of artworks, to anyone.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kernel::{Error, Id, Result};
use platform::http::Reply;
use vault::Kind;

use crate::{Gallery, store};

/// Pictures are public and never change under one address, so browsers may keep them for a week.
const CACHE: &str = "public, max-age=604800, immutable";

/// `GET /p/{record}/{form}`: `240.webp`, `360.webp`, `480.webp`, `720.webp` or `full.webp`.
pub async fn picture(
    State(gallery): State<Gallery>,
    Path((record, form)): Path<(Id, String)>,
) -> Reply<impl IntoResponse> {
    let kind = form_kind(&form).ok_or_else(missing)?;
    let bytes = match gallery.blobs.keys().shelf().get(record, kind) {
        Some(bytes) => bytes,
        None => gallery.open_picture(record, kind).await?,
    };
    Ok(([(header::CONTENT_TYPE, "image/webp"), (header::CACHE_CONTROL, CACHE)], bytes))
}

impl Gallery {
    /// Opens an artwork's picture, and keeps it at hand: it is public as long as the artwork is there.
    async fn open_picture(&self, record: Id, kind: Kind) -> Result<Bytes> {
        let shelf = self.blobs.keys().shelf();
        // Before the row is read: if it goes while the file is opened, the picture is not kept.
        let ticket = shelf.ticket();
        if !store::has_picture(&self.db, record).await? {
            return Err(missing());
        }
        let bytes = Bytes::from_owner(self.blobs.get(record, kind).await?);
        shelf.put(ticket, record, kind, &bytes);
        Ok(bytes)
    }
}

fn missing() -> Error {
    Error::not_found("There is no such picture.")
}

/// The blob behind the last part of a picture's address.
#[must_use]
pub(crate) fn form_kind(form: &str) -> Option<Kind> {
    match form.strip_suffix(".webp")? {
        "full" => Some(Kind::Original),
        width @ ("240" | "360" | "480" | "720") => width.parse().ok().map(Kind::Thumbnail),
        _ => None,
    }
}
