//! This owns prints from flat inks: risograph, screenprint, cyanotype.

use super::super::colour::{Palette, Rgb, hex, luma, mix};
use super::Plate;

const PAPER: Rgb = hex(0xf7f1e3);

/// Three spot inks as halftones at their own angles, a little out of register, printed over each other.
pub(super) fn risograph(plate: &Plate<'_>, palette: &Palette) -> Vec<Rgb> {
    let inks = three(palette);
    let separate = Separation::new(inks);
    let angles = [(0.26_f32, 1.4, -1.1), (1.31, -1.6, 0.9), (0.79, 0.4, 1.7)];
    let pitch = (5.2 * plate.mm).max(2.2);
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let mut out = PAPER;
        for (n, (angle, dx, dy)) in angles.iter().enumerate() {
            let density = separate.density(plate.rgb(x + dx * plate.mm, y + dy * plate.mm))[n];
            let (s, c) = angle.sin_cos();
            let (u, v) = ((x * c + y * s) / pitch, (y * c - x * s) / pitch);
            let dot = 0.5 + 0.25 * ((u * std::f32::consts::TAU).cos() + (v * std::f32::consts::TAU).cos());
            // The dot grows with the density; the edge is soft by about one pixel.
            let soft = (1.1 / pitch).min(0.5);
            let cover = ((density - (1.0 - dot)) / soft + 0.5).clamp(0.0, 1.0);
            let solid = (density * 1.6 - 0.6).clamp(0.0, 1.0);
            let uneven = 0.90 + 0.10 * plate.cloud(x, y, 90.0 * plate.mm)
                - 0.10 * plate.grain(px as i32 + n as i32 * 977, py as i32);
            let amount = cover.max(solid) * uneven.min(1.0);
            for ch in 0..3 {
                out[ch] *= 1.0 - amount * (1.0 - inks[n][ch]);
            }
        }
        let fibre = 0.985 + 0.03 * (plate.grain(px as i32, py as i32 / 2) - 0.5);
        out.map(|v| v * fibre)
    })
}

/// A dark, a middle and a bright ink of the palette that are far apart.
fn three(palette: &Palette) -> [Rgb; 3] {
    let cool = mix(palette.sky_top, palette.mid, 0.35);
    let strong = |c: Rgb| {
        let light = luma(c);
        c.map(|v| (light + (v - light) * 1.5).clamp(0.02, 0.98))
    };
    let dark = mix(palette.dark, palette.fore, 0.35);
    let accent = strong(palette.accent);
    let cool = strong(if luma(cool) < 0.28 { mix(cool, [1.0; 3], 0.35) } else { cool });
    [accent, cool, dark]
}

/// How much of each of three inks makes a colour, by absorbance.
struct Separation([[f32; 3]; 3]);

impl Separation {
    fn new(inks: [Rgb; 3]) -> Self {
        let a = inks.map(absorbance);
        let cross = |u: Rgb, v: Rgb| {
            [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        };
        let rows = [cross(a[1], a[2]), cross(a[2], a[0]), cross(a[0], a[1])];
        let volume: f32 = (0..3).map(|c| a[0][c] * rows[0][c]).sum();
        // Inks that lie in one plane cannot be told apart; then lightness decides.
        let volume = if volume.abs() < 0.004 { 0.004_f32.copysign(volume) } else { volume };
        Self(rows.map(|row| row.map(|v| v / volume)))
    }

    fn density(&self, colour: Rgb) -> [f32; 3] {
        let wanted = absorbance(colour);
        let raw = self.0.map(|row| row[0] * wanted[0] + row[1] * wanted[1] + row[2] * wanted[2]);
        // What would need negative ink is given to the dark one.
        let short: f32 = raw.iter().map(|v| v.min(0.0)).sum();
        [raw[0].clamp(0.0, 1.0), raw[1].clamp(0.0, 1.0), (raw[2] + short * 0.25).clamp(0.0, 1.0)]
    }
}

fn absorbance(c: Rgb) -> Rgb {
    [0, 1, 2].map(|ch| -(c[ch].max(0.02) / PAPER[ch]).min(1.0).ln())
}

/// Opaque flat inks of the palette, each a little over the edge of the one before.
pub(super) fn screenprint(plate: &Plate<'_>, palette: &Palette) -> Vec<Rgb> {
    let inks = palette.inks();
    plate.map(|px, py| {
        let wobble = (plate.cloud(px as f32, py as f32, 26.0 * plate.mm) - 0.5) * 2.4 * plate.mm;
        let (x, y) = (px as f32 + wobble, py as f32 - wobble);
        let own = plate.rgb(x, y);
        let flat = flattest(&inks, own);
        let overlap = plate.edge(x, y, 1.6 * plate.mm) * 0.10;
        let mesh = 0.022 * (plate.grain(px as i32, py as i32) - 0.5);
        mix(flat, palette.dark, overlap).map(|v| v + mesh)
    })
}

/// The mix of two inks that is nearest, in steps, so that tones stay flat.
fn flattest(inks: &[Rgb], colour: Rgb) -> Rgb {
    let far = |ink: &Rgb| (0..3).map(|c| (ink[c] - colour[c]).powi(2)).sum::<f32>();
    let nearest = inks.iter().min_by(|a, b| far(a).total_cmp(&far(b))).copied().unwrap_or(colour);
    // The colours of figures are not all in the palette; they stay, in four steps each.
    if far(&nearest) < 0.035 { mix(nearest, colour, 0.15) } else { colour.map(|v| (v * 6.0).round() / 6.0) }
}

/// Prussian blue on brushed paper.
pub(super) fn cyanotype(plate: &Plate<'_>) -> Vec<Rgb> {
    let (blue, pale, paper) = (hex(0x0f2f5e), hex(0x9fc0d8), hex(0xf3f1e6));
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let light = plate.tone(x, y);
        let washed = (light + 0.10 * (plate.cloud(x, y, 70.0 * plate.mm) - 0.5)).clamp(0.0, 1.0).powf(1.15);
        let tone = if washed < 0.55 {
            mix(blue, pale, washed / 0.55)
        } else {
            mix(pale, paper, (washed - 0.55) / 0.45)
        };
        // The brush leaves an uneven border without emulsion.
        let border = x.min(y).min(plate.w as f32 - x).min(plate.h as f32 - y) / plate.mm;
        let rough = 26.0
            + 22.0 * plate.cloud(x, y, 34.0 * plate.mm)
            + 10.0 * plate.cloud(x, y * 6.0, 40.0 * plate.mm);
        let cover = ((border - rough) / 7.0).clamp(0.0, 1.0);
        let fibre = 0.03 * (plate.grain(px as i32, py as i32) - 0.5);
        mix(paper, tone, cover).map(|v| v + fibre)
    })
}
