//! This owns the sky: its colour, sun, moon, stars, planets, rainbows and clouds.

use resvg::tiny_skia::{PathBuilder, Rect, Stroke, Transform};

use super::super::super::colour::{Palette, Rgb, hex, mix};
use super::super::super::reading::{Hour, Reading, Setting, Weather};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::super::shot::Shot;
use super::super::stage::{Disc, drawn_in_sky};

/// How clouds are cut.
#[derive(Clone, Copy)]
enum Clouds {
    None,
    /// Flat below, heaped above.
    Heaps,
    /// Long bars.
    Bars,
    /// A bank far away, over the horizon.
    Bank,
}

pub(super) fn sky(canvas: &mut Canvas, reading: &Reading, palette: &Palette, shot: &Shot, dice: &mut Dice) {
    canvas.wash(palette.sky_top, palette.sky_low, 0.0, shot.horizon.min(1.0), depth::SKY);
    canvas.wash(palette.sky_low, palette.sky_low, shot.horizon.min(1.0), 1.0, depth::SKY);
    canvas.light = if shot.sun.0 < 0.5 { -1.0 } else { 1.0 };
    let dark = matches!(reading.hour, Hour::Night | Hour::Dusk) || reading.setting == Setting::Space;
    let overcast = matches!(reading.weather, Weather::Rain | Weather::Storm | Weather::Fog | Weather::Cloudy);
    if dark && !overcast {
        stars(canvas, palette, shot, dice);
    }
    let named: Vec<Disc> = reading.subjects.iter().filter_map(drawn_in_sky).collect();
    let asked = named.iter().any(|disc| matches!(disc, Disc::Sun(_) | Disc::Moon(_) | Disc::Crescent));
    let far_sun = !dark
        && reading.hour == Hour::Day
        && (reading.subjects.iter().any(|s| s.figure.name.ends_with(":mount-fuji")) || dice.below(3) == 0);
    if asked || (!overcast && !far_sun && reading.setting != Setting::Space) {
        disc(canvas, reading, palette, shot, dice, (dark, &named));
    }
    if named.contains(&Disc::Rainbow) {
        rainbow(canvas, shot, dice);
    }
    if reading.setting == Setting::Space {
        if !reading.subjects.iter().any(|subject| subject.figure.name.contains("planet")) {
            planet(canvas, palette, shot, dice);
        }
    } else {
        clouds(canvas, reading, palette, shot, dice, (dark, overcast));
        let asked =
            named.iter().find_map(|disc| if let Disc::Flock(count) = disc { Some(*count) } else { None });
        match asked {
            Some(count) => flock(canvas, palette, shot, dice, count as usize, 0.05),
            None if !dark && !overcast && dice.below(4) == 0 => {
                let count = 3 + dice.below(4);
                flock(canvas, palette, shot, dice, count, 0.014);
            }
            None => {}
        }
    }
}

fn stars(canvas: &mut Canvas, palette: &Palette, shot: &Shot, dice: &mut Dice) {
    let (w, unit) = (canvas.width(), canvas.unit());
    let mut stars = PathBuilder::new();
    let count = [70, 150, 240][dice.below(3)];
    for _ in 0..count {
        let y = dice.range(0.0, 1.0).powf(1.4) * canvas.height() * shot.horizon;
        let size = unit * (0.0012 + 0.0026 * dice.range(0.0, 1.0).powi(4));
        stars.push_circle(dice.range(0.0, w), y, size);
    }
    // A few sparkle.
    for _ in 0..7 {
        let (x, y) = (dice.range(0.0, w), dice.range(0.02, 0.7) * canvas.height() * shot.horizon);
        let (long, thin) = (unit * dice.range(0.008, 0.016), unit * 0.0016);
        stars.move_to(x - long, y);
        for (dx, dy) in [
            (-thin, -thin),
            (0.0, -long),
            (thin, -thin),
            (long, 0.0),
            (thin, thin),
            (0.0, long),
            (-thin, thin),
        ] {
            stars.line_to(x + dx, y + dy);
        }
        stars.close();
    }
    canvas.flat(stars.finish(), palette.light, depth::SKY);
}

