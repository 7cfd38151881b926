//! This owns water: from the horizon down, and from below.

use kernel::Result;
use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, mix};
use super::super::super::reading::{Reading, Setting, Weather};
use super::super::canvas::{Canvas, Dice};
use super::super::shot::Shot;
use super::super::stage::{BUST_FEET, Stage};
use super::super::{Layer, depth};

/// Lays water from the horizon down, with glints; the waterline on which boats float.
pub(super) fn waters(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    shot: &Shot,
) -> Option<f32> {
    let horizon = shot.horizon;
    if !matches!(reading.setting, Setting::Sea | Setting::Lake | Setting::River | Setting::Beach) {
        return None;
    }
    let unit = canvas.unit();
    let top = mix(palette.water, palette.sky_low, 0.55);
    canvas.wash(top, mix(palette.water, palette.dark, 0.35), horizon, 1.0, depth::MID);
    let rough = if matches!(reading.weather, Weather::Storm | Weather::Wind) { 2.2 } else { 1.0 };
    for n in 0..5 {
        let y = canvas.height() * (horizon + (1.0 - horizon) * (n as f32 + 0.6) / 5.0);
        let tone =
            mix(mix(palette.water, palette.dark, 0.1 * n as f32), palette.sky_low, 0.3 - 0.05 * n as f32);
        canvas.ridge(
            y,
            unit * 0.006 * rough * (n as f32 + 1.0),
            0.35,
            tone,
            mix(tone, palette.dark, 0.15),
            depth::MID,
            dice,
        );
    }
    let mut glints = PathBuilder::new();
    // Most glints lie in the path of the light.
    for n in 0..90 {
        let t = dice.range(0.0, 1.0).powf(0.8);
        let y = canvas.height() * (horizon + (1.0 - horizon) * t);
        let w = unit * (0.01 + 0.06 * t) * dice.range(0.4, 1.0);
        let lane = canvas.width() * shot.sun.0 + unit * shot.radius * (0.9 + 0.8 * t) * dice.range(-1.0, 1.0);
        let x = if n < 55 { lane - w / 2.0 } else { dice.range(0.0, canvas.width()) };
        if let Some(glint) = Rect::from_xywh(x, y, w, unit * (0.0022 + 0.004 * t)) {
            glints.push_oval(glint);
        }
    }
    canvas.fill(glints.finish(), palette.light, palette.light, (0.0, 1.0), depth::MID, 0.65);
    Some(horizon + (1.0 - horizon) * 0.34)
}

/// Under water: light from above, sand and weed below.
pub(super) fn deep(
    canvas: &mut Canvas,
    palette: &Palette,
    shot: Shot,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<Stage> {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let top = mix(palette.water, palette.light, 0.45);
    canvas.wash(top, mix(palette.water, palette.dark, 0.62), 0.0, 1.0, depth::SKY);
    shafts(canvas, palette, dice);
    layer(3, None)?;
    for (n, share) in [0.72, 0.80, 0.88].iter().enumerate() {
        let colour = mix(mix(palette.water, palette.dark, 0.5), palette.near, 0.3 * n as f32);
        canvas.ridge(
            h * share,
            unit * 0.05,
            0.1,
            mix(colour, palette.sky_low, 0.12),
            colour,
            depth::FAR + n as u8,
            dice,
        );
    }
    for _ in 0..16 {
        let (x, tall) = (dice.range(0.0, w), unit * dice.range(0.10, 0.34));
        let mut weed = PathBuilder::new();
        let sway = unit * dice.range(-0.06, 0.06);
        weed.move_to(x, h);
        weed.cubic_to(x + sway, h - tall * 0.4, x - sway, h - tall * 0.7, x + sway * 0.4, h - tall);
        weed.cubic_to(
            x - sway + unit * 0.02,
            h - tall * 0.6,
            x + sway + unit * 0.02,
            h - tall * 0.35,
            x + unit * 0.025,
            h,
        );
        weed.close();
        let colour = [palette.near, palette.accent, palette.fore][dice.below(3)];
        canvas.fill(
            weed.finish(),
            mix(colour, palette.light, 0.1),
            palette.dark,
            (h - tall, h),
            depth::NEAR,
            1.0,
        );
    }
    shoal(canvas, palette, &shot, dice);
    let mut bubbles = PathBuilder::new();
    for _ in 0..34 {
        bubbles.push_circle(dice.range(0.0, w), dice.range(0.05, 0.9) * h, unit * dice.range(0.002, 0.009));
    }
    canvas.fill(bubbles.finish(), palette.light, palette.light, (0.0, 1.0), depth::NEAR, 0.55);
    layer(5, Some(canvas))?;
    let hero = shot.hero.max(0.34);
    Ok(Stage {
        ground: 0.92,
        back: 0.86,
        hero,
        water: None,
        sky: 0.4,
        focus: shot.focus,
        shore: false,
        bust: BUST_FEET,
    })
}

/// Light that falls through the surface.
fn shafts(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    for _ in 0..6 {
        let (x, wide) = (dice.range(0.0, w), unit * dice.range(0.05, 0.14));
        // Laid one in the other, they have no hard edge; each ends higher than the one before.
        for n in 0..5 {
            let (inset, low) = (0.1 * n as f32, h * (0.9 - 0.12 * n as f32));
            let (left, right) = (x + wide * inset, x + wide * (1.0 - inset));
            let lean = unit * 0.25 * low / h;
            let grow = wide * 1.4 * low / h * (0.5 - inset);
            let mut shaft = PathBuilder::new();
            shaft.move_to(left, -2.0);
            shaft.line_to(right, -2.0);
            shaft.line_to(right + lean + grow, low);
            shaft.line_to(left + lean - grow, low);
            shaft.close();
            canvas.fill(shaft.finish(), palette.light, palette.water, (0.0, low), depth::SKY, 0.045);
        }
    }
}

/// Small fish far away, on the side that the hero leaves free.
fn shoal(canvas: &mut Canvas, palette: &Palette, shot: &Shot, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let side = if shot.focus < 0.5 { 1.0 } else { -1.0 };
    let (cx, cy) = (w * (0.5 + side * dice.range(0.18, 0.3)), h * dice.range(0.2, 0.42));
    let mut path = PathBuilder::new();
    for _ in 0..7 + dice.below(8) {
        let long = unit * dice.range(0.016, 0.03);
        let (x, y) = (cx + unit * dice.range(-0.17, 0.17), cy + unit * dice.range(-0.09, 0.09));
        path.move_to(x - side * long, y);
        path.quad_to(x, y - long * 0.7, x + side * long, y);
        path.quad_to(x, y + long * 0.7, x - side * long, y);
        path.close();
        path.move_to(x + side * long * 0.8, y);
        path.line_to(x + side * long * 1.5, y - long * 0.4);
        path.line_to(x + side * long * 1.5, y + long * 0.4);
        path.close();
    }
    canvas.flat(path.finish(), mix(palette.water, palette.dark, 0.4), depth::FAR);
}
