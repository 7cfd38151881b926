//! This owns the network of the sentence encoder: averaged word pieces and n-grams, then a small residual net.
//! It does not know text; it takes piece numbers.
//!
//! The architecture is that of the multilingual universal sentence encoder (Yang et al., 2019, "CNN" variant).

use kernel::{Error, Result};

use super::matrix::{Matrix, Rows};
use super::pack::{Pack, Section};

/// Length of an embedding.
pub const DIMENSIONS: usize = 512;
/// Width of each n-gram branch.
const BRANCH: usize = 256;
/// Word pieces whose embeddings share one quantisation step: piece `i` belongs to group `i % GROUPS`.
pub const GROUPS: usize = 17;
/// Bytes of one row of the piece table: 6 bits per value.
pub const ROW_BYTES: usize = DIMENSIONS / 4 * 3;
/// Width of the features per token: its piece and three n-grams.
const FEATURES: usize = DIMENSIONS + 3 * BRANCH;
/// Width of the first residual layer.
const HIDDEN: usize = 320;
/// Keeps divisions away from zero; the value the network was trained with.
const EPSILON: f32 = 1e-12;
/// The branches: n-gram length, and how many of its tokens lie to the left of the current one.
const ORDERS: [(usize, usize); 3] = [(2, 0), (3, 1), (5, 2)];

/// The network with its weights.
pub(super) struct Network {
    table: Section,
    low: Vec<f32>,
    step: Vec<f32>,
    project: [Matrix; 3],
    project_bias: Vec<f32>,
    project_norm: Norm,
    branches: [Branch; 3],
    norm: Norm,
    pool: Matrix,
    pool_bias: Vec<f32>,
    deep: [Matrix; 4],
    skip: [Matrix; 2],
}

/// Two rounds of n-gram convolution, each with a residual.
struct Branch {
    first: Matrix,
    first_bias: Vec<f32>,
    second: Matrix,
    second_bias: Vec<f32>,
}

struct Norm {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

impl Network {
    pub(super) fn open(pack: &Pack) -> Result<Self> {
        let table = pack.get("table")?;
        if !table.bytes().len().is_multiple_of(ROW_BYTES) {
            return Err(Error::internal("the packed sentence encoder has a table of the wrong size"));
        }
        let branch = |order: usize| -> Result<Branch> {
            Ok(Branch {
                first: Matrix::open(pack, &format!("w1_{order}"), order * BRANCH, BRANCH)?,
                first_bias: pack.get_floats(&format!("b1_{order}"), BRANCH)?,
                second: Matrix::open(pack, &format!("w2_{order}"), order * BRANCH, BRANCH)?,
                second_bias: pack.get_floats(&format!("b2_{order}"), BRANCH)?,
            })
        };
        let project = |order: usize| Matrix::open(pack, &format!("proj{order}"), DIMENSIONS, BRANCH);
        let joined = |prefix: &str| -> Result<Vec<f32>> {
            let parts = ORDERS.map(|(order, _)| pack.get_floats(&format!("{prefix}{order}"), BRANCH));
            Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
        };
        Ok(Self {
            table,
            low: pack.get_floats("lo", GROUPS)?,
            step: pack.get_floats("scale", GROUPS)?,
            project: [project(2)?, project(3)?, project(5)?],
            project_bias: joined("proj_b")?,
            project_norm: Norm { gain: joined("ln_g")?, bias: joined("ln_b")? },
            branches: [branch(2)?, branch(3)?, branch(5)?],
            norm: Norm { gain: pack.get_floats("ln_g", FEATURES)?, bias: pack.get_floats("ln_b", FEATURES)? },
            pool: Matrix::open(pack, "cnn_W", FEATURES, DIMENSIONS)?,
            pool_bias: pack.get_floats("cnn_b", DIMENSIONS)?,
            deep: [
                Matrix::open(pack, "d0", DIMENSIONS, HIDDEN)?,
                Matrix::open(pack, "d1", HIDDEN, HIDDEN)?,
                Matrix::open(pack, "d2", HIDDEN, DIMENSIONS)?,
                Matrix::open(pack, "d3", DIMENSIONS, DIMENSIONS)?,
            ],
            skip: [
                Matrix::open(pack, "p1", DIMENSIONS, HIDDEN)?,
                Matrix::open(pack, "p3", HIDDEN, DIMENSIONS)?,
            ],
        })
    }

    /// How many pieces the table knows.
    pub(super) fn piece_count(&self) -> usize {
        self.table.bytes().len() / ROW_BYTES
    }

    /// The unit vector of a text of at least one piece.
    pub(super) fn forward(&self, pieces: &[u32]) -> [f32; DIMENSIONS] {
        let count = pieces.len();
        let mut features = vec![0.0; count * FEATURES];
        let mut words = Vec::with_capacity(count * DIMENSIONS);
        for (piece, features) in pieces.iter().zip(features.chunks_exact_mut(FEATURES)) {
            let word = self.unpack(*piece as usize);
            features[..DIMENSIONS].copy_from_slice(&word);
            words.extend_from_slice(&word);
        }
        let projected = self.project(&words, count);
        for (index, (branch, (order, left))) in self.branches.iter().zip(ORDERS).enumerate() {
            let column = index * BRANCH;
            let grams = branch.convolve(&projected, column, order, left, count);
            for (features, grams) in features.chunks_exact_mut(FEATURES).zip(grams.chunks_exact(BRANCH)) {
                features[DIMENSIONS + column..][..BRANCH].copy_from_slice(grams);
            }
        }
        self.norm.apply(&mut features);
        self.settle(self.average(&features, count))
    }

