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
