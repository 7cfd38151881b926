//! This owns the one expensive thing in the encoder: a product of f32 rows with a matrix of i8 codes.
//! It does not know the network.
//!
//! The published weights were quantised once, so `code × step` gives them back exactly and the matrix stays in the
//! processor's cache. Columns lie in panels of 16, each panel row after row, so the inner loop reads forwards.

use kernel::{Error, Result};

use super::pack::{Pack, Section};

/// Columns of one panel: two AVX2 registers of f32.
pub const PANEL_COLUMNS: usize = 16;
/// Rows of the left side that share one pass over a panel.
const BLOCK_ROWS: usize = 4;

/// `inputs × outputs` weights.
pub(super) struct Matrix {
    inputs: usize,
    outputs: usize,
    step: f32,
    codes: Section,
}

/// Left-hand rows that may overlap: row `r` is `values[r * stride..][..inputs]`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl Matrix {
    /// The matrix of this name, which must have this shape. Section: step as f32, then the panels of codes.
    pub(super) fn open(pack: &Pack, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let codes = pack.get(name)?;
        let Some((step, panels)) = codes.bytes().split_first_chunk::<4>() else {
            return Err(Error::internal("the packed sentence encoder has an empty matrix"));
        };
        let step = f32::from_le_bytes(*step);
        if panels.len() != inputs * outputs || !outputs.is_multiple_of(PANEL_COLUMNS) || !step.is_finite() {
            return Err(Error::internal("the packed sentence encoder has a matrix of the wrong shape"));
        }
        Ok(Self { inputs, outputs, step, codes })
    }

    /// `rows × self`, row after row.
    pub(super) fn apply(&self, rows: Rows<'_>) -> Vec<f32> {
        let mut out = vec![0.0; rows.count * self.outputs];
        let panels = self.codes.bytes().get(4..).unwrap_or_default();
        pulp::Arch::new().dispatch(|| {
            for (index, panel) in panels.chunks_exact(self.inputs * PANEL_COLUMNS).enumerate() {
                self.apply_panel(panel.as_chunks().0, rows, index * PANEL_COLUMNS, &mut out);
            }
        });
        out
    }

    #[inline(always)]
    fn apply_panel(&self, panel: &[[u8; PANEL_COLUMNS]], rows: Rows<'_>, column: usize, out: &mut [f32]) {
        for first in (0..rows.count).step_by(BLOCK_ROWS) {
            // The last block repeats its last row instead of being a case of its own.
            let row_of = |lane: usize| (first + lane).min(rows.count - 1);
            let left: [&[f32]; BLOCK_ROWS] =
                std::array::from_fn(|lane| &rows.values[row_of(lane) * rows.stride..][..self.inputs]);
            let sums = multiply_block(left, panel);
            for (lane, sums) in sums.iter().enumerate() {
                let target = &mut out[row_of(lane) * self.outputs + column..][..PANEL_COLUMNS];
                for (target, sum) in target.iter_mut().zip(sums) {
                    *target = sum * self.step;
                }
            }
        }
    }
}

#[inline(always)]
fn multiply_block(
    left: [&[f32]; BLOCK_ROWS],
    panel: &[[u8; PANEL_COLUMNS]],
) -> [[f32; PANEL_COLUMNS]; BLOCK_ROWS] {
    let mut sums = [[0.0_f32; PANEL_COLUMNS]; BLOCK_ROWS];
    let [a, b, c, d] = left;
    for ((((codes, a), b), c), d) in panel.iter().zip(a).zip(b).zip(c).zip(d) {
        let weights: [f32; PANEL_COLUMNS] = std::array::from_fn(|i| f32::from(codes[i].cast_signed()));
        for (sums, value) in sums.iter_mut().zip([a, b, c, d]) {
            for (sum, weight) in sums.iter_mut().zip(&weights) {
                *sum += value * weight;
            }
        }
    }
    sums
}
