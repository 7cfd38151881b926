//! This owns bringing artwork in: each entry becomes pictures, rows and an index entry, and a second run changes nothing.
//! What stops half-way is resumed by running it again: entries are kept in small batches, each whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use imaging::Picture;
use kernel::limits::PICTURE_BYTES_MAX;
use kernel::{Error, Id, Kind, Result};
use platform::db::Writing;
use platform::keys::{Erased, Keys, NewKey};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::Gallery;
use crate::artwork::{ArtworkPicture, prompt_language};
use crate::fetch::Reason;
use crate::source::{self, Entry, Media, SharedFiles, Unread};
use crate::store::{self, NewPicture};

/// Entries that are committed together.
const BATCH_ENTRIES: usize = 32;
/// Ids that a report names for each reason.
const EXAMPLES_MAX: usize = 5;
/// Longer side of the largest form that is served.
const FULL_SIDE_MAX: u32 = 2048;

/// What an import has done so far or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Entries in the file.
    pub entries: u64,
    /// Artworks that are new.
    pub added: u64,
    /// Artworks that said something new.
    pub updated: u64,
    /// Entries that were known already.
    pub unchanged: u64,
    /// Entries that were not taken, by reason.
    pub skipped: BTreeMap<String, Tally>,
    /// Artworks kept with their prompt alone, by reason.
    pub without_picture: BTreeMap<String, Tally>,
}

/// How often something happened, and to which ids for example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The first few ids; an entry without one is named by its place in the file.
    pub examples: Vec<String>,
}

impl Tally {
    fn add(&mut self, id: String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(id);
        }
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Reading the file.
    Reading,
    /// Taking entries in.
    Importing,
}

/// A step of an import, for a progress bar.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Tick {
    /// What is being done.
    pub phase: Phase,
    /// Entries done.
    pub done: u64,
    /// Entries in all; 0 when not known yet.
    pub all: u64,
}

/// An entry whose pictures are sealed on the disk, ready for the database.
struct Prepared {
    entry: Entry,
    digest: [u8; 32],
    lang: String,
    pictures: Vec<NewPicture>,
    /// Why there is no picture.
    missing: Option<Reason>,
}

/// Why an entry cannot be read; a type of its own, as a stream of borrowed text is not `Send` to the compiler.
struct Unreadable(Reason);

fn numbered(entries: source::Entries) -> Vec<(u64, std::result::Result<Entry, Unreadable>)> {
    (1..).zip(entries.into_iter().map(|entry| entry.map_err(Unreadable))).collect()
}

enum Outcome {
    Ready(Box<Prepared>),
    Unchanged,
    Skipped { id: String, reason: Reason },
}

impl Gallery {
    /// Imports a file by its name among `files`, telling of each entry; stops between entries once `tick` returns an
    /// error.
    ///
    /// # Errors
    /// `Invalid` for a file that cannot be read, `StorageFull` on a full disk, or what `tick` returned. Whatever was
    /// reported as done stays.
    pub async fn import(
        &self,
        name: &Path,
        files: SharedFiles,
        tick: impl Fn(Tick) -> Result<()>,
    ) -> Result<Report> {
        tick(Tick { phase: Phase::Reading, done: 0, all: 0 })?;
        let bytes = files.read(name, source::FILE_BYTES_MAX).await.map_err(source::unread)?;
        let entries = tokio::task::spawn_blocking(move || source::read(&bytes))
            .await
            .map_err(|_| Error::internal("reading an import file stopped"))??;
        self.take_in(entries, files, tick).await
    }

