//! This owns sending an archive: one file after another is opened, held in memory while it is taken, and wiped. Nothing is
//! written anywhere. Where a picture is gone meanwhile, the answer breaks off between two files, which the other side notices,
//! since its length was told before.

use std::collections::VecDeque;
use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use kernel::{Error, Result};
use platform::blobs::Blobs;

use super::archive::Part;
use super::packing::{Content, Parcel};
use super::running::{Claim, Packed, Whole};

/// An archive on its way.
pub(super) struct Sending {
    parcel: Parcel,
    blobs: Blobs,
    claim: Claim,
    /// Sums of the files that were opened.
    crcs: Vec<Option<u32>>,
    /// What has not been made yet.
    left: Range<u64>,
    /// What is made and has not been taken.
    ready: VecDeque<Bytes>,
    packed: Packed,
}

impl Sending {
    /// Some bytes of an archive.
    pub(super) fn new(parcel: Parcel, blobs: Blobs, claim: Claim, range: Range<u64>) -> Self {
        let before = match parcel.layout.part_at(range.start) {
            Part::File(file) => file,
            Part::Directory => parcel.contents.len(),
        };
        let packed = parcel.contents.iter().take(before).filter(|content| content.is_picture()).count();
        let packed = Packed {
            packed: u32::try_from(packed).unwrap_or(u32::MAX),
            of: parcel.pictures,
            whole: Whole::NotYet,
        };
        let crcs = vec![None; parcel.contents.len()];
        Self { parcel, blobs, claim, crcs, left: range, ready: VecDeque::new(), packed }
    }

    /// The body of an answer that makes each part when the one before it has been taken.
    pub(super) fn into_body(self) -> Body {
        Body::from_stream(futures_util::stream::unfold(Some(self), |sending| async move {
            let mut sending: Self = sending?;
            match sending.next().await {
                Ok(bytes) => Some((Ok(bytes?), Some(sending))),
                Err(error) => {
                    sending.claim.log().failure(&error);
                    Some((Err(error), None))
                }
            }
        }))
    }

    /// The next bytes; nothing after the last.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.ready.is_empty() && !self.left.is_empty() {
            self.make().await?;
        }
        let next = self.ready.pop_front();
        if self.ready.is_empty() && self.left.start == self.parcel.layout.bytes() {
            self.packed.whole = Whole::Sent;
        }
        self.claim.move_on(self.packed)?;
        Ok(next)
    }

    /// Makes the part with which what is left begins.
    async fn make(&mut self) -> Result<()> {
        let part = self.parcel.layout.part_at(self.left.start);
        let mut at = self.parcel.layout.start(part);
        let made = match part {
            Part::File(file) => self.file(file).await?.to_vec(),
            Part::Directory => vec![self.directory().await?],
        };
        for bytes in made {
            let end = at + bytes.len() as u64;
            let (from, to) = (self.left.start.clamp(at, end) - at, self.left.end.clamp(at, end) - at);
            if let (Ok(from), Ok(to), true) = (usize::try_from(from), usize::try_from(to), from < to) {
                self.ready.push_back(bytes.slice(from..to));
            }
            at = end;
        }
        self.left.start = at.min(self.left.end);
        Ok(())
    }

    /// A file with its head.
    async fn file(&mut self, file: usize) -> Result<[Bytes; 2]> {
        let content = self.open(file).await?;
        if self.parcel.contents.get(file).is_some_and(Content::is_picture) {
            self.packed.packed += 1;
        }
        let crc = self.crcs.get(file).copied().flatten().unwrap_or_default();
        Ok([self.parcel.layout.head(file, crc).into(), content])
    }

    /// The list of files. Those before the first byte that was asked for are opened for their sums alone.
    async fn directory(&mut self) -> Result<Bytes> {
        for file in 0..self.crcs.len() {
            if self.crcs.get(file).is_some_and(Option::is_none) {
                self.open(file).await?;
                self.claim.move_on(self.packed)?;
            }
        }
        let crcs: Vec<u32> = self.crcs.iter().map(|crc| crc.unwrap_or_default()).collect();
        Ok(self.parcel.layout.directory(&crcs).into())
    }

    /// What a file holds; its sum is noted.
    async fn open(&mut self, file: usize) -> Result<Bytes> {
        let missing = || Error::internal("an archive has fewer files than were listed");
        let content = match self.parcel.contents.get(file).ok_or_else(missing)? {
            Content::Document(bytes) => bytes.clone(),
            Content::Blob(record, kind) => {
                // The key is asked for now and not before: a picture that was erased meanwhile has none.
                let (record, kind, blobs) = (*record, *kind, self.blobs.clone());
                let key = blobs.keys().get(record).await?;
                let opened = tokio::task::spawn_blocking(move || blobs.open_under(&key, record, kind));
                Bytes::from_owner(opened.await.map_err(|_| Error::internal("opening a picture stopped"))??)
            }
        };
        let told = self.parcel.layout.entries().get(file).map(|entry| entry.bytes);
        if told != Some(content.len() as u64) {
            return Err(Error::internal("a picture is not as long as its file says"));
        }
        *self.crcs.get_mut(file).ok_or_else(missing)? = Some(crc32fast::hash(&content));
        Ok(content)
    }
}
