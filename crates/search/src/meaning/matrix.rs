//! This owns the one expensive thing in the encoder: a product of f32 rows with a matrix of i8 codes.
//! It does not know the network.
//!
//! The published weights were quantised once, so `code × step` gives them back exactly and the matrix stays in the
//! processor's cache. Columns lie in panels of 16, each panel row after row, so the inner loop reads forwards.

use kernel::{Error, Result};
use pulp::{Simd, WithSimd};

use super::pack::{Pack, Section};

/// Columns of one panel: two AVX2 registers of f32.
pub const PANEL_COLUMNS: usize = 16;

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

/// One row of a panel.
type Weights = [f32; PANEL_COLUMNS];

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
        pulp::Arch::new().dispatch(Product { matrix: self, rows, out: &mut out });
        out
    }
}

/// A product to be computed. A type of its own, since a closure is not sure to be compiled for the wide registers.
struct Product<'a> {
    matrix: &'a Matrix,
    rows: Rows<'a>,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let codes = self.matrix.codes.bytes().get(4..).unwrap_or_default();
        let mut panel = vec![Weights::default(); self.matrix.inputs];
        for (index, codes) in codes.chunks_exact(self.matrix.inputs * PANEL_COLUMNS).enumerate() {
            widen(codes.as_chunks().0, &mut panel);
            for strip in 0..PANEL_COLUMNS / S::F32_LANES {
                let column = index * PANEL_COLUMNS + strip * S::F32_LANES;
                let mut row = 0;
                while row < self.rows.count {
                    row += match self.rows.count - row {
                        8.. => self.multiply::<S, 8>(simd, &panel, strip, row, column),
                        4.. => self.multiply::<S, 4>(simd, &panel, strip, row, column),
                        _ => self.multiply::<S, 1>(simd, &panel, strip, row, column),
                    };
                }
            }
        }
    }
}

impl Product<'_> {
    /// A strip of one register's width of a panel, times `R` rows from `first` on; returns `R`.
    #[inline(always)]
    fn multiply<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        panel: &[Weights],
        strip: usize,
        first: usize,
        column: usize,
    ) -> usize {
        let Rows { values, stride, .. } = self.rows;
        let mut left = [values; R];
        for (lane, left) in left.iter_mut().enumerate() {
            *left = &values[(first + lane) * stride..][..panel.len()];
        }
        let mut sums = [simd.splat_f32s(0.0); R];
        for (depth, weights) in panel.iter().enumerate() {
            let weights = S::as_simd_f32s(weights).0[strip];
            for lane in 0..R {
                sums[lane] = simd.mul_add_e_f32s(simd.splat_f32s(left[lane][depth]), weights, sums[lane]);
            }
        }
        for (lane, sum) in sums.into_iter().enumerate() {
            let target = &mut self.out[(first + lane) * self.matrix.outputs + column..];
            S::as_mut_simd_f32s(target).0[0] = simd.mul_f32s(sum, simd.splat_f32s(self.matrix.step));
        }
        R
    }
}

/// The codes of a panel as numbers, once for all rows.
#[inline(always)]
fn widen(codes: &[[u8; PANEL_COLUMNS]], panel: &mut [Weights]) {
    for (weight, code) in panel.as_flattened_mut().iter_mut().zip(codes.as_flattened()) {
        *weight = f32::from(code.cast_signed());
    }
}
