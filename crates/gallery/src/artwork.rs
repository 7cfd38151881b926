//! This owns what an artwork is: a public picture with the prompt that made it. Plain data and rules, no SQL.

use kernel::{Error, Id, Result};

/// Bytes of an artwork's public id.
pub const ARTWORK_ID_BYTES_MAX: usize = 64;

/// The public id of an artwork: a post's number, or a name given by the file it came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtworkId(String);

impl ArtworkId {
    /// Takes letters, digits, `-` and `_`, at most [`ARTWORK_ID_BYTES_MAX`].
    ///
    /// # Errors
    /// `NotFound`, since nothing can have such an id.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = (1..=ARTWORK_ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::not_found("There is no artwork with this id."))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an artwork comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A post on X.
    X,
    /// Made on this server by the built-in engine, for its gallery.
    Here,
    /// A file that the operator imported.
    File,
}

impl Origin {
    /// The value in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Here => "here",
            Self::File => "file",
        }
    }

    /// The origin with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "x" => Self::X,
            "here" => Self::Here,
            _ => Self::File,
        }
    }
}

/// The outline of a picture, by which the gallery filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Taller than wide.
    Portrait,
    /// Wider than tall.
    Landscape,
    /// About as wide as tall.
    Square,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Portrait, Self::Landscape, Self::Square];

    /// The value in the database and in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portrait => "portrait",
            Self::Landscape => "landscape",
            Self::Square => "square",
        }
    }

    /// The shape of a picture; sides within 4 % of each other are square.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Self {
        let (width, height) = (u64::from(width), u64::from(height));
        if width * 100 > height * 104 {
            Self::Landscape
        } else if height * 100 > width * 104 {
            Self::Portrait
        } else {
            Self::Square
        }
    }
}

/// An indexed artwork, as read from the database.
#[derive(Clone, Debug)]
pub struct Artwork {
    /// Row, and key in the search index.
    pub key: i64,
    /// Public id.
    pub id: ArtworkId,
    /// Where it comes from.
    pub origin: Origin,
    /// A title, if its creator gave one.
    pub title: String,
    /// What its pictures show, as their creator described it.
    pub alt: String,
    /// The prompt, verbatim.
    pub prompt: String,
    /// Language of the prompt, as a BCP 47 tag.
    pub prompt_lang: String,
    /// The creator's handle without `@`; empty when unknown.
    pub creator_handle: String,
    /// The creator's name as shown.
    pub creator_name: String,
    /// Address of the post.
    pub source_url: String,
    /// Licence, as an SPDX id or in words.
    pub licence: String,
    /// Model that made the picture.
    pub model: String,
    /// Category.
    pub category: String,
    /// Likes at the source, when it was indexed.
    pub likes: i64,
    /// Views at the source, when it was indexed.
    pub views: i64,
    /// Day of the post, since 1970-01-01; 0 when unknown.
    pub posted_day: i64,
    /// Day on which likes and views were read.
    pub snapshot_day: i64,
    /// Its pictures, in the order of the post; empty when they could not be had.
    pub pictures: Vec<ArtworkPicture>,
}

/// One picture of an artwork.
#[derive(Clone, Debug)]
pub struct ArtworkPicture {
    /// Record in the vault, and part of the picture's address.
    pub record: Id,
    /// Width in pixels of the largest form.
    pub width: u32,
    /// Height in pixels of the largest form.
    pub height: u32,
    /// Thumbhash.
    pub placeholder: Vec<u8>,
}

/// The language a prompt is written in, judged by its script; `fallback` where letters are Latin or absent.
#[must_use]
pub fn prompt_language(prompt: &str, fallback: &str) -> String {
    let (mut kana, mut han, mut hangul, mut cyrillic, mut arabic, mut thai, mut latin) =
        (0, 0, 0, 0, 0, 0, 0);
    for c in prompt.chars().take(2_000) {
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => han += 1,
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            '\u{0400}'..='\u{04ff}' => cyrillic += 1,
            '\u{0600}'..='\u{06ff}' => arabic += 1,
            '\u{0e00}'..='\u{0e7f}' => thai += 1,
            c if c.is_alphabetic() => latin += 1,
            _ => {}
        }
    }
    // A Han character carries about as much as a Latin word, so scripts are weighed, not counted.
    let heaviest =
        [(han * 4 + kana, "zh"), (hangul * 3, "ko"), (cyrillic, "ru"), (arabic, "ar"), (thai, "th")]
            .into_iter()
            .max_by_key(|(weight, _)| *weight)
            .filter(|(weight, _)| *weight > latin);
    match heaviest {
        Some((_, "zh")) if kana * 8 > han => "ja",
        Some((_, language)) => language,
        None if fallback.is_empty() || matches!(fallback, "und" | "qme" | "zh" | "ja" | "ko") => "en",
        None => fallback,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_place() {
        assert!(ArtworkId::parse("1909417750587486469").is_ok());
        for bad in ["", "a/b", "..", "é", &"x".repeat(65)] {
            assert!(ArtworkId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shapes_have_a_tolerant_square() {
        assert_eq!(Shape::of(1024, 1024), Shape::Square);
        assert_eq!(Shape::of(1040, 1024), Shape::Square);
        assert_eq!(Shape::of(1536, 1024), Shape::Landscape);
        assert_eq!(Shape::of(1024, 1536), Shape::Portrait);
    }

    #[test]
    fn languages_are_told_by_script() {
        for (prompt, fallback, expected) in [
            ("复古宣传海报风格,突出中文文字", "", "zh"),
            ("猫が窓辺で眠っている", "", "ja"),
            ("A red fox, 8k, 赤", "en", "en"),
            ("{\"subject\": \"fox\"}", "zh", "en"),
            ("рыжая лиса", "", "ru"),
            ("un zorro rojo", "es", "es"),
        ] {
            assert_eq!(prompt_language(prompt, fallback), expected, "{prompt}");
        }
    }
}
