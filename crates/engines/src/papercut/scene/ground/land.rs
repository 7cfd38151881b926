//! This owns the land between the horizon and the viewer: mountains, skylines, groves, houses and dunes.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Palette, Rgb, mix};
use super::super::super::reading::{Hour, Reading, Season, Setting};
use super::super::canvas::{Canvas, Dice};
use super::super::depth;
use super::super::shot::Shot;
use super::grove::{Tree, grove, single};

/// What stands at the horizon.
pub(super) fn backdrop(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    horizon: f32,
) {
    let (unit, y) = (canvas.unit(), horizon * canvas.height());
    let haze = mix(palette.far, palette.sky_low, 0.45);
    match reading.setting {
        Setting::Mountains | Setting::Snowfield => {
            for (n, share) in [(0, 0.52), (1, 0.25), (2, 0.0)] {
                let colour = mix(palette.far, haze, share);
                let lift = unit * (0.24 - 0.08 * n as f32);
                canvas.ridge(
                    y - lift * 0.5,
                    lift,
                    0.82,
                    mix(colour, palette.light, 0.25),
                    colour,
                    depth::FAR,
                    dice,
                );
            }
        }
        Setting::City => {
            // By day too the nearer row stands out from the farther, and both from the sky.
            let rows = [
                (mix(palette.far, palette.sky_low, 0.22), 0.40, depth::FAR),
                (mix(palette.far, palette.mid, 0.55), 0.30, depth::FAR + 1),
            ];
            for (tone, high, at) in rows {
                skyline(canvas, reading, palette, dice, (y + unit * 0.06, unit * high), tone, at);
            }
        }
        Setting::Sea | Setting::Beach | Setting::Sky | Setting::Space => {
            if dice.below(2) == 0 && reading.setting != Setting::Space {
                canvas.ridge(y, unit * 0.04, 0.2, haze, haze, depth::FAR, dice);
            }
        }
        Setting::Desert => {
            canvas.ridge(y, unit * 0.07, 0.25, haze, palette.far, depth::FAR, dice);
        }
        _ => {
            canvas.ridge(y - unit * 0.07, unit * 0.11, 0.25, haze, haze, depth::FAR, dice);
            canvas.ridge(y - unit * 0.01, unit * 0.07, 0.05, palette.far, haze, depth::FAR + 1, dice);
        }
    }
}

fn skyline(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    (base, high): (f32, f32),
    colour: Rgb,
    depth: u8,
) {
    let lit = matches!(reading.hour, Hour::Night | Hour::Dusk | Hour::Sunset);
    let mut x = -canvas.unit() * 0.05;
    let (mut houses, mut windows) = (PathBuilder::new(), PathBuilder::new());
    while x < canvas.width() {
        let (w, h) = (canvas.unit() * dice.range(0.05, 0.12), high * dice.range(0.3, 1.0));
        if let Some(house) = Rect::from_xywh(x, base - h, w, h + canvas.height()) {
            houses.push_rect(house);
        }
        if dice.below(4) == 0 {
            houses.move_to(x + w * 0.3, base - h);
            houses.line_to(x + w * 0.5, base - h - high * 0.22);
            houses.line_to(x + w * 0.7, base - h);
            houses.close();
        }
        let pane = canvas.unit() * 0.008;
        let mut wy = base - h + pane * 2.0;
        while wy < base + high * 0.3 {
            let mut wx = x + pane;
            while wx < x + w - pane * 1.5 {
                if dice.range(0.0, 1.0) < if lit { 0.42 } else { 0.16 }
                    && let Some(window) = Rect::from_xywh(wx, wy, pane, pane * 1.3)
                {
                    windows.push_rect(window);
                }
                wx += pane * 2.2;
            }
            wy += pane * 2.8;
        }
        x += w * dice.range(0.85, 1.15);
    }
    canvas.fill(
        houses.finish(),
        colour,
        mix(colour, palette.sky_low, 0.25),
        (base - high, base + high * 0.4),
        depth,
        1.0,
    );
    let light = if lit { mix(palette.light, palette.accent, 0.3) } else { mix(colour, palette.light, 0.45) };
    canvas.fill(windows.finish(), light, light, (0.0, 1.0), depth, if lit { 0.9 } else { 0.6 });
}

/// Groves, houses and dunes between the horizon and the viewer.
pub(super) fn middle(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    horizon: f32,
    wet: bool,
) {
    match reading.setting {
        Setting::Forest
        | Setting::Jungle
        | Setting::Snowfield
        | Setting::Mountains
        | Setting::Lake
        | Setting::River => woods(canvas, reading, palette, dice, horizon, wet),
        Setting::City => town(canvas, reading, palette, dice, horizon),
        Setting::Village => village(canvas, palette, dice, horizon),
        Setting::Sea | Setting::Beach | Setting::Sky | Setting::Space => {}
        Setting::Desert => dunes(canvas, palette, dice, horizon),
        _ => pasture(canvas, reading, palette, dice, horizon),
    }
}

