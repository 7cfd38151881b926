//! This owns the sentence encoder: text in 16 languages to a vector of which near ones mean near things.
//! It does not store or compare many vectors; see `vectors`.

mod layers;
mod matrix;
mod normal;
pub mod pack;
mod pieces;

use std::sync::Arc;

use kernel::Result;

use self::layers::Network;
pub use self::layers::{DIMENSIONS, GROUPS, ROW_BYTES};
pub use self::matrix::PANEL_COLUMNS;
use self::pack::Pack;
use self::pieces::Pieces;

/// Characters of a text that are read; what follows changes the meaning of a whole post little.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// Word pieces that are read, so that no script makes a text expensive.
pub const PIECES_MAX: usize = 512;
/// Nats per letter above which a text is none of the words that the encoder knows. Above it lie 9 of 68 plain queries
/// in 16 languages, all short ones that words find, and 16 of 24 of nonsense.
const STRANGENESS_MAX: f32 = 4.8;
/// Marks the begin and the end of a text.
const BEGIN: u32 = 1;
const END: u32 = 2;

/// The meaning of a text: 512 numbers of length 1 together.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32; DIMENSIONS]>);

impl Embedding {
    /// The numbers.
    #[must_use]
    pub fn values(&self) -> &[f32; DIMENSIONS] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn from_values(values: [f32; DIMENSIONS]) -> Self {
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        Self(Box::new(values.map(|value| value / length)))
    }

    /// Cosine of the angle between two meanings: 1 for the same, around 0 for unrelated ones.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(other.0.iter()).map(|(a, b)| a * b).sum()
    }
}

/// The sentence encoder, reading its weights in place.
pub struct Encoder {
    pieces: Pieces,
    network: Network,
}

impl Encoder {
    /// An encoder over a packed file, static or owned. The bytes are checked, not copied.
    ///
    /// # Errors
    /// `Internal` where the file is damaged or of another layout.
    pub fn from_bytes(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self> {
        let pack = Pack::open(Arc::new(bytes))?;
        let network = Network::open(&pack)?;
        let pieces = Pieces::open(&pack, network.piece_count())?;
        Ok(Self { pieces, network })
    }

    /// The meaning of the first `TEXT_CHARS_MAX` characters of a text.
    #[must_use]
    pub fn encode(&self, text: &str) -> Embedding {
        Embedding(Box::new(self.network.forward(&self.split(text))))
    }

    /// Whether the text is made of words that the encoder can have learnt. Of others it has only a vague notion, which
    /// comes nearer to anything than a notion should.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        self.pieces.strangeness(bounded(text)) < STRANGENESS_MAX
    }

    fn split(&self, text: &str) -> Vec<u32> {
        let pieces = self.pieces.split(bounded(text));
        let kept = pieces.into_iter().take(PIECES_MAX - 2);
        std::iter::once(BEGIN).chain(kept).chain(std::iter::once(END)).collect()
    }
}

fn bounded(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(place, _)| place);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(test: &str) -> Option<Vec<u8>> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vendor/pack/encoder.bin");
        let bytes = std::fs::read(path).ok();
        if bytes.is_none() {
            println!("skipped: {test}: no vendor/pack/encoder.bin");
        }
        bytes
    }

    #[test]
    fn meaning_and_pieces_are_those_of_the_published_encoder() {
        let Some(bytes) = packed("meaning_and_pieces_are_those_of_the_published_encoder") else { return };
        let encoder = Encoder::from_bytes(bytes).unwrap();
        // Numbers of the pieces, computed with the reference implementation of the vocabulary.
        for (text, pieces) in REFERENCE_PIECES {
            let split = encoder.split(text);
            assert_eq!(&split[1..split.len() - 1], *pieces, "{text:?}");
        }
        // Cosines of pairs, computed with the published package.
        for (one, other, cosine) in REFERENCE_COSINES {
            let ours = encoder.encode(one).cosine(&encoder.encode(other));
            assert!((ours - cosine).abs() < 1e-4, "{one} and {other}: {ours} instead of {cosine}");
        }
        for known in ["a red fox", "夜の街", "papillon", "고양이", "бабочка", "可爱的动物"]
        {
            assert!(encoder.knows(known), "{known}");
        }
        for unknown in ["qzxv wpfk", "фывапролд", "ぬぺぽがふ", "龘靐齉爩", "🦊"] {
            assert!(!encoder.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn any_text_has_a_finite_meaning_of_length_one() {
        let Some(bytes) = packed("any_text_has_a_finite_meaning_of_length_one") else { return };
        let encoder = Encoder::from_bytes(bytes).unwrap();
        let long = "龘🦊 e\u{301}\u{200b}\0".repeat(5_000);
        for text in ["", " ", "\0", "\u{2581}", "\u{feff}", "👩‍👩‍👧‍👦", "שלום", "\u{10ffff}", &long]
        {
            let meaning = encoder.encode(text);
            let length = meaning.cosine(&meaning);
            assert!((length - 1.0).abs() < 1e-3, "{length}");
            assert!(encoder.pieces.strangeness(text).is_finite());
        }
        assert!(encoder.split(&long).len() <= PIECES_MAX);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        for bytes in [&b""[..], b"SLENCOD1", b"SLENCOD1\xff\xff\xff\xff", b"SLENCOD1\x01\0\0\0", &[0; 4096]] {
            assert!(Encoder::from_bytes(bytes.to_vec()).is_err());
        }
        let Some(bytes) = packed("a_damaged_file_is_an_error") else { return };
        for length in [100, 4_096, bytes.len() / 2, bytes.len() - 4_096] {
            assert!(Encoder::from_bytes(bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
    }

    const REFERENCE_PIECES: &[(&str, &[u32])] = &[
        ("A cat sits on a red sofa", &[63, 2665, 6763, 9, 54, 10, 2649, 102, 2216]),
        ("城市的夜景，霓虹灯和雨", &[6, 10179, 36, 2303, 3869, 7, 0, 22971, 9516, 295, 5232]),
        ("夕焼けの海辺に立つ少女", &[6, 15315, 10951, 1074, 73, 1531, 14141, 147, 30637, 17163]),
        ("قطة تجلس على الأريكة", &[11190, 30152, 655, 89617, 649, 5744, 36007, 512]),
        ("Ｆｕｌｌ ﬁne ①  x\n\ty", &[17004, 1668, 116, 257, 51]),
        ("𓀀𓀁 a", &[6, 0, 10]),
        ("แมวนั่งอยู่", &[6, 83626, 67520, 5300]),
    ];
    const REFERENCE_COSINES: &[(&str, &str, f32)] = &[
        ("A cat sits on a red sofa", "Ein Kater auf einem Sofa", 0.72530),
        ("夕焼けの海辺に立つ少女", "a girl on the beach at sunset", 0.70095),
        ("城市的夜景，霓虹灯和雨", "neon lights and rain in a city at night", 0.82587),
        ("قطة تجلس على الأريكة", "un chat sur le canapé", 0.69539),
        ("tax return", "a girl on the beach at sunset", -0.07178),
    ];
}
