//! This owns the sealed form of a blob: a header and chunks of AES-256-GCM, so that ranges can be opened alone.
//!
//! Layout: magic `SLB1`, one byte of layer (1), 3 zero bytes, plain length as u64 big-endian; then chunks of 64 KiB plain
//! text, each followed by its 16-byte tag. The layer byte leaves room for an inner layer under a key that only the
//! member holds. The key of a blob is derived from the record's key and the blob's kind, and each blob is written once,
//! so the chunk counter is nonce enough. Record, kind, header and the last-chunk mark are bound as associated data.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use kernel::{Error, Id, Result};

use crate::{RecordKey, derive};

/// Bytes of plain text in one chunk.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
/// Bytes before the first chunk.
pub const HEAD_BYTES: usize = HEADER_BYTES + SALT_BYTES;
const MAGIC: [u8; 8] = *b"SLB1\x01\0\0\0";

/// Opened plain text, wiped when dropped: in one pass over what was written, which `Zeroizing` takes twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened(Vec<u8>);

impl Opened {
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Self(vec![0; bytes])
    }

    /// Leaves only some bytes from a place on.
    fn keep(&mut self, from: usize, bytes: usize) {
        let end = self.0.len();
        let from = from.min(end);
        self.0.copy_within(from..end.min(from.saturating_add(bytes)), 0);
        let kept = bytes.min(end - from);
        self.0.get_mut(kept..).unwrap_or_default().fill(0);
        zeroize::optimization_barrier(self.0.as_slice());
        self.0.truncate(kept);
    }
}

impl std::ops::Deref for Opened {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Opened {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fill(0);
        zeroize::optimization_barrier(self.0.as_slice());
    }
}

/// Which of a record's blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The largest form that is kept.
    Original,
    /// A thumbnail of this width class in pixels.
    Thumbnail(u16),
    /// A reference picture.
    Reference,
}

/// The name of the blob's file.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::Thumbnail(width) => write!(f, "thumbnail-{width}"),
            Self::Reference => f.write_str("reference"),
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let width = name.strip_prefix("thumbnail-").and_then(|width| width.parse().ok());
        let kinds = [Self::Original, Self::Reference].into_iter().chain(width.map(Self::Thumbnail));
        kinds.into_iter().find(|kind| kind.to_string() == name).ok_or_else(broken)
    }
}

/// Seals a blob.
///
/// # Errors
/// `Internal` when the cipher fails.
pub fn seal(key: &RecordKey, record: Id, kind: Kind, plain: &[u8]) -> Result<Vec<u8>> {
    let salt: [u8; SALT_BYTES] = rand::random();
    let header = [MAGIC, (plain.len() as u64).to_be_bytes()].concat();
    let cipher = Cipher::new(key, record, kind, &header, &salt)?;
    let chunks = chunk_count(plain.len() as u64);
    let mut sealed =
        Vec::with_capacity(HEADER_BYTES + SALT_BYTES + plain.len() + TAG_BYTES * chunk_capacity(chunks));
    sealed.extend_from_slice(&header);
    sealed.extend_from_slice(&salt);
    for index in 0..chunks {
        let from = chunk_capacity(index) * CHUNK_BYTES;
        let chunk = plain.get(from..plain.len().min(from + CHUNK_BYTES)).unwrap_or_default();
        let start = sealed.len();
        sealed.extend_from_slice(chunk);
        let part = sealed.get_mut(start..).unwrap_or_default();
        let tag = cipher.seal(index, index + 1 == chunks, part)?;
        sealed.extend_from_slice(&tag);
    }
    Ok(sealed)
}

/// Opens a whole blob.
///
/// # Errors
/// `Internal` when a byte of it is wrong or missing, or it is another record's or of another kind.
pub fn open(key: &RecordKey, record: Id, kind: Kind, sealed: &[u8]) -> Result<Opened> {
    open_range(key, record, kind, sealed, 0..plain_len(sealed)?)
}

