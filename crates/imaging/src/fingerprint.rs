//! This owns perceptual hashes: PDQ for interchange and a 256-bit gradient hash, written from the published algorithms.

use crate::{Picture, resize};

/// Side of the grid PDQ reduces a picture to.
const GRID: usize = 64;
/// Frequencies of PDQ along each side.
const TERMS: usize = 16;
/// Longer side PDQ starts from.
const START_SIDE: u32 = 512;

/// Perceptual hashes of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// PDQ, 256 bits.
    pub pdq: [u8; 32],
    /// How much there is to tell pictures apart by, 0 to 100; under 50 PDQ means little.
    pub pdq_quality: u8,
    /// Signs of horizontal gradients over 16 × 16 cells.
    pub dhash: [u8; 32],
}

/// Bits in which two hashes differ, 0 to 256.
#[must_use]
pub fn distance(a: &[u8; 32], b: &[u8; 32]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// The fingerprint of a picture.
#[must_use]
pub fn fingerprint(picture: &Picture) -> Fingerprint {
    let start = crate::fit(picture, START_SIDE).unwrap_or_else(|_| picture.clone());
    let grid = reduce(&start);
    Fingerprint { pdq: pdq(&grid), pdq_quality: quality(&grid), dhash: dhash(&start) }
}

fn luma(pixel: &[u8; 4]) -> f32 {
    // Transparent pixels are seen on white paper.
    let alpha = f32::from(pixel[3]) / 255.0;
    let grey = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
    grey * alpha + 255.0 * (1.0 - alpha)
}

/// Luma, blurred twice by boxes along both axes (a tent), then sampled at the centres of a 64 × 64 grid.
fn reduce(picture: &Picture) -> Vec<f32> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut plane: Vec<f32> = picture.rgba.as_chunks::<4>().0.iter().map(luma).collect();
    let mut line = Vec::new();
    let window = |side: usize| side.div_ceil(2 * GRID).max(1);
    for _ in 0..2 {
        for y in 0..height {
            blur(&mut plane, y * width, 1, width, window(width), &mut line);
        }
        for x in 0..width {
            blur(&mut plane, x, width, height, window(height), &mut line);
        }
    }
    let centre = |i: usize, side: usize| ((2 * i + 1) * side / (2 * GRID)).min(side - 1);
    (0..GRID * GRID)
        .map(|cell| {
            plane
                .get(centre(cell / GRID, height) * width + centre(cell % GRID, width))
                .copied()
                .unwrap_or(0.0)
        })
        .collect()
}

/// Replaces a row or column by its running mean over `window` neighbours.
fn blur(plane: &mut [f32], start: usize, step: usize, count: usize, window: usize, line: &mut Vec<f32>) {
    if window < 2 {
        return;
    }
    line.clear();
    line.extend(plane.iter().skip(start).step_by(step).take(count));
    let (before, after) = (window / 2, window.div_ceil(2));
    let (mut sum, mut low, mut high) = (0.0, 0, 0);
    for (i, to) in plane.iter_mut().skip(start).step_by(step).take(count).enumerate() {
        while high < (i + after).min(count) {
            sum += line.get(high).copied().unwrap_or(0.0);
            high += 1;
        }
        while low + before < i {
            sum -= line.get(low).copied().unwrap_or(0.0);
            low += 1;
        }
        *to = sum / (high - low).max(1) as f32;
    }
}

