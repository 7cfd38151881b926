//! This owns figures: a library picture drawn at its size, brought into the scene's palette and light, set on the ground.

use std::borrow::Cow;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::super::colour::{Palette, Rgb, at_luma, luma, mix};
use super::super::reading::{Figure, Hour};
use super::canvas::{Canvas, bytes};
use super::cut;

/// Where a figure goes, as shares of the canvas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placing {
    /// Middle.
    pub x: f32,
    /// Lowest point.
    pub feet: f32,
    /// Height.
    pub height: f32,
    /// -1 mirrors it.
    pub mirror: f32,
    /// Depth.
    pub depth: u8,
    /// Strength of the shadow at its feet.
    pub shadow: f32,
    /// Whether water mirrors it.
    pub reflect: bool,
}

/// How far the lightness of a figure is from what lies behind it, at least.
const CONTRAST_MIN: f32 = 0.19;
/// No figure is made lighter than this in the mean.
const LUMA_MAX: f32 = 0.9;

/// A figure in the scene's colours, trimmed to what is drawn.
#[derive(Clone)]
pub(super) struct Sprite {
    w: usize,
    h: usize,
    /// Colour and cover.
    pixels: Vec<([u8; 3], u8)>,
}

/// How far the colours of a picture move towards the inks of the scene.
const INK_SHARE: f32 = 0.42;
/// A sprite is drawn once at this share of the shorter side and scaled from there.
const SPRITE_SHARE: f32 = 0.72;

impl Sprite {
    /// `None` for a picture that cannot be drawn.
    pub(super) fn of(
        figure: &Figure,
        canvas: &Canvas,
        palette: &Palette,
        colour: Option<[u8; 3]>,
        hour: Hour,
    ) -> Option<Self> {
        let tree = Tree::from_str(&figure.svg, &Options::default()).ok()?;
        let side = (canvas.unit() * SPRITE_SHARE).clamp(16.0, 2600.0);
        let scale = side / tree.size().width().max(tree.size().height());
        let (w, h) =
            ((tree.size().width() * scale).ceil() as u32, (tree.size().height() * scale).ceil() as u32);
        let mut pixmap = Pixmap::new(w, h)?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        if let Some(inner) = figure.inner {
            cut::back(&mut pixmap, inner);
        }
        let mut sprite = Self::trimmed(&pixmap)?;
        sprite.recolour(palette, colour, hour);
        sprite.light(palette, canvas.unit());
        Some(sprite)
    }

    fn trimmed(pixmap: &Pixmap) -> Option<Self> {
        let (w, h) = (pixmap.width() as usize, pixmap.height() as usize);
        let pixels = pixmap.pixels();
        let drawn = |x: usize, y: usize| pixels[y * w + x].alpha() > 8;
        let top = (0..h).find(|y| (0..w).any(|x| drawn(x, *y)))?;
        let low = (0..h).rfind(|y| (0..w).any(|x| drawn(x, *y)))?;
        let left = (0..w).find(|x| (0..h).any(|y| drawn(*x, y)))?;
        let right = (0..w).rfind(|x| (0..h).any(|y| drawn(*x, y)))?;
        let cut = (top..=low).flat_map(|y| (left..=right).map(move |x| y * w + x)).map(|at| {
            let plain = pixels[at].demultiply();
            ([plain.red(), plain.green(), plain.blue()], plain.alpha())
        });
        Some(Self { w: right - left + 1, h: low - top + 1, pixels: cut.collect() })
    }

