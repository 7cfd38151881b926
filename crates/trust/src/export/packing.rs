//! This owns what an account takes along and under which names: documents first, then each picture with its thumbnail.

use std::fmt::Write;

use accounts::{Accounts, Line, day_text};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use kernel::clock::DAY_SECONDS;
use kernel::{Error, Id, Locale, Result};
use platform::blobs::Blobs;
use serde_json::Value;
use studio::{Keepsake, Studio};
use vault::Kind;

use super::archive::{Entry, Layout};
use super::held::held;
use super::index::{self, Shown};

/// Under this label the state of an export is fingerprinted.
const LABEL: &str = "export";
/// Characters of a model's name in the name of a file.
const MODEL_CHARS_MAX: usize = 40;

/// Everything that an account takes along, laid out and not yet opened.
pub(super) struct Parcel {
    pub(super) layout: Layout,
    /// What each file of the layout holds.
    pub(super) contents: Vec<Content>,
    /// How many pictures there are.
    pub(super) pictures: u32,
    /// Another one for anything that is different in it, in quotes.
    pub(super) etag: String,
}

/// What a file of the archive holds.
pub(super) enum Content {
    /// These bytes.
    Document(Bytes),
    /// A sealed file.
    Blob(Id, Kind),
}

impl Content {
    /// Whether it is a picture in full.
    pub(super) fn is_picture(&self) -> bool {
        matches!(self, Self::Blob(_, Kind::Original | Kind::Reference))
    }
}

/// Who takes along what, and in which language they read.
pub(super) struct Owner<'a> {
    pub(super) account: Id,
    pub(super) locale: Locale,
    /// Name of the site.
    pub(super) site: &'a str,
    pub(super) today: i64,
}

/// A picture as it lies in the archive.
pub(super) struct Picture {
    pub(super) keepsake: Keepsake,
    pub(super) name: String,
    bytes: u64,
    /// Its small form and the length of that, where there is one.
    pub(super) thumbnail: Option<(String, u64)>,
}

/// Lays out what an account takes along.
///
/// # Errors
/// As every read.
pub(super) async fn pack(accounts: &Accounts, studio: &Studio, owner: &Owner<'_>) -> Result<Parcel> {
    // First, since it grants the credits of the day.
    let balance = accounts.ledger().balance(owner.account).await?;
    let pictures = measure(studio.blobs(), studio.keepsakes(owner.account).await?).await?;
    let usage = accounts.usage(owner.account, i64::MIN).await?;
    let lines = accounts.ledger().lines(owner.account, u32::MAX).await?;
    let held = held(accounts, studio, owner.account, owner.locale, &pictures, &usage).await?;
    let shown = Shown { owner, balance, lines: &lines, usage: &usage, pictures: &pictures, held: &held };
    let json = serde_json::to_vec_pretty(&held)
        .map_err(|cause| Error::internal("an export cannot be written").because(cause))?;
    let documents = [
        ("index.html", index::page(&shown)?.into()),
        ("account.json", json.into()),
        ("ledger.csv", ledger(&lines).into()),
    ];
    parcel(studio, owner, documents, &pictures)
}

/// `account.json` alone, without a change to the account.
///
/// # Errors
/// As every read.
pub(crate) async fn account_json(accounts: &Accounts, studio: &Studio, account: Id) -> Result<Value> {
    let pictures = measure(studio.blobs(), studio.keepsakes(account).await?).await?;
    let usage = accounts.usage(account, i64::MIN).await?;
    let held = held(accounts, studio, account, Locale::English, &pictures, &usage).await?;
    serde_json::to_value(held).map_err(|cause| Error::internal("an export cannot be written").because(cause))
}

fn parcel(
    studio: &Studio,
    owner: &Owner<'_>,
    documents: [(&str, Bytes); 3],
    pictures: &[Picture],
) -> Result<Parcel> {
    let modified = owner.today * DAY_SECONDS;
    let mut files: Vec<(Entry, Content)> = documents
        .into_iter()
        .map(|(name, bytes)| {
            let entry = Entry { name: name.to_owned(), bytes: bytes.len() as u64, modified };
            (entry, Content::Document(bytes))
        })
        .collect();
    for Picture { keepsake, name, bytes, thumbnail } in pictures {
        let modified = keepsake.created_at;
        let entry = Entry { name: name.clone(), bytes: *bytes, modified };
        files.push((entry, Content::Blob(keepsake.id, keepsake.original())));
        if let Some((name, bytes)) = thumbnail {
            let entry = Entry { name: name.clone(), bytes: *bytes, modified };
            files.push((entry, Content::Blob(keepsake.id, keepsake.thumbnail())));
        }
    }
    let print = studio.blobs().keys().site().fingerprint(LABEL, &state(&files));
    let (entries, contents) = files.into_iter().unzip();
    Ok(Parcel {
        layout: Layout::of(entries)?,
        contents,
        pictures: u32::try_from(pictures.len()).unwrap_or(u32::MAX),
        etag: format!("\"{}\"", HEXLOWER.encode(&print)),
    })
}