/// Signs of the low frequencies around their median, from the cosine transform without its constant term.
fn pdq(grid: &[f32]) -> [u8; 32] {
    let basis: Vec<f32> = (0..TERMS * GRID)
        .map(|i| {
            let (term, sample) = ((i / GRID + 1) as f32, (i % GRID) as f32);
            (2.0 / GRID as f32).sqrt()
                * (std::f32::consts::PI / (2.0 * GRID as f32) * term * (2.0 * sample + 1.0)).cos()
        })
        .collect();
    let rows: Vec<Vec<f32>> = basis
        .chunks_exact(GRID)
        .map(|term| {
            (0..GRID)
                .map(|x| term.iter().zip(grid.iter().skip(x).step_by(GRID)).map(|(b, v)| b * v).sum())
                .collect()
        })
        .collect();
    let terms: Vec<f32> = rows
        .iter()
        .flat_map(|row| {
            basis.chunks_exact(GRID).map(move |term| term.iter().zip(row).map(|(b, v)| b * v).sum::<f32>())
        })
        .collect();
    let mut sorted = terms.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let median = sorted.get(TERMS * TERMS / 2 - 1).copied().unwrap_or(0.0);
    bits(terms.iter().map(|term| *term > median))
}

/// Sum of the gradients of the grid, as the reference scales it.
fn quality(grid: &[f32]) -> u8 {
    let at = |i: usize| grid.get(i).copied().unwrap_or(0.0);
    let step = |a: usize, b: usize| ((at(a) - at(b)) * 100.0 / 255.0).trunc().abs();
    let across = (0..GRID * GRID).filter(|i| i % GRID + 1 < GRID).map(|i| step(i, i + 1));
    let down = (0..GRID * (GRID - 1)).map(|i| step(i, i + GRID));
    let sum: f32 = across.chain(down).sum();
    (sum / 90.0).clamp(0.0, 100.0) as u8
}

fn dhash(picture: &Picture) -> [u8; 32] {
    let Ok(small) = resize(picture, 17, 16) else { return [0; 32] };
    let greys: Vec<f32> = small.rgba.as_chunks::<4>().0.iter().map(luma).collect();
    bits(greys.chunks_exact(17).flat_map(|row| row.windows(2).map(|pair| pair.first() < pair.get(1))))
}

fn bits(signs: impl Iterator<Item = bool>) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    for (place, sign) in signs.enumerate() {
        if let Some(byte) = hash.get_mut(place / 8) {
            *byte |= u8::from(sign) << (7 - place % 8);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Quality, decode, encode_webp};

    /// A picture of soft blobs, different for each seed.
    fn blobs(seed: u32, width: u32, height: u32) -> Picture {
        let wave = |x: f32, y: f32, k: u32| {
            let phase = (seed * 7 + k * 13) as f32;
            ((x * (2.0 + k as f32) + phase).sin() * (y * (3.0 + ((seed + k) % 5) as f32) - phase).cos() + 1.0)
                * 127.0
        };
        let rgba = (0..width * height)
            .flat_map(|i| {
                let (x, y) =
                    ((i % width) as f32 / width as f32 * 3.0, (i / width) as f32 / height as f32 * 3.0);
                [wave(x, y, 1) as u8, wave(x, y, 2) as u8, wave(x, y, 3) as u8, 255]
            })
            .collect();
        Picture { width, height, rgba }
    }

    #[test]
    fn the_same_picture_stays_near_and_others_stay_far() {
        let original = blobs(1, 640, 480);
        let print = fingerprint(&original);
        let smaller = fingerprint(&resize(&original, 320, 240).unwrap());
        let recompressed = encode_webp(&original, Quality::THUMBNAIL).unwrap();
        let recompressed = fingerprint(&decode(&recompressed).unwrap());
        for near in [smaller, recompressed] {
            assert!(distance(&print.pdq, &near.pdq) <= 31, "{}", distance(&print.pdq, &near.pdq));
            assert!(distance(&print.dhash, &near.dhash) <= 24);
        }
        for seed in 2..12 {
            let other = fingerprint(&blobs(seed, 640, 480));
            assert!(distance(&print.pdq, &other.pdq) > 60, "{seed}");
        }
    }

    #[test]
    fn a_flat_picture_has_no_quality() {
        let flat = Picture { width: 64, height: 64, rgba: vec![128; 64 * 64 * 4] };
        assert_eq!(fingerprint(&flat).pdq_quality, 0);
        assert!(fingerprint(&blobs(3, 256, 256)).pdq_quality > 0);
    }
}
