//! This owns the library of vector pictures: one packed file, opened in place, found by keyword or by meaning.
//!
//! Layout: magic `SLP2`, count u32; then per figure: nature u8, inner ink (u8 whether, 3 × u8 sRGB), height f32, vector
//! scale f32, 512 × i8, and three texts (name, keywords one a line, SVG), each with its length as u32. All numbers are
//! little-endian.

use std::collections::HashMap;

use kernel::{Error, Result};
use search::meaning::{DIMENSIONS, Embedding, Encoder};

use super::reading::{Figure, Nature};

const MAGIC: &[u8; 4] = b"SLP2";
/// A phrase that is no keyword has to be this near to a figure's name to stand for it.
const MEANING_FLOOR: f32 = 0.72;

/// The natures in the order of their numbers in the file.
const NATURES: [Nature; 11] = [
    Nature::Grounded,
    Nature::Plant,
    Nature::Building,
    Nature::Floating,
    Nature::Swimming,
    Nature::Flying,
    Nature::Celestial,
    Nature::Tabletop,
    Nature::Vehicle,
    Nature::Bust,
    Nature::Symbol,
];

/// A figure as packed.
struct Entry {
    name: &'static str,
    nature: Nature,
    inner: Option<[u8; 3]>,
    height_m: f32,
    scale: f32,
    codes: &'static [u8],
    svg: &'static str,
}

/// What the packer writes for one figure.
pub struct NewEntry {
    /// Name in its set.
    pub name: String,
    /// What kind of thing it is.
    pub nature: Nature,
    /// For a silhouette, the ink that shows through its cuts.
    pub inner: Option<[u8; 3]>,
    /// Natural height in metres.
    pub height_m: f32,
    /// Names in all languages, the best first; a name starts with `=`.
    pub keywords: Vec<String>,
    /// Meaning of its English name.
    pub meaning: Embedding,
    /// A whole SVG document.
    pub svg: String,
}

/// The library, opened.
pub struct Library {
    entries: Vec<Entry>,
    /// Figure by its names; several figures may share a tag, but the first name wins.
    names: HashMap<&'static str, usize>,
    tags: HashMap<&'static str, usize>,
}

impl Library {
    /// A library without figures.
    #[must_use]
    pub fn empty() -> Self {
        Self { entries: Vec::new(), names: HashMap::new(), tags: HashMap::new() }
    }

    /// Opens a packed library.
    ///
    /// # Errors
    /// `Internal` for a file that is damaged or of another layout.
    pub fn from_bytes(bytes: &'static [u8]) -> Result<Self> {
        let mut library = Self::empty();
        let mut reader = Reader(bytes);
        if reader.take(4)? != MAGIC {
            return Err(broken());
        }
        for place in 0..reader.number()? as usize {
            let nature = reader
                .take(1)?
                .first()
                .and_then(|n| NATURES.get(usize::from(*n)))
                .copied()
                .ok_or_else(broken)?;
            let inner = match *reader.take(4)? {
                [1, red, green, blue] => Some([red, green, blue]),
                _ => None,
            };
            let (height_m, scale) = (reader.float()?, reader.float()?);
            let codes = reader.take(DIMENSIONS)?;
            let (name, keywords, svg) = (reader.text()?, reader.text()?, reader.text()?);
            for keyword in keywords.lines() {
                match keyword.strip_prefix('=') {
                    Some(own) => library.names.entry(own).or_insert(place),
                    None => library.tags.entry(keyword).or_insert(place),
                };
            }
            library.entries.push(Entry { name, nature, inner, height_m, scale, codes, svg });
        }
        Ok(library)
    }

    /// The packed form of figures.
    #[must_use]
    pub fn pack(figures: &[NewEntry]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((figures.len() as u32).to_le_bytes());
        for figure in figures {
            let nature = NATURES.iter().position(|nature| *nature == figure.nature).unwrap_or(0);
            let largest = figure
                .meaning
                .values()
                .iter()
                .fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
            let scale = largest / 127.0;
            bytes.push(nature as u8);
            bytes.push(u8::from(figure.inner.is_some()));
            bytes.extend(figure.inner.unwrap_or_default());
            bytes.extend(figure.height_m.to_le_bytes());
            bytes.extend(scale.to_le_bytes());
            bytes.extend(
                figure.meaning.values().iter().map(|value| ((value / scale).round() as i8).to_le_bytes()[0]),
            );
            for text in [&figure.name, &figure.keywords.join("\n"), &figure.svg] {
                bytes.extend((text.len() as u32).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        bytes
    }

    /// The figure of exactly this name, in any of the languages.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Figure> {
        self.names.get(name).and_then(|place| self.figure(*place))
    }

    /// A figure that has this tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> Option<Figure> {
        self.tags.get(tag).and_then(|place| self.figure(*place))
    }

    /// The figure whose name is nearest in meaning, if any is near.
    #[must_use]
    pub fn meant(&self, encoder: &Encoder, phrase: &str) -> Option<Figure> {
        let meaning = encoder.encode(phrase);
        let cosine = |entry: &Entry| {
            let dot: f32 = entry
                .codes
                .iter()
                .zip(meaning.values())
                .map(|(code, value)| f32::from(code.cast_signed()) * value)
                .sum();
            dot * entry.scale
        };
        let best = self.entries.iter().enumerate().map(|(place, entry)| (place, cosine(entry)));
        let (place, cosine) = best.max_by(|a, b| a.1.total_cmp(&b.1))?;
        if cosine >= MEANING_FLOOR { self.figure(place) } else { None }
    }

    fn figure(&self, place: usize) -> Option<Figure> {
        self.entries.get(place).map(|entry| Figure {
            name: entry.name.to_owned(),
            svg: entry.svg.into(),
            nature: entry.nature,
            height_m: entry.height_m,
            inner: entry.inner,
        })
    }
}

fn broken() -> Error {
    Error::internal("the picture library is broken")
}

struct Reader(&'static [u8]);

impl Reader {
    fn take(&mut self, count: usize) -> Result<&'static [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(broken)
    }

    fn float(&mut self) -> Result<f32> {
        self.number().map(f32::from_bits)
    }

    fn text(&mut self) -> Result<&'static str> {
        let bytes = self.number()? as usize;
        std::str::from_utf8(self.take(bytes)?).map_err(|_| broken())
    }
}
