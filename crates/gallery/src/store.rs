//! This owns all SQL for artworks. Every list that a visitor sees is read here, at the time it is shown.

use std::collections::HashSet;

use kernel::{Id, Result};
use platform::db::{Db, Writing, sql};
use platform::keys::NewKey;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::artwork::{Artwork, ArtworkId, ArtworkPicture, Origin, Shape};
use crate::source::Entry;

const COLUMNS: &str = "a.key, a.id, a.origin, a.title, a.alt, a.prompt, a.prompt_lang, a.creator_handle, a.creator_name, \
     a.source_url, a.licence, a.model, a.category, a.likes, a.views, a.posted_day, a.snapshot_day";

/// Distinct values offered as filters.
const FACETS_MAX: i64 = 12;

/// Which artworks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this model.
    pub model: Option<String>,
    /// Only those of this category.
    pub category: Option<String>,
    /// Only those of this shape.
    pub shape: Option<Shape>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Most liked first.
    #[default]
    Liked,
    /// Newest first.
    Newest,
}

/// A picture to be inserted with its artwork.
pub(crate) struct NewPicture {
    /// What is shown and served.
    pub picture: ArtworkPicture,
    /// Perceptual hash for interchange.
    pub pdq: Vec<u8>,
    /// Perceptual hash of gradients.
    pub dhash: Vec<u8>,
    /// What its files are sealed under.
    pub key: NewKey,
}

fn filtered(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    for (column, value) in [("model", &filter.model), ("category", &filter.category)] {
        if let Some(value) = value {
            query.push(format!(" AND a.{column} = ")).push_bind(value.clone());
        }
    }
    if let Some(shape) = filter.shape {
        query.push(" AND a.shape = ").push_bind(shape.name());
    }
}

/// How many artworks pass the filter.
pub(crate) async fn count(db: &Db, filter: &Filter) -> Result<u64> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM artwork a WHERE true");
    filtered(&mut query, filter);
    let count: i64 = query.build_query_scalar().fetch_one(db.read()).await.map_err(sql)?;
    Ok(count.unsigned_abs())
}

/// One page of the artworks that pass the filter; those with a picture come first.
pub(crate) async fn list(
    db: &Db,
    filter: &Filter,
    order: Order,
    offset: usize,
    limit: usize,
) -> Result<Vec<Artwork>> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM artwork a WHERE true"));
    filtered(&mut query, filter);
    query.push(" ORDER BY a.shape = ''");
    query.push(match order {
        Order::Newest => ", a.posted_day DESC, a.key DESC",
        Order::Liked => ", a.likes DESC, a.posted_day DESC, a.key DESC",
    });
    query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(0));
    query.push(" OFFSET ").push_bind(i64::try_from(offset).unwrap_or(i64::MAX));
    let rows = query.build().fetch_all(db.read()).await.map_err(sql)?;
    with_pictures(db, &rows).await
}

/// Those of the candidates that exist and pass the filter, in the order given.
pub(crate) async fn list_candidates(db: &Db, keys: &[i64], filter: &Filter) -> Result<Vec<Artwork>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM artwork a WHERE a.key IN ("));
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(*key);
    }
    query.push(")");
    filtered(&mut query, filter);
    let rows = query.build().fetch_all(db.read()).await.map_err(sql)?;
    let mut artworks = with_pictures(db, &rows).await?;
    artworks.sort_by_key(|artwork| keys.iter().position(|key| *key == artwork.key));
    Ok(artworks)
}

/// Keys of the candidates that exist and pass the filter, in the order given.
pub(crate) async fn filter_candidates(db: &Db, keys: &[i64], filter: &Filter) -> Result<Vec<i64>> {
    let mut query = QueryBuilder::new("SELECT a.key FROM artwork a WHERE a.key IN (");
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(*key);
    }
    query.push(")");
    filtered(&mut query, filter);
    let found: Vec<i64> = query.build_query_scalar().fetch_all(db.read()).await.map_err(sql)?;
    let found: HashSet<i64> = found.into_iter().collect();
    Ok(keys.iter().copied().filter(|key| found.contains(key)).collect())
}

/// The artwork with this id.
pub(crate) async fn find(db: &Db, id: &ArtworkId) -> Result<Option<Artwork>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM artwork a WHERE a.id = ?")))
        .bind(id.as_str())
        .fetch_all(db.read())
        .await
        .map_err(sql)?;
    Ok(with_pictures(db, &rows).await?.pop())
}

/// The values of a column by which visitors may filter, the most frequent first.
pub(crate) async fn facets(db: &Db, column: Facet) -> Result<Vec<String>> {
    let column = match column {
        Facet::Model => "model",
        Facet::Category => "category",
    };
    let text = format!(
        "SELECT {column} FROM artwork WHERE {column} <> '' GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT ?"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(text)).bind(FACETS_MAX).fetch_all(db.read()).await.map_err(sql)
}

/// A column by which visitors may filter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Facet {
    Model,
    Category,
}

