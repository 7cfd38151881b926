//! This owns the trending-prompts list: a JSON array of posts with prompt, author, counts and picture addresses.

use serde_json::Value;

use super::{Entry, PICTURES_PER_ARTWORK_MAX, count, day, id, media, text};
use crate::artwork::Origin;
use crate::extract::{Extracted, extract};

/// Licence under which the list is published.
const LICENCE: &str = "CC-BY-4.0";

pub(super) fn entry(row: &Value) -> Result<Entry, &'static str> {
    let list =
        |name: &str| row.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let prompt = text(row, &["prompt"]);
    let single = text(row, &["image"]);
    let pictures: Vec<&str> =
        list("images").chain((list("images").count() == 0).then_some(single.as_str())).collect();
    Ok(Entry {
        id: id(&text(row, &["id"]))?,
        origin: Some(Origin::X),
        // The list gives prompts as such: they are kept whole, without looking for one inside.
        prompt: extract(&[&prompt]).map(|_| Extracted { title: String::new(), prompt }),
        creator_handle: text(row, &["author"]),
        creator_name: text(row, &["author_name"]),
        source_url: text(row, &["source_url"]),
        licence: LICENCE.to_owned(),
        model: text(row, &["model"]),
        category: list("categories").next().unwrap_or_default().to_owned(),
        likes: count(row, "likes"),
        views: count(row, "views"),
        posted_day: day(&text(row, &["date"])),
        media: pictures.into_iter().filter_map(media).take(PICTURES_PER_ARTWORK_MAX).collect(),
        ..Entry::default()
    })
}
