//! This owns writing the packed file, section by section. It does not know where the numbers come from.

use search::meaning::pack::{ENTRY_BYTES, MAGIC, NAME_BYTES, SECTIONS_MAX};
use search::meaning::{DIMENSIONS, PANEL_COLUMNS, ROW_BYTES};

use crate::Result;

/// Sections start at multiples of this, so that no row of the table straddles a page needlessly.
const ALIGNMENT: usize = 128;
/// How far a weight may lie from a multiple of its step and still count as that multiple.
const STEP_TOLERANCE: f32 = 0.01;

/// The sections so far.
#[derive(Default)]
pub(crate) struct Writer(Vec<(String, Vec<u8>)>);

impl Writer {
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.push((name.to_owned(), bytes));
    }

    pub(crate) fn add_floats(&mut self, name: &str, values: &[f32]) {
        self.add(name, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    /// The table of word pieces, its 6-bit codes four to three bytes.
    pub(crate) fn add_table(&mut self, rows: &[&[u8]]) -> Result<()> {
        let mut packed = Vec::with_capacity(rows.len() * ROW_BYTES);
        for codes in rows.iter().flat_map(|row| row[..DIMENSIONS].as_chunks::<4>().0) {
            if codes.iter().any(|code| *code > 63) {
                return Err("the table of word pieces has codes of more than 6 bits".into());
            }
            let [a, b, c, d] = codes.map(u32::from);
            packed.extend_from_slice(&(a | b << 6 | c << 12 | d << 18).to_le_bytes()[..3]);
        }
        self.add("table", packed);
        Ok(())
    }

    /// A matrix of f32 that was once quantised, as its step and its i8 codes in panels of columns.
    pub(crate) fn add_matrix(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
        values: &[f32],
    ) -> Result<()> {
        let (step, codes) = quantised(values).ok_or_else(|| format!("{name} is not quantised to 8 bits"))?;
        if !columns.is_multiple_of(PANEL_COLUMNS) {
            return Err(format!("{name} does not divide into panels").into());
        }
        let mut bytes = step.to_le_bytes().to_vec();
        for first in (0..columns).step_by(PANEL_COLUMNS) {
            for row in 0..rows {
                bytes.extend(
                    codes[row * columns + first..][..PANEL_COLUMNS].iter().map(|code| code.cast_unsigned()),
                );
            }
        }
        self.add(name, bytes);
        Ok(())
    }

    /// The whole file.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let count = self.0.len();
        if count > SECTIONS_MAX {
            return Err("there are more sections than the layout allows".into());
        }
        let mut table = MAGIC.to_vec();
        table.extend(u32::try_from(count)?.to_le_bytes());
        let mut place = (table.len() + count * ENTRY_BYTES).next_multiple_of(ALIGNMENT);
        let mut body = Vec::new();
        for (name, bytes) in self.0 {
            let mut padded = [0; NAME_BYTES];
            padded.get_mut(..name.len()).ok_or("a name is too long")?.copy_from_slice(name.as_bytes());
            table.extend(padded);
            table.extend(u32::try_from(place)?.to_le_bytes());
            table.extend(u32::try_from(bytes.len())?.to_le_bytes());
            let filled = bytes.len().next_multiple_of(ALIGNMENT);
            place += filled;
            let end = body.len() + filled;
            body.extend(bytes);
            body.resize(end, 0);
        }
        table.resize(table.len().next_multiple_of(ALIGNMENT), 0);
        table.extend(body);
        Ok(table)
    }
}

/// The step of which all values are multiples, and the multiples.
fn quantised(values: &[f32]) -> Option<(f32, Vec<i8>)> {
    let mut distinct = values.to_vec();
    distinct.sort_unstable_by(f32::total_cmp);
    distinct.dedup();
    let gaps = distinct.windows(2).map(|pair| pair[1] - pair[0]);
    let gap = gaps.filter(|gap| *gap > 0.0).min_by(f32::total_cmp)?;
    // A difference of two close numbers is a poor measure of the step; the largest value is a good one.
    let largest = distinct.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let step = largest / (largest / gap).round();
    let code = |value: &f32| {
        let multiple = (value / step).round();
        let near = (value / step - multiple).abs() < STEP_TOLERANCE && (-128.0..=127.0).contains(&multiple);
        near.then_some(multiple as i8)
    };
    Some((step, values.iter().map(code).collect::<Option<Vec<i8>>>()?))
}
