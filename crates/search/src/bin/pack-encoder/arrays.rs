//! This owns reading numpy's archive of arrays, as far as this model uses it. It does not know the network.

use std::io::{Cursor, Read};

use crate::{PART_BYTES_MAX, Result};

/// First bytes of a numpy array, version 1.
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// The arrays of an archive, as stored.
pub(crate) struct Arrays(Vec<Stored>);

struct Stored {
    name: String,
    /// numpy's name of the element type.
    element: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// An array of f32.
pub(crate) struct Floats {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Arrays {
    pub(crate) fn read(archive: &[u8]) -> Result<Self> {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
        let mut arrays = Vec::new();
        for index in 0..archive.len() {
            let file = archive.by_index(index)?;
            let name = file.name()?.trim_end_matches(".npy").to_owned();
            let mut bytes = Vec::new();
            file.take(PART_BYTES_MAX).read_to_end(&mut bytes)?;
            arrays.push(parse(name, &bytes).ok_or("an array of the package has an unknown layout")?);
        }
        Ok(Self(arrays))
    }

    /// The table of word pieces: row `i` lies in array `q{i % groups + 1}` at `i / groups`.
    pub(crate) fn codes(&self, groups: usize, width: usize) -> Result<Vec<&[u8]>> {
        let mut parts = Vec::new();
        for group in 1..=groups {
            let part = self.0.iter().find(|array| array.name == format!("q{group}"));
            let part = part.filter(|array| array.element == "|u1" && array.shape.get(1) == Some(&width));
            parts.push(part.ok_or("the table of word pieces is incomplete")?);
        }
        let rows = parts[0].shape[0];
        if parts.iter().any(|part| part.shape[0] != rows) {
            return Err("the table of word pieces is uneven".into());
        }
        let row = |index: usize| &parts[index % groups].bytes[index / groups * width..][..width];
        Ok((0..rows * groups).map(row).collect())
    }

    /// All arrays of f32 by name.
    pub(crate) fn floats(&self) -> Result<Vec<(String, Floats)>> {
        let floats = self.0.iter().filter(|array| array.element == "<f4");
        Ok(floats
            .map(|array| {
                let words = array.bytes.as_chunks::<4>().0;
                let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
                (array.name.clone(), Floats { shape: array.shape.clone(), values })
            })
            .collect())
    }
}

/// An array file: magic, length of the header, a header like a Python literal, the elements.
fn parse(name: String, file: &[u8]) -> Option<Stored> {
    let (length, rest) = file.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
    let (header, bytes) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let header = std::str::from_utf8(header).ok()?;
    if !header.contains("'fortran_order': False") {
        return None;
    }
    let element = header.split_once("'descr': '")?.1.split_once('\'')?.0.to_owned();
    let shape = header.split_once("'shape': (")?.1.split_once(')')?.0;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.parse().ok()).collect::<Option<Vec<usize>>>()?;
    let width: usize = element.get(2..)?.parse().ok()?;
    (shape.iter().product::<usize>() * width == bytes.len()).then(|| Stored {
        name,
        element,
        shape,
        bytes: bytes.to_vec(),
    })
}
