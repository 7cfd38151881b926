//! This owns the ground before the viewer: where the hero stands, and what grows before everything.

use resvg::tiny_skia::{Path, PathBuilder, Rect};

use super::super::super::colour::{Palette, mix};
use super::super::super::reading::{Reading, Season, Setting};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::sky::cloud;

/// The ground on which the hero stands; its height.
pub(super) fn near(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    wet: bool,
) -> f32 {
    let (unit, height) = (canvas.unit(), canvas.height());
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
            road(canvas, palette, dice);
            0.90
        }
        Setting::City => {
            let pavement = mix(palette.near, palette.fore, 0.4);
            canvas.ridge(height * 0.84, unit * 0.003, 0.0, pavement, palette.fore, depth::NEAR, dice);
            0.90
        }
        _ => {
            turf(canvas, reading, palette, dice, wet);
            0.88
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
            height * dice.range(0.93, 1.02),
            unit * 0.2,
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
        let crater = Rect::from_xywh(x, y, r * 2.0, r * 0.6).and_then(oval);
        canvas.flat(crater, mix(palette.mid, palette.near, 0.5), depth::NEAR);
    }
}

/// A road that winds towards the viewer.
fn road(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, height) = (canvas.unit(), canvas.height());
    canvas.ridge(
        height * 0.76,
        unit * 0.03,
        0.0,
        mix(palette.mid, palette.near, 0.6),
        palette.near,
        depth::NEAR - 1,
        dice,
    );
    let mut road = PathBuilder::new();
    let (x, w) = (canvas.width() * 0.5, canvas.width());
    road.move_to(x + w * 0.03, height * 0.74);
    road.cubic_to(x - w * 0.1, height * 0.8, x + w * 0.2, height * 0.86, x + w * 0.46, height * 1.01);
    road.line_to(x - w * 0.42, height * 1.01);
    road.cubic_to(x - w * 0.12, height * 0.88, x - w * 0.12, height * 0.8, x, height * 0.74);
    road.close();
    canvas.fill(
        road.finish(),
        mix(palette.sky_low, palette.far, 0.4),
        mix(palette.far, palette.light, 0.2),
        (height * 0.7, height),
        depth::NEAR,
        1.0,
    );
}

/// Grass, with flowers where they grow.
fn turf(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, wet: bool) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let line = if wet { 0.83 } else { 0.77 };
    let top = mix(palette.near, palette.mid, if reading.setting == Setting::Beach { 0.2 } else { 0.45 });
    canvas.ridge(height * line, unit * 0.035, 0.0, top, palette.near, depth::NEAR, dice);
    if reading.setting == Setting::Garden || reading.season == Some(Season::Spring) {
        for _ in 0..26 {
            let (x, t) = (dice.range(0.0, canvas.width()), dice.range(0.0, 1.0));
            let colour =
                [palette.accent, palette.light, mix(palette.accent, palette.light, 0.5)][dice.below(3)];
            canvas.blossom(
                x,
                height * (line + 0.05 + 0.15 * t),
                unit * (0.012 + 0.02 * t),
                colour,
                palette.dark,
                depth::NEAR,
            );
        }
    }
}

fn oval(rect: Rect) -> Option<Path> {
    PathBuilder::from_oval(rect)
}

/// What grows before everything: it frames the picture and covers feet.
pub(in super::super) fn foreground(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    match reading.setting {
        Setting::Sky
        | Setting::Space
        | Setting::Sea
        | Setting::City
        | Setting::Road
        | Setting::Underwater => {}
        Setting::Desert | Setting::Beach | Setting::Snowfield => {
            canvas.ridge(
                h * 0.945,
                unit * 0.025,
                0.0,
                mix(palette.near, palette.fore, 0.35),
                palette.fore,
                depth::FORE,
                dice,
            );
        }
        _ => {
            let mut blades = PathBuilder::new();
            for _ in 0..170 {
                let x = dice.range(-0.02, 1.02) * w;
                // Grass is higher at the sides, so that it frames.
                let frame = ((x / w - 0.5).abs() * 2.0).powi(2);
                let (tall, lean) =
                    (unit * (0.03 + 0.10 * frame) * dice.range(0.5, 1.2), unit * dice.range(-0.03, 0.03));
                blades.move_to(x - unit * 0.004, h * 1.01);
                blades.quad_to(x + lean * 0.3, h - tall * 0.6, x + lean, h * 0.985 - tall);
                blades.quad_to(x + lean * 0.3 + unit * 0.006, h - tall * 0.5, x + unit * 0.006, h * 1.01);
                blades.close();
            }
            canvas.ridge(h * 0.97, unit * 0.015, 0.0, palette.fore, palette.dark, depth::FORE, dice);
            canvas.fill(blades.finish(), palette.fore, palette.dark, (h * 0.84, h), depth::FORE, 1.0);
            for side in [-1.0_f32, 1.0] {
                leaves(canvas, palette, dice, side);
            }
        }
    }
}

/// A branch with leaves that reaches in from a lower corner.
fn leaves(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, side: f32) {
    let (unit, h) = (canvas.unit(), canvas.height());
    let x0 = if side < 0.0 { -unit * 0.02 } else { canvas.width() + unit * 0.02 };
    let mut path = PathBuilder::new();
    for stem in 0..3 {
        let (reach, rise) = (unit * dice.range(0.05, 0.17), unit * dice.range(0.14, 0.34));
        for n in 1..8 {
            let t = n as f32 / 8.0;
            let (x, y) = (x0 - side * reach * t * t, h - rise * t - stem as f32 * unit * 0.01);
            let (length, tilt) = (unit * 0.055 * (1.15 - t), if n % 2 == 0 { -0.5 } else { 2.2 });
            let angle: f32 = -1.57 + side * tilt * -0.6;
            let (dx, dy) = (angle.cos() * length, angle.sin() * length);
            path.move_to(x, y);
            path.quad_to(x + dx * 0.5 - dy * 0.35, y + dy * 0.5 + dx * 0.35, x + dx, y + dy);
            path.quad_to(x + dx * 0.5 + dy * 0.35, y + dy * 0.5 - dx * 0.35, x, y);
            path.close();
        }
    }
    canvas.fill(
        path.finish(),
        mix(palette.fore, palette.near, 0.35),
        palette.dark,
        (h - unit * 0.34, h),
        depth::FORE,
        1.0,
    );
}
