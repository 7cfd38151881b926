//! This owns the meanings of documents: two vectors of eight-bit numbers each, scanned in memory, kept in slots of a file.
//! The file spares encoding at start; what it lacks is encoded again. An erased slot is overwritten in place.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use kernel::Result;

use crate::meaning::{DIMENSIONS, Embedding};

/// Vectors of one document: its whole text, and its first line or title.
pub(crate) const VECTORS: usize = 2;
/// First bytes of the file; the digit changes when the layout or the encoder does.
const MAGIC: &[u8; 8] = b"SLVECTS1";
const VECTOR_BYTES: usize = 4 + DIMENSIONS;
const SLOT_BYTES: usize = 8 + VECTORS * VECTOR_BYTES;

/// A vector with its scale: `value = code × scale`.
#[derive(Clone)]
struct Codes {
    scale: f32,
    codes: [i8; DIMENSIONS],
}

impl Codes {
    fn of(embedding: &Embedding) -> Self {
        let largest =
            embedding.values().iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        let mut codes = [0_i8; DIMENSIONS];
        for (code, value) in codes.iter_mut().zip(embedding.values()) {
            *code = (value / scale).round() as i8;
        }
        Self { scale, codes }
    }

    fn cosine(&self, other: &Self) -> f32 {
        let dot: i32 = self.codes.iter().zip(&other.codes).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        dot as f32 * self.scale * other.scale
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.scale.to_le_bytes());
        to.extend(self.codes.iter().map(|code| code.to_le_bytes()[0]));
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let scale = f32::from_le_bytes(*bytes.first_chunk()?);
        let mut codes = [0_i8; DIMENSIONS];
        for (code, byte) in codes.iter_mut().zip(bytes.get(4..VECTOR_BYTES)?) {
            *code = i8::from_le_bytes([*byte]);
        }
        (scale.is_finite() && scale > 0.0).then_some(Self { scale, codes })
    }
}

/// The meanings of all documents.
pub(crate) struct Vectors {
    file: File,
    slots: Vec<Option<(i64, [Codes; VECTORS])>>,
    by_key: HashMap<i64, usize>,
    free: Vec<usize>,
}

impl Vectors {
    /// Opens the file. A foreign one is emptied; slots that cannot be read count as free.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file =
            File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes)?;
        if !bytes.starts_with(MAGIC) {
            file.set_len(0)?;
            file.write_all_at(MAGIC, 0)?;
            bytes = MAGIC.to_vec();
        }
        let mut vectors = Self { file, slots: Vec::new(), by_key: HashMap::new(), free: Vec::new() };
        for (place, slot) in bytes[MAGIC.len()..].chunks(SLOT_BYTES).enumerate() {
            let read = read_slot(slot).filter(|(key, _)| !vectors.by_key.contains_key(key));
            match &read {
                Some((key, _)) => drop(vectors.by_key.insert(*key, place)),
                None => vectors.free.push(place),
            }
            vectors.slots.push(read);
        }
        Ok(vectors)
    }

    pub(crate) fn put(&mut self, key: i64, meanings: [&Embedding; VECTORS]) -> Result<()> {
        let place = self.by_key.get(&key).copied().or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let codes = meanings.map(Codes::of);
        let mut bytes = key.to_le_bytes().to_vec();
        codes.iter().for_each(|codes| codes.write(&mut bytes));
        self.file.write_all_at(&bytes, offset(place))?;
        self.by_key.insert(key, place);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some((key, codes));
        }
        Ok(())
    }

    pub(crate) fn erase(&mut self, keys: &[i64]) -> Result<()> {
        for key in keys {
            let Some(place) = self.by_key.remove(key) else { continue };
            self.file.write_all_at(&[0; SLOT_BYTES], offset(place))?;
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = None;
            }
            self.free.push(place);
        }
        self.sync()
    }

    /// Waits until what was put and erased is on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(self.file.sync_data()?)
    }

    /// The documents nearest to a meaning, by the better of their vectors, the nearest first.
    pub(crate) fn nearest(&self, meaning: &Embedding, limit: usize) -> Vec<(i64, f32)> {
        self.scan(&Codes::of(meaning), limit)
    }

    /// The documents nearest to another document, by whole texts.
    pub(crate) fn nearest_to(&self, key: i64, limit: usize) -> Vec<(i64, f32)> {
        let place = self.by_key.get(&key).copied();
        let Some((_, [whole, _])) = place.and_then(|place| self.slots.get(place)?.as_ref()) else {
            return Vec::new();
        };
        let mut near = self.scan(whole, limit + 1);
        near.retain(|(other, _)| *other != key);
        near.truncate(limit);
        near
    }

    fn scan(&self, wanted: &Codes, limit: usize) -> Vec<(i64, f32)> {
        let mut near: Vec<(i64, f32)> = self
            .slots
            .iter()
            .flatten()
            .map(|(key, [whole, first])| (*key, wanted.cosine(whole).max(wanted.cosine(first))))
            .collect();
        let by_cosine = |a: &(i64, f32), b: &(i64, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if near.len() > limit && limit > 0 {
            near.select_nth_unstable_by(limit - 1, by_cosine);
        }
        near.truncate(limit);
        near.sort_unstable_by(by_cosine);
        near
    }

    pub(crate) fn contains(&self, key: i64) -> bool {
        self.by_key.contains_key(&key)
    }
}

