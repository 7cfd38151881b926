//! This owns printing: what turns composed shapes into one picture with a hand of its own. One file per family.

mod cells;
mod ink;
mod relief;

use imaging::Picture;

use super::colour::Palette;
use super::reading::Technique;
use super::scene::{Canvas, Dice};

/// Prints a composed canvas by a technique.
pub(super) fn print(canvas: &Canvas, palette: &Palette, technique: Technique, dice: &mut Dice) -> Picture {
    let plate = Plate::of(canvas, dice);
    let rgba = match technique {
        Technique::Risograph => ink::risograph(&plate, palette),
        Technique::Screenprint => ink::screenprint(&plate, palette),
        Technique::Cyanotype => ink::cyanotype(&plate),
        Technique::Woodblock => relief::woodblock(&plate, palette),
        Technique::Linocut => relief::linocut(&plate, palette),
        Technique::Etching => relief::etching(&plate),
        Technique::PaperCut => relief::paper_cut(&plate, palette),
        Technique::StainedGlass => cells::stained_glass(&plate, palette),
        Technique::Embroidery => cells::embroidery(&plate),
        Technique::Mosaic => cells::mosaic(&plate),
    };
    Picture { width: canvas.w as u32, height: canvas.h as u32, rgba }
}

/// The canvas as printers see it.
pub(super) struct Plate<'a> {
    pub(super) w: usize,
    pub(super) h: usize,
    /// Pixels of a length that looks alike at every size: a 1024th of the shorter side.
    pub(super) mm: f32,
    canvas: &'a Canvas,
    seed: u32,
    /// The darkest and the lightest tone that counts, for prints in one ink.
    levels: (f32, f32),
    /// The power that gives such a print a middle tone.
    gamma: f32,
}

/// Where all but a few pixels lie, and the power that puts their median in the middle.
fn tones(canvas: &Canvas) -> ((f32, f32), f32) {
    let mut counts = [0_usize; 256];
    for rgb in &canvas.rgb {
        let light = super::colour::luma(rgb.map(|v| f32::from(v) / 255.0));
        if let Some(count) = counts.get_mut((light * 255.0) as usize) {
            *count += 1;
        }
    }
    let at = |share: f32| {
        let mut left = (canvas.rgb.len() as f32 * share) as usize;
        let found = counts.iter().position(|count| {
            let here = left <= *count;
            left = left.saturating_sub(*count);
            here
        });
        found.unwrap_or(255) as f32 / 255.0
    };
    let (dark, light) = (at(0.015), at(0.985));
    let light = light.max(dark + 0.2);
    let middle = ((at(0.5) - dark) / (light - dark)).clamp(0.08, 0.92);
    // Most of the way only: a night stays darker than a day.
    ((dark, light), (0.5_f32.ln() / middle.ln()).powf(0.7).clamp(0.42, 1.9))
}

impl<'a> Plate<'a> {
    fn of(canvas: &'a Canvas, dice: &mut Dice) -> Self {
        let mm = canvas.unit() / 1024.0;
        let (levels, gamma) = tones(canvas);
        Self { w: canvas.w, h: canvas.h, mm, canvas, seed: dice.below(1 << 30) as u32, levels, gamma }
    }

    /// Lightness for prints in one ink: stretched, so that the forms of dark and of pale scenes show as well.
    pub(super) fn tone(&self, x: f32, y: f32) -> f32 {
        let (dark, light) = self.levels;
        let own = super::colour::luma(self.rgb(x, y));
        ((own - dark) / (light - dark)).clamp(0.0, 1.0).powf(self.gamma)
    }

    /// Every pixel, made by a function of its place, as RGBA.
    pub(super) fn map(&self, pixel: impl Fn(usize, usize) -> [f32; 3]) -> Vec<u8> {
        let mut rgba = vec![255; self.w * self.h * 4];
        for (at, out) in rgba.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let colour = pixel(at % self.w, at / self.w);
            for (byte, value) in out.iter_mut().zip(colour) {
                *byte = (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
        }
        rgba
    }

    fn at(&self, x: f32, y: f32) -> usize {
        let (x, y) = (x.clamp(0.0, self.w as f32 - 1.0) as usize, y.clamp(0.0, self.h as f32 - 1.0) as usize);
        y * self.w + x
    }

    pub(super) fn rgb(&self, x: f32, y: f32) -> [f32; 3] {
        self.canvas.rgb[self.at(x, y)].map(|v| f32::from(v) / 255.0)
    }

    pub(super) fn depth(&self, x: f32, y: f32) -> u8 {
        self.canvas.depth[self.at(x, y)]
    }

    /// Noise of one pixel or cell, 0 to 1.
    pub(super) fn grain(&self, x: i32, y: i32) -> f32 {
        let mut n = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77) ^ self.seed;
        n = (n ^ (n >> 15)).wrapping_mul(0x2c1b_3c6d);
        n = (n ^ (n >> 12)).wrapping_mul(0x297a_2d39);
        (n ^ (n >> 15)) as f32 / u32::MAX as f32
    }

    /// Smooth noise with features of the given size, 0 to 1.
    pub(super) fn cloud(&self, x: f32, y: f32, size: f32) -> f32 {
        let (x, y) = (x / size, y / size);
        let (x0, y0) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (tx, ty) = (ease(x - x0), ease(y - y0));
        let corner = |dx: i32, dy: i32| self.grain(x0 as i32 + dx, y0 as i32 + dy);
        let (a, b) =
            (corner(0, 0) * (1.0 - tx) + corner(1, 0) * tx, corner(0, 1) * (1.0 - tx) + corner(1, 1) * tx);
        a * (1.0 - ty) + b * ty
    }

    /// Whether something nearer lies towards the light, so that a shadow falls here; 0 to 1.
    pub(super) fn shadow(&self, x: f32, y: f32, length: f32) -> f32 {
        let own = self.depth(x, y);
        let steps = 4;
        let hits = (1..=steps).filter(|n| {
            let reach = length * *n as f32 / steps as f32;
            self.depth(x + self.light() * reach, y - reach) > own
        });
        hits.count() as f32 / steps as f32
    }

    /// The side from which the light falls.
    pub(super) fn light(&self) -> f32 {
        self.canvas.light
    }

    /// Whether depth or colour changes within a distance.
    pub(super) fn edge(&self, x: f32, y: f32, distance: f32) -> f32 {
        let (own, depth) = (self.rgb(x, y), self.depth(x, y));
        let differs = |dx: f32, dy: f32| {
            let other = self.rgb(x + dx, y + dy);
            let change: f32 = (0..3).map(|c| (own[c] - other[c]).abs()).sum();
            if self.depth(x + dx, y + dy) != depth { 1.0 } else { (change * 1.4 - 0.12).clamp(0.0, 1.0) }
        };
        differs(distance, 0.0).max(differs(0.0, distance))
    }
}
