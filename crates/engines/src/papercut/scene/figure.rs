//! This owns figures: a library picture drawn at its size, brought into the scene's palette and light, set on the ground.

use resvg::tiny_skia::{PathBuilder, Pixmap, Rect, Transform};
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
    /// How far the air takes it back, 0 to 1.
    pub haze: f32,
    /// The waterline, below which it is not seen.
    pub cut: Option<f32>,
}

/// How far the lightness of a figure is from what lies behind it, at least.
const CONTRAST_MIN: f32 = 0.21;
/// A figure whose lightness spreads by so much around its mean is seen on anything.
const SPREAD_MIN: f32 = 0.29;
/// No figure is made lighter or darker by more, so that a red stays one.
const SHIFT_MAX: f32 = 0.15;
/// No figure is made lighter than this in the mean.
const LUMA_MAX: f32 = 0.9;
/// How far the colours of a picture move towards the inks of the scene.
const INK_SHARE: f32 = 0.34;
/// Sides of the pixmaps on which figures are drawn, in pixels.
const SPRITE_SIDE_PX: (f32, f32) = (16.0, 2400.0);
/// Pictures leave a margin; they are drawn larger by this, so that what is trimmed has its height.
const MARGIN: f32 = 1.16;

type Pixels = Vec<([u8; 3], u8)>;

/// A figure in the scene's colours, trimmed to what is drawn.
#[derive(Clone)]
pub(super) struct Sprite {
    w: usize,
    h: usize,
    /// Colour and cover.
    pixels: Pixels,
    /// The left and right end of what touches the ground, as shares of the width.
    base: (f32, f32),
    /// The middle of its upper end, as a share of the width: where a head is.
    crest: f32,
    /// How strong the edge of light is: low suns and moons draw a sharp one.
    rim: u32,
    /// As it is put: lit from the side of the light, as it looks to the left and to the right.
    ready: [Option<Pixels>; 2],
}

impl Placing {
    /// Pixels of a height of one.
    pub(super) fn whole(canvas: &Canvas) -> f32 {
        canvas.unit().max(canvas.height() * 0.8)
    }
}

impl Sprite {
    /// `None` for a picture that cannot be drawn.
    pub(super) fn of(
        figure: &Figure,
        canvas: &Canvas,
        palette: &Palette,
        colour: Option<[u8; 3]>,
        hour: Hour,
        tall_px: f32,
    ) -> Option<Self> {
        let tree = Tree::from_str(&figure.svg, &Options::default()).ok()?;
        let side = (tall_px * MARGIN).min(canvas.width()).clamp(SPRITE_SIDE_PX.0, SPRITE_SIDE_PX.1);
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
        sprite.rim = if hour == Hour::Day { 60 } else { 120 };
        Some(sprite)
    }

    /// Width over height.
    pub(super) fn aspect(&self) -> f32 {
        self.w as f32 / self.h as f32
    }