/// Sun or moon, and the light around it, in one of several manners.
fn disc(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    shot: &Shot,
    dice: &mut Dice,
    (dark, named): (bool, &[Disc]),
) {
    let unit = canvas.unit();
    let low = matches!(reading.hour, Hour::Dawn | Hour::Sunset | Hour::GoldenHour);
    let (x, y) = (canvas.width() * shot.sun.0, canvas.height() * shot.sun.1);
    let asked =
        named.iter().find(|disc| matches!(disc, Disc::Sun(_) | Disc::Moon(_) | Disc::Crescent)).copied();
    let radius = unit * shot.radius * if asked.is_some() { 1.5 } else { 1.0 };
    let crescent = matches!(asked, Some(Disc::Crescent)) || (dark && asked.is_none() && dice.below(4) == 0);
    let glow = if dark { 0.6 } else { 1.0 };
    match dice.below(4) {
        0 | 1 if crescent => {}
        0 => {
            for (grow, share) in [(2.3, 0.14), (1.75, 0.22), (1.35, 0.34)] {
                let ring = PathBuilder::from_circle(x, y, radius * grow);
                canvas.fill(ring, palette.light, palette.light, (0.0, 1.0), depth::SKY, share * glow);
            }
        }
        1 => {
            let ring = PathBuilder::from_circle(x, y, radius * 1.6);
            canvas.fill(ring, palette.light, palette.light, (0.0, 1.0), depth::SKY, 0.22 * glow);
        }
        2 if !dark => {
            let soft = mix(palette.sky_low, palette.light, 0.6);
            let count = 12 + dice.below(3) as u32 * 4;
            let turn = dice.range(0.0, 0.3);
            let (sx, sy) = shot.sun;
            canvas.rays((sx, sy), count, soft, (depth::SKY, 0.35), turn);
        }
        _ => {}
    }
    let own = asked.and_then(|disc| disc.colour());
    let colour = own.unwrap_or(if low { mix(palette.accent, palette.light, 0.2) } else { palette.light });
    let Some(circle) = PathBuilder::from_circle(x, y, radius.max(0.5)) else { return };
    if crescent {
        let bite = (x - canvas.light * radius * 0.42, y - radius * 0.12, radius * 0.86);
        canvas.crescent((x, y, radius), bite, colour, depth::DISC);
    } else {
        canvas.fill(
            Some(circle),
            mix(colour, palette.light, 0.25),
            colour,
            (y - radius, y + radius),
            depth::DISC,
            1.0,
        );
    }
}

fn rainbow(canvas: &mut Canvas, shot: &Shot, dice: &mut Dice) {
    let (unit, y) = (canvas.unit(), canvas.height() * (shot.horizon + 0.04));
    let x = canvas.width() * (0.5 + dice.range(-0.14, 0.14));
    let outer = (canvas.width() * 0.46).min(canvas.height() * shot.horizon * 0.86);
    let band = unit * 0.024;
    for (n, colour) in [0xc8452f, 0xe58a34, 0xf2c84b, 0x6fa867, 0x3f7fa8, 0x6a569c].into_iter().enumerate() {
        let arc = PathBuilder::from_circle(x, y, (outer - band * n as f32).max(1.0));
        let stroke = Stroke { width: band * 1.04, ..Stroke::default() };
        let ring = arc.and_then(|arc| arc.stroke(&stroke, 1.0));
        canvas.fill(ring, hex(colour), hex(colour), (0.0, 1.0), depth::SKY, 0.8);
    }
}

fn planet(canvas: &mut Canvas, palette: &Palette, shot: &Shot, dice: &mut Dice) {
    let (unit, x, y) = (canvas.unit(), canvas.width() * shot.sun.0, canvas.height() * dice.range(0.16, 0.34));
    let radius = unit * dice.range(0.08, 0.2);
    let dim = mix(palette.accent, palette.dark, 0.35);
    canvas.disc(x, y, radius, dim, depth::DISC);
    // Bands in perspective, and the lit side as a crescent.
    let bite = (x - canvas.light * radius * 0.5, y + radius * 0.1, radius * 1.02);
    canvas.crescent((x, y, radius), bite, palette.accent, depth::DISC);
    if dice.below(2) == 0 {
        let mut path = PathBuilder::new();
        if let Some(ring) = Rect::from_xywh(x - radius * 1.8, y - radius * 0.16, radius * 3.6, radius * 0.32)
        {
            path.push_oval(ring);
        }
        let tilt = Transform::from_rotate_at(-18.0, x, y);
        let ring = path.finish().and_then(|ring| ring.transform(tilt));
        canvas.fill(
            ring,
            palette.light,
            palette.sky_low,
            (y - radius * 0.2, y + radius * 0.2),
            depth::DISC,
            0.75,
        );
    }
}

