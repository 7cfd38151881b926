//! This owns the medallion: an oval frame through which a head is seen before its place.

use resvg::tiny_skia::{FillRule, PathBuilder, Rect};

use super::super::colour::{Palette, Rgb, mix};
use super::canvas::{Canvas, Dice};
use super::depth;

/// Lower end of the head: a little below the frame, which cuts it.
pub(super) const BUST_FEET: f32 = 0.97;
/// Half height of the oval, as a share of the height.
const HALF: f32 = 0.43;
/// How much wider than high, or higher than wide, the oval can be.
const STRETCH_MAX: f32 = 1.35;

/// Covers all that lies outside the oval.
pub(super) fn frame(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (w, h, unit) = (canvas.width(), canvas.height(), canvas.unit());
    let high = (h * HALF).min(w * HALF * STRETCH_MAX);
    let wide = (w * HALF).min(high * STRETCH_MAX);
    let (x, y) = (w / 2.0, h / 2.0);
    let oval = |path: &mut PathBuilder, grow: f32| {
        let sides = (2.0 * (wide + grow), 2.0 * (high + grow));
        if let Some(oval) = Rect::from_xywh(x - wide - grow, y - high - grow, sides.0, sides.1) {
            path.push_oval(oval);
        }
    };
    let deep = dice.below(2) == 0;
    let pale = mix(palette.light, palette.sky_low, 0.2);
    let (field, line) = if deep { (palette.fore, pale) } else { (pale, palette.fore) };
    let mut around = PathBuilder::new();
    if let Some(whole) = Rect::from_xywh(-2.0, -2.0, w + 4.0, h + 4.0) {
        around.push_rect(whole);
    }
    oval(&mut around, 0.0);
    canvas.fill_by(around.finish(), FillRule::EvenOdd, field, depth::FORE);
    for (out, thick, colour) in [(0.0, 0.016, palette.accent), (0.026, 0.004, line)] {
        let mut ring = PathBuilder::new();
        oval(&mut ring, unit * (out + thick));
        oval(&mut ring, unit * out);
        canvas.fill_by(ring.finish(), FillRule::EvenOdd, colour, depth::FORE);
    }
    corners(canvas, (x, y, unit), mix(field, line, 0.55));
}

/// A twig in each corner.
fn corners(canvas: &mut Canvas, (x, y, unit): (f32, f32, f32), colour: Rgb) {
    let mut path = PathBuilder::new();
    for (across, down) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0_f32)] {
        let corner = (x + across * (x - unit * 0.035), y + down * (y - unit * 0.035));
        for (turn, long) in [(0.0_f32, 0.10), (0.5, 0.075), (-0.5, 0.075)] {
            let angle = (-down).atan2(-across) + turn * 1.1;
            let (dx, dy) = (angle.cos() * unit * long, angle.sin() * unit * long);
            path.move_to(corner.0, corner.1);
            path.quad_to(
                corner.0 + dx * 0.5 - dy * 0.22,
                corner.1 + dy * 0.5 + dx * 0.22,
                corner.0 + dx,
                corner.1 + dy,
            );
            path.quad_to(
                corner.0 + dx * 0.5 + dy * 0.22,
                corner.1 + dy * 0.5 - dx * 0.22,
                corner.0,
                corner.1,
            );
            path.close();
        }
    }
    canvas.flat(path.finish(), colour, depth::FORE);
}
