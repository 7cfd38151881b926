//! This owns the answer of the X API v2: posts in `data`, people and media in `includes`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Entries, Entry, Media, PICTURES_PER_ARTWORK_MAX, count, day, id, media, text};
use crate::artwork::Origin;
use crate::extract::extract;

type Included<'a> = HashMap<&'a str, &'a Value>;

pub(super) fn entries(answer: &Map<String, Value>) -> Entries {
    let users = included(answer, "users", "id");
    let media_by_key = included(answer, "media", "media_key");
    let posts = answer.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    posts
        .iter()
        .filter(|post| own_post_of_reply(post).is_none())
        .map(|post| {
            let replies = posts
                .iter()
                .filter(|reply| own_post_of_reply(reply) == post.get("id").and_then(Value::as_str));
            entry(post, replies, &users, &media_by_key)
        })
        .collect()
}

/// The post that this one answers, where both are by the same author: authors often put the prompt there.
fn own_post_of_reply(post: &Value) -> Option<&str> {
    (post.get("in_reply_to_user_id").is_some() && post.get("in_reply_to_user_id") == post.get("author_id"))
        .then_some(())?;
    post.get("referenced_tweets")?
        .as_array()?
        .iter()
        .find(|reference| reference.get("type").and_then(Value::as_str) == Some("replied_to"))?
        .get("id")?
        .as_str()
}

fn entry<'a>(
    post: &Value,
    replies: impl Iterator<Item = &'a Value>,
    users: &Included<'_>,
    media_by_key: &Included<'_>,
) -> Result<Entry, &'static str> {
    let id = id(&text(post, &["id"]))?;
    let user = users.get(text(post, &["author_id"]).as_str());
    let handle = user.map(|user| text(user, &["username"])).unwrap_or_default();
    let attached: Vec<&&Value> = keys_of(post).filter_map(|key| media_by_key.get(key)).collect();
    let own = long_text(post);
    let alt_texts = attached.iter().map(|item| text(item, &["alt_text"]));
    let texts: Vec<String> = std::iter::once(own).chain(alt_texts).chain(replies.map(long_text)).collect();
    let metrics = post.get("public_metrics").unwrap_or(&Value::Null);
    Ok(Entry {
        origin: Some(Origin::X),
        prompt: extract(&texts.iter().map(String::as_str).collect::<Vec<_>>()),
        alt: attached
            .iter()
            .map(|item| text(item, &["alt_text"]))
            .find(|alt| !alt.is_empty())
            .unwrap_or_default(),
        lang: text(post, &["lang"]),
        creator_name: user.map(|user| text(user, &["name"])).unwrap_or_default(),
        source_url: if handle.is_empty() {
            String::new()
        } else {
            format!("https://x.com/{handle}/status/{id}")
        },
        creator_handle: handle,
        likes: count(metrics, "like_count"),
        views: count(metrics, "impression_count"),
        posted_day: day(&text(post, &["created_at"])),
        media: attached.iter().filter_map(|item| photo(item)).take(PICTURES_PER_ARTWORK_MAX).collect(),
        id,
        ..Entry::default()
    })
}

fn photo(item: &Value) -> Option<Media> {
    media(&text(item, &["url", "preview_image_url"]))
}

/// The text of a post; long posts carry it in `note_tweet`.
fn long_text(post: &Value) -> String {
    let note = post.get("note_tweet").map(|note| text(note, &["text"])).unwrap_or_default();
    if note.is_empty() { text(post, &["text"]) } else { note }
}

fn keys_of(post: &Value) -> impl Iterator<Item = &str> {
    post.pointer("/attachments/media_keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn included<'a>(answer: &'a Map<String, Value>, part: &str, key: &str) -> Included<'a> {
    answer
        .get("includes")
        .and_then(|includes| includes.get(part))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| Some((item.get(key)?.as_str()?, item)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authors_reply_and_alt_text_can_hold_the_prompt() {
        let answer = serde_json::json!({ "data": [
            { "id": "1", "author_id": "7", "text": "🦊" },
            { "id": "2", "author_id": "7", "text": "Prompt: a red fox in snow", "in_reply_to_user_id": "7",
              "referenced_tweets": [{ "type": "replied_to", "id": "1" }] },
            { "id": "3", "author_id": "8", "text": "", "attachments": { "media_keys": ["m"] } },
        ], "includes": { "media": [{ "media_key": "m", "url": "https://e.org/1.jpg", "alt_text": "a heron at dawn" }] } });
        let entries = entries(answer.as_object().unwrap());
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].as_ref().unwrap().prompt.as_ref().unwrap().prompt, "a red fox in snow");
        assert_eq!(entries[1].as_ref().unwrap().prompt.as_ref().unwrap().prompt, "a heron at dawn");
    }
}
