//! This owns serving members' pictures: to their owner, or to whoever holds a signed address that soon expires.

use accounts::Member;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Result};
use platform::http::limits::GUESSES;
use platform::http::{ByteRange, Client, Reply};
use platform::statistics::{Counter, Who};
use vault::Kind as Blob;

use crate::generation::{Generation, State as Stored};
use crate::{Studio, store};

/// How long a signed address works.
const SIGNED_SECONDS: UnixSeconds = 15 * 60;
/// Under this label addresses are signed.
const LABEL: &str = "result-url";

/// `GET /g/{id}/{form}`: `240`, `360`, `480`, `720` or `full`, for the owner.
pub async fn picture(
    State(studio): State<Studio>,
    member: Member,
    Path((id, form)): Path<(Id, String)>,
    headers: HeaderMap,
) -> Reply {
    let kind = match form.as_str() {
        "full" => Blob::Original,
        "240" | "360" | "480" | "720" => Blob::Thumbnail(form.parse().unwrap_or(240)),
        _ => return Err(missing().into()),
    };
    studio.check_owner(member.account(), id).await?;
    Ok(studio.serve(id, kind, &headers).await?)
}

/// `GET /g/{id}/download`: the picture as a file, for the owner.
pub async fn download(
    State(studio): State<Studio>,
    member: Member,
    Path(id): Path<Id>,
    headers: HeaderMap,
) -> Reply {
    studio.check_owner(member.account(), id).await?;
    let mut response = studio.serve(id, Blob::Original, &headers).await?;
    studio.counters.count(Counter::Downloaded, Who::Account(member.account()));
    let name = HeaderValue::from_static("attachment; filename=\"safelight.png\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// `GET /studio/generations/{id}/preview`: the newest preview of a picture that is being drawn, for the owner.
pub async fn preview(State(studio): State<Studio>, member: Member, Path(id): Path<Id>) -> Reply {
    studio.check_owner(member.account(), id).await?;
    let live = studio.live(id).ok_or_else(missing)?;
    let preview = live.drawing.borrow().preview.clone().ok_or_else(missing)?;
    let bytes =
        tokio::task::spawn_blocking(move || imaging::encode_webp(&preview, imaging::Quality::THUMBNAIL))
            .await
            .map_err(|_| Error::internal("encoding a preview stopped"))??;
    Ok(([(header::CONTENT_TYPE, "image/webp")], bytes).into_response())
}

/// `GET /r/{id}/{expiry}/{signature}`: a result for programs, without a session, until it expires.
pub async fn signed_picture(
    State(studio): State<Studio>,
    client: Client,
    Path((id, expiry, signature)): Path<(Id, UnixSeconds, String)>,
    headers: HeaderMap,
) -> Reply {
    let signature = signature.strip_suffix(".png").unwrap_or_default();
    let claimed = HEXLOWER.decode(signature.as_bytes()).unwrap_or_default();
    // In constant time, and before anything else is looked at: forged and expired ones are told alike.
    let genuine = studio.blobs.keys().site().verify_mac(LABEL, &signed_part(id, expiry), &claimed);
    if !genuine {
        client.count(&GUESSES)?;
    }
    if !genuine || expiry < studio.clock.now() {
        return Err(
            Error::not_found("This address has expired. Ask for the status again to get a new one.").into()
        );
    }
    Ok(studio.serve(id, Blob::Original, &headers).await?)
}

fn signed_part(id: Id, expiry: UnixSeconds) -> Vec<u8> {
    [id.as_bytes().as_slice(), &expiry.to_be_bytes()].concat()
}

fn missing() -> Error {
    Error::not_found("There is no such picture.")
}

impl Studio {
    /// An absolute address of a result that works without a session for a quarter of an hour.
    #[must_use]
    pub fn signed_url(&self, id: Id) -> String {
        let expiry = self.clock.now() + SIGNED_SECONDS;
        let signature = HEXLOWER.encode(&self.blobs.keys().site().mac(LABEL, &signed_part(id, expiry)));
        format!("{}/r/{id}/{expiry}/{signature}.png", self.public_url)
    }

    /// # Errors
    /// `NotFound` when the record is not of this account, in the same words as when there is none.
    pub(crate) async fn check_owner(&self, account: Id, id: Id) -> Result<()> {
        let own = store::owns_generation(&self.db, id, account).await?;
        if own || store::owns_reference(&self.db, id, account).await? { Ok(()) } else { Err(missing()) }
    }

    /// A generation of this account that has a picture.
    pub(crate) async fn own_picture(&self, account: Id, id: Id) -> Result<Generation> {
        let found = store::find(&self.db, self.blobs.keys(), id).await?;
        found.filter(|one| one.account == account && one.state == Stored::Completed).ok_or_else(missing)
    }

    async fn serve(&self, id: Id, kind: Blob, headers: &HeaderMap) -> Result<Response> {
        let mime = if kind == Blob::Original { "image/png" } else { "image/webp" };
        let fixed = [(header::CONTENT_TYPE, mime), (header::ACCEPT_RANGES, "bytes")];
        let Some(range) = ByteRange::of(headers) else {
            return Ok((fixed, self.blobs.get(id, kind).await?.to_vec()).into_response());
        };
        let first = range.first;
        let wanted = first..range.end();
        let (bytes, all) = self.blobs.get_range(id, kind, wanted).await?;
        let span = format!("bytes {first}-{}/{all}", (first + bytes.len() as u64).saturating_sub(1));
        Ok((StatusCode::PARTIAL_CONTENT, fixed, [(header::CONTENT_RANGE, span)], bytes.to_vec())
            .into_response())
    }
}
