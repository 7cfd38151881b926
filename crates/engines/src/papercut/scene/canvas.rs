//! This owns the canvas: colour and depth for each pixel, the shapes that can be laid on it, and the dice.

use imaging::Picture;
use kernel::{Error, Result};
use resvg::tiny_skia::{FillRule, Mask, Path, PathBuilder, Transform};

use super::super::colour::{Rgb, luma, mix};

/// A small deterministic generator (SplitMix64), so that a seed means the same picture everywhere.
pub(in super::super) struct Dice(u64);

impl Dice {
    pub(in super::super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(in super::super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1_u64 << 24) as f32)
    }

    pub(in super::super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    /// Left or right.
    pub(in super::super) fn side(&mut self) -> f32 {
        if self.below(2) == 0 { -1.0 } else { 1.0 }
    }
}

/// Colour and depth.
pub(in super::super) struct Canvas {
    pub(in super::super) w: usize,
    pub(in super::super) h: usize,
    pub(in super::super) rgb: Vec<[u8; 3]>,
    pub(in super::super) depth: Vec<u8>,
    /// The side from which the light falls: -1 left, 1 right. Figures, shadows and paper edges all follow it.
    pub(in super::super) light: f32,
}

pub(in super::super) fn bytes(c: Rgb) -> [u8; 3] {
    c.map(|v| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
}

impl Canvas {
    pub(in super::super) fn new((w, h): (u32, u32), paper: Rgb) -> Result<Self> {
        let (w, h) = (w as usize, h as usize);
        if w == 0 || h == 0 {
            return Err(Error::internal("a picture needs a size"));
        }
        Ok(Self { w, h, rgb: vec![bytes(paper); w * h], depth: vec![0; w * h], light: -1.0 })
    }

    pub(in super::super) fn width(&self) -> f32 {
        self.w as f32
    }

    pub(in super::super) fn height(&self) -> f32 {
        self.h as f32
    }

    /// The shorter side; lengths that should look alike at every ratio are shares of it.
    pub(in super::super) fn unit(&self) -> f32 {
        self.w.min(self.h) as f32
    }

    /// The canvas as it stands, thinned to a longer side of about this many pixels; a whole copy would cost as much
    /// memory as the canvas.
    pub(in super::super) fn sketch(&self, side_px: u32) -> Picture {
        let step = (self.w.max(self.h) / side_px.max(1) as usize).max(1);
        let (wide, tall) = (self.w.div_ceil(step), self.h.div_ceil(step));
        let row = |y: usize| (0..wide).map(move |x| y * step * self.w + x * step);
        let pixels = (0..tall).flat_map(row).filter_map(|at| self.rgb.get(at));
        let rgba = pixels.flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        Picture { width: wide as u32, height: tall as u32, rgba }
    }

    /// Mean lightness of a box, given in pixels; of one that lies outside, a middle one.
    pub(super) fn mean_luma(&self, left: f32, top: f32, wide: f32, tall: f32) -> f32 {
        const SAMPLES: usize = 24;
        let (mut sum, mut count) = (0.0, 0.0);
        for n in 0..SAMPLES * SAMPLES {
            let (u, v) = ((n % SAMPLES) as f32 / SAMPLES as f32, (n / SAMPLES) as f32 / SAMPLES as f32);
            let (x, y) = (left + u * wide, top + v * tall);
            if x >= 0.0 && y >= 0.0 && x < self.width() && y < self.height() {
                sum += luma(self.rgb[y as usize * self.w + x as usize].map(|value| f32::from(value) / 255.0));
                count += 1.0;
            }
        }
        if count > 0.0 { sum / count } else { 0.5 }
    }

    /// Lays a colour over a pixel.
    pub(super) fn lay(&mut self, x: usize, y: usize, colour: [u8; 3], cover: u32, depth: u8) {
        let at = y * self.w + x;
        let old = self.rgb[at];
        for c in 0..3 {
            self.rgb[at][c] =
                ((u32::from(old[c]) * (255 - cover) + u32::from(colour[c]) * cover + 127) / 255) as u8;
        }
        if cover > 127 {
            self.depth[at] = depth;
        }
    }

    /// Fills a path with a colour that changes from top to bottom of the given heights.
    pub(super) fn fill(
        &mut self,
        path: Option<Path>,
        top: Rgb,
        low: Rgb,
        (y0, y1): (f32, f32),
        depth: u8,
        opacity: f32,
    ) {
        let Some(path) = path else { return };
        // The mask is as large as the part of the path that shows, not as the canvas.
        let bounds = path.bounds();
        let first = bounds.top().floor().max(0.0) as usize;
        let last = (bounds.bottom().ceil().max(0.0) as usize).min(self.h);
        let left = bounds.left().floor().max(0.0) as usize;
        let right = (bounds.right().ceil().max(0.0) as usize).min(self.w);
        let (wide, tall) = (right.saturating_sub(left), last.saturating_sub(first));
        let Some(mut mask) = Mask::new(wide as u32, tall as u32) else { return };
        let moved = Transform::from_translate(-(left as f32), -(first as f32));
        mask.fill_path(&path, FillRule::Winding, true, moved);
        let strength = (opacity * 255.0) as u32;
        for y in first..last {
            let colour = bytes(mix(top, low, ((y as f32 - y0) / (y1 - y0).max(1.0)).clamp(0.0, 1.0)));
            for x in left..right {
                let cover = u32::from(mask.data()[(y - first) * wide + x - left]) * strength / 255;
                if cover > 0 {
                    self.lay(x, y, colour, cover, depth);
                }
            }
        }
    }

    /// Fills a path that may have a hole.
    pub(super) fn fill_by(&mut self, path: Option<Path>, rule: FillRule, colour: Rgb, depth: u8) {
        let (Some(path), Some(mut mask)) = (path, Mask::new(self.w as u32, self.h as u32)) else { return };
        mask.fill_path(&path, rule, true, Transform::identity());
        let tone = bytes(colour);
        for (at, cover) in mask.data().iter().enumerate().filter(|(_, cover)| **cover > 0) {
            self.lay(at % self.w, at / self.w, tone, u32::from(*cover), depth);
        }
    }

    pub(super) fn flat(&mut self, path: Option<Path>, colour: Rgb, depth: u8) {
        self.fill(path, colour, colour, (0.0, 1.0), depth, 1.0);
    }

    /// Fills a band of the whole width.
    pub(super) fn wash(&mut self, top: Rgb, low: Rgb, from: f32, to: f32, depth: u8) {
        let (y0, y1) = ((from * self.height()) as usize, ((to * self.height()).ceil() as usize).min(self.h));
        for y in y0..y1 {
            // A soft curve: most of the change happens near the horizon.
            let t = (y - y0) as f32 / (y1 - y0).max(1) as f32;
            let colour = bytes(mix(top, low, t.powf(1.3)));
            let row = y * self.w;
            self.rgb[row..row + self.w].fill(colour);
            self.depth[row..row + self.w].fill(depth);
        }
    }

    pub(super) fn disc(&mut self, x: f32, y: f32, radius: f32, colour: Rgb, depth: u8) {
        self.flat(PathBuilder::from_circle(x, y, radius.max(0.5)), colour, depth);
    }

    #[allow(clippy::too_many_arguments)] // Each names a part of a shape; a struct would only rename them.
    /// Land whose edge waves by `swing` pixels; `jag` from 0 (rolling) to 1 (peaks).
    pub(super) fn ridge(
        &mut self,
        y: f32,
        swing: f32,
        jag: f32,
        top: Rgb,
        low: Rgb,
        depth: u8,
        dice: &mut Dice,
    ) {
        let edge = self.edge(y, swing, jag, dice);
        let mut path = PathBuilder::new();
        path.move_to(-2.0, self.height() + 2.0);
        let step = (self.width() / (edge.len() - 1) as f32).max(0.1);
        for (i, y) in edge.iter().enumerate() {
            path.line_to(i as f32 * step, *y);
        }
        path.line_to(self.width() + 2.0, self.height() + 2.0);
        path.close();
        let span = (y - swing, self.height());
        self.fill(path.finish(), top, low, span, depth, 1.0);
    }

    /// Heights of a waving line at evenly spaced points.
    pub(super) fn edge(&self, y: f32, swing: f32, jag: f32, dice: &mut Dice) -> Vec<f32> {
        let waves: Vec<(f32, f32, f32)> = (0..5)
            .map(|n| {
                (
                    dice.range(0.6, 1.4) * (1 << n) as f32,
                    dice.range(0.0, std::f32::consts::TAU),
                    0.62_f32.powi(n),
                )
            })
            .collect();
        let points = 160;
        (0..=points)
            .map(|i| {
                let x = i as f32 / points as f32 * 2.2;
                let sum: f32 = waves
                    .iter()
                    .map(|(frequency, phase, weight)| {
                        let angle = x * frequency + phase;
                        let rolling = angle.sin();
                        let peak =
                            1.0 - 2.0 * ((angle / std::f32::consts::PI).rem_euclid(1.0) * 2.0 - 1.0).abs();
                        weight * (rolling * (1.0 - jag) + peak * jag)
                    })
                    .sum();
                y - swing * sum / 1.6
            })
            .collect()
    }

    pub(super) fn rays(
        &mut self,
        (x, y): (f32, f32),
        count: u32,
        colour: Rgb,
        (depth, opacity): (u8, f32),
        turn: f32,
    ) {
        let (cx, cy, far) = (x * self.width(), y * self.height(), self.width() + self.height());
        let mut path = PathBuilder::new();
        for n in 0..count {
            let angle = std::f32::consts::TAU * (n as f32 / count as f32) + turn;
            let half = std::f32::consts::PI / count as f32 / 2.0;
            path.move_to(cx, cy);
            path.line_to(cx + far * (angle - half).cos(), cy + far * (angle - half).sin());
            path.line_to(cx + far * (angle + half).cos(), cy + far * (angle + half).sin());
            path.close();
        }
        self.fill(path.finish(), colour, colour, (0.0, 1.0), depth, opacity);
    }

    /// A disc out of which another is bitten, both as middle and radius.
    pub(super) fn crescent(
        &mut self,
        (x, y, radius): (f32, f32, f32),
        (bx, by, bite): (f32, f32, f32),
        colour: Rgb,
        depth: u8,
    ) {
        let rows = (y - radius).max(0.0) as usize..((y + radius + 1.0).max(0.0) as usize).min(self.h);
        let columns = (x - radius).max(0.0) as usize..((x + radius + 1.0).max(0.0) as usize).min(self.w);
        let tone = bytes(colour);
        for py in rows {
            for px in columns.clone() {
                let (fx, fy) = (px as f32 + 0.5, py as f32 + 0.5);
                let inside = radius - (fx - x).hypot(fy - y) + 0.5;
                let outside = (fx - bx).hypot(fy - by) - bite + 0.5;
                let cover = inside.clamp(0.0, 1.0) * outside.clamp(0.0, 1.0);
                if cover > 0.0 {
                    self.lay(px, py, tone, (cover * 255.0) as u32, depth);
                }
            }
        }
    }

    /// Fills the part of a path that lies above a line.
    pub(super) fn fill_above(&mut self, path: Option<Path>, line: f32, colour: Rgb, depth: u8) {
        let whole = self.h;
        self.h = (line.max(0.0) as usize).min(whole);
        self.flat(path, colour, depth);
        self.h = whole;
    }

    pub(super) fn blossom(&mut self, x: f32, y: f32, radius: f32, petals: Rgb, heart: Rgb, depth: u8) {
        for n in 0..5 {
            let angle = std::f32::consts::TAU * n as f32 / 5.0 - 1.57;
            self.disc(
                x + angle.cos() * radius * 0.55,
                y + angle.sin() * radius * 0.55,
                radius * 0.42,
                petals,
                depth,
            );
        }
        self.disc(x, y, radius * 0.3, heart, depth);
    }
}
