//! This owns the index as its users see it: words and meaning fused into one ranking with a floor under it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::Result;

use crate::meaning::{Encoder, TEXT_CHARS_MAX};
use crate::vectors::Vectors;
use crate::words::Words;

/// Candidates taken from each side before they are fused.
const CANDIDATES: usize = 400;
/// A document that shares no word with the query has to be this near in meaning to be shown.
const MEANING_FLOOR: f32 = 0.33;
/// The same for a query of words that the encoder cannot know: nonsense comes as near as 0.45 to some posts.
const STRANGE_FLOOR: f32 = 0.50;
/// A document found by words needs this score, or has to be near in meaning as well.
const WORDS_FLOOR: f32 = 0.30;
/// The meaning that lets a document with few of the words pass.
const WORDS_MEANING_FLOOR: f32 = 0.28;
/// How the two sides weigh in the ranking. Words count by their square: all of them tell much, some of them little.
const MEANING_WEIGHT: f32 = 2.5;
/// Letters that a first line needs to have a meaning of its own.
const HEAD_LETTERS_MIN: usize = 4;
/// Similar artworks are at least this near.
const SIMILAR_FLOOR: f32 = 0.30;

/// What the index is told of an artwork.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Row id.
    pub key: i64,
    /// Title; may be empty.
    pub title: String,
    /// The prompt.
    pub text: String,
    /// Other words to be found by: creator, model, category.
    pub extra: String,
}

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Row id.
    pub key: i64,
    /// Higher is better; comparable within one answer only.
    pub score: f32,
}

/// The search index of the gallery.
pub struct Index {
    words: Words,
    vectors: RwLock<Vectors>,
    encoder: Option<Arc<Encoder>>,
}

impl Index {
    /// Opens the index under `dir`. One that is broken or foreign is thrown away; its reader then finds its keys
    /// missing and puts them again. Without an encoder, search is by words alone.
    ///
    /// # Errors
    /// `Internal` or `StorageFull` when the folder cannot be written.
    pub fn open(dir: &Path, encoder: Option<Arc<Encoder>>) -> Result<Self> {
        let (words_dir, vectors_path) = (dir.join("words"), dir.join("vectors"));
        let words = Words::open(&words_dir).or_else(|_| {
            remove(&words_dir)?;
            Words::open(&words_dir)
        })?;
        Ok(Self { words, vectors: RwLock::new(Vectors::open(&vectors_path)?), encoder })
    }

    /// Puts documents in place of those with the same keys; searches see them when this returns.
    ///
    /// # Errors
    /// `StorageFull` on a full disk.
    pub fn put(&self, documents: &[Document]) -> Result<()> {
        let Some(encoder) = &self.encoder else {
            // Meanings of an earlier text would outlive it.
            let keys: Vec<i64> = documents.iter().map(|document| document.key).collect();
            self.vectors.write().unwrap_or_else(PoisonError::into_inner).erase(&keys)?;
            return self.words.put(documents);
        };
        for document in documents {
            let whole = encoder.encode(&document.text);
            let head = if document.title.is_empty() { first_line(&document.text) } else { &document.title };
            // A line without words, such as the brace of a JSON prompt, would be near to any nonsense.
            let has_words = head.chars().filter(|c| c.is_alphabetic()).count() >= HEAD_LETTERS_MIN;
            let first = if has_words { encoder.encode(head) } else { whole.clone() };
            let mut vectors = self.vectors.write().unwrap_or_else(PoisonError::into_inner);
            vectors.put(document.key, [&whole, &first])?;
        }
        self.vectors.read().unwrap_or_else(PoisonError::into_inner).sync()?;
        self.words.put(documents)
    }

    /// Erases documents; searches do not see them when this returns. May be repeated.
    ///
    /// # Errors
    /// `Internal` when the files cannot be written.
    pub fn erase(&self, keys: &[i64]) -> Result<()> {
        self.vectors.write().unwrap_or_else(PoisonError::into_inner).erase(keys)?;
        self.words.erase(keys)
    }

    /// Candidates for a query, the best first; none where nothing is relevant. All characters of a query are text.
    ///
    /// # Errors
    /// `Internal` when the index is broken.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<Hit>> {
        let by_words = self.words.search(query, CANDIDATES)?;
        let by_words: HashMap<i64, f32> = by_words.into_iter().map(|hit| (hit.key, hit.score)).collect();
        let (by_meaning, floor) = self.search_meaning(query);
        let keys = by_words.keys().chain(by_meaning.keys().filter(|key| !by_words.contains_key(key)));
        let mut hits: Vec<Hit> = keys
            .filter_map(|key| {
                let words = by_words.get(key).copied().unwrap_or(0.0);
                let meaning = by_meaning.get(key).copied().unwrap_or(0.0);
                fuse(words, meaning, floor).map(|score| Hit { key: *key, score })
            })
            .collect();
        hits.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
        hits.truncate(limit);
        Ok(hits)
    }

    /// Cosines of the documents nearest to a query, and the floor for them.
    fn search_meaning(&self, query: &str) -> (HashMap<i64, f32>, f32) {
        let Some(encoder) = &self.encoder else { return (HashMap::new(), STRANGE_FLOOR) };
        let meaning = encoder.encode(query);
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        let near = vectors.nearest(&meaning, CANDIDATES).into_iter().collect();
        (near, if encoder.knows(query) { MEANING_FLOOR } else { STRANGE_FLOOR })
    }

    /// Documents like another one, the nearest first, without it.
    ///
    /// # Errors
    /// `Internal` when the index is broken.
    pub fn similar(&self, key: i64, limit: usize) -> Result<Vec<Hit>> {
        let near = self.vectors.read().unwrap_or_else(PoisonError::into_inner).nearest_to(key, limit);
        Ok(near
            .into_iter()
            .filter(|(_, score)| *score >= SIMILAR_FLOOR)
            .map(|(key, score)| Hit { key, score })
            .collect())
    }

    /// Keys of the documents that are wholly in the index.
    ///
    /// # Errors
    /// `Internal` when the index is broken.
    pub fn keys(&self) -> Result<Vec<i64>> {
        let mut keys = self.words.keys()?;
        if self.encoder.is_some() {
            let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
            keys.retain(|key| vectors.contains(*key));
        }
        Ok(keys)
    }
}

/// The score of a document, from its share of the best word score and its cosine; none below the floor.
fn fuse(words: f32, meaning: f32, floor: f32) -> Option<f32> {
    let relevant =
        meaning >= floor || words >= WORDS_FLOOR || (words > 0.0 && meaning >= WORDS_MEANING_FLOOR);
    relevant.then_some(words.powi(2) + MEANING_WEIGHT * meaning.max(0.0))
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

fn first_line(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let end = line.char_indices().nth(TEXT_CHARS_MAX / 4).map_or(line.len(), |(place, _)| place);
    line.get(..end).unwrap_or_default()
}
