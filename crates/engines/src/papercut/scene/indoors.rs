//! This owns places indoors: a wall with a window, a floor or a table, and the light that falls in.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::colour::{Palette, Rgb, mix};
use super::super::reading::{Hour, Reading, Setting};
use super::canvas::{Canvas, Dice};
use super::depth;
use super::stage::{BUST_FEET, Stage};

/// How a window is cut.
#[derive(Clone, Copy, PartialEq)]
enum Window {
    Square,
    Arch,
    Round,
}

/// Builds a room; a still life looks at the table more closely. Says where figures can stand.
pub(super) fn room(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    focus: f32,
    dice: &mut Dice,
) -> Stage {
    let (unit, h) = (canvas.unit(), canvas.height());
    let night = matches!(reading.hour, Hour::Night | Hour::Dusk);
    let table = reading.setting == Setting::Table;
    let wall = if night {
        mix(palette.mid, palette.accent, 0.18)
    } else {
        [
            mix(palette.sky_low, palette.far, 0.28),
            mix(palette.far, palette.light, 0.2),
            mix(palette.mid, palette.far, 0.5),
            mix(palette.sky_top, palette.light, 0.25),
        ][dice.below(4)]
    };
    canvas.wash(wall, mix(wall, palette.near, 0.18), 0.0, 1.0, depth::SKY);
    let edge = if table { dice.range(0.60, 0.68) } else { dice.range(0.70, 0.78) };
    panels(canvas, palette, wall, edge, dice);
    let side = if focus < 0.5 { 1.0 } else { -1.0 };
    canvas.light = side;
    match dice.below(if table { 3 } else { 2 }) {
        2 => {
            // A still life may stand before a large disc of light alone.
            let (x, y) = (canvas.width() * (focus + side * 0.1), h * 0.38);
            canvas.disc(x, y, unit * dice.range(0.24, 0.32), mix(wall, palette.light, 0.55), depth::SKY);
        }
        _ => {
            let kind = [Window::Square, Window::Arch, Window::Round, Window::Square][dice.below(4)];
            window(canvas, palette, (kind, side, night), edge, dice);
        }
    }
    let top = mix(palette.accent, palette.near, [0.45, 0.7, 0.25][dice.below(3)]);
    let mut board = PathBuilder::new();
    board.extend_rect(-1.0, h * edge, canvas.width() + 2.0, h);
    let (lit, dim) = (mix(top, palette.light, 0.28), mix(top, palette.dark, 0.4));
    canvas.fill(board.finish(), lit, dim, (h * edge, h), depth::NEAR, 1.0);
    let mut lip = PathBuilder::new();
    lip.extend_rect(-1.0, h * edge - unit * 0.006, canvas.width() + 2.0, unit * 0.014);
    canvas.flat(lip.finish(), mix(palette.light, top, 0.3), depth::NEAR);
    if table {
        cloth(canvas, palette, edge, dice)
    } else {
        floor(canvas, palette, (focus, edge), dice)
    }
    if !table {
        furnish(canvas, palette, (side, edge, night), dice);
    }
    let hero = if table { dice.range(0.40, 0.50) } else { dice.range(0.38, 0.46) };
    let ground = edge + (1.0 - edge) * if table { 0.5 } else { 0.55 };
    Stage { ground, back: edge + 0.05, hero, water: None, sky: 0.3, focus, shore: false, bust: BUST_FEET }
}

/// What is on the wall: stripes, a panelled lower part, or dots.
fn panels(canvas: &mut Canvas, palette: &Palette, wall: Rgb, edge: f32, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let mut path = PathBuilder::new();
    match dice.below(4) {
        0 => {
            let mut x = 0.0;
            while x < w {
                path.extend_rect(x, 0.0, unit * 0.028, h * edge);
                x += unit * 0.085;
            }
            canvas.fill(
                path.finish(),
                mix(wall, palette.light, 0.4),
                wall,
                (0.0, h * edge),
                depth::SKY,
                0.35,
            );
        }
        1 => {
            let tone = mix(wall, palette.near, 0.3);
            path.extend_rect(-1.0, h * (edge - 0.2), w + 2.0, h * 0.3);
            canvas.flat(path.finish(), tone, depth::SKY);
            let mut rail = PathBuilder::new();
            rail.extend_rect(-1.0, h * (edge - 0.2), w + 2.0, unit * 0.012);
            canvas.flat(rail.finish(), mix(tone, palette.light, 0.4), depth::SKY);
        }
        2 => {
            let step = unit * 0.09;
            for n in 0..(w / step) as usize * (h * edge / step) as usize {
                let (column, row) = (n % ((w / step) as usize).max(1), n / ((w / step) as usize).max(1));
                let shift = if row % 2 == 0 { 0.25 } else { 0.75 };
                path.push_circle((column as f32 + shift) * step, (row as f32 + 0.5) * step, unit * 0.007);
            }
            canvas.fill(path.finish(), palette.light, palette.light, (0.0, 1.0), depth::SKY, 0.4);
        }
        _ => {}
    }
}

