//! This owns what falls or hangs in the air: rain, snow, fog, petals and leaves.

use resvg::tiny_skia::PathBuilder;

use super::super::colour::{Palette, mix};
use super::super::reading::{Reading, Season, Weather};
use super::canvas::{Canvas, Dice, bytes};
use super::depth;

/// Lets the weather happen.
pub(super) fn fall(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let mut path = PathBuilder::new();
    match reading.weather {
        Weather::Rain | Weather::Storm => {
            for _ in 0..210 {
                let (x, y, long) =
                    (dice.range(-0.1, 1.1) * w, dice.range(0.0, 1.0) * h, unit * dice.range(0.02, 0.06));
                path.move_to(x, y);
                path.line_to(x + unit * 0.0022, y);
                path.line_to(x - long * 0.28, y + long);
                path.close();
            }
            canvas.fill(path.finish(), palette.light, palette.light, (0.0, 1.0), depth::FORE, 0.55);
        }
        Weather::Snow => {
            for _ in 0..190 {
                let size = unit * (0.0018 + 0.006 * dice.range(0.0, 1.0).powi(3));
                path.push_circle(dice.range(0.0, w), dice.range(0.0, h), size);
            }
            canvas.fill(path.finish(), palette.light, palette.light, (0.0, 1.0), depth::FORE, 0.9);
        }
        Weather::Fog => fog(canvas, palette, dice),
        _ => {}
    }
    let drift = match reading.season {
        Some(Season::Spring) => Some(mix(palette.light, palette.accent, 0.35)),
        Some(Season::Autumn) => Some(palette.accent),
        _ => None,
    };
    if let Some(colour) = drift {
        let mut path = PathBuilder::new();
        for _ in 0..46 {
            let (x, y, r) = (dice.range(0.0, w), dice.range(0.0, 0.95) * h, unit * dice.range(0.004, 0.010));
            path.move_to(x, y);
            path.quad_to(x + r * 2.0, y - r, x + r * 2.6, y + r);
            path.quad_to(x + r, y + r * 1.4, x, y);
            path.close();
        }
        canvas.flat(path.finish(), colour, depth::FORE);
    }
}

/// Banks of fog: where they lie, and how thick they are at most.
const BANKS: [(f32, f32); 6] =
    [(-0.02, 0.10), (0.10, 0.08), (0.24, 0.12), (0.42, 0.10), (0.62, 0.13), (0.84, 0.12)];

/// Fog that is denser the farther away things are, in banks with soft edges; before the hero hangs only a breath of it.
fn fog(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.w, canvas.h);
    let pale = bytes(mix(palette.sky_low, palette.light, 0.45));
    let from = 0.42 + dice.range(-0.05, 0.05);
    let banks = BANKS.map(|(down, thick)| {
        let line = canvas.height() * (from + (1.0 - from) * down);
        let (middle, swell) = (canvas.edge(line, unit * 0.035, 0.0, dice), canvas.edge(1.0, 0.55, 0.0, dice));
        (middle, swell, unit * thick)
    });
    for x in 0..w {
        let point = x * 160 / w.max(1);
        let column = banks.each_ref().map(|(middle, swell, thick)| {
            let t = (x as f32 * 160.0 / w as f32).fract();
            let at = |of: &[f32]| of.get(point).zip(of.get(point + 1)).map_or(0.0, |(a, b)| a + (b - a) * t);
            (at(middle), (at(swell) * thick).max(1.0))
        });
        for y in 0..h {
            let behind = match canvas.depth.get(y * w + x).copied().unwrap_or_default() {
                depth::HERO => 0.16,
                far if far >= depth::FORE => 0.05,
                far if far < depth::FAR => 0.8,
                far => 1.12 - f32::from(far) * 0.09,
            };
            let clear = column.iter().fold(1.0, |clear: f32, (middle, thick)| {
                let off = ((y as f32 - middle) / thick).powi(2);
                clear * (1.0 - 0.62 * (1.0 - off).max(0.0).powi(2))
            });
            let veil = 0.18 * (y as f32 / (h as f32 * from)).min(1.0).powi(2);
            let share = (1.0 - clear * (1.0 - veil)) * behind;
            let at = canvas.depth.get(y * w + x).copied().unwrap_or_default();
            canvas.lay(x, y, pale, (share * 255.0) as u32, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::colour::{choose, luma};
    use super::super::super::reading::{Hour, Setting};
    use super::*;

    #[test]
    fn fog_has_no_edge_and_spares_what_is_near() {
        let reading = Reading {
            subjects: Vec::new(),
            setting: Setting::Meadow,
            hour: Hour::Day,
            season: None,
            weather: Weather::Fog,
            mood: None,
            technique: None,
            colours: Vec::new(),
        };
        let palette = choose(&reading, 0, &[]);
        let lightness = |depth: u8| -> Vec<f32> {
            let mut canvas = Canvas::new((300, 300), palette.dark).unwrap();
            canvas.depth.fill(depth);
            fall(&mut canvas, &reading, &palette, &mut Dice::new(7));
            canvas.rgb.iter().map(|rgb| luma(rgb.map(|value| f32::from(value) / 255.0))).collect()
        };
        let far = lightness(depth::FAR);
        let steps = (0..300 * 299).map(|at| (far[at] - far[at + 300]).abs());
        let step = steps.fold(0.0, f32::max);
        assert!(step < 0.06, "a step of {step}");
        let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len() as f32;
        assert!(mean(&far) > mean(&lightness(depth::HERO)) + 0.1);
    }
}
