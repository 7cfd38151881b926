//! This owns what stands before everything and frames the picture: grass, leaves, trunks, branches, stones, reeds.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, mix};
use super::super::super::reading::{Nature, Reading, Season, Setting};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::super::shot::Shot;

/// Ways to frame.
#[derive(Clone, Copy)]
enum Frame {
    /// Blades and leaves from below.
    Grass,
    /// Dark trunks at the sides.
    Trunks,
    /// A branch from an upper corner.
    Branch,
    /// Stones below.
    Stones,
    /// High reeds on one side.
    Reeds,
    /// A dark bank only.
    Bank,
}

/// What grows before everything: it frames the picture and covers feet.
pub(in super::super) fn foreground(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    shot: Shot,
    dice: &mut Dice,
) {
    let perched = reading.subjects.first().is_some_and(|subject| {
        subject.figure.nature == Nature::Plant || subject.figure.nature == Nature::Building
    });
    let frames: &[Frame] = match reading.setting {
        Setting::Sky | Setting::Space | Setting::Sea | Setting::City | Setting::Underwater => return,
        Setting::Road => &[Frame::Stones, Frame::Bank],
        Setting::Desert => &[Frame::Bank, Frame::Stones],
        Setting::Beach | Setting::Snowfield => &[Frame::Bank, Frame::Stones, Frame::Bank],
        Setting::Forest => &[Frame::Trunks, Frame::Grass, Frame::Trunks],
        Setting::Jungle => &[Frame::Grass, Frame::Branch, Frame::Trunks],
        Setting::Lake | Setting::River => &[Frame::Reeds, Frame::Stones, Frame::Grass, Frame::Branch],
        Setting::Garden => &[Frame::Grass, Frame::Branch],
        _ if perched => &[Frame::Bank, Frame::Grass, Frame::Stones],
        _ => &[Frame::Grass, Frame::Branch, Frame::Bank, Frame::Reeds, Frame::Stones],
    };
    let frame = frames[dice.below(frames.len())];
    // Leaves would hang before what flies.
    let flies = reading.subjects.iter().any(|subject| subject.figure.nature == Nature::Flying);
    let frame = if flies && matches!(frame, Frame::Branch) { Frame::Bank } else { frame };
    let (unit, h) = (canvas.unit(), canvas.height());
    let bare =
        matches!(reading.setting, Setting::Desert | Setting::Beach | Setting::Snowfield | Setting::Road);
    let top = if bare { mix(palette.near, palette.fore, 0.35) } else { palette.fore };
    let low = if bare { palette.fore } else { palette.dark };
    let high = if bare { 0.945 } else { 0.965 };
    canvas.ridge(h * high, unit * 0.018, 0.0, top, low, depth::FORE, dice);
    match frame {
        Frame::Grass => {
            blades(canvas, palette, dice);
            for side in [-1.0_f32, 1.0] {
                leaves(canvas, palette, dice, side);
            }
        }
        Frame::Trunks => {
            blades(canvas, palette, dice);
            trunks(canvas, palette, shot, dice);
        }
        Frame::Branch => {
            if !bare {
                blades(canvas, palette, dice);
            }
            branch(canvas, reading, palette, shot, dice);
        }
        Frame::Stones => stones(canvas, palette, dice),
        Frame::Reeds => reeds(canvas, palette, shot, dice),
        Frame::Bank => {}
    }
}

fn blades(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let mut blades = PathBuilder::new();
    for _ in 0..170 {
        let x = dice.range(-0.02, 1.02) * w;
        // Grass is higher at the sides, so that it frames.
        let frame = ((x / w - 0.5).abs() * 2.0).powi(2);
        let (tall, lean) =
            (unit * (0.025 + 0.09 * frame) * dice.range(0.5, 1.2), unit * dice.range(-0.03, 0.03));
        blades.move_to(x - unit * 0.004, h * 1.01);
        blades.quad_to(x + lean * 0.3, h - tall * 0.6, x + lean, h * 0.985 - tall);
        blades.quad_to(x + lean * 0.3 + unit * 0.006, h - tall * 0.5, x + unit * 0.006, h * 1.01);
        blades.close();
    }
    canvas.fill(blades.finish(), palette.fore, palette.dark, (h * 0.84, h), depth::FORE, 1.0);
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
            leaf(&mut path, (x, y), length, -1.57 + side * tilt * -0.6);
        }
    }
    let tone = mix(palette.fore, palette.near, 0.35);
    canvas.fill(path.finish(), tone, palette.dark, (h - unit * 0.34, h), depth::FORE, 1.0);
}

