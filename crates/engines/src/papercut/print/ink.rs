//! This owns prints from flat inks: risograph, screenprint, cyanotype.

use super::super::colour::{Palette, Rgb, at_luma, hex, luma, mix};
use super::Plate;

const PAPER: Rgb = hex(0xf7f1e3);

/// Spot inks as halftones at their own angles, a little out of register, printed over each other.
pub(super) fn risograph(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    let inks = drums(palette);
    let separations = Separations::new(inks);
    let angles = [(0.0_f32, 0.5, 0.9), (0.26, 1.4, -1.1), (1.31, -1.6, 0.9), (0.79, 0.4, 1.7)];
    let turns = angles.map(|(angle, ..)| angle.sin_cos());
    let pitch = (4.6 * plate.mm).max(2.2);
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let mut out = PAPER;
        let speck = 0.6 * (plate.grain(px as i32 + 331, py as i32) - 0.5);
        let uneven = 0.92 + 0.08 * plate.cloud(x, y, 90.0 * plate.mm);
        for (n, (_, dx, dy)) in angles.iter().enumerate() {
            let density = separations.of(plate.rgb(x + dx * plate.mm, y + dy * plate.mm), n, speck);
            if density < 0.02 {
                continue;
            }
            let (s, c) = turns[n];
            let (u, v) = ((x * c + y * s) / pitch, (y * c - x * s) / pitch);
            let dot = 0.5 + 0.25 * ((u * std::f32::consts::TAU).cos() + (v * std::f32::consts::TAU).cos());
            // The dot grows with the density; the edge is soft by about one pixel.
            let soft = (1.1 / pitch).min(0.5);
            let cover = ((density - (1.0 - dot)) / soft + 0.5).clamp(0.0, 1.0);
            let solid = (density * 1.6 - 0.6).clamp(0.0, 1.0);
            let grain = 0.08 * plate.grain(px as i32 + n as i32 * 977, py as i32);
            let amount = cover.max(solid) * (uneven - grain);
            for ch in 0..3 {
                out[ch] *= 1.0 - amount * (1.0 - inks[n][ch]);
            }
        }
        let fibre = 0.985 + 0.03 * (plate.grain(px as i32, py as i32 / 2) - 0.5);
        out.map(|v| v * fibre)
    })
}

/// Inks of a risograph.
const DRUMS: usize = 4;
/// Densities of an ink above none.
const STEPS: usize = 4;
/// Levels of each channel for which separations are kept.
const LEVELS: usize = 16;

/// Yellow, a bright ink, a cool one and a dark one: what drums there are that suit the palette.
fn drums(palette: &Palette) -> [Rgb; DRUMS] {
    let [red, _, blue] = mix(palette.sky_top, palette.mid, 0.4);
    let cool = if blue > red { hex(0x1f7fb8) } else { hex(0x0f8a83) };
    let light = luma(palette.accent);
    let bright = palette.accent.map(|v| (light + (v - light) * 1.4).clamp(0.04, 0.98));
    // With the yellow a red gives every orange, an orange gives no red.
    let red = hex(0xee3f35);
    let bright = match bright {
        [r, g, b] if r > 0.7 && g < 0.34 && b < 0.6 => bright,
        [r, _, b] if r > b + 0.2 => mix(bright, red, 0.7),
        _ => red,
    };
    [hex(0xffc938), bright, cool, mix(palette.dark, palette.fore, 0.2)]
}

/// For every colour, how much of each ink comes nearest to it when they are printed over each other, 0 to 255.
struct Separations(Vec<[u8; DRUMS]>);

impl Separations {
    fn new(inks: [Rgb; DRUMS]) -> Self {
        let shades = STEPS + 1;
        let printed: Vec<([u8; DRUMS], Rgb)> = (0..shades.pow(DRUMS as u32))
            .map(|n| {
                let densities = [0, 1, 2, 3].map(|ink| (n / shades.pow(ink) % shades * 255 / STEPS) as u8);
                let mut colour = PAPER;
                for (ink, density) in inks.iter().zip(densities) {
                    let amount = f32::from(density) / 255.0;
                    for ch in 0..3 {
                        colour[ch] *= 1.0 - amount * (1.0 - ink[ch]);
                    }
                }
                (densities, colour)
            })
            .collect();
        let level = |n: usize| (n as f32 + 0.5) / LEVELS as f32;
        let nearest = |n: usize| {
            let wanted = [n / (LEVELS * LEVELS), n / LEVELS % LEVELS, n % LEVELS].map(level);
            let cost = |(densities, colour): &([u8; DRUMS], Rgb)| {
                // A clean tint of few inks is worth more than the last bit of likeness.
                let drums = densities.iter().filter(|density| **density > 0).count() as f32;
                distance(wanted, *colour) + 0.003 * drums
            };
            let best = printed.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
            best.map_or([0; DRUMS], |(densities, _)| *densities)
        };
        Self((0..LEVELS.pow(3)).map(nearest).collect()).smooth()
    }

