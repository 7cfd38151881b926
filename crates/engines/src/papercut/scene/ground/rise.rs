//! This owns land that rises under what is built: a hill in the country, a rock in the sea.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, Rgb, mix};
use super::super::super::reading::{How, Nature, Reading, Setting, Subject};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::super::shot::Shot;
use super::super::stage::{drawn_in_sky, earthbound};

/// Raises land under the hero where it needs some: a hill for what is built, a rock in the sea for all that cannot swim.
/// Returns the height of its top.
pub(super) fn rise(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    shot: &Shot,
    water: Option<f32>,
    dice: &mut Dice,
) -> Option<f32> {
    let needs = |test: &dyn Fn(Nature) -> bool| {
        // Who rides or sits needs no ground of its own.
        let stands = |s: &Subject| s.tie.is_none_or(|tie| matches!(tie.how, How::Under));
        let seen = |s: &&Subject| drawn_in_sky(s).is_none() && stands(s);
        reading.subjects.iter().filter(seen).any(|s| test(s.figure.nature))
    };
    match (reading.setting, water) {
        (Setting::Sea, Some(line)) if needs(&earthbound) => {
            let built = needs(&|nature| nature == Nature::Building);
            let (top, foot) = (line - if built { 0.10 } else { 0.03 }, line + 0.09);
            let rock = mix(palette.near, palette.far, 0.25);
            let tones = (mix(rock, palette.light, 0.2), mix(rock, palette.dark, 0.5));
            foam(canvas, palette, (shot.focus, foot), dice);
            mound(canvas, (shot.focus, top, foot), (0.17, 0.36), Slope::Rock, tones, dice);
            Some(top)
        }
        (Setting::Beach | Setting::Lake | Setting::River, Some(line))
            if needs(&|n| n == Nature::Building) =>
        {
            let (top, foot) = (line - 0.07, line + 0.06);
            let bank = mix(palette.near, palette.far, 0.2);
            let tones = (mix(bank, palette.light, 0.2), mix(bank, palette.dark, 0.45));
            foam(canvas, palette, (shot.focus, foot), dice);
            mound(canvas, (shot.focus, top, foot), (0.16, 0.36), Slope::Rock, tones, dice);
            Some(top)
        }
        (Setting::Sky | Setting::Space | Setting::City | Setting::Beach | Setting::Sea, _) => None,
        _ if needs(&|nature| nature == Nature::Building) => {
            let top = shot.horizon + 0.01 - dice.range(0.0, 0.06);
            let tones = (mix(palette.mid, palette.light, 0.10), mix(palette.mid, palette.near, 0.8));
            let foot = shot.horizon + (1.0 - shot.horizon) * 0.7;
            mound(canvas, (shot.focus, top, foot), (0.13, 1.0), Slope::Hill, tones, dice);
            Some(top)
        }
        _ => None,
    }
}

/// How land falls off from its top.
#[derive(Clone, Copy, PartialEq)]
enum Slope {
    Hill,
    Rock,
}

/// A rise with a level top; `crest` and `half` are half widths at top and foot.
fn mound(
    canvas: &mut Canvas,
    (focus, top, foot): (f32, f32, f32),
    (crest, half): (f32, f32),
    slope: Slope,
    (light, dark): (Rgb, Rgb),
    dice: &mut Dice,
) {
    let (w, h) = (canvas.width(), canvas.height());
    let wide = canvas.unit().max(w * 0.7);
    let ease = |beyond: f32| match slope {
        Slope::Hill => beyond * beyond * (3.0 - 2.0 * beyond),
        // Ledges: steep, level, steep.
        Slope::Rock => (beyond * 3.0).floor() / 3.0 * 0.6 + beyond * 0.4,
    };
    let rough = if slope == Slope::Rock { 0.014 } else { 0.0 };
    let lean = dice.range(0.75, 1.3);
    let steps = 60;
    let mut path = PathBuilder::new();
    for n in 0..=steps {
        let t = n as f32 / steps as f32 * 2.0 - 1.0;
        let far = t.abs() * half;
        let beyond = ((far - crest) / (half - crest)).clamp(0.0, 1.0);
        let jump = if beyond > 0.0 { rough * dice.range(-0.5, 0.5) } else { 0.0 };
        let reach = if t < 0.0 { lean } else { 1.0 / lean };
        let (x, y) = (focus * w + t * half * reach * wide, (top + (foot - top) * ease(beyond) + jump) * h);
        if n == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    if slope == Slope::Hill {
        path.line_to(w * 3.0, h);
        path.line_to(-w * 2.0, h);
    }
    path.close();
    canvas.fill(path.finish(), light, dark, (top * h, foot * h), depth::MID + 1, 1.0);
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