fn leaf(path: &mut PathBuilder, (x, y): (f32, f32), length: f32, angle: f32) {
    let (dx, dy) = (angle.cos() * length, angle.sin() * length);
    path.move_to(x, y);
    path.quad_to(x + dx * 0.5 - dy * 0.35, y + dy * 0.5 + dx * 0.35, x + dx, y + dy);
    path.quad_to(x + dx * 0.5 + dy * 0.35, y + dy * 0.5 - dx * 0.35, x, y);
    path.close();
}

/// Trunks from top to bottom at the sides; the light side is a little brighter.
fn trunks(canvas: &mut Canvas, palette: &Palette, shot: Shot, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let far = if shot.focus < 0.5 { 1.0 } else { -1.0 };
    for (place, wide) in [(0.46 * far, 0.10), (-0.47 * far, 0.06), (0.33 * far, 0.035)] {
        let (x, half) = (w * (0.5 + place), unit * wide * dice.range(0.4, 0.6));
        let sway = unit * dice.range(-0.02, 0.02);
        let mut trunk = PathBuilder::new();
        trunk.move_to(x - half * 0.8 + sway, -2.0);
        trunk.cubic_to(x - half, h * 0.4, x - half, h * 0.8, x - half * 1.9, h + 2.0);
        trunk.line_to(x + half * 1.9, h + 2.0);
        trunk.cubic_to(x + half, h * 0.8, x + half, h * 0.4, x + half * 0.8 + sway, -2.0);
        trunk.close();
        canvas.fill(trunk.finish(), palette.fore, palette.dark, (0.0, h), depth::FORE, 1.0);
        let mut lit = PathBuilder::new();
        for _ in 0..9 {
            let (y, long) = (h * dice.range(0.0, 0.9), unit * dice.range(0.03, 0.09));
            let edge = x + canvas.light * half * dice.range(0.35, 0.8);
            lit.move_to(edge, y);
            lit.quad_to(edge + half * 0.14, y + long * 0.5, edge, y + long);
            lit.quad_to(edge - half * 0.05, y + long * 0.5, edge, y);
            lit.close();
        }
        let tone = mix(palette.fore, palette.far, 0.45);
        canvas.flat(lit.finish(), tone, depth::FORE);
        let mut boughs = PathBuilder::new();
        for n in 0..2 {
            let y = h * (0.08 + 0.15 * n as f32 + dice.range(0.0, 0.08));
            let reach = -place.signum() * unit * dice.range(0.10, 0.22);
            boughs.move_to(x, y + half * 0.5);
            boughs.quad_to(x + reach * 0.5, y, x + reach, y - unit * 0.05);
            boughs.quad_to(x + reach * 0.5, y - half * 0.4, x, y - half * 0.5);
            boughs.close();
        }
        canvas.flat(boughs.finish(), palette.fore, depth::FORE);
    }
}

