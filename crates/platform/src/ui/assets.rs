//! This owns serving styles, scripts, icons and fonts from the program itself, under addresses that change with them.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use data_encoding::HEXLOWER;
use kernel::Error;

use crate::http::Reply;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One digest over all files, so that they can refer to each other by relative addresses.
static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let all = FILES.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]);
    digest(all)
});

/// What tells these bytes from others, in 16 digits.
#[must_use]
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut context = Context::new(&SHA256);
    parts.into_iter().for_each(|part| context.update(part));
    HEXLOWER.encode(context.finish().as_ref().first_chunk::<8>().map_or(&[], |bytes| bytes.as_slice()))
}

/// Address of a file.
pub(super) fn address(path: &str) -> String {
    format!("/assets/{}/{path}", *DIGEST)
}

/// Whether a file is there.
pub(super) fn has(path: &str) -> bool {
    FILES.iter().any(|(name, _)| *name == path)
}

/// `GET /assets/{digest}/{path}`.
pub async fn asset(Path((digest, path)): Path<(String, String)>) -> Reply<impl IntoResponse> {
    let file = FILES.iter().find(|(name, _)| *name == path && digest == *DIGEST);
    let (name, bytes) = file.ok_or_else(|| Error::not_found("There is no such file."))?;
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Ok((
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")],
        *bytes,
    ))
}
