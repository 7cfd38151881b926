//! This owns bringing text into the one form in which the vocabulary was learnt: the replacement table of the
//! model, single spaces, and a mark before every word. It does not split.

use kernel::{Error, Result};

use super::pack::{Pack, Section};
use super::pieces::char_bytes;

/// Stands for a space within pieces: U+2581.
pub(super) const SPACE_MARK: &[u8] = "\u{2581}".as_bytes();

/// Replaces character sequences by a table that the model carries: a double-array trie over UTF-8 bytes whose
/// leaves point to zero-terminated replacements.
pub(super) struct Normalizer {
    /// Length of the trie in bytes, the trie, the replacements.
    table: Section,
    trie_units: usize,
}

/// One cell of the double array.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    const fn has_leaf(self) -> bool {
        self.0 & 0x100 != 0
    }
    const fn value(self) -> usize {
        (self.0 & 0x7FFF_FFFF) as usize
    }
    /// Holds the byte it was reached by; a leaf has the top bit set and so matches none.
    const fn is_reached_by(self, byte: u8) -> bool {
        self.0 & 0x8000_00FF == byte as u32
    }
    /// Distance to the cells of its children.
    const fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 0x200) >> 6)) as usize
    }
}

impl Normalizer {
    pub(super) fn open(pack: &Pack) -> Result<Self> {
        let table = pack.get("charsmap")?;
        let trie_bytes = table.words().first().map_or(0, |word| u32::from_le_bytes(*word) as usize);
        if trie_bytes == 0 || !trie_bytes.is_multiple_of(4) || trie_bytes + 4 > table.bytes().len() {
            return Err(Error::internal("the packed sentence encoder has a damaged replacement table"));
        }
        Ok(Self { table, trie_units: trie_bytes / 4 })
    }

    /// The normal form, as bytes of UTF-8.
    pub(super) fn apply(&self, text: &str) -> Vec<u8> {
        let mut rest = text.as_bytes();
        let mut normal = Vec::with_capacity(text.len() + text.len() / 4);
        let mut space_pending = true;
        while !rest.is_empty() {
            let (replacement, taken) = self.replace_prefix(rest);
            for byte in replacement {
                if *byte == b' ' {
                    space_pending = true;
                    continue;
                }
                if std::mem::take(&mut space_pending) {
                    normal.extend_from_slice(SPACE_MARK);
                }
                normal.push(*byte);
            }
            rest = &rest[taken..];
        }
        normal
    }

    /// What the longest known beginning of `text` becomes, and its length; else the first character as it is.
    fn replace_prefix<'a>(&'a self, text: &'a [u8]) -> (&'a [u8], usize) {
        let mut longest = None;
        let mut place = self.unit(0).map_or(0, Unit::offset);
        for (depth, byte) in text.iter().enumerate() {
            place ^= usize::from(*byte);
            let Some(unit) = self.unit(place).filter(|unit| unit.is_reached_by(*byte)) else { break };
            place ^= unit.offset();
            if unit.has_leaf() {
                longest = self.unit(place).map(|leaf| (leaf.value(), depth + 1));
            }
        }
        longest.and_then(|(value, taken)| Some((self.replacement(value)?, taken))).unwrap_or_else(|| {
            let taken = char_bytes(text[0]).min(text.len());
            (&text[..taken], taken)
        })
    }

    fn unit(&self, place: usize) -> Option<Unit> {
        let units = self.table.words().get(1..=self.trie_units)?;
        units.get(place).map(|word| Unit(u32::from_le_bytes(*word)))
    }

    fn replacement(&self, start: usize) -> Option<&[u8]> {
        let tail = self.table.bytes().get((1 + self.trie_units) * 4 + start..)?;
        tail.get(..tail.iter().position(|byte| *byte == 0)?)
    }
}