/// Rows of trees, the farther the paler.
fn woods(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    horizon: f32,
    wet: bool,
) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| canvas_y(horizon, share);
    let kind = match reading.setting {
        Setting::Jungle => Tree::Palm,
        Setting::Forest if dice.below(2) == 0 => Tree::Round,
        _ => Tree::Fir,
    };
    let rows: &[(f32, f32, f32, u8)] = if wet {
        &[(0.02, 0.10, 0.35, depth::FAR + 1)]
    } else {
        &[(0.06, 0.17, 0.5, depth::FAR + 1), (0.20, 0.27, 0.2, depth::MID), (0.36, 0.38, 0.0, depth::MID + 1)]
    };
    for (n, (share, size, pale, at)) in rows.iter().enumerate() {
        let line = y(*share) * height;
        let colour = mix(mix(palette.mid, palette.near, n as f32 / 3.0), palette.sky_low, *pale * 0.6);
        if !wet {
            canvas.ridge(line, unit * 0.03, 0.05, colour, mix(colour, palette.near, 0.4), *at, dice);
        }
        // The middle stays open for whoever stands there.
        let clear = if n == 2 { 0.26 } else { 0.0 };
        grove(canvas, kind, line + unit * 0.015, unit * size, colour, (*at, clear), dice);
    }
}

/// A second row of houses, and the street before it.
fn town(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| canvas_y(horizon, share);
    skyline(
        canvas,
        reading,
        palette,
        dice,
        (y(0.30) * height, unit * 0.26),
        mix(palette.mid, palette.near, 0.4),
        depth::MID,
    );
    canvas.ridge(y(0.42) * height, unit * 0.004, 0.0, palette.near, palette.fore, depth::MID + 1, dice);
}

/// Houses on a slope, with trees.
fn village(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| canvas_y(horizon, share);
    canvas.ridge(y(0.12) * height, unit * 0.04, 0.0, palette.mid, palette.near, depth::MID, dice);
    for n in 0..12 {
        // The farther ones first, so that the nearer ones stand before them.
        let near = n as f32 / 11.0;
        let (x, size) =
            (dice.range(0.0, canvas.width()), unit * (0.05 + 0.06 * near) * dice.range(0.85, 1.2));
        let foot = y(0.08 + 0.24 * near) * height;
        house(canvas, palette, dice, (x, foot, size));
    }
    grove(canvas, Tree::Round, y(0.28) * height, unit * 0.12, palette.near, (depth::MID + 1, 0.3), dice);
}

fn dunes(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| canvas_y(horizon, share);
    for (n, share) in [0.10, 0.26].iter().enumerate() {
        let colour = mix(palette.far, palette.mid, n as f32 * 0.6);
        canvas.ridge(
            y(*share) * height,
            unit * 0.07,
            0.35,
            mix(colour, palette.light, 0.2),
            mix(colour, palette.near, 0.5),
            depth::MID,
            dice,
        );
    }
}

/// A tree that stands alone, where nothing else is to be seen.
pub(super) fn lone_tree(canvas: &mut Canvas, palette: &Palette, shot: &Shot, dice: &mut Dice) {
    let size = canvas.unit() * dice.range(0.34, 0.5);
    let foot = canvas_y(shot.horizon, 0.30) * canvas.height();
    let kind = [Tree::Round, Tree::Round, Tree::Fir][dice.below(3)];
    let tone = mix(palette.near, palette.fore, 0.3);
    single(canvas, kind, (shot.focus * canvas.width(), foot), size, tone, depth::BEHIND, dice);
}

/// A hill with a grove.
fn pasture(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let (unit, height) = (canvas.unit(), canvas.height());
    let y = |share: f32| canvas_y(horizon, share);
    canvas.ridge(
        y(0.10) * height,
        unit * 0.06,
        0.0,
        palette.mid,
        mix(palette.mid, palette.near, 0.6),
        depth::MID,
        dice,
    );
    let kind = if reading.season == Some(Season::Winter) {
        Tree::Fir
    } else {
        [Tree::Round, Tree::Fir][dice.below(2)]
    };
    grove(
        canvas,
        kind,
        y(0.16) * height,
        unit * 0.15,
        mix(palette.mid, palette.near, 0.55),
        (depth::MID, 0.42),
        dice,
    );
}

/// Height at a share of the way from the horizon to the lower edge.
fn canvas_y(horizon: f32, share: f32) -> f32 {
    horizon + (1.0 - horizon) * share
}

fn house(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, (x, foot, size): (f32, f32, f32)) {
    let wall =
        [palette.light, mix(palette.light, palette.sky_low, 0.6), mix(palette.sky_low, palette.accent, 0.25)]
            [dice.below(3)];
    let rect = |x: f32, y: f32, w: f32, h: f32| {
        Rect::from_xywh(x, y, w.max(0.5), h.max(0.5)).map(PathBuilder::from_rect)
    };
    canvas.fill(
        rect(x, foot - size, size * 1.3, size * 1.1),
        wall,
        mix(wall, palette.near, 0.25),
        (foot - size, foot),
        depth::MID,
        1.0,
    );
    let mut roof = PathBuilder::new();
    roof.move_to(x - size * 0.12, foot - size);
    roof.line_to(x + size * 0.65, foot - size * 1.62);
    roof.line_to(x + size * 1.42, foot - size);
    roof.close();
    canvas.flat(roof.finish(), [palette.accent, palette.fore][dice.below(2)], depth::MID);
    for n in 0..2 {
        canvas.flat(
            rect(x + size * (0.25 + 0.5 * n as f32), foot - size * 0.7, size * 0.22, size * 0.28),
            palette.fore,
            depth::MID,
        );
    }
}