    /// Every entry as the mean of its neighbours, so that a slow change of colour is a slow change of dots.
    fn smooth(self) -> Self {
        let step = [-1_isize, 0, 1];
        let mean = |n: usize| {
            let at = [n / (LEVELS * LEVELS), n / LEVELS % LEVELS, n % LEVELS];
            let (mut sums, mut count) = ([0_u32; DRUMS], 0);
            for (r, g, b) in
                step.iter().flat_map(|r| step.iter().flat_map(move |g| step.map(|b| (*r, *g, b))))
            {
                let [r, g, b] = [(at[0], r), (at[1], g), (at[2], b)]
                    .map(|(own, by)| own.saturating_add_signed(by).min(LEVELS - 1));
                let entry = self.0.get((r * LEVELS + g) * LEVELS + b).copied().unwrap_or_default();
                for (sum, density) in sums.iter_mut().zip(entry) {
                    *sum += u32::from(density);
                }
                count += 1;
            }
            sums.map(|sum| (sum / count) as u8)
        };
        Self((0..LEVELS.pow(3)).map(mean).collect())
    }

    /// Density of one ink for a colour, 0 to 1; between two entries a speck of noise decides.
    fn of(&self, colour: Rgb, ink: usize, speck: f32) -> f32 {
        let [r, g, b] = colour.map(|v| ((v * LEVELS as f32 + speck).max(0.0) as usize).min(LEVELS - 1));
        self.0.get((r * LEVELS + g) * LEVELS + b).map_or(0.0, |entry| f32::from(entry[ink]) / 255.0)
    }
}

/// How far two colours are apart; lightness counts most, as it carries the forms.
fn distance(a: Rgb, b: Rgb) -> f32 {
    let (light_a, light_b) = (luma(a), luma(b));
    let hue: f32 = (0..3).map(|c| ((a[c] - light_a) - (b[c] - light_b)).powi(2)).sum();
    2.0 * (light_a - light_b).powi(2) + hue
}

/// Opaque flat inks of the palette, each a little over the edge of the one before; where one tone turns into the next,
/// it is sprayed in specks.
pub(super) fn screenprint(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    let inks = screens(palette);
    let speck = (1.5 * plate.mm).max(1.0);
    plate.map(|px, py| {
        let wobble = (plate.cloud(px as f32, py as f32, 26.0 * plate.mm) - 0.5) * 2.4 * plate.mm;
        let (x, y) = (px as f32 + wobble, py as f32 - wobble);
        let own = plate.rgb(x, y);
        let spray = plate.grain((px as f32 / speck) as i32, (py as f32 / speck) as i32) - 0.5;
        let flat = flattest(&inks, own, spray * SPRAY);
        let overlap = plate.edge(x, y, 1.6 * plate.mm) * 0.10;
        let mesh = 0.022 * (plate.grain(px as i32, py as i32) - 0.5);
        mix(flat, palette.dark, overlap).map(|v| v + mesh)
    })
}

/// How far specks of a tone reach into the next.
const SPRAY: f32 = 0.09;

/// The inks of the palette, and the tones between sky and light that a long blend needs.
fn screens(palette: &Palette) -> [Rgb; 13] {
    let [a, b, c, d, e, f, g, h] = palette.inks();
    let between = mix(palette.sky_top, palette.sky_low, 0.5);
    let shade = mix(palette.water, palette.dark, 0.35);
    [a, b, c, d, e, f, g, h, palette.sky_top, between, palette.water, shade, mix(c, d, 0.5)]
}

/// The ink that is nearest to a colour, which specks move up and down.
fn flattest(inks: &[Rgb], colour: Rgb, spray: f32) -> Rgb {
    let far = |ink: &Rgb, of: Rgb| (0..3).map(|c| (ink[c] - of[c]).powi(2)).sum::<f32>();
    let sprayed = colour.map(|v| v + spray);
    let nearest =
        inks.iter().min_by(|a, b| far(a, sprayed).total_cmp(&far(b, sprayed))).copied().unwrap_or(colour);
    // The colours of figures are not all in the palette; they stay, in steps of lightness.
    if far(&nearest, colour) < 0.03 {
        mix(nearest, colour, 0.15)
    } else {
        at_luma(colour, ((luma(colour) + spray * 0.3) * 9.0).round() / 9.0)
    }
}

/// Prussian blue on brushed paper.
pub(super) fn cyanotype(plate: &Plate<'_>) -> Vec<u8> {
    let (blue, pale, paper) = (hex(0x0f2f5e), hex(0x9fc0d8), hex(0xf3f1e6));
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let light = plate.tone(x, y);
        let washed = (light + 0.08 * (plate.cloud(x, y, 70.0 * plate.mm) - 0.5)).clamp(0.0, 1.0).powf(1.3);
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