    /// Takes entries in, as [`Gallery::import`] does with those of a file.
    ///
    /// # Errors
    /// As [`Gallery::import`].
    pub async fn take_in(
        &self,
        entries: source::Entries,
        files: SharedFiles,
        tick: impl Fn(Tick) -> Result<()>,
    ) -> Result<Report> {
        self.fetcher.start_run();
        let all = entries.len() as u64;
        let mut report = Report { entries: all, ..Report::default() };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new(cores));
        // Tasks of their own, so that pictures are made while a batch is committed.
        let outcomes = futures_util::stream::iter(numbered(entries))
            .map(|(place, entry)| {
                let (gallery, turns, files) = (self.clone(), Arc::clone(&turns), Arc::clone(&files));
                AbortOnDropHandle::new(tokio::spawn(async move {
                    gallery.prepare(place, entry, &turns, &files).await
                }))
            })
            .buffered(BATCH_ENTRIES)
            .map(|ended| ended.unwrap_or_else(|_| Err(Error::internal("taking in an entry stopped"))));
        let mut batches = std::pin::pin!(outcomes.ready_chunks(BATCH_ENTRIES));
        let mut done = 0;
        while let Some(batch) = batches.next().await {
            done += batch.len() as u64;
            self.keep(batch, &mut report).await?;
            tick(Tick { phase: Phase::Importing, done, all })?;
        }
        Ok(report)
    }

    /// Takes in one artwork whose picture was made here.
    ///
    /// # Errors
    /// `StorageFull` on a full disk.
    pub async fn add_own(&self, entry: Entry, picture: Picture) -> Result<()> {
        let digest = digest(&entry);
        let lang = language(&entry);
        let pictures = vec![self.seal_picture(picture).await?];
        let ready = Prepared { entry, digest, lang, pictures, missing: None };
        self.keep(vec![Ok(Outcome::Ready(Box::new(ready)))], &mut Report::default()).await
    }

    async fn prepare(
        &self,
        place: u64,
        entry: std::result::Result<Entry, Unreadable>,
        turns: &Semaphore,
        files: &SharedFiles,
    ) -> Result<Outcome> {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(Unreadable(reason)) => return Ok(Outcome::Skipped { id: format!("entry {place}"), reason }),
        };
        if entry.prompt.is_none() {
            return Ok(Outcome::Skipped {
                id: entry.id,
                reason: "no text of it could be a prompt, or it is too long",
            });
        }
        let digest = digest(&entry);
        let known = store::has_entry(&self.db, &digest).await?;
        let id = crate::artwork::ArtworkId::parse(&entry.id)?;
        let has_picture =
            store::find(&self.db, &id).await?.is_some_and(|artwork| !artwork.pictures.is_empty());
        if known && (has_picture || entry.media.is_empty()) {
            return Ok(Outcome::Unchanged);
        }
        let turn = turns.acquire().await.map_err(|_| Error::internal("an import has no turns"))?;
        let (pictures, missing) = self.pictures_of(std::mem::take(&mut entry.media), files).await?;
        drop(turn);
        if known && pictures.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let missing = missing.filter(|_| pictures.is_empty() && !has_picture);
        let lang = language(&entry);
        Ok(Outcome::Ready(Box::new(Prepared { entry, digest, lang, pictures, missing })))
    }

    /// The pictures that could be had, sealed on the disk, and why another could not.
    async fn pictures_of(
        &self,
        media: Vec<Media>,
        files: &SharedFiles,
    ) -> Result<(Vec<NewPicture>, Option<Reason>)> {
        let mut missing = media.is_empty().then_some("its source names no picture");
        let mut pictures = Vec::new();
        for medium in media {
            match self.decoded(medium, files).await? {
                Ok(picture) => pictures.push(self.seal_picture(picture).await?),
                Err(reason) => missing = Some(reason),
            }
        }
        Ok((pictures, missing))
    }

    async fn decoded(
        &self,
        medium: Media,
        files: &SharedFiles,
    ) -> Result<std::result::Result<Picture, Reason>> {
        let bytes = match medium {
            Media::File(name) => files.read(&name, PICTURE_BYTES_MAX as u64).await.map_err(unread),
            Media::Remote(address) => self.fetcher.get(&address).await,
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(reason) => return Ok(Err(reason)),
        };
        let decoded = tokio::task::spawn_blocking(move || imaging::decode(&bytes))
            .await
            .map_err(|_| Error::internal("decoding a picture stopped"))?;
        Ok(decoded.map_err(|error| match error.kind {
            Kind::TooLarge => "its picture is too large",
            Kind::Unsupported => "its picture is of no known format",
            _ => "its picture is broken",
        }))
    }

    async fn seal_picture(&self, picture: Picture) -> Result<NewPicture> {
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || {
            let key = NewKey::random();
            let full = imaging::fit(&picture, FULL_SIDE_MAX)?;
            let print = imaging::fingerprint(&picture);
            let original = imaging::encode_webp(&full, imaging::Quality::FULL)?;
            blobs.write_picture(key.record(), &key.key()?, &picture, original)?;
            let (width, height) = (full.width, full.height);
            let placeholder = imaging::placeholder(&picture);
            Ok(NewPicture {
                picture: ArtworkPicture { record: key.record(), width, height, placeholder },
                pdq: print.pdq.to_vec(),
                dhash: print.dhash.to_vec(),
                key,
            })
        })
        .await
        .map_err(|_| Error::internal("sealing a picture stopped"))?
    }

    /// Writes a batch, then indexes it. The keys of pictures that it replaces go with it.
    async fn keep(&self, batch: Vec<Result<Outcome>>, report: &mut Report) -> Result<()> {
        let mut ready = Vec::new();
        for outcome in batch {
            match outcome? {
                Outcome::Unchanged => report.unchanged += 1,
                Outcome::Skipped { id, reason } => {
                    report.skipped.entry(reason.to_owned()).or_default().add(id);
                }
                Outcome::Ready(one) => ready.push(*one),
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        let (keys, today) = (self.blobs.keys().clone(), self.clock.today());
        let kept = self.blobs.keys().turn(move |writing| {
            Box::pin(async move {
                let (mut kept, mut replaced) = (Vec::new(), Vec::new());
                for one in ready {
                    kept.push(write(writing, &keys, one, today, &mut replaced).await?);
                }
                Ok((kept, replaced))
            })
        });
        let Erased { value: kept, records: replaced, .. } = kept.await?;
        if !replaced.is_empty() {
            self.blobs.sweep_soon();
        }
        let records: Vec<Id> = kept.iter().flat_map(|one| one.records.iter().copied()).collect();
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.settle(&records))
            .await
            .map_err(|_| Error::internal("settling pictures stopped"))??;
        self.index_rows(&kept.iter().map(|one| one.key).collect::<Vec<_>>()).await?;
        for one in kept {
            if one.known {
                report.updated += 1
            } else {
                report.added += 1
            }
            if let Some(reason) = one.missing {
                report.without_picture.entry(reason.to_owned()).or_default().add(one.id);
            }
        }
        Ok(())
    }
}

