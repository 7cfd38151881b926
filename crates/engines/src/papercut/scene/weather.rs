//! This owns what falls or hangs in the air: rain, snow, fog, petals and leaves.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::colour::{Palette, mix};
use super::super::reading::{Reading, Season, Weather};
use super::canvas::{Canvas, Dice};
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
        Weather::Fog => {
            // Sheets that reach out of the picture, one over the other, densest low.
            for n in 0..7 {
                let mut sheet = PathBuilder::new();
                let y = h * (0.40 + 0.085 * n as f32) + unit * dice.range(-0.02, 0.02);
                let (x, wide) = (w * dice.range(-0.9, -0.4), w * 2.3);
                if let Some(bank) = Rect::from_xywh(x, y, wide, unit * dice.range(0.05, 0.12)) {
                    sheet.push_oval(bank);
                }
                let pale = mix(palette.sky_low, palette.light, 0.4);
                canvas.fill(sheet.finish(), pale, pale, (0.0, 1.0), depth::NEAR, 0.2);
            }
        }
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
