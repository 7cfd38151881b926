//! This owns serving the pictures of artworks, to anyone.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use kernel::{Error, Id};
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
    let kind = form_kind(&form).ok_or_else(|| Error::not_found("There is no such picture."))?;
    if !store::has_picture(&gallery.db, record).await? {
        return Err(Error::not_found("There is no such picture.").into());
    }
    let bytes = gallery.blobs.get(record, kind).await?;
    Ok(([(header::CONTENT_TYPE, "image/webp"), (header::CACHE_CONTROL, CACHE)], bytes.to_vec()))
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
