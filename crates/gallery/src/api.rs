//! This owns the gallery's JSON door: `GET /api/search` and `GET /api/images/{id}`, as existing clients expect them.

use axum::Json;
use axum::extract::{Path, Query, State};
use kernel::Result;
use platform::http::Reply;
use platform::statistics::{Counter, Visit};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Gallery;
use crate::artwork::{Artwork, ArtworkId, Shape};
use crate::discover::Browse;
use crate::store::{Filter, Order};

/// Artworks of one answer.
const LIMIT_MAX: usize = 50;
/// Artworks of one answer when the caller does not say.
const LIMIT_DEFAULT: usize = 20;

/// Query of `GET /api/search`; what is not listed here is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SearchQuery {
    q: String,
    limit: Option<usize>,
    offset: usize,
    sort_by: String,
    model: Option<String>,
    category: Option<String>,
    ratio: Option<String>,
}

/// `GET /api/search`.
pub async fn search(
    State(gallery): State<Gallery>,
    visit: Visit,
    Query(query): Query<SearchQuery>,
) -> Reply<Json<Value>> {
    let found = gallery.search_json(query).await?;
    visit.count(Counter::ProgramCall, None);
    Ok(Json(found))
}

/// `GET /api/images/{id}`.
pub async fn image(
    State(gallery): State<Gallery>,
    visit: Visit,
    Path(id): Path<String>,
) -> Reply<Json<Value>> {
    let artwork = gallery.get(&ArtworkId::parse(&id)?).await?;
    visit.count(Counter::ProgramCall, None);
    let mut answer = json!({ "success": true, "id": artwork.id.as_str(), "status": "completed", "prompt": artwork.prompt });
    answer["data"] = gallery.json(&artwork, 1.0);
    answer["imageUrl"] = answer["data"]["media_urls"][0].clone();
    answer["model"] = answer["data"]["model"].clone();
    Ok(Json(answer))
}

impl Gallery {
    /// The answer to a search, for the JSON door and the command line.
    ///
    /// # Errors
    /// As [`Gallery::browse`].
    pub async fn search_json(&self, query: SearchQuery) -> Result<Value> {
        let some = |value: Option<String>| value.filter(|value| !value.is_empty());
        let browse = Browse {
            query: query.q,
            filter: Filter {
                model: some(query.model),
                category: some(query.category),
                shape: query.ratio.and_then(|name| Shape::ALL.into_iter().find(|shape| shape.name() == name)),
            },
            order: if query.sort_by == "date" { Order::Newest } else { Order::Liked },
            offset: query.offset,
            limit: query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX),
        };
        let found = self.browse(&browse).await?;
        let rank = |place: usize| 1.0 / (1.0 + (browse.offset + place) as f64);
        let data: Vec<Value> = found
            .artworks
            .iter()
            .enumerate()
            .map(|(place, artwork)| self.json(artwork, rank(place)))
            .collect();
        Ok(json!({ "success": true, "data": data, "total": found.all }))
    }

    fn json(&self, artwork: &Artwork, rank: f64) -> Value {
        let address = |picture: &crate::artwork::ArtworkPicture, form: &str| {
            format!("{}/p/{}/{form}.webp", self.public_url, picture.record)
        };
        let first = artwork.pictures.first();
        let or_null = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        json!({
            "id": artwork.id.as_str(),
            "text": artwork.prompt,
            "thumbnail_url": first.map(|picture| address(picture, "480")),
            "media_urls": artwork.pictures.iter().map(|picture| address(picture, "full")).collect::<Vec<_>>(),
            "author_username": or_null(&artwork.creator_handle),
            "author_display_name": or_null(&artwork.creator_name),
            "likes": artwork.likes,
            "views": artwork.views,
            "model": or_null(&artwork.model),
            "prompt_ready": true,
            "image_width": first.map(|picture| picture.width),
            "image_height": first.map(|picture| picture.height),
            "rank": rank,
            "source_url": or_null(&artwork.source_url),
            "license": or_null(&artwork.licence),
        })
    }
}

impl SearchQuery {
    /// A search for words.
    #[must_use]
    pub fn words(words: String, limit: usize) -> Self {
        Self { q: words, limit: Some(limit), ..Self::default() }
    }
}
