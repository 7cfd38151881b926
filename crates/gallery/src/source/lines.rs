//! This owns JSON lines: one artwork a line, for whatever an operator can export. The fields stand in `docs/import.md`.

use serde_json::Value;

use super::{Entries, Entry, PICTURES_PER_ARTWORK_MAX, count, day, id, media, text};
use crate::artwork::Origin;
use crate::extract::{Extracted, extract};

/// `None` when not one line is a JSON object.
pub(super) fn entries(lines: &str) -> Option<Entries> {
    let entries: Vec<(bool, Result<Entry, &'static str>)> = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(row) if row.is_object() => (true, entry(&row)),
            _ => (false, Err("the line is not a JSON object")),
        })
        .collect();
    entries
        .iter()
        .any(|(is_object, _)| *is_object)
        .then(|| entries.into_iter().map(|(_, entry)| entry).collect())
}

pub(super) fn entry(row: &Value) -> Result<Entry, &'static str> {
    let source_url = text(row, &["source_url", "url"]);
    let list = row.get("images").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let pictures = list.chain(row.get("image").and_then(Value::as_str));
    let prompt = text(row, &["prompt", "text"]);
    let origin = if source_url.starts_with("https://x.com/") { Origin::X } else { Origin::File };
    Ok(Entry {
        id: id(&text(row, &["id"]))?,
        origin: Some(origin),
        prompt: extract(&[&prompt]).map(|_| Extracted { title: text(row, &["title"]), prompt }),
        alt: text(row, &["alt", "title_en"]),
        lang: text(row, &["lang"]),
        creator_handle: text(row, &["author", "image_author", "creator"]).trim_start_matches('@').to_owned(),
        creator_name: text(row, &["author_name", "creator_name"]),
        licence: text(row, &["license", "licence"]),
        model: text(row, &["model", "creation_tool"]),
        category: text(row, &["category"]),
        likes: count(row, "likes"),
        views: count(row, "views"),
        posted_day: day(&text(row, &["date", "created_at"])),
        media: pictures.filter_map(media).take(PICTURES_PER_ARTWORK_MAX).collect(),
        source_url,
    })
}
