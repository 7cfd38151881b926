//! This owns the layout of the packed encoder file: a table of named sections over one run of bytes.
//! It does not know what the sections mean.
//!
//! Everything is little-endian and read byte by byte or copied, so the file may lie at any address: in the program's
//! own pages (shared, and resident only where touched) or in memory.

use std::ops::Range;
use std::sync::Arc;

use kernel::{Error, Result};

/// First bytes of the file; the digit changes when the layout does.
pub const MAGIC: &[u8; 8] = b"SLENCOD1";
/// Bytes of a section's name, filled up with zeros.
pub const NAME_BYTES: usize = 16;
/// Name, offset and length of one section.
pub const ENTRY_BYTES: usize = NAME_BYTES + 8;
/// No file has more sections than this.
pub const SECTIONS_MAX: usize = 64;

/// Bytes that outlive the encoder: static ones or a shared buffer.
pub(super) type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The packed file with its table of sections read.
pub(super) struct Pack {
    bytes: Bytes,
    sections: Vec<(String, Range<usize>)>,
}

/// One section; cheap to keep, since it shares the bytes.
#[derive(Clone)]
pub(super) struct Section {
    bytes: Bytes,
    range: Range<usize>,
}

impl Pack {
    /// Reads the table of sections.
    pub(super) fn open(bytes: Bytes) -> Result<Self> {
        let sections = read_table((*bytes).as_ref())
            .ok_or_else(|| Error::internal("the packed sentence encoder is damaged"))?;
        Ok(Self { bytes, sections })
    }

    /// The section of this name.
    pub(super) fn get(&self, name: &str) -> Result<Section> {
        let (_, range) = self
            .sections
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| Error::internal("the packed sentence encoder lacks a section"))?;
        Ok(Section { bytes: Arc::clone(&self.bytes), range: range.clone() })
    }

    /// A section of exactly `count` f32 values, copied.
    pub(super) fn get_floats(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        let section = self.get(name)?;
        let bytes = section.bytes();
        if bytes.len() != count * 4 {
            return Err(Error::internal("the packed sentence encoder has a section of the wrong size"));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }
}

impl Section {
    /// What the section holds.
    pub(super) fn bytes(&self) -> &[u8] {
        // The range was checked against these bytes when the table was read.
        (*self.bytes).as_ref().get(self.range.clone()).unwrap_or_default()
    }

    /// The section as 4-byte words, each to be decoded where it is used.
    pub(super) fn words(&self) -> &[[u8; 4]] {
        self.bytes().as_chunks().0
    }
}

fn read_table(bytes: &[u8]) -> Option<Vec<(String, Range<usize>)>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (count, table) = rest.split_first_chunk::<4>()?;
    let count = u32::from_le_bytes(*count) as usize;
    if count > SECTIONS_MAX {
        return None;
    }
    let table = table.get(..count * ENTRY_BYTES)?;
    table.as_chunks::<ENTRY_BYTES>().0.iter().map(|entry| read_entry(entry, bytes.len())).collect()
}

fn read_entry(entry: &[u8; ENTRY_BYTES], len: usize) -> Option<(String, Range<usize>)> {
    let (name, place) = entry.split_first_chunk::<NAME_BYTES>()?;
    let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0').to_owned();
    let [offset, size] = place.as_chunks::<4>().0 else { return None };
    let start = u32::from_le_bytes(*offset) as usize;
    let end = start.checked_add(u32::from_le_bytes(*size) as usize)?;
    (end <= len).then_some((name, start..end))
}