    /// How far right of its middle the head is, where it is put, as a share of the canvas.
    pub(super) fn head(&self, placing: Placing, canvas: &Canvas) -> f32 {
        let wide = self.aspect() * placing.height * Placing::whole(canvas) / canvas.width();
        (self.crest - 0.5) * placing.mirror * wide
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
        let (wide, tall) = (right - left + 1, low - top + 1);
        let pixels: Pixels = cut.collect();
        let sole = pixels.get(tall.saturating_sub(tall / 24 + 1) * wide..).unwrap_or_default();
        let touches = |x: &usize| sole.iter().skip(*x).step_by(wide).any(|(_, cover)| *cover > 127);
        let first = (0..wide).find(touches).unwrap_or(0) as f32 / wide as f32;
        let last = (0..wide).rfind(touches).unwrap_or(wide) as f32 / wide as f32;
        let crown = pixels.iter().take(wide * (tall / 10 + 1)).enumerate();
        let (sum, count) = crown
            .filter(|(_, (_, cover))| *cover > 127)
            .fold((0.0, 0.0_f32), |(sum, count), (at, _)| (sum + (at % wide) as f32 + 0.5, count + 1.0));
        let crest = if count > 0.0 { sum / count / wide as f32 } else { 0.5 };
        Some(Self { w: wide, h: tall, pixels, base: (first, last), crest, rim: 0, ready: [None, None] })
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
            // A strong colour is what a thing is known by; what is grey may take any.
            let strength = own.into_iter().fold(0.0, f32::max) - own.into_iter().fold(1.0, f32::min);
            let share = if named.is_some() { 0.12 } else { INK_SHARE * (1.0 - 0.8 * strength) };
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

    /// An edge of light on the side of the light, a broad shade on the far side.
    fn lit(&self, pixels: &Pixels, palette: &Palette, light: f32) -> Pixels {
        let side = light as isize;
        let rim = (self.h as f32 * 0.014).max(1.0) as isize;
        let shade = (self.h as f32 * 0.10).max(2.0) as isize;
        let cover = |x: isize, y: isize| -> bool {
            let inside = x >= 0 && y >= 0 && (x as usize) < self.w && (y as usize) < self.h;
            inside && pixels[y as usize * self.w + x as usize].1 > 127
        };
        let (bright, dim) = (bytes(palette.light), bytes(mix(palette.dark, palette.fore, 0.4)));
        let mut lit = pixels.clone();
        for y in 0..self.h as isize {
            for x in 0..self.w as isize {
                let at = y as usize * self.w + x as usize;
                let share = if !cover(x + side * rim, y - rim) {
                    Some((bright, self.rim))
                } else if !cover(x - side * shade, y + shade / 2) {
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
        lit
    }

    /// Sets the figure on the canvas.
    pub(super) fn put(&mut self, canvas: &mut Canvas, palette: &Palette, placing: Placing) {
        let tall = placing.height * Placing::whole(canvas);
        let scale = tall / self.h as f32;
        let wide = self.w as f32 * scale;
        // Very wide figures are held within the picture.
        let fit = (canvas.width() * 0.8 / wide).min(1.0);
        let (tall, wide) = (tall * fit, wide * fit);
        let (left, feet) = (placing.x * canvas.width() - wide / 2.0, placing.feet * canvas.height());
        let side = usize::from(placing.mirror < 0.0);
        if self.ready[side].is_none() {
            // All of a group are as light as the first of it, so that they stay of one kind.
            if self.ready[1 - side].is_none() {
                self.pixels = self.apart_from(canvas.mean_luma(left, feet - tall, wide, tall));
            }
            // The picture is mirrored when it is stamped, so it is lit from where the light then falls.
            self.ready[side] = Some(self.lit(&self.pixels, palette, canvas.light * placing.mirror));
        }
        let under = placing.depth.saturating_sub(1);
        if placing.shadow > 0.0 {
            let shadow = bytes(mix(palette.dark, palette.fore, 0.3));
            let lean = -canvas.light * tall * 0.32;
            let fall = (left, feet - 1.0, wide, -tall * 0.15, lean);
            self.stamp(canvas, placing.mirror, fall, (under, 110.0 * placing.shadow), Some(shadow));
            self.contact(canvas, placing, (left, feet, wide), shadow, under);
        }
        if placing.reflect {
            let reflection = bytes(mix(palette.water, palette.dark, 0.45));
            let from = placing.cut.map_or(feet, |line| line * canvas.height());
            let fall = (left, from, wide, -tall * 0.5, 0.0);
            self.stamp(canvas, placing.mirror, fall, (under, 95.0), Some(reflection));
        }
        let strength = 255.0 * (1.0 - placing.haze);
        let whole = canvas.h;
        if let Some(line) = placing.cut {
            canvas.h = ((line * canvas.height()) as usize).min(whole);
        }
        self.stamp(canvas, placing.mirror, (left, feet, wide, tall, 0.0), (placing.depth, strength), None);
        canvas.h = whole;
        if let Some(line) = placing.cut {
            self.ripples(canvas, palette, (left, wide, line * canvas.height()));
        }
    }

    /// Rings where a thing meets the water.
    fn ripples(&self, canvas: &mut Canvas, palette: &Palette, (left, wide, line): (f32, f32, f32)) {
        let unit = canvas.unit();
        for (out, thick, opacity) in [(0.02, 0.010, 0.6), (0.10, 0.005, 0.5), (-0.12, 0.004, 0.4)] {
            let (x, long) = (left - wide * out, wide * (1.0 + 2.0 * out));
            let y = line + unit * 0.012 * (out + 0.02) * 10.0;
            let oval = Rect::from_xywh(x, y, long.max(1.0), unit * thick).and_then(PathBuilder::from_oval);
            canvas.fill(oval, palette.light, palette.light, (0.0, 1.0), super::depth::MID, opacity);
        }
    }

    /// The dark line right under what touches the ground.
    fn contact(
        &self,
        canvas: &mut Canvas,
        placing: Placing,
        (left, feet, wide): (f32, f32, f32),
        tone: [u8; 3],
        depth: u8,
    ) {
        let (first, last) =
            if placing.mirror < 0.0 { (1.0 - self.base.1, 1.0 - self.base.0) } else { self.base };
        let high = canvas.unit() * 0.011;
        let (x, long) = (left + first * wide - high, (last - first) * wide + 2.0 * high);
        let oval = Rect::from_xywh(x, feet - high * 0.8, long, high * 1.6).and_then(PathBuilder::from_oval);
        let colour = tone.map(|value| f32::from(value) / 255.0);
        canvas.fill(oval, colour, colour, (0.0, 1.0), depth, 0.6 * placing.shadow);
    }

    /// The pixels, lighter or darker where they would be lost on what lies behind them.
    fn apart_from(&mut self, behind: f32) -> Pixels {
        let mut pixels = std::mem::take(&mut self.pixels);
        let (sum, count) =
            pixels.iter().filter(|(_, cover)| *cover > 127).fold((0.0, 0.0_f32), |(sum, count), (rgb, _)| {
                (sum + luma(rgb.map(|value| f32::from(value) / 255.0)), count + 1.0)
            });
        let own = sum / count.max(1.0);
        // What has lights and darks of its own is seen on anything, and moved it would lose one of them.
        let spread = pixels
            .iter()
            .filter(|(_, cover)| *cover > 127)
            .fold(0.0, |sum, (rgb, _)| sum + (luma(rgb.map(|value| f32::from(value) / 255.0)) - own).powi(2));
        if (own - behind).abs() >= CONTRAST_MIN || (spread / count.max(1.0)).sqrt() > SPREAD_MIN {
            return pixels;
        }
        // What is lighter gets lighter still where there is room for it, what is darker darker.
        let lighter =
            behind + CONTRAST_MIN <= LUMA_MAX && (own >= behind || behind < 1.0 - LUMA_MAX + CONTRAST_MIN);
        let wanted = if lighter { behind + CONTRAST_MIN } else { behind - CONTRAST_MIN };
        let wanted = wanted.clamp(own - SHIFT_MAX, own + SHIFT_MAX);
        for (rgb, _) in &mut pixels {
            let colour = rgb.map(|value| f32::from(value) / 255.0);
            let light = (luma(colour) + wanted - own).clamp(0.03, 0.97);
            // Made lighter, a colour keeps its strength rather than going to white.
            let strong = colour.map(|v| (v * light / luma(colour).max(0.05)).min(1.0));
            let moved = at_luma(colour, light);
            *rgb = bytes(if light > luma(colour) { mix(moved, strong, 0.65) } else { moved });
        }
        pixels
    }

    /// Draws the figure into a box that stands on its feet; a negative height hangs below them, upside down, and leans
    /// by so many pixels at its far end.
    fn stamp(
        &self,
        canvas: &mut Canvas,
        mirror: f32,
        (left, feet, wide, tall, lean): (f32, f32, f32, f32, f32),
        (depth, strength): (u8, f32),
        tone: Option<[u8; 3]>,
    ) {
        let Some(pixels) = &self.ready[usize::from(mirror < 0.0)] else { return };
        let (top, low) = if tall > 0.0 { (feet - tall, feet) } else { (feet, feet - tall) };
        let rows = top.max(0.0) as usize..(low.max(0.0).ceil() as usize).min(canvas.h);
        for y in rows {
            let along = (y as f32 + 0.5 - top) / tall.abs();
            let v = if tall > 0.0 { along } else { 1.0 - along };
            let left = left + lean * along;
            let columns = left.max(0.0) as usize..((left + wide).max(0.0).ceil() as usize).min(canvas.w);
            for x in columns {
                let u = (x as f32 + 0.5 - left) / wide;
                let u = if mirror < 0.0 { 1.0 - u } else { u };
                let (rgb, cover) = self.sample(pixels, u, v);
                let cover = (cover * strength / 255.0) as u32;
                if cover > 0 {
                    canvas.lay(x, y, tone.unwrap_or(rgb), cover.min(255), depth);
                }
            }
        }
    }

    /// Colour and cover at a place, cover averaged over four neighbours.
    fn sample(&self, pixels: &Pixels, u: f32, v: f32) -> ([u8; 3], f32) {
        let (fx, fy) = (u * self.w as f32 - 0.5, v * self.h as f32 - 0.5);
        let at = |x: f32, y: f32| -> Option<([u8; 3], u8)> {
            (x >= 0.0 && y >= 0.0 && x < self.w as f32 && y < self.h as f32)
                .then(|| pixels[y as usize * self.w + x as usize])
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