    /// Every colour moves towards the ink of the palette that is nearest in lightness, so that all belong together.
    fn recolour(&mut self, palette: &Palette, colour: Option<[u8; 3]>, hour: Hour) {
        let named = colour.map(|c| c.map(|v| f32::from(v) / 255.0));
        let (dim, ambient) = match hour {
            Hour::Night => (0.80, palette.sky_low),
            Hour::Dusk | Hour::Sunset => (0.90, palette.sky_low),
            _ => (1.0, palette.light),
        };
        let ink = |c: Rgb| -> Rgb {
            let light = luma(c);
            let own = match named {
                // A named colour takes the middle tones; whites and blacks stay what they are.
                Some(named) if (0.12..0.86).contains(&light) => {
                    at_luma(named, (light * 0.55 + luma(named) * 0.45).clamp(0.05, 0.95))
                }
                _ => c,
            };
            let nearest = palette.inks().into_iter().min_by(|a, b| {
                let distance = |ink: &Rgb| (luma(*ink) - light).abs() + 0.35 * hue_distance(*ink, own);
                distance(a).total_cmp(&distance(b))
            });
            let share = if named.is_some() { 0.12 } else { INK_SHARE };
            let joined = mix(own, at_luma(nearest.unwrap_or(own), light), share);
            let shaded = mix(joined, ambient, 0.07).map(|v| v * dim);
            // A few tones only: what is printed has no airbrush in it.
            at_luma(shaded, (luma(shaded) * 9.0).round() / 9.0)
        };
        let mut seen = std::collections::HashMap::new();
        for (rgb, _) in &mut self.pixels {
            let key = rgb.map(|v| v & 0xf8);
            *rgb = *seen.entry(key).or_insert_with(|| bytes(ink(key.map(|v| f32::from(v) / 255.0))));
        }
    }

    /// Light falls from the upper left: an edge of light there, a broad shade on the far side.
    fn light(&mut self, palette: &Palette, unit: f32) {
        let rim = (unit * 0.007).max(1.0) as isize;
        let shade = (unit * 0.05).max(2.0) as isize;
        let cover = |x: isize, y: isize| -> bool {
            let inside = x >= 0 && y >= 0 && (x as usize) < self.w && (y as usize) < self.h;
            inside && self.pixels[y as usize * self.w + x as usize].1 > 127
        };
        let (bright, dim) = (bytes(palette.light), bytes(mix(palette.dark, palette.fore, 0.4)));
        let mut lit = self.pixels.clone();
        for y in 0..self.h as isize {
            for x in 0..self.w as isize {
                let at = y as usize * self.w + x as usize;
                let share = if !cover(x - rim, y - rim) {
                    Some((bright, 40_u32))
                } else if !cover(x + shade, y + shade / 2) {
                    Some((dim, 62))
                } else {
                    None
                };
                if let Some((tone, strength)) = share {
                    for (old, new) in lit[at].0.iter_mut().zip(tone) {
                        *old = ((u32::from(*old) * (255 - strength) + u32::from(new) * strength) / 255) as u8;
                    }
                }
            }
        }
        self.pixels = lit;
    }

    /// Sets the figure on the canvas.
    pub(super) fn put(&self, canvas: &mut Canvas, palette: &Palette, placing: Placing) {
        let tall = placing.height * canvas.unit().max(canvas.height() * 0.8);
        let scale = tall / self.h as f32;
        let wide = self.w as f32 * scale;
        // Very wide figures are held within the picture.
        let fit = (canvas.width() * 0.8 / wide).min(1.0);
        let (tall, wide) = (tall * fit, wide * fit);
        let (left, feet) = (placing.x * canvas.width() - wide / 2.0, placing.feet * canvas.height());
        let figure = self.apart_from(canvas.mean_luma(left, feet - tall, wide, tall));
        if placing.shadow > 0.0 {
            let shadow = bytes(mix(palette.dark, palette.fore, 0.3));
            self.stamp(
                canvas,
                placing,
                (left + tall * 0.10, feet, wide, -tall * 0.16),
                (placing.depth.saturating_sub(1), 120.0 * placing.shadow),
                Some(shadow),
            );
        }
        if placing.reflect {
            let reflection = bytes(mix(palette.water, palette.dark, 0.45));
            self.stamp(
                canvas,
                placing,
                (left, feet - tall * 0.05, wide, -tall * 0.55),
                (placing.depth.saturating_sub(1), 95.0),
                Some(reflection),
            );
        }
        figure.stamp(canvas, placing, (left, feet, wide, tall), (placing.depth, 255.0), None);
    }