/// Keys of every artwork, to hold the search index against.
pub(crate) async fn keys(db: &Db) -> Result<Vec<i64>> {
    sqlx::query_scalar("SELECT key FROM artwork ORDER BY key").fetch_all(db.read()).await.map_err(sql)
}

/// Keys of the artworks that the search index does not hold as they are.
pub(crate) async fn list_stale(db: &Db) -> Result<Vec<i64>> {
    sqlx::query_scalar("SELECT key FROM artwork WHERE indexed = 0").fetch_all(db.read()).await.map_err(sql)
}

/// Remembers that the search index holds these artworks as they are.
pub(crate) async fn mark_indexed(writing: &mut Writing, keys: &[i64]) -> Result<()> {
    for key in keys {
        sqlx::query("UPDATE artwork SET indexed = 1 WHERE key = ?")
            .bind(key)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    Ok(())
}

/// The vault records of an artwork's pictures that exist in the database.
pub(crate) async fn picture_records(db: &Db) -> Result<Vec<Id>> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM artwork_picture").fetch_all(db.read()).await.map_err(sql)?;
    rows.iter().map(|record| Id::from_column(record)).collect()
}

/// Whether a picture belongs to an artwork that still exists.
pub(crate) async fn has_picture(db: &Db, record: Id) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM artwork_picture WHERE record = ?")
        .bind(record.as_bytes().as_slice())
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    Ok(found.is_some())
}

async fn with_pictures(db: &Db, rows: &[SqliteRow]) -> Result<Vec<Artwork>> {
    let mut artworks = rows.iter().map(artwork).collect::<Result<Vec<_>>>()?;
    if artworks.is_empty() {
        return Ok(artworks);
    }
    let mut query = QueryBuilder::new(
        "SELECT artwork, record, width, height, placeholder FROM artwork_picture WHERE artwork IN (",
    );
    let mut list = query.separated(", ");
    for artwork in &artworks {
        list.push_bind(artwork.key);
    }
    query.push(") ORDER BY artwork, position");
    for row in query.build().fetch_all(db.read()).await.map_err(sql)? {
        let key: i64 = row.try_get("artwork").map_err(sql)?;
        let picture = ArtworkPicture {
            record: Id::from_column(row.try_get("record").map_err(sql)?)?,
            width: row.try_get("width").map_err(sql)?,
            height: row.try_get("height").map_err(sql)?,
            placeholder: row.try_get("placeholder").map_err(sql)?,
        };
        if let Some(artwork) = artworks.iter_mut().find(|artwork| artwork.key == key) {
            artwork.pictures.push(picture);
        }
    }
    Ok(artworks)
}

fn artwork(row: &SqliteRow) -> Result<Artwork> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(sql);
    let number = |column: &str| row.try_get::<i64, _>(column).map_err(sql);
    Ok(Artwork {
        key: number("key")?,
        id: ArtworkId::parse(&text("id")?)?,
        origin: Origin::from_name(&text("origin")?),
        title: text("title")?,
        alt: text("alt")?,
        prompt: text("prompt")?,
        prompt_lang: text("prompt_lang")?,
        creator_handle: text("creator_handle")?,
        creator_name: text("creator_name")?,
        source_url: text("source_url")?,
        licence: text("licence")?,
        model: text("model")?,
        category: text("category")?,
        likes: number("likes")?,
        views: number("views")?,
        posted_day: number("posted_day")?,
        snapshot_day: number("snapshot_day")?,
        pictures: Vec::new(),
    })
}

/// Whether an entry with this digest has been imported.
pub(crate) async fn has_entry(db: &Db, digest: &[u8]) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM artwork_entry WHERE digest = ?")
        .bind(digest)
        .fetch_optional(db.read())
        .await
        .map_err(sql)?;
    Ok(found.is_some())
}

/// The key of the artwork with this id.
pub(crate) async fn find_key(writing: &mut Writing, id: &str) -> Result<Option<i64>> {
    sqlx::query_scalar("SELECT key FROM artwork WHERE id = ?")
        .bind(id)
        .fetch_optional(&mut **writing)
        .await
        .map_err(sql)
}

