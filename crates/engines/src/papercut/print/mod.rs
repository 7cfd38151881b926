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
    /// What lightness is multiplied by so that a print in one ink has a middle tone.
    gain: f32,
}

impl<'a> Plate<'a> {
    fn of(canvas: &'a Canvas, dice: &mut Dice) -> Self {
        let mm = canvas.unit() / 1024.0;
        let sum: f32 = canvas.rgb.iter().map(|c| super::colour::luma(c.map(|v| f32::from(v) / 255.0))).sum();
        let gain = (0.46 / (sum / canvas.rgb.len().max(1) as f32).max(0.02)).clamp(0.8, 4.0);
        Self { w: canvas.w, h: canvas.h, mm, canvas, seed: dice.below(1 << 30) as u32, gain }
    }

    /// Lightness for prints in one ink: dark scenes are lifted, so that their forms still show.
    pub(super) fn tone(&self, x: f32, y: f32) -> f32 {
        let light = super::colour::luma(self.rgb(x, y));
        let lifted = light * self.gain;
        if lifted > 0.75 { (0.75 + (lifted - 0.75) * 0.35).min(1.0) } else { lifted }
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
            self.depth(x - reach, y - reach) > own
        });
        hits.count() as f32 / steps as f32
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