/// A branch from the upper corner that is farther from the hero; it bears what the season gives.
fn branch(canvas: &mut Canvas, reading: &Reading, palette: &Palette, shot: Shot, dice: &mut Dice) {
    let (unit, w) = (canvas.unit(), canvas.width());
    let side = if shot.focus < 0.5 { 1.0 } else { -1.0 };
    let x0 = if side > 0.0 { w } else { 0.0 };
    let (reach, drop) = (unit * dice.range(0.46, 0.66), unit * dice.range(0.10, 0.2));
    let start = unit * dice.range(0.02, 0.07);
    let at = |t: f32| (x0 - side * reach * t, start + drop * (t * 1.6 - t * t * 0.7));
    let mut wood = PathBuilder::new();
    wood.move_to(x0, start - unit * 0.012);
    for n in 1..=10 {
        let (x, y) = at(n as f32 / 10.0);
        wood.line_to(x, y - unit * 0.010 * (1.0 - n as f32 / 10.0));
    }
    for n in (0..=9).rev() {
        let (x, y) = at(n as f32 / 10.0);
        wood.line_to(x, y + unit * 0.012 * (1.0 - n as f32 / 10.0) + unit * 0.002);
    }
    wood.close();
    canvas.flat(wood.finish(), palette.dark, depth::FORE);
    let mut path = PathBuilder::new();
    for n in 0..44 {
        let (x, y) = at(dice.range(0.08, 1.0));
        let (dx, dy) = (unit * dice.range(-0.03, 0.03), unit * dice.range(-0.035, 0.05));
        if reading.season == Some(Season::Spring) {
            let petals = mix(palette.light, palette.accent, [0.12, 0.3, 0.5][n % 3]);
            canvas.blossom(
                x + dx,
                y + dy,
                unit * dice.range(0.012, 0.024),
                petals,
                palette.accent,
                depth::FORE,
            );
        } else if reading.season != Some(Season::Winter) {
            leaf(&mut path, (x, y), unit * dice.range(0.04, 0.10), dice.range(0.2, 2.9));
        }
    }
    let tone = if reading.season == Some(Season::Autumn) { palette.accent } else { palette.fore };
    canvas.fill(path.finish(), mix(tone, palette.near, 0.3), tone, (0.0, unit * 0.3), depth::FORE, 1.0);
}

fn stones(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let side = dice.side();
    for n in 0..6 {
        let t = n as f32 / 5.0;
        let x = w * (0.5 + side * (0.5 - 0.26 * t)) + unit * dice.range(-0.03, 0.03);
        let (wide, high) = (
            unit * dice.range(0.07, 0.14) * (1.1 - 0.6 * t),
            unit * dice.range(0.04, 0.09) * (1.1 - 0.6 * t),
        );
        let mut stone = PathBuilder::new();
        let foot = h * 0.985;
        stone.move_to(x - wide, foot + unit * 0.02);
        stone.line_to(x - wide * 0.8, foot - high * 0.5);
        stone.line_to(x - wide * 0.25, foot - high);
        stone.line_to(x + wide * 0.35, foot - high * 0.85);
        stone.line_to(x + wide * 0.9, foot - high * 0.3);
        stone.line_to(x + wide, foot + unit * 0.02);
        stone.close();
        let tone = mix(palette.fore, palette.near, dice.range(0.0, 0.4));
        canvas.fill(
            stone.finish(),
            mix(tone, palette.light, 0.15),
            palette.dark,
            (foot - high, h),
            depth::FORE,
            1.0,
        );
    }
}

/// Reeds with heads, on the side away from the hero.
fn reeds(canvas: &mut Canvas, palette: &Palette, shot: Shot, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let side = if shot.focus < 0.5 { 1.0 } else { -1.0 };
    let (mut stems, mut heads) = (PathBuilder::new(), PathBuilder::new());
    for n in 0..15 {
        let x = w * (0.5 + side * dice.range(0.26, 0.5));
        let (tall, lean) = (unit * dice.range(0.2, 0.46), unit * dice.range(-0.05, 0.05));
        let thin = unit * 0.004;
        stems.move_to(x - thin, h);
        stems.quad_to(x, h - tall * 0.6, x + lean, h - tall);
        stems.quad_to(x + thin * 1.6, h - tall * 0.6, x + thin, h);
        stems.close();
        if n % 2 == 0
            && let Some(head) =
                Rect::from_xywh(x + lean - thin * 1.8, h - tall - unit * 0.03, thin * 3.6, unit * 0.06)
        {
            heads.push_oval(head);
        }
    }
    canvas.fill(stems.finish(), palette.near, palette.dark, (h * 0.5, h), depth::FORE, 1.0);
    canvas.flat(heads.finish(), mix(palette.dark, palette.accent, 0.3), depth::FORE);
}