/// What became of an entry.
struct Kept {
    id: String,
    key: i64,
    known: bool,
    missing: Option<Reason>,
    records: Vec<Id>,
}

async fn write(
    writing: &mut Writing,
    keys: &Keys,
    ready: Prepared,
    today: i64,
    replaced: &mut Vec<Id>,
) -> Result<Kept> {
    let known = store::find_key(writing, &ready.entry.id).await?.is_some();
    let key = store::upsert(writing, &ready.entry, &ready.lang, today).await?;
    if !ready.pictures.is_empty() {
        replaced.extend(store::replace_pictures(writing, key, &ready.pictures).await?);
    }
    for picture in &ready.pictures {
        keys.insert(writing, &picture.key).await?;
    }
    store::insert_entry(writing, &ready.digest, key).await?;
    let records = ready.pictures.iter().map(|new| new.picture.record).collect();
    Ok(Kept { id: ready.entry.id, key, known, missing: ready.missing, records })
}

fn unread(why: Unread) -> Reason {
    match why {
        Unread::Missing => "its picture file is missing",
        Unread::TooLarge => "its picture is larger than 32 MiB",
        Unread::Unreadable => "its picture file cannot be read",
    }
}

fn language(entry: &Entry) -> String {
    prompt_language(entry.prompt.as_ref().map_or("", |found| &found.prompt), &entry.lang)
}

/// A digest of all that an entry says, so that it is known when it comes again.
fn digest(entry: &Entry) -> [u8; 32] {
    let text = format!("{entry:?}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}