/// A cloth on the table, plain or in checks, or none.
fn cloth(canvas: &mut Canvas, palette: &Palette, edge: f32, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let pale = mix(palette.light, palette.sky_low, 0.4);
    let y = h * (edge + (1.0 - edge) * 0.22);
    match dice.below(3) {
        0 => {
            let oval = Rect::from_xywh(w * 0.14, y, w * 0.72, (h - y) * 0.8).and_then(PathBuilder::from_oval);
            canvas.fill(oval, pale, palette.sky_low, (y, h), depth::NEAR, 0.9);
        }
        1 => {
            let mut sheet = PathBuilder::new();
            sheet.move_to(w * 0.16, y);
            sheet.line_to(w * 0.84, y);
            sheet.line_to(w * 0.98, h + 1.0);
            sheet.line_to(w * 0.02, h + 1.0);
            sheet.close();
            canvas.flat(sheet.finish(), pale, depth::NEAR);
            let mut checks = PathBuilder::new();
            for n in 0..9 {
                let (t, u) = (n as f32 / 9.0, (n as f32 + 0.5) / 9.0);
                let x = |t: f32, down: f32| w * ((0.16 - 0.14 * down) + (0.68 + 0.28 * down) * t);
                checks.move_to(x(t, 0.0), y);
                checks.line_to(x(u, 0.0), y);
                checks.line_to(x(u, 1.0), h + 1.0);
                checks.line_to(x(t, 1.0), h + 1.0);
                checks.close();
            }
            canvas.fill(checks.finish(), palette.accent, palette.accent, (0.0, 1.0), depth::NEAR, 0.4);
            let mut rows = PathBuilder::new();
            for n in 0..4 {
                let t = (n as f32 / 4.0).powf(1.2);
                rows.extend_rect(
                    w * (0.16 - 0.14 * t),
                    y + (h - y) * t,
                    w * (0.68 + 0.28 * t),
                    unit * 0.026 * (0.7 + t),
                );
            }
            canvas.fill(rows.finish(), palette.accent, palette.accent, (0.0, 1.0), depth::NEAR, 0.4);
        }
        _ => {}
    }
}

fn floor(canvas: &mut Canvas, palette: &Palette, (focus, edge): (f32, f32), dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let mut planks = PathBuilder::new();
    for n in 1..6 {
        planks.extend_rect(
            -1.0,
            h * (edge + (1.0 - edge) * (n as f32 / 6.0).powf(1.3)),
            w + 2.0,
            unit * 0.003,
        );
    }
    canvas.fill(planks.finish(), palette.dark, palette.dark, (0.0, 1.0), depth::NEAR, 0.35);
    let (y, tall) = (h * (edge + (1.0 - edge) * 0.3), h * (1.0 - edge) * 0.6);
    let tones = [(palette.far, palette.mid), (palette.light, palette.far), (palette.sky_top, palette.mid)];
    let (outer, inner) = tones[dice.below(3)];
    for (grow, colour) in [(1.0, outer), (0.84, inner), (0.76, outer)] {
        let (long, high) = (w * 0.62 * grow, tall * grow);
        let rug = Rect::from_xywh(w * focus - long / 2.0, y + (tall - high) / 2.0, long, high);
        canvas.flat(rug.and_then(PathBuilder::from_oval), colour, depth::NEAR);
    }
}

/// A lamp, a plant or a picture on the far side of the hero.
fn furnish(canvas: &mut Canvas, palette: &Palette, (side, edge, night): (f32, f32, bool), dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let x = w * (0.5 - side * dice.range(0.34, 0.40));
    match dice.below(3) {
        0 => {
            if night {
                let glow = PathBuilder::from_circle(x, h * edge - unit * 0.42, unit * 0.22);
                canvas.fill(glow, palette.light, palette.light, (0.0, 1.0), depth::SKY, 0.25);
            }
            let mut pole = PathBuilder::new();
            pole.extend_rect(x - unit * 0.006, h * edge - unit * 0.42, unit * 0.012, unit * 0.46);
            pole.extend_rect(x - unit * 0.05, h * edge + unit * 0.03, unit * 0.10, unit * 0.014);
            canvas.flat(pole.finish(), palette.dark, depth::NEAR);
            let mut shade = PathBuilder::new();
            shade.move_to(x - unit * 0.045, h * edge - unit * 0.5);
            shade.line_to(x + unit * 0.045, h * edge - unit * 0.5);
            shade.line_to(x + unit * 0.085, h * edge - unit * 0.38);
            shade.line_to(x - unit * 0.085, h * edge - unit * 0.38);
            shade.close();
            canvas.flat(shade.finish(), if night { palette.light } else { palette.accent }, depth::NEAR);
        }
        1 => {
            let mut leaves = PathBuilder::new();
            for n in 0..9 {
                let angle = -1.57 + (n as f32 - 4.0) * 0.3 + dice.range(-0.1, 0.1);
                let long = unit * dice.range(0.16, 0.26);
                let (dx, dy) = (angle.cos() * long, angle.sin() * long);
                leaves.move_to(x, h * edge - unit * 0.06);
                leaves.quad_to(
                    x + dx * 0.4 - dy * 0.16,
                    h * edge - unit * 0.06 + dy * 0.7,
                    x + dx,
                    h * edge - unit * 0.06 + dy,
                );
                leaves.quad_to(
                    x + dx * 0.7 + dy * 0.10,
                    h * edge - unit * 0.06 + dy * 0.4,
                    x,
                    h * edge - unit * 0.06,
                );
                leaves.close();
            }
            canvas.fill(
                leaves.finish(),
                palette.near,
                palette.fore,
                (h * edge - unit * 0.3, h * edge),
                depth::NEAR,
                1.0,
            );
            let mut pot = PathBuilder::new();
            pot.move_to(x - unit * 0.07, h * edge - unit * 0.07);
            pot.line_to(x + unit * 0.07, h * edge - unit * 0.07);
            pot.line_to(x + unit * 0.05, h * edge + unit * 0.05);
            pot.line_to(x - unit * 0.05, h * edge + unit * 0.05);
            pot.close();
            canvas.flat(pot.finish(), palette.accent, depth::NEAR);
        }
        _ => {
            let (wide, tall, y) = (unit * 0.2, unit * 0.26, h * 0.16);
            let mut frame = PathBuilder::new();
            frame.extend_rect(x - wide / 2.0, y, wide, tall);
            canvas.flat(frame.finish(), palette.dark, depth::FAR);
            let mut sheet = PathBuilder::new();
            sheet.extend_rect(x - wide * 0.42, y + wide * 0.08, wide * 0.84, tall - wide * 0.16);
            canvas.flat(sheet.finish(), palette.sky_low, depth::FAR);
            canvas.disc(x, y + tall * 0.45, wide * 0.22, palette.accent, depth::FAR);
        }
    }
}