/// Inserts an artwork, or fills and updates the one with the same id: what the entry says wins, what it does not say
/// stays. Returns its key.
pub(crate) async fn upsert(writing: &mut Writing, entry: &Entry, lang: &str, today: i64) -> Result<i64> {
    let found = entry.prompt.as_ref();
    sqlx::query_scalar(
        "INSERT INTO artwork (id, origin, title, alt, prompt, prompt_lang, creator_handle, creator_name, source_url, \
             licence, model, category, likes, views, posted_day, snapshot_day) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
         ON CONFLICT (id) DO UPDATE SET \
             title = CASE excluded.title WHEN '' THEN title ELSE excluded.title END, \
             alt = CASE excluded.alt WHEN '' THEN alt ELSE excluded.alt END, \
             prompt = excluded.prompt, prompt_lang = excluded.prompt_lang, \
             creator_handle = CASE excluded.creator_handle WHEN '' THEN creator_handle ELSE excluded.creator_handle END, \
             creator_name = CASE excluded.creator_name WHEN '' THEN creator_name ELSE excluded.creator_name END, \
             source_url = CASE excluded.source_url WHEN '' THEN source_url ELSE excluded.source_url END, \
             licence = CASE excluded.licence WHEN '' THEN licence ELSE excluded.licence END, \
             model = CASE excluded.model WHEN '' THEN model ELSE excluded.model END, \
             category = CASE excluded.category WHEN '' THEN category ELSE excluded.category END, \
             likes = max(likes, excluded.likes), views = max(views, excluded.views), \
             posted_day = CASE excluded.posted_day WHEN 0 THEN posted_day ELSE excluded.posted_day END, \
             snapshot_day = excluded.snapshot_day, indexed = 0 \
         RETURNING key",
    )
    .bind(&entry.id)
    .bind(entry.origin.unwrap_or(Origin::File).name())
    .bind(found.map_or("", |found| found.title.as_str()))
    .bind(&entry.alt)
    .bind(found.map_or("", |found| found.prompt.as_str()))
    .bind(lang)
    .bind(&entry.creator_handle)
    .bind(&entry.creator_name)
    .bind(&entry.source_url)
    .bind(&entry.licence)
    .bind(&entry.model)
    .bind(&entry.category)
    .bind(entry.likes)
    .bind(entry.views)
    .bind(entry.posted_day.unwrap_or(0))
    .bind(today)
    .fetch_one(&mut **writing)
    .await
    .map_err(sql)
}

/// Replaces the pictures of an artwork; returns the records that are no longer needed.
pub(crate) async fn replace_pictures(
    writing: &mut Writing,
    key: i64,
    pictures: &[NewPicture],
) -> Result<Vec<Id>> {
    let replaced = delete_pictures(writing, key).await?;
    for (position, new) in (0_i64..).zip(pictures) {
        sqlx::query(
            "INSERT INTO artwork_picture (record, artwork, position, width, height, placeholder, pdq, dhash) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.picture.record.as_bytes().as_slice())
        .bind(key)
        .bind(position)
        .bind(new.picture.width)
        .bind(new.picture.height)
        .bind(&new.picture.placeholder)
        .bind(&new.pdq)
        .bind(&new.dhash)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    }
    let shape = pictures.first().map_or("", |new| Shape::of(new.picture.width, new.picture.height).name());
    sqlx::query("UPDATE artwork SET shape = ? WHERE key = ?")
        .bind(shape)
        .bind(key)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(replaced)
}

async fn delete_pictures(writing: &mut Writing, key: i64) -> Result<Vec<Id>> {
    let records: Vec<Vec<u8>> =
        sqlx::query_scalar("DELETE FROM artwork_picture WHERE artwork = ? RETURNING record")
            .bind(key)
            .fetch_all(&mut **writing)
            .await
            .map_err(sql)?;
    records.iter().map(|record| Id::from_column(record)).collect()
}

/// Remembers that an entry has been imported.
pub(crate) async fn insert_entry(writing: &mut Writing, digest: &[u8], key: i64) -> Result<()> {
    sqlx::query("INSERT INTO artwork_entry (digest, artwork) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(digest)
        .bind(key)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

/// Deletes an artwork with all that hangs on it; returns its key and the records of its pictures.
pub(crate) async fn delete(writing: &mut Writing, id: &ArtworkId) -> Result<Option<(i64, Vec<Id>)>> {
    let Some(key) = find_key(writing, id.as_str()).await? else { return Ok(None) };
    let records = delete_pictures(writing, key).await?;
    sqlx::query("DELETE FROM artwork WHERE key = ?").bind(key).execute(&mut **writing).await.map_err(sql)?;
    Ok(Some((key, records)))
}

/// Ids of every artwork.
pub(crate) async fn artwork_ids(db: &Db) -> Result<HashSet<String>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM artwork").fetch_all(db.read()).await.map_err(sql)?;
    Ok(ids.into_iter().collect())
}

/// Ids of every artwork, in a transaction.
pub(crate) async fn list_ids(writing: &mut Writing) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT id FROM artwork").fetch_all(&mut **writing).await.map_err(sql)
}

/// Every picture with the id of its artwork.
pub(crate) async fn list_pictures(writing: &mut Writing) -> Result<Vec<(Id, String)>> {
    let rows: Vec<(Vec<u8>, String)> =
        sqlx::query_as("SELECT p.record, a.id FROM artwork_picture p JOIN artwork a ON a.key = p.artwork")
            .fetch_all(&mut **writing)
            .await
            .map_err(sql)?;
    rows.into_iter().map(|(record, id)| Ok((Id::from_column(&record)?, id))).collect()
}

/// Deletes the pictures of an artwork, which stays as words.
pub(crate) async fn strip(writing: &mut Writing, id: &str) -> Result<()> {
    if let Some(key) = find_key(writing, id).await? {
        replace_pictures(writing, key, &[]).await?;
    }
    Ok(())
}