/// What decides every byte of the archive: a sealed file is written once, so its name stands for what it holds.
fn state(files: &[(Entry, Content)]) -> Vec<u8> {
    let mut state = Vec::new();
    for (entry, content) in files {
        let numbers = [entry.name.len() as u64, entry.bytes, entry.modified.unsigned_abs()];
        state.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        state.extend_from_slice(entry.name.as_bytes());
        match content {
            Content::Document(bytes) => state.extend_from_slice(bytes),
            Content::Blob(record, kind) => {
                state.extend_from_slice(record.as_bytes());
                state.extend_from_slice(kind.to_string().as_bytes());
            }
        }
    }
    state
}

/// Names each picture and asks how long it is, without opening it. What has just been erased is left out.
async fn measure(blobs: &Blobs, keepsakes: Vec<Keepsake>) -> Result<Vec<Picture>> {
    let blobs = blobs.clone();
    let measured = move || keepsakes.into_iter().filter_map(|keepsake| packed(&blobs, keepsake)).collect();
    tokio::task::spawn_blocking(measured).await.map_err(|_| Error::internal("looking at pictures stopped"))
}

fn packed(blobs: &Blobs, keepsake: Keepsake) -> Option<Picture> {
    let bytes = blobs.plain_bytes(keepsake.id, keepsake.original()).ok()?;
    let thumbnail = blobs.plain_bytes(keepsake.id, keepsake.thumbnail()).ok();
    let thumbnail = thumbnail.map(|bytes| (format!("thumbnails/{}.webp", keepsake.id), bytes));
    Some(Picture { name: name(&keepsake), bytes, thumbnail, keepsake })
}

/// `pictures/2026-11-26/papercut-1024x1024-ID.png`: the day, and what tells pictures of a day apart.
fn name(Keepsake { id, created_at, made }: &Keepsake) -> String {
    let day = day_text(created_at.div_euclid(DAY_SECONDS));
    match made {
        Some(made) => {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            let model: String = made.model.chars().take(MODEL_CHARS_MAX).map(plain).collect();
            format!("pictures/{day}/{model}-{}x{}-{id}.png", made.width, made.height)
        }
        None => format!("references/{day}/{id}.png"),
    }
}

/// The ledger as a table for other programs, the oldest line first, with what could be spent after each.
fn ledger(lines: &[Line]) -> String {
    let mut table = "day,what,buckets,credits,change,balance\r\n".to_owned();
    let mut balance = 0;
    for Line { day, reason, buckets, credits, amount } in lines.iter().rev() {
        balance += amount;
        let (day, buckets) = (day_text(*day), buckets.replace(',', " "));
        let _ = write!(table, "{day},{reason},{buckets},{credits},{amount},{balance}\r\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(model: &str) -> studio::generation::Details {
        let failure = String::new();
        studio::generation::Details {
            failure,
            model: model.to_owned(),
            ratio: "1:1".to_owned(),
            width: 1024,
            height: 768,
            credits: 1,
        }
    }

    #[test]
    fn names_say_day_model_and_size_and_cannot_leave_their_folder() {
        let id = Id::from_bytes([1; 16]);
        let named = |made: Option<&str>| name(&Keepsake { id, created_at: 0, made: made.map(details) });
        assert_eq!(
            named(Some("papercut 1.0")),
            format!("pictures/1970-01-01/papercut-1-0-1024x768-{id}.png")
        );
        assert_eq!(named(None), format!("references/1970-01-01/{id}.png"));
        for hostile in ["../../etc/passwd", "C:\\x", "a/b", "模型", &"x".repeat(500)] {
            let name = named(Some(hostile));
            assert_eq!(name.matches('/').count(), 2, "{name}");
            assert!(name.is_ascii() && !name.contains("..") && name.len() < 120, "{name}");
        }
    }

    #[test]
    fn the_ledger_adds_up_line_by_line() {
        let line = |day, reason: &str, buckets: &str, credits, amount| Line {
            day,
            reason: reason.to_owned(),
            buckets: buckets.to_owned(),
            credits,
            amount,
        };
        let newest_first =
            [line(1, "capture", "daily,purchased", 3, -3), line(0, "grant", "purchased", 5, 5)];
        let wanted = "day,what,buckets,credits,change,balance\r\n1970-01-01,grant,purchased,5,5,5\r\n\
                      1970-01-02,capture,daily purchased,3,-3,2\r\n";
        assert_eq!(ledger(&newest_first), wanted);
    }
}