/// Opens some bytes of a blob by opening only the chunks that hold them. The range is cut at the end of the blob.
///
/// # Errors
/// `Invalid` when the range starts behind the end; else as [`open`], for the chunks touched.
pub fn open_range(
    key: &RecordKey,
    record: Id,
    kind: Kind,
    sealed: &[u8],
    range: Range<u64>,
) -> Result<Opened> {
    let plain_bytes = plain_len(sealed)?;
    let (start, end) = (range.start, range.end.min(plain_bytes));
    if start > end || (start == plain_bytes && plain_bytes > 0) {
        return Err(Error::invalid("range", "The range lies outside the picture."));
    }
    let (header, rest) = sealed.split_at_checked(HEADER_BYTES).ok_or_else(broken)?;
    let (salt, body) = rest.split_at_checked(SALT_BYTES).ok_or_else(broken)?;
    let cipher = Cipher::new(key, record, kind, header, salt)?;
    let chunks = chunk_count(plain_bytes);
    // The length is not proven yet; it may be any number.
    if Some(body.len() as u64) != plain_bytes.checked_add(chunks * TAG_BYTES as u64) {
        return Err(broken());
    }
    let first = start / CHUNK_BYTES as u64;
    let last = end.saturating_sub(1).max(start) / CHUNK_BYTES as u64;
    let last = last.min(chunks - 1);
    let spanned = plain_bytes.min((last + 1) * CHUNK_BYTES as u64) - first * CHUNK_BYTES as u64;
    // Straight from the sealed bytes into their place: nothing is copied, and each page is touched once.
    let mut opened = Opened::zeroed(usize::try_from(spanned).map_err(|_| broken())?);
    for (index, place) in (first..=last).zip(places(&mut opened.0)) {
        let from = chunk_capacity(index) * (CHUNK_BYTES + TAG_BYTES);
        let chunk = body.get(from..from + place.len() + TAG_BYTES).ok_or_else(broken)?;
        cipher.open(index, index + 1 == chunks, chunk, place)?;
    }
    let skipped = usize::try_from(start - first * CHUNK_BYTES as u64).unwrap_or(0);
    opened.keep(skipped, usize::try_from(end - start).unwrap_or(usize::MAX));
    Ok(opened)
}

/// Length of the plain text of a sealed blob, as its header says; opening checks that it is true.
///
/// # Errors
/// `Internal` when it is not a sealed blob.
pub fn plain_len(sealed: &[u8]) -> Result<u64> {
    let header = sealed.first_chunk::<HEADER_BYTES>().ok_or_else(broken)?;
    let (magic, length) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(broken());
    }
    length.first_chunk().map(|length| u64::from_be_bytes(*length)).ok_or_else(broken)
}

/// Whether a file has the form of a sealed blob, by its first [`HEAD_BYTES`] and its length. Opening alone shows that it is one.
#[must_use]
pub fn has_sealed_form(head: &[u8], bytes: u64) -> bool {
    plain_len(head).is_ok_and(|plain| {
        let tags = chunk_count(plain).checked_mul(TAG_BYTES as u64);
        let sealed = tags.and_then(|tags| plain.checked_add(tags)?.checked_add(HEAD_BYTES as u64));
        sealed == Some(bytes)
    })
}

/// Where the plain text of each chunk goes; an empty blob has one empty place.
fn places(plain: &mut [u8]) -> Box<dyn Iterator<Item = &mut [u8]> + '_> {
    if plain.is_empty() { Box::new(std::iter::once(plain)) } else { Box::new(plain.chunks_mut(CHUNK_BYTES)) }
}

/// An empty blob has one empty chunk, so that it is authenticated too.
fn chunk_count(plain_bytes: u64) -> u64 {
    plain_bytes.div_ceil(CHUNK_BYTES as u64).max(1)
}

fn chunk_capacity(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX / (CHUNK_BYTES * 2))
}

fn broken() -> Error {
    Error::internal("a sealed file is broken")
}

struct Cipher {
    key: LessSafeKey,
    bound: Vec<u8>,
}

impl Cipher {
    fn new(key: &RecordKey, record: Id, kind: Kind, header: &[u8], salt: &[u8]) -> Result<Self> {
        let name = kind.to_string();
        let derived = derive(key.bytes(), &[b"blob ", name.as_bytes(), b" ", salt])?;
        let key = UnboundKey::new(&AES_256_GCM, &*derived).map_err(|_| broken())?;
        let bound = [header, record.as_bytes().as_slice(), name.as_bytes()].concat();
        Ok(Self { key: LessSafeKey::new(key), bound })
    }

