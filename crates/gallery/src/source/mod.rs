//! This owns the files that artwork comes from: which form a file has, and the entries in it.
//! It does not fetch pictures or write anything.

mod files;
mod lines;
mod trending;
mod x_api;

use std::path::{Path, PathBuf};

use kernel::{Error, Kind, Result};
use serde_json::Value;

use crate::artwork::{ArtworkId, Origin};
use crate::extract::Extracted;
pub use files::{Files, Folder, NoFiles, SharedFiles, Unread};

/// Bytes of a file that is imported.
pub(crate) const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Pictures of one post that are taken.
pub const PICTURES_PER_ARTWORK_MAX: usize = 4;

/// One artwork as a source tells of it. Empty text and `None` mean that the source does not say.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Public id.
    pub id: String,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// Prompt and title; `None` when no text of the entry could be a prompt.
    pub prompt: Option<Extracted>,
    /// What its pictures show, as their creator described it.
    pub alt: String,
    /// Language of the text, as the source says.
    pub lang: String,
    /// Handle of the creator, without `@`.
    pub creator_handle: String,
    /// Name of the creator.
    pub creator_name: String,
    /// Address of the post.
    pub source_url: String,
    /// Licence.
    pub licence: String,
    /// Model that made the picture.
    pub model: String,
    /// Category.
    pub category: String,
    /// Likes.
    pub likes: i64,
    /// Views.
    pub views: i64,
    /// Day since 1970-01-01.
    pub posted_day: Option<i64>,
    /// Pictures.
    pub media: Vec<Media>,
}

/// Where a picture of an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// A file, by its name in the folder of the imported file.
    File(PathBuf),
    /// An address.
    Remote(String),
}

/// The entries of a file, with what made one unreadable where that is so.
pub type Entries = Vec<std::result::Result<Entry, &'static str>>;

/// Why the imported file itself was not read.
pub(crate) fn unread(why: Unread) -> Error {
    match why {
        Unread::TooLarge => Error::new(Kind::TooLarge, "The file is larger than 512 MiB. Please split it."),
        Unread::Missing | Unread::Unreadable => {
            Error::invalid("file", "The file cannot be read. Check its name and that you may read it.")
        }
    }
}

/// Reads what stands in a file in any of the known forms, told apart by what is in it.
///
/// # Errors
/// `Invalid` when it is no text or has none of the forms.
pub fn read(bytes: &[u8]) -> Result<Entries> {
    let text = std::str::from_utf8(bytes).map_err(|cause| {
        Error::invalid("file", "The file cannot be read as UTF-8 text. Check its name and its encoding.")
            .because(cause)
    })?;
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(answer)) if answer.get("data").is_some_and(Value::is_array) => {
            Ok(x_api::entries(&answer))
        }
        Ok(Value::Array(rows)) => Ok(rows.iter().map(|row| trending::entry(row)).collect()),
        Ok(Value::Object(row)) => Ok(vec![lines::entry(&Value::Object(row))]),
        _ => lines::entries(text).ok_or_else(|| {
            Error::invalid(
                "file",
                "The file has none of the known forms: an X API v2 answer, a JSON list of prompts, or one JSON object a line.",
            )
        }),
    }
}

/// A picture named in a file: an address, or a file beside it.
fn media(name: &str) -> Option<Media> {
    if name.starts_with("https://") || name.starts_with("http://") {
        return Some(Media::Remote(name.to_owned()));
    }
    let file = Path::new(name);
    files::stays_inside(file).then(|| Media::File(file.to_owned()))
}

fn text(row: &Value, names: &[&str]) -> String {
    names.iter().find_map(|name| row.get(name)?.as_str()).unwrap_or_default().trim().to_owned()
}

fn count(row: &Value, name: &str) -> i64 {
    row.get(name).and_then(Value::as_i64).unwrap_or(0).max(0)
}

fn day(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    Some(date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days().into())
}

fn id(text: &str) -> std::result::Result<String, &'static str> {
    ArtworkId::parse(text).map(|id| id.as_str().to_owned()).map_err(|_| "its id is missing or not an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Entries> {
        read(text.as_bytes())
    }

    #[test]
    fn each_form_is_told_by_its_content() {
        let x = r#"{"data":[{"id":"1","author_id":"7","text":"a red fox in snow","attachments":{"media_keys":["3_1"]},"created_at":"2025-04-08T01:27:21.000Z"}],
            "includes":{"users":[{"id":"7","username":"ada","name":"Ada"}],"media":[{"media_key":"3_1","type":"photo","url":"media/1.png"}]}}"#;
        let entry = read_text(x).unwrap().remove(0).unwrap();
        assert_eq!(
            (entry.creator_handle.as_str(), entry.media.len(), entry.posted_day),
            ("ada", 1, Some(20186))
        );
        assert_eq!(entry.source_url, "https://x.com/ada/status/1");

        let trending = r#"[{"id":"2","prompt":"a blue fox in snow","author":"bob","likes":5,"views":9,"images":["https://e.org/0.jpg"],"model":"m","categories":["C"],"date":"2026-02-01"}]"#;
        let entry = read_text(trending).unwrap().remove(0).unwrap();
        assert_eq!((entry.likes, entry.model.as_str(), entry.category.as_str()), (5, "m", "C"));

        let lines = "{\"id\":\"3\",\"prompt\":\"a grey fox in snow\"}\nnot json\n{\"id\":\"../x\",\"prompt\":\"p\"}\n";
        let entries = read_text(lines).unwrap();
        assert_eq!(entries.len(), 3);
        assert!(entries[0].is_ok() && entries[1].is_err() && entries[2].is_err());
    }

    #[test]
    fn other_files_are_refused_with_the_forms_named() {
        for text in ["", "hello", "12", "<html>"] {
            assert!(read_text(text).unwrap_err().public.contains("X API"), "{text}");
        }
        assert!(read(b"\xff{}").unwrap_err().public.contains("UTF-8"));
    }

    #[test]
    fn pictures_stay_beside_the_file() {
        assert_eq!(media("media/1.png"), Some(Media::File("media/1.png".into())));
        for name in ["../1.png", "/etc/passwd", "a/../../b", ""] {
            assert_eq!(media(name), None, "{name}");
        }
    }
}
