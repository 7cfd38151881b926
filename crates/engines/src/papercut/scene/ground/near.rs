//! This owns the ground before the viewer, on which the hero stands.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, mix};
use super::super::super::reading::{Hour, Reading, Season, Setting, Weather};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::sky::cloud;

/// The ground on which the hero stands; its height.
pub(super) fn near(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    (horizon, wet): (f32, bool),
) -> f32 {
    let (unit, height) = (canvas.unit(), canvas.height());
    let down = |share: f32| horizon + (1.0 - horizon) * share;
    match reading.setting {
        Setting::Sky => {
            clouds(canvas, palette, dice);
            0.82
        }
        Setting::Space => {
            moon(canvas, palette, dice);
            0.87
        }
        Setting::Sea => 0.9,
        Setting::Lake | Setting::River => {
            canvas.ridge(height * 0.92, unit * 0.03, 0.0, palette.near, palette.fore, depth::NEAR, dice);
            0.93
        }
        Setting::Road => {
            road(canvas, palette, dice, horizon);
            down(0.74)
        }
        Setting::City => {
            let pavement = mix(palette.near, palette.fore, 0.4);
            canvas.ridge(height * down(0.62), unit * 0.003, 0.0, pavement, palette.fore, depth::NEAR, dice);
            street(canvas, reading, palette, dice, down(0.62));
            down(0.8)
        }
        _ => {
            turf(canvas, reading, palette, dice, down(if wet { 0.6 } else { 0.42 }));
            down(if wet { 0.8 } else { 0.72 })
        }
    }
}

/// A floor of clouds.
fn clouds(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, height) = (canvas.unit(), canvas.height());
    for n in 0..8 {
        let x = canvas.width() * (n as f32 + dice.range(0.0, 1.0)) / 8.0;
        cloud(
            canvas,
            x,
            height * dice.range(1.01, 1.08),
            unit * 0.34,
            mix(palette.light, palette.sky_low, dice.range(0.1, 0.5)),
            dice,
        );
    }
}

/// The edge of a moon with craters.
fn moon(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let moon = PathBuilder::from_circle(
        canvas.width() * 0.5,
        height * 0.80 + canvas.width() * 1.3,
        canvas.width() * 1.3,
    );
    canvas.fill(
        moon,
        mix(palette.far, palette.light, 0.35),
        palette.mid,
        (height * 0.8, height),
        depth::NEAR,
        1.0,
    );
    for _ in 0..9 {
        let (x, y, r) = (
            dice.range(0.0, canvas.width()),
            height * dice.range(0.86, 0.99),
            unit * dice.range(0.015, 0.05),
        );
        let crater = Rect::from_xywh(x, y, r * 2.0, r * 0.6).and_then(PathBuilder::from_oval);
        canvas.flat(crater, mix(palette.mid, palette.near, 0.5), depth::NEAR);
    }
}

/// A road that winds towards the viewer.
fn road(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| height * (horizon + (1.0 - horizon) * share);
    let turf = (mix(palette.mid, palette.near, 0.6), palette.near);
    canvas.ridge(y(0.36), unit * 0.02, 0.0, turf.0, turf.1, depth::NEAR - 1, dice);
    let (mut road, mut stripe) = (PathBuilder::new(), PathBuilder::new());
    let (w, side) = (canvas.width(), dice.side());
    let x = w * (0.5 + side * 0.16);
    let bend = |sway: f32, half: f32, share: f32| (x - side * sway * w + half * w, y(share));
    let (start, end) = (bend(0.0, 0.012, 0.32), bend(0.16, 0.44, 1.06));
    road.move_to(start.0, start.1);
    let (a, b) = (bend(-0.2, 0.03, 0.48), bend(0.2, 0.2, 0.7));
    road.cubic_to(a.0, a.1, b.0, b.1, end.0, end.1);
    let (back, a, b) = (bend(0.16, -0.44, 1.06), bend(0.2, -0.2, 0.7), bend(-0.2, -0.03, 0.48));
    road.line_to(back.0, back.1);
    let tip = bend(0.0, -0.012, 0.32);
    road.cubic_to(a.0, a.1, b.0, b.1, tip.0, tip.1);
    road.close();
    let tone = mix(palette.sky_low, palette.far, 0.4);
    canvas.fill(
        road.finish(),
        tone,
        mix(palette.far, palette.light, 0.2),
        (y(0.3), height),
        depth::NEAR,
        1.0,
    );
    for n in 0..5 {
        let t = 0.82 + 0.05 * n as f32;
        let wide = 0.006 * w * (t - 0.3);
        let (x, _) = bend(0.165, 0.0, t);
        stripe.move_to(x - wide, y(t));
        stripe.line_to(x + wide, y(t));
        stripe.line_to(x + wide * 1.1, y(t + 0.03));
        stripe.line_to(x - wide * 1.1, y(t + 0.03));
        stripe.close();
    }
    canvas.fill(stripe.finish(), palette.light, palette.light, (0.0, 1.0), depth::NEAR, 0.8);
}

/// The street of a city: kerbs, and at night or in rain the lights that lie on it.
fn street(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, line: f32) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let lit = !matches!(reading.hour, Hour::Day | Hour::Dawn);
    let wet = matches!(reading.weather, Weather::Rain | Weather::Storm);
    if !lit && !wet {
        return;
    }
    let mut lights = [PathBuilder::new(), PathBuilder::new()];
    for n in 0..if lit { 46 } else { 14 } {
        let (x, t) = (dice.range(0.0, w), dice.range(0.0, 0.9));
        let y = h * (line + 0.015 + (1.0 - line) * t);
        let (wide, long) =
            (unit * dice.range(0.012, 0.05) * (0.5 + t), unit * dice.range(0.003, 0.006) * (0.6 + t));
        if let (Some(glint), Some(path)) = (Rect::from_xywh(x, y, wide, long), lights.get_mut(n % 2)) {
            path.push_oval(glint);
        }
    }
    for (path, colour) in lights.into_iter().zip([palette.light, palette.accent]) {
        canvas.fill(path.finish(), colour, colour, (0.0, 1.0), depth::NEAR, if lit { 0.75 } else { 0.3 });
    }
}

/// Grass, with flowers where they grow.
fn turf(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, line: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let top = mix(palette.near, palette.mid, if reading.setting == Setting::Beach { 0.2 } else { 0.45 });
    canvas.ridge(height * line, unit * 0.035, 0.0, top, palette.near, depth::NEAR, dice);
    if reading.setting == Setting::Garden || reading.season == Some(Season::Spring) {
        for _ in 0..26 {
            let (x, t) = (dice.range(0.0, canvas.width()), dice.range(0.0, 1.0));
            let colour =
                [palette.accent, palette.light, mix(palette.accent, palette.light, 0.5)][dice.below(3)];
            canvas.blossom(
                x,
                height * (line + 0.04 + (0.96 - line) * t),
                unit * (0.012 + 0.02 * t),
                colour,
                palette.dark,
                depth::NEAR,
            );
        }
    }
}