    fn nonce(index: u64, last: bool) -> Nonce {
        let mut bytes = [0_u8; 12];
        bytes[..8].copy_from_slice(&index.to_be_bytes());
        bytes[11] = u8::from(last);
        Nonce::assume_unique_for_key(bytes)
    }

    fn seal(&self, index: u64, last: bool, chunk: &mut [u8]) -> Result<[u8; TAG_BYTES]> {
        let tag = self
            .key
            .seal_in_place_separate_tag(Self::nonce(index, last), Aad::from(&self.bound), chunk)
            .map_err(|_| Error::internal("sealing failed"))?;
        tag.as_ref().first_chunk().copied().ok_or_else(|| Error::internal("sealing failed"))
    }

    fn open(&self, index: u64, last: bool, chunk: &[u8], into: &mut [u8]) -> Result<()> {
        let (sealed, tag) = chunk.split_at_checked(into.len()).ok_or_else(broken)?;
        self.key
            .open_separate_gather(Self::nonce(index, last), Aad::from(&self.bound), sealed, tag, into)
            .map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 4] = [Kind::Original, Kind::Thumbnail(240), Kind::Thumbnail(720), Kind::Reference];

    fn plain(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (i * 31 % 251) as u8).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_range_of_what_was_sealed_opens_alike(bytes in 0_usize..200_000, a in 0_u64..200_000, b in 0_u64..200_000) {
            let (key, record, plain) = (RecordKey::random(), Id::random(), plain(bytes));
            let sealed = seal(&key, record, Kind::Original, &plain).unwrap();
            prop_assert_eq!(&*open(&key, record, Kind::Original, &sealed).unwrap(), &plain);
            let (start, end) = (a.min(b).min(bytes as u64), a.max(b).min(bytes as u64));
            if (start as usize) < bytes {
                let part = open_range(&key, record, Kind::Original, &sealed, start..end).unwrap();
                prop_assert_eq!(&part[..], &plain[start as usize..end as usize]);
            }
        }

        #[test]
        fn a_changed_byte_is_noticed(place in 0_usize..70_000, bit in 0_u8..8) {
            let (key, record) = (RecordKey::random(), Id::random());
            let mut sealed = seal(&key, record, Kind::Original, &plain(69_000)).unwrap();
            let place = place % sealed.len();
            sealed[place] ^= 1 << bit;
            prop_assert!(open(&key, record, Kind::Original, &sealed).is_err());
        }
    }

    #[test]
    fn blobs_cannot_be_cut_swapped_or_passed_off() {
        let (key, record) = (RecordKey::random(), Id::random());
        let plain = plain(3 * CHUNK_BYTES);
        let sealed = seal(&key, record, Kind::Original, &plain).unwrap();
        for cut in [0, 1, 15, 31, 32, 40, CHUNK_BYTES, sealed.len() - 1] {
            assert!(open(&key, record, Kind::Original, &sealed[..cut]).is_err(), "{cut}");
        }
        let (chunk, start) = (CHUNK_BYTES + TAG_BYTES, HEADER_BYTES + SALT_BYTES);
        let mut swapped = sealed.clone();
        swapped[start..start + 2 * chunk].rotate_left(chunk);
        assert!(open(&key, record, Kind::Original, &swapped).is_err());
        let mut endless = sealed.clone();
        endless[8..16].fill(0xff);
        assert!(open(&key, record, Kind::Original, &endless).is_err());
        assert!(open(&key, Id::random(), Kind::Original, &sealed).is_err());
        assert!(open(&RecordKey::random(), record, Kind::Original, &sealed).is_err());
        for kind in &KINDS[1..] {
            assert!(open(&key, record, *kind, &sealed).is_err());
        }
    }

    #[test]
    fn an_empty_blob_is_a_blob() {
        let (key, record) = (RecordKey::random(), Id::random());
        let sealed = seal(&key, record, Kind::Reference, b"").unwrap();
        assert!(open(&key, record, Kind::Reference, &sealed).unwrap().is_empty());
        assert!(open(&RecordKey::random(), record, Kind::Reference, &sealed).is_err());
    }
}