fn offset(place: usize) -> u64 {
    (MAGIC.len() + place * SLOT_BYTES) as u64
}

fn read_slot(slot: &[u8]) -> Option<(i64, [Codes; VECTORS])> {
    let (key, rest) = slot.split_first_chunk::<8>()?;
    let (whole, first) = rest.split_at_checked(VECTOR_BYTES)?;
    Some((i64::from_le_bytes(*key), [Codes::read(whole)?, Codes::read(first)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(towards: usize) -> Embedding {
        let mut values = [0.01; DIMENSIONS];
        values[towards] = 1.0;
        Embedding::from_values(values)
    }

    fn keys(near: &[(i64, f32)]) -> Vec<i64> {
        near.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn meanings_outlive_a_restart_and_erased_ones_leave_no_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors");
        let mut vectors = Vectors::open(&path).unwrap();
        for key in 0..5 {
            vectors.put(key, [&meaning(key as usize), &meaning(100)]).unwrap();
        }
        vectors.put(2, [&meaning(7), &meaning(101)]).unwrap();
        vectors.erase(&[3, 99]).unwrap();
        drop(vectors);

        let mut vectors = Vectors::open(&path).unwrap();
        assert_eq!(keys(&vectors.nearest(&meaning(7), 1)), [2]);
        assert_eq!(keys(&vectors.nearest(&meaning(100), 9)), [0, 1, 4, 2]);
        assert!(!vectors.contains(3) && keys(&vectors.nearest_to(0, 9)).len() == 3);
        let bytes = std::fs::read(&path).unwrap();
        let place = MAGIC.len() + 3 * SLOT_BYTES;
        assert!(bytes[place..place + SLOT_BYTES].iter().all(|byte| *byte == 0));
        vectors.put(8, [&meaning(8), &meaning(8)]).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().len() as usize,
            bytes.len(),
            "a free slot is used again"
        );
    }

    #[test]
    fn foreign_and_torn_files_give_no_meanings_that_nobody_put() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors");
        std::fs::write(&path, [7; 5000]).unwrap();
        let mut vectors = Vectors::open(&path).unwrap();
        assert!(vectors.nearest(&meaning(0), 9).is_empty());
        vectors.put(1, [&meaning(1), &meaning(1)]).unwrap();
        vectors.put(2, [&meaning(2), &meaning(2)]).unwrap();
        drop(vectors);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(keys(&Vectors::open(&path).unwrap().nearest(&meaning(2), 9)), [1]);
    }
}