fn clouds(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    shot: &Shot,
    dice: &mut Dice,
    (dark, overcast): (bool, bool),
) {
    let kinds: &[Clouds] = match () {
        () if overcast => &[Clouds::Heaps, Clouds::Bars],
        () if dark => &[Clouds::None, Clouds::None, Clouds::Bars],
        () if reading.setting == Setting::Sky => &[Clouds::Heaps, Clouds::Bank],
        () => &[Clouds::Heaps, Clouds::Bars, Clouds::Bank, Clouds::None, Clouds::Bars],
    };
    let (w, unit, horizon) = (canvas.width(), canvas.unit(), canvas.height() * shot.horizon.min(0.86));
    let pale = match (dark, overcast) {
        (false, false) => mix(palette.light, palette.sky_low, 0.3),
        (true, _) => mix(palette.sky_low, palette.sky_top, 0.35),
        (false, true) => mix(palette.sky_top, palette.sky_low, 0.35),
    };
    match kinds[dice.below(kinds.len())] {
        Clouds::None => {}
        Clouds::Heaps => {
            let count = if overcast { 7 } else { 2 + dice.below(2) };
            for n in 0..count {
                let x = w * (n as f32 + dice.range(0.1, 0.9)) / count as f32;
                let y = dice.range(0.14, 0.62) * horizon;
                let size = unit * dice.range(0.08, 0.15) * if overcast { 1.7 } else { 1.0 };
                let tone = if overcast { mix(pale, palette.dark, dice.range(0.0, 0.25)) } else { pale };
                cloud(canvas, x, y, size, tone, dice);
            }
        }
        Clouds::Bars => {
            let count = if overcast { 12 } else { 4 + dice.below(5) };
            let mut path = PathBuilder::new();
            for _ in 0..count {
                let (long, thick) = (unit * dice.range(0.18, 0.6), unit * dice.range(0.008, 0.022));
                let (x, y) = (dice.range(-0.2, 1.0) * w, dice.range(0.1, 0.9) * horizon);
                if let Some(bar) = Rect::from_xywh(x, y, long, thick) {
                    path.push_oval(bar);
                }
            }
            canvas.fill(path.finish(), pale, pale, (0.0, 1.0), depth::CLOUD, 0.9);
        }
        Clouds::Bank => {
            let side = dice.side();
            for layer in 0..2 {
                let mut path = PathBuilder::new();
                for n in 0..14 {
                    let along = n as f32 / 13.0;
                    let heap = if side < 0.0 { 1.0 - along } else { along };
                    let radius = unit * (0.03 + 0.10 * heap * heap) * dice.range(0.75, 1.25);
                    let lift = unit * (0.02 + 0.22 * heap * heap) * (1.0 - 0.45 * layer as f32);
                    path.push_circle(along * w, horizon - lift, radius);
                    if let Some(body) =
                        Rect::from_xywh(along * w - radius, horizon - lift, radius * 2.0, lift + unit * 0.3)
                    {
                        path.push_rect(body);
                    }
                }
                let tone = mix(pale, palette.sky_low, 0.55 - 0.4 * layer as f32);
                canvas.fill(
                    path.finish(),
                    tone,
                    palette.sky_low,
                    (horizon - unit * 0.3, horizon),
                    depth::CLOUD,
                    1.0,
                );
            }
        }
    }
}

pub(super) fn cloud(canvas: &mut Canvas, x: f32, y: f32, size: f32, colour: Rgb, dice: &mut Dice) {
    let mut path = PathBuilder::new();
    let peak = dice.range(-0.25, 0.25);
    for n in 0..6 {
        let along = n as f32 / 5.0 - 0.5;
        let heap = 1.0 - ((along - peak) * 1.7).powi(2).min(0.85);
        let radius = size * (0.22 + 0.26 * heap) * dice.range(0.85, 1.1);
        path.push_circle(x + along * size * 1.9, y - radius * 0.25, radius.max(1.0));
    }
    // Flat below: the base is cut straight.
    canvas.fill_above(path.finish(), y, colour, depth::CLOUD);
}

/// Birds far away, as two strokes each.
fn flock(canvas: &mut Canvas, palette: &Palette, shot: &Shot, dice: &mut Dice, count: usize, size: f32) {
    let mut path = PathBuilder::new();
    let (x0, y0) =
        (canvas.width() * dice.range(0.3, 0.6), canvas.height() * shot.horizon * dice.range(0.3, 0.5));
    let spread = canvas.unit() * size * 7.0;
    for n in 0..count {
        let half = canvas.unit() * size * dice.range(0.6, 1.1);
        let along = n as f32 / count as f32 - 0.5;
        let (x, y) =
            (x0 + along * spread * 1.6, y0 + (along.abs() * 0.9 + dice.range(-0.25, 0.25)) * spread * 0.5);
        let lift = half * dice.range(0.35, 0.7);
        for side in [-1.0, 1.0] {
            path.move_to(x, y);
            path.quad_to(x + side * half * 0.5, y - lift * 1.3, x + side * half, y - lift * 0.5);
            path.quad_to(x + side * half * 0.5, y - lift * 0.85, x, y + half * 0.16);
            path.close();
        }
    }
    canvas.flat(path.finish(), mix(palette.dark, palette.near, 0.3), depth::CLOUD);
}