    /// The figure, lighter or darker where it would be lost on what lies behind it.
    fn apart_from(&self, behind: f32) -> Cow<'_, Self> {
        let (sum, count) = self
            .pixels
            .iter()
            .filter(|(_, cover)| *cover > 127)
            .fold((0.0, 0.0_f32), |(sum, count), (rgb, _)| {
                (sum + luma(rgb.map(|value| f32::from(value) / 255.0)), count + 1.0)
            });
        let own = sum / count.max(1.0);
        if (own - behind).abs() >= CONTRAST_MIN {
            return Cow::Borrowed(self);
        }
        // What is lighter gets lighter still where there is room for it, what is darker darker.
        let lighter =
            behind + CONTRAST_MIN <= LUMA_MAX && (own >= behind || behind < 1.0 - LUMA_MAX + CONTRAST_MIN);
        let wanted = if lighter { behind + CONTRAST_MIN } else { behind - CONTRAST_MIN };
        let moved = |rgb: [u8; 3]| {
            let colour = rgb.map(|value| f32::from(value) / 255.0);
            bytes(at_luma(colour, (luma(colour) + wanted - own).clamp(0.03, 0.97)))
        };
        let pixels = self.pixels.iter().map(|(rgb, cover)| (moved(*rgb), *cover)).collect();
        Cow::Owned(Self { w: self.w, h: self.h, pixels })
    }

    /// Draws the figure into a box that stands on `feet`; a negative height hangs below it, upside down.
    fn stamp(
        &self,
        canvas: &mut Canvas,
        placing: Placing,
        (left, feet, wide, tall): (f32, f32, f32, f32),
        (depth, strength): (u8, f32),
        tone: Option<[u8; 3]>,
    ) {
        let (top, low) = if tall > 0.0 { (feet - tall, feet) } else { (feet, feet - tall) };
        let rows = top.max(0.0) as usize..(low.max(0.0).ceil() as usize).min(canvas.h);
        let columns = left.max(0.0) as usize..((left + wide).max(0.0).ceil() as usize).min(canvas.w);
        for y in rows {
            let v =
                if tall > 0.0 { (y as f32 + 0.5 - top) / tall } else { 1.0 - (y as f32 + 0.5 - top) / -tall };
            for x in columns.clone() {
                let u = (x as f32 + 0.5 - left) / wide;
                let u = if placing.mirror < 0.0 { 1.0 - u } else { u };
                let (rgb, cover) = self.sample(u, v);
                let cover = (cover * strength / 255.0) as u32;
                if cover > 0 {
                    canvas.lay(x, y, tone.unwrap_or(rgb), cover.min(255), depth);
                }
            }
        }
    }

    /// Colour and cover at a place, cover averaged over four neighbours.
    fn sample(&self, u: f32, v: f32) -> ([u8; 3], f32) {
        let (fx, fy) = (u * self.w as f32 - 0.5, v * self.h as f32 - 0.5);
        let at = |x: f32, y: f32| -> Option<([u8; 3], u8)> {
            (x >= 0.0 && y >= 0.0 && x < self.w as f32 && y < self.h as f32)
                .then(|| self.pixels[y as usize * self.w + x as usize])
        };
        let (x0, y0) = (fx.floor(), fy.floor());
        let (tx, ty) = (fx - x0, fy - y0);
        let mut sum = [0.0_f32; 4];
        for (x, y, weight) in [
            (x0, y0, (1.0 - tx) * (1.0 - ty)),
            (x0 + 1.0, y0, tx * (1.0 - ty)),
            (x0, y0 + 1.0, (1.0 - tx) * ty),
            (x0 + 1.0, y0 + 1.0, tx * ty),
        ] {
            if let Some((rgb, cover)) = at(x, y) {
                let weight = weight * f32::from(cover);
                for c in 0..3 {
                    sum[c] += f32::from(rgb[c]) * weight;
                }
                sum[3] += weight;
            }
        }
        if sum[3] < 1.0 {
            return ([0; 3], 0.0);
        }
        ([0, 1, 2].map(|c| (sum[c] / sum[3]) as u8), sum[3])
    }
}

/// How far two colours are apart apart from their lightness.
fn hue_distance(a: Rgb, b: Rgb) -> f32 {
    let (la, lb) = (luma(a), luma(b));
    (0..3).map(|c| ((a[c] - la) - (b[c] - lb)).powi(2)).sum::<f32>().sqrt()
}
