//! This owns land that rises under what is built: a hill in the country, a rock in the sea.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, mix};
use super::super::canvas::{Canvas, Dice};
use super::super::stage::Stage;
use super::depth;

/// What rises.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Rise {
    /// A hill, for buildings.
    Hill,
    /// A rock in the water, for everything that cannot swim.
    Island,
}

/// Raises land at the place of the hero; the stage then stands on it.
pub(in super::super) fn rise(
    canvas: &mut Canvas,
    palette: &Palette,
    rise: Rise,
    stage: Stage,
    dice: &mut Dice,
) -> Stage {
    match rise {
        Rise::Hill => {
            let top = stage.back - 0.05;
            let tones = (mix(palette.mid, palette.light, 0.12), mix(palette.mid, palette.near, 0.7));
            // It ends before the ground on which the others stand.
            let foot = stage.ground - 0.02;
            mound(canvas, (stage.focus, top, foot), (0.16, 0.52), 0.008, tones, dice);
            Stage { back: top + 0.012, ..stage }
        }
        Rise::Island => {
            let line = stage.water.unwrap_or(stage.ground);
            let top = line - 0.05;
            let rock = mix(palette.near, palette.far, 0.25);
            let tones = (mix(rock, palette.light, 0.2), mix(rock, palette.dark, 0.5));
            let foot = line + 0.07;
            foam(canvas, palette, (stage.focus, foot), dice);
            mound(canvas, (stage.focus, top, foot), (0.15, 0.32), 0.02, tones, dice);
            Stage { back: top + 0.014, ground: top + 0.02, ..stage }
        }
    }
}

/// A rise with a flat top; `half` are half widths at top and foot, `rough` is how far its edge jumps.
fn mound(
    canvas: &mut Canvas,
    (focus, top, foot): (f32, f32, f32),
    (crest, half): (f32, f32),
    rough: f32,
    (light, dark): (super::super::super::colour::Rgb, super::super::super::colour::Rgb),
    dice: &mut Dice,
) {
    let (w, h) = (canvas.width(), canvas.height());
    let wide = canvas.unit().max(w * 0.7);
    let edge = |t: f32| {
        // From -1 to 1: level within the crest, then a slope that eases out.
        let beyond = ((t.abs() * half - crest) / (half - crest)).clamp(0.0, 1.0);
        let ease = beyond * beyond * (3.0 - 2.0 * beyond);
        top + (foot - top) * ease
    };
    let steps = 48;
    let mut path = PathBuilder::new();
    for n in 0..=steps {
        let t = n as f32 / steps as f32 * 2.0 - 1.0;
        let jump = rough * dice.range(-0.5, 0.5) * if t.abs() * half < crest { 0.25 } else { 1.0 };
        let (x, y) = (focus * w + t * half * wide, (edge(t) + jump) * h);
        if n == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
    canvas.fill(path.finish(), light, dark, (top * h, foot * h), depth::BEHIND - 1, 1.0);
}

/// Water that breaks at the foot of a rock.
fn foam(canvas: &mut Canvas, palette: &Palette, (focus, foot): (f32, f32), dice: &mut Dice) {
    let wide = canvas.unit().max(canvas.width() * 0.7);
    let mut path = PathBuilder::new();
    for n in 0..9 {
        let t = n as f32 / 8.0 * 2.0 - 1.0;
        let (x, y) = (focus * canvas.width() + t * 0.31 * wide, foot * canvas.height());
        let (long, high) = (wide * dice.range(0.06, 0.12), canvas.unit() * dice.range(0.012, 0.026));
        if let Some(oval) = Rect::from_xywh(x - long / 2.0, y - high * 0.7, long, high) {
            path.push_oval(oval);
        }
    }
    canvas.fill(path.finish(), palette.light, palette.light, (0.0, 1.0), depth::MID, 0.7);
}
