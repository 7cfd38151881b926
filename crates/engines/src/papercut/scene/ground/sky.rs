//! This owns the sky: its colour, sun, moon, stars, planets and clouds.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, Rgb, mix};
use super::super::super::reading::{Hour, Nature, Reading, Setting, Weather};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;

pub(super) fn sky(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice) {
    canvas.wash(palette.sky_top, palette.sky_low, 0.0, 1.0, depth::SKY);
    let (w, unit) = (canvas.width(), canvas.unit());
    let dark = matches!(reading.hour, Hour::Night | Hour::Dusk) || reading.setting == Setting::Space;
    if dark {
        let mut stars = PathBuilder::new();
        for _ in 0..150 {
            let (x, y) = (dice.range(0.0, w), dice.range(0.0, 1.0).powf(1.4) * canvas.height() * 0.7);
            stars.push_circle(x, y, unit * 0.0012 + unit * 0.0028 * dice.range(0.0, 1.0).powi(4));
        }
        canvas.flat(stars.finish(), palette.light, depth::SKY);
    }
    let overcast = matches!(reading.weather, Weather::Rain | Weather::Storm | Weather::Fog);
    // One sun is enough, also where a figure brings its own.
    let named = reading.subjects.iter().any(|subject| {
        subject.figure.nature == Nature::Celestial || subject.figure.name.ends_with(":mount-fuji")
    });
    if !overcast && !named {
        disc(canvas, reading, palette, dice, dark);
    }
    if reading.setting == Setting::Space {
        planet(canvas, palette, dice);
    } else if !dark || overcast {
        let count = if overcast || reading.weather == Weather::Cloudy { 7 } else { 3 };
        for _ in 0..count {
            let y = dice.range(0.08, 0.42) * canvas.height();
            cloud(
                canvas,
                dice.range(0.0, w),
                y,
                unit * dice.range(0.10, 0.22),
                mix(palette.light, palette.sky_low, 0.35),
                dice,
            );
        }
    }
}

/// Sun or moon, with bands of light around it.
fn disc(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, dark: bool) {
    let unit = canvas.unit();
    let low = matches!(reading.hour, Hour::Dawn | Hour::Sunset | Hour::GoldenHour);
    let (x, y) = (
        canvas.width() * (0.5 + dice.side() * dice.range(0.12, 0.3)),
        canvas.height() * if low { dice.range(0.36, 0.5) } else { dice.range(0.16, 0.28) },
    );
    let radius = unit * if low { dice.range(0.13, 0.19) } else { dice.range(0.07, 0.12) };
    for (grow, share) in [(2.3, 0.14), (1.75, 0.22), (1.35, 0.34)] {
        let glow = PathBuilder::from_circle(x, y, radius * grow);
        canvas.fill(
            glow,
            palette.light,
            palette.light,
            (0.0, 1.0),
            depth::SKY,
            if dark { share * 0.6 } else { share },
        );
    }
    let colour = if low { mix(palette.accent, palette.light, 0.25) } else { palette.light };
    canvas.disc(x, y, radius, colour, depth::DISC);
}

fn planet(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, x, y) =
        (canvas.unit(), canvas.width() * dice.range(0.15, 0.85), canvas.height() * dice.range(0.14, 0.3));
    let radius = unit * dice.range(0.08, 0.13);
    canvas.disc(x, y, radius, palette.accent, depth::CLOUD);
    let ring = Rect::from_xywh(x - radius * 1.8, y - radius * 0.22, radius * 3.6, radius * 0.44);
    let mut path = PathBuilder::new();
    if let Some(ring) = ring {
        path.push_oval(ring);
    }
    canvas.fill(
        path.finish(),
        palette.light,
        palette.sky_low,
        (y - radius * 0.2, y + radius * 0.2),
        depth::CLOUD,
        0.55,
    );
    let half = PathBuilder::from_circle(x, y - radius * 0.12, radius * 0.92);
    canvas.fill(
        half,
        palette.accent,
        mix(palette.accent, palette.dark, 0.4),
        (y - radius, y + radius),
        depth::CLOUD,
        0.9,
    );
}

pub(super) fn cloud(canvas: &mut Canvas, x: f32, y: f32, size: f32, colour: Rgb, dice: &mut Dice) {
    let mut path = PathBuilder::new();
    for n in 0..6 {
        let along = n as f32 / 5.0 - 0.5;
        let radius = size * (0.34 - 0.42 * along * along) * dice.range(0.8, 1.15);
        path.push_circle(x + along * size * 1.9, y - radius * 0.45, radius.max(1.0));
    }
    if let Some(base) = Rect::from_xywh(x - size * 1.05, y - size * 0.16, size * 2.1, size * 0.2) {
        path.push_oval(base);
    }
    canvas.fill(path.finish(), colour, colour, (0.0, 1.0), depth::CLOUD, 0.85);
}