fn window(
    canvas: &mut Canvas,
    palette: &Palette,
    (kind, side, night): (Window, f32, bool),
    edge: f32,
    dice: &mut Dice,
) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let (wide, tall) = match kind {
        Window::Round => (unit * 0.36, unit * 0.36),
        _ => (unit * dice.range(0.30, 0.40), unit * dice.range(0.38, 0.50)),
    };
    let tall = tall.min(h * (edge - 0.16));
    let (x, y) = (w * (0.5 + side * 0.24) - wide / 2.0, h * (edge - 0.06) * 0.5 - tall * 0.5);
    let pane = |grow: f32| {
        let mut path = PathBuilder::new();
        let (x, y, wide, tall) = (x - grow, y - grow, wide + 2.0 * grow, tall + 2.0 * grow);
        match kind {
            Window::Square => path.extend_rect(x, y, wide, tall),
            Window::Round => path.push_circle(x + wide / 2.0, y + tall / 2.0, wide / 2.0),
            Window::Arch => {
                path.push_circle(x + wide / 2.0, y + wide / 2.0, wide / 2.0);
                path.extend_rect(x, y + wide / 2.0, wide, tall - wide / 2.0);
            }
        }
        path.finish()
    };
    let frame = mix(palette.light, palette.sky_low, 0.2);
    canvas.flat(pane(unit * 0.02), frame, depth::FAR);
    canvas.fill(pane(0.0), palette.sky_top, palette.sky_low, (y, y + tall), depth::DISC, 1.0);
    let (sx, sy) = (x + wide * dice.range(0.35, 0.65), y + tall * dice.range(0.3, 0.45));
    canvas.disc(sx, sy, unit * 0.045, if night { palette.light } else { palette.accent }, depth::DISC);
    if kind != Window::Round {
        let mut hill = PathBuilder::new();
        hill.move_to(x, y + tall);
        hill.line_to(x, y + tall * 0.72);
        hill.quad_to(x + wide * 0.4, y + tall * 0.5, x + wide, y + tall * 0.78);
        hill.line_to(x + wide, y + tall);
        hill.close();
        canvas.fill(hill.finish(), palette.mid, palette.near, (y + tall * 0.6, y + tall), depth::DISC, 1.0);
    }
    let mut bars = PathBuilder::new();
    bars.extend_rect(x + wide * 0.5 - unit * 0.006, y, unit * 0.012, tall);
    bars.extend_rect(x, y + tall * 0.5 - unit * 0.006, wide, unit * 0.012);
    canvas.flat(bars.finish(), frame, depth::FAR);
    if !night {
        let mut beam = PathBuilder::new();
        beam.move_to(x, y + tall);
        beam.line_to(x + wide, y + tall);
        beam.line_to(x + wide * 0.7 - side * unit * 0.35, h);
        beam.line_to(x - wide * 0.5 - side * unit * 0.35, h);
        beam.close();
        canvas.fill(beam.finish(), palette.light, palette.light, (0.0, 1.0), depth::SKY, 0.12);
    }
}

/// A rectangle added to a path where it has a size.
trait ExtendRect {
    fn extend_rect(&mut self, x: f32, y: f32, w: f32, h: f32);
}

impl ExtendRect for PathBuilder {
    fn extend_rect(&mut self, x: f32, y: f32, w: f32, h: f32) {
        if let Some(rect) = Rect::from_xywh(x, y, w.max(0.2), h.max(0.2)) {
            self.push_rect(rect);
        }
    }
}