    /// The row of one piece, four 6-bit codes from three bytes at a time.
    fn unpack(&self, piece: usize) -> [f32; DIMENSIONS] {
        let mut row = [0.0; DIMENSIONS];
        let bytes = self.table.bytes().get(piece * ROW_BYTES..).unwrap_or_default();
        let (low, step) = (self.low[piece % GROUPS], self.step[piece % GROUPS]);
        for (values, packed) in row.as_chunks_mut::<4>().0.iter_mut().zip(bytes.as_chunks::<3>().0) {
            let bits = u32::from_le_bytes([packed[0], packed[1], packed[2], 0]);
            for (lane, value) in values.iter_mut().enumerate() {
                *value = low + step * ((bits >> (6 * lane)) & 63) as f32;
            }
        }
        row
    }

    /// What the three branches start from, side by side.
    fn project(&self, words: &[f32], count: usize) -> Vec<f32> {
        let width = ORDERS.len() * BRANCH;
        let mut all = vec![0.0; count * width];
        for (index, matrix) in self.project.iter().enumerate() {
            let part = matrix.apply(Rows { values: words, stride: DIMENSIONS, count });
            for (row, part) in all.chunks_exact_mut(width).zip(part.chunks_exact(BRANCH)) {
                row[index * BRANCH..][..BRANCH].copy_from_slice(part);
            }
        }
        for row in all.chunks_exact_mut(width) {
            add(row, &self.project_bias);
        }
        self.project_norm.apply(&mut all);
        all
    }

    /// The sum over tokens, projected, over the square root of their number. Projecting the sum costs one row
    /// instead of one per token, and is the same since the projection is linear.
    fn average(&self, features: &[f32], count: usize) -> Vec<f32> {
        let mut sum = vec![0.0; FEATURES];
        for row in features.chunks_exact(FEATURES) {
            add(&mut sum, row);
        }
        let mut mean = one_row(&self.pool, &sum);
        let tokens = count as f32;
        for (value, bias) in mean.iter_mut().zip(&self.pool_bias) {
            *value = (*value + tokens * bias) / tokens.sqrt();
        }
        mean
    }

    /// The residual net on top, then length 1.
    fn settle(&self, mean: Vec<f32>) -> [f32; DIMENSIONS] {
        let [d0, d1, d2, d3] = &self.deep;
        let [p1, p3] = &self.skip;
        let first = rectified(one_row(d0, &mean));
        let mut second = one_row(p1, &mean);
        add(&mut second, &one_row(d1, &first));
        let second = rectified(second);
        let third = rectified(one_row(d2, &second));
        let mut last = one_row(p3, &second);
        add(&mut last, &one_row(d3, &third));

        let mut unit = [0.0; DIMENSIONS];
        for (unit, value) in unit.iter_mut().zip(&last) {
            *unit = value.tanh();
        }
        let length = unit.iter().map(|value| value * value).sum::<f32>().max(EPSILON).sqrt();
        unit.map(|value| value / length)
    }
}

impl Branch {
    fn convolve(
        &self,
        projected: &[f32],
        column: usize,
        order: usize,
        left: usize,
        count: usize,
    ) -> Vec<f32> {
        // Rows of zeros before and after stand for the missing neighbours; windows then overlap in place.
        let mut padded = vec![0.0; (count + order - 1) * BRANCH];
        let rows = projected.chunks_exact(ORDERS.len() * BRANCH);
        for (target, row) in padded[left * BRANCH..].chunks_exact_mut(BRANCH).zip(rows) {
            target.copy_from_slice(&row[column..][..BRANCH]);
        }
        let place = left * BRANCH..(left + count) * BRANCH;
        let mut once = self.first.apply(Rows { values: &padded, stride: BRANCH, count });
        activate(&mut once, &self.first_bias, &padded[place.clone()]);
        padded[place.clone()].copy_from_slice(&once);
        let mut twice = self.second.apply(Rows { values: &padded, stride: BRANCH, count });
        activate(&mut twice, &self.second_bias, &padded[place]);
        twice
    }
}

impl Norm {
    /// Brings every row to mean 0 and variance 1, then scales and shifts it.
    fn apply(&self, rows: &mut [f32]) {
        let width = self.gain.len();
        for row in rows.chunks_exact_mut(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / width as f32;
            let scale = (variance + EPSILON).sqrt().recip();
            for ((value, gain), bias) in row.iter_mut().zip(&self.gain).zip(&self.bias) {
                *value = (*value - mean) * scale * gain + bias;
            }
        }
    }
}

/// `max(value + bias, 0) + residual`, row by row.
fn activate(rows: &mut [f32], bias: &[f32], residual: &[f32]) {
    for (row, residual) in rows.chunks_exact_mut(bias.len()).zip(residual.chunks_exact(bias.len())) {
        for ((value, bias), residual) in row.iter_mut().zip(bias).zip(residual) {
            *value = (*value + bias).max(0.0) + residual;
        }
    }
}

fn one_row(matrix: &Matrix, row: &[f32]) -> Vec<f32> {
    matrix.apply(Rows { values: row, stride: row.len(), count: 1 })
}

fn rectified(mut row: Vec<f32>) -> Vec<f32> {
    for value in &mut row {
        *value = value.max(0.0);
    }
    row
}

fn add(row: &mut [f32], other: &[f32]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value += other;
    }
}
