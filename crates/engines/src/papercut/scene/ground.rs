//! This owns places out of doors: sky, land, water, trees, houses, and what grows before the viewer.

use kernel::Result;
use resvg::tiny_skia::{Path, PathBuilder, Rect};

use super::super::colour::{Palette, Rgb, mix};
use super::super::reading::{Hour, Reading, Season, Setting, Weather};
use super::canvas::{Canvas, Dice};
use super::{Layer, Stage, depth};

/// Builds the place and says where figures can stand.
pub(super) fn place(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<Stage> {
    if reading.setting == Setting::Underwater {
        return deep(canvas, palette, dice, layer);
    }
    sky(canvas, reading, palette, dice);
    layer(2, None)?;
    let horizon = match reading.setting {
        Setting::Sky => 0.93,
        Setting::Sea | Setting::Lake | Setting::River => 0.58,
        Setting::Mountains => 0.66,
        _ => 0.62,
    } + dice.range(-0.03, 0.03);
    backdrop(canvas, reading, palette, dice, horizon);
    layer(3, Some(canvas))?;
    let water = waters(canvas, reading, palette, dice, horizon);
    middle(canvas, reading, palette, dice, horizon, water.is_some());
    layer(4, None)?;
    let ground = near(canvas, reading, palette, dice, water.is_some());
    layer(5, Some(canvas))?;
    let hero = if reading.setting == Setting::Sky { 0.42 } else { 0.50 };
    Ok(Stage { ground, back: horizon + 0.06, hero, water, sky: horizon * 0.46 })
}

fn sky(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice) {
    canvas.wash(palette.sky_top, palette.sky_low, 0.0, 1.0, depth::SKY);
    let (w, unit) = (canvas.width(), canvas.unit());
    let dark = matches!(reading.hour, Hour::Night | Hour::Dusk) || reading.setting == Setting::Space;
    if dark {
        let mut stars = PathBuilder::new();
        for _ in 0..150 {
            let (x, y) = (dice.range(0.0, w), dice.range(0.0, 1.0).powf(1.4) * canvas.height() * 0.7);
            stars.push_circle(x, y, unit * 0.0012 + unit * 0.0028 * dice.range(0.0, 1.0).powi(4));
        }
        canvas.flat(stars.finish(), palette.light, depth::SKY);
    }
    let overcast = matches!(reading.weather, Weather::Rain | Weather::Storm | Weather::Fog);
    let named = reading
        .subjects
        .iter()
        .any(|subject| ["sun", "moon"].iter().any(|disc| subject.figure.name.contains(disc)));
    if !overcast && !named {
        disc(canvas, reading, palette, dice, dark);
    }
    if reading.setting == Setting::Space {
        planet(canvas, palette, dice);
    } else if !dark || overcast {
        let count = if overcast || reading.weather == Weather::Cloudy { 7 } else { 3 };
        for _ in 0..count {
            let y = dice.range(0.08, 0.42) * canvas.height();
            cloud(
                canvas,
                dice.range(0.0, w),
                y,
                unit * dice.range(0.10, 0.22),
                mix(palette.light, palette.sky_low, 0.35),
                dice,
            );
        }
    }
}

/// Sun or moon, with bands of light around it.
fn disc(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, dark: bool) {
    let unit = canvas.unit();
    let low = matches!(reading.hour, Hour::Dawn | Hour::Sunset | Hour::GoldenHour);
    let (x, y) = (
        canvas.width() * (0.5 + dice.side() * dice.range(0.12, 0.3)),
        canvas.height() * if low { dice.range(0.36, 0.5) } else { dice.range(0.16, 0.28) },
    );
    let radius = unit * if low { dice.range(0.13, 0.19) } else { dice.range(0.07, 0.12) };
    for (grow, share) in [(2.3, 0.14), (1.75, 0.22), (1.35, 0.34)] {
        let glow = PathBuilder::from_circle(x, y, radius * grow);
        canvas.fill(
            glow,
            palette.light,
            palette.light,
            (0.0, 1.0),
            depth::SKY,
            if dark { share * 0.6 } else { share },
        );
    }
    let colour = if low { mix(palette.accent, palette.light, 0.25) } else { palette.light };
    canvas.disc(x, y, radius, colour, depth::DISC);
}

fn planet(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let (unit, x, y) =
        (canvas.unit(), canvas.width() * dice.range(0.15, 0.85), canvas.height() * dice.range(0.14, 0.3));
    let radius = unit * dice.range(0.08, 0.13);
    canvas.disc(x, y, radius, palette.accent, depth::CLOUD);
    let ring = Rect::from_xywh(x - radius * 1.8, y - radius * 0.22, radius * 3.6, radius * 0.44);
    let mut path = PathBuilder::new();
    if let Some(ring) = ring {
        path.push_oval(ring);
    }
    canvas.fill(
        path.finish(),
        palette.light,
        palette.sky_low,
        (y - radius * 0.2, y + radius * 0.2),
        depth::CLOUD,
        0.55,
    );
    let half = PathBuilder::from_circle(x, y - radius * 0.12, radius * 0.92);
    canvas.fill(
        half,
        palette.accent,
        mix(palette.accent, palette.dark, 0.4),
        (y - radius, y + radius),
        depth::CLOUD,
        0.9,
    );
}

fn cloud(canvas: &mut Canvas, x: f32, y: f32, size: f32, colour: Rgb, dice: &mut Dice) {
    let mut path = PathBuilder::new();
    for n in 0..6 {
        let along = n as f32 / 5.0 - 0.5;
        let radius = size * (0.34 - 0.42 * along * along) * dice.range(0.8, 1.15);
        path.push_circle(x + along * size * 1.9, y - radius * 0.45, radius.max(1.0));
    }
    if let Some(base) = Rect::from_xywh(x - size * 1.05, y - size * 0.16, size * 2.1, size * 0.2) {
        path.push_oval(base);
    }
    canvas.fill(path.finish(), colour, colour, (0.0, 1.0), depth::CLOUD, 0.85);
}

/// What stands at the horizon.
fn backdrop(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, horizon: f32) {
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
            for (share, high, at) in [(0.55, 0.40, depth::FAR), (0.2, 0.30, depth::FAR + 1)] {
                skyline(
                    canvas,
                    reading,
                    palette,
                    dice,
                    (y + unit * 0.06, unit * high),
                    mix(palette.far, palette.sky_low, share),
                    at,
                );
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

/// Lays water from the horizon down, with glints; the waterline on which boats float.
fn waters(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    horizon: f32,
) -> Option<f32> {
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
    for _ in 0..60 {
        let t = dice.range(0.0, 1.0);
        let y = canvas.height() * (horizon + (1.0 - horizon) * t);
        let (w, x) = (unit * (0.01 + 0.06 * t) * dice.range(0.4, 1.0), dice.range(0.0, canvas.width()));
        if let Some(glint) = Rect::from_xywh(x, y, w, unit * (0.0018 + 0.003 * t)) {
            glints.push_oval(glint);
        }
    }
    canvas.fill(glints.finish(), palette.light, palette.light, (0.0, 1.0), depth::MID, 0.65);
    Some(horizon + (1.0 - horizon) * 0.34)
}

/// Groves, houses and dunes between the horizon and the viewer.
fn middle(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    horizon: f32,
    wet: bool,
) {
    let unit = canvas.unit();
    let y = |share: f32| canvas_y(horizon, share);
    let height = canvas.height();
    match reading.setting {
        Setting::Forest
        | Setting::Jungle
        | Setting::Snowfield
        | Setting::Mountains
        | Setting::Lake
        | Setting::River => {
            let kind = match reading.setting {
                Setting::Jungle => Tree::Palm,
                Setting::Forest if dice.below(2) == 0 => Tree::Round,
                _ => Tree::Fir,
            };
            let rows: &[(f32, f32, f32, u8)] = if wet {
                &[(0.02, 0.10, 0.35, depth::FAR + 1)]
            } else {
                &[
                    (0.06, 0.17, 0.5, depth::FAR + 1),
                    (0.20, 0.27, 0.2, depth::MID),
                    (0.36, 0.38, 0.0, depth::MID + 1),
                ]
            };
            for (n, (share, size, pale, at)) in rows.iter().enumerate() {
                let line = y(*share) * height;
                let colour =
                    mix(mix(palette.mid, palette.near, n as f32 / 3.0), palette.sky_low, *pale * 0.6);
                if !wet {
                    canvas.ridge(line, unit * 0.03, 0.05, colour, mix(colour, palette.near, 0.4), *at, dice);
                }
                // The middle stays open for whoever stands there.
                let clear = if n == 2 { 0.26 } else { 0.0 };
                grove(canvas, kind, line + unit * 0.015, unit * size, colour, (*at, clear), dice);
            }
        }
        Setting::City => {
            skyline(
                canvas,
                reading,
                palette,
                dice,
                (y(0.30) * height, unit * 0.26),
                mix(palette.mid, palette.near, 0.4),
                depth::MID,
            );
            canvas.ridge(
                y(0.42) * height,
                unit * 0.004,
                0.0,
                palette.near,
                palette.fore,
                depth::MID + 1,
                dice,
            );
        }
        Setting::Village => {
            canvas.ridge(y(0.12) * height, unit * 0.04, 0.0, palette.mid, palette.near, depth::MID, dice);
            for _ in 0..9 {
                let (x, size) = (dice.range(0.0, canvas.width()), unit * dice.range(0.05, 0.09));
                let foot = y(dice.range(0.10, 0.26)) * height;
                house(canvas, palette, dice, (x, foot, size));
            }
            grove(
                canvas,
                Tree::Round,
                y(0.28) * height,
                unit * 0.12,
                palette.near,
                (depth::MID + 1, 0.3),
                dice,
            );
        }
        Setting::Sea | Setting::Beach | Setting::Sky | Setting::Space => {}
        Setting::Desert => {
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
        _ => {
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
    }
}

/// Height at a share of the way from the horizon to the lower edge.
fn canvas_y(horizon: f32, share: f32) -> f32 {
    horizon + (1.0 - horizon) * share
}

#[derive(Clone, Copy)]
enum Tree {
    Fir,
    Round,
    Palm,
}

fn grove(
    canvas: &mut Canvas,
    kind: Tree,
    line: f32,
    size: f32,
    colour: Rgb,
    (at, clear): (u8, f32),
    dice: &mut Dice,
) {
    let mut path = PathBuilder::new();
    let mut x = -size * 0.3;
    while x < canvas.width() + size * 0.3 {
        let tall = size * dice.range(0.6, 1.1);
        let off = (x / canvas.width() - 0.5).abs();
        if off >= clear / 2.0 {
            tree(&mut path, kind, x, line + tall * 0.05, tall, dice);
        }
        x += size * dice.range(0.18, 0.62);
    }
    canvas.fill(
        path.finish(),
        mix(colour, [1.0; 3], 0.05),
        mix(colour, [0.0; 3], 0.18),
        (line - size, line),
        at,
        1.0,
    );
}

fn tree(path: &mut PathBuilder, kind: Tree, x: f32, foot: f32, tall: f32, dice: &mut Dice) {
    match kind {
        Tree::Fir => {
            for n in 0..4 {
                let (top, half) = (foot - tall + tall * 0.2 * n as f32, tall * (0.10 + 0.055 * n as f32));
                path.move_to(x, top);
                path.quad_to(x + half * 0.35, top + tall * 0.22, x + half, top + tall * 0.34);
                path.line_to(x - half, top + tall * 0.34);
                path.quad_to(x - half * 0.35, top + tall * 0.22, x, top);
                path.close();
            }
            trunk(path, x, foot, tall * 0.05, tall * 0.2);
        }
        Tree::Round => {
            for (dx, dy, r) in
                [(0.0, 0.68, 0.30), (-0.17, 0.52, 0.22), (0.18, 0.54, 0.23), (0.02, 0.45, 0.24)]
            {
                path.push_circle(x + dx * tall, foot - dy * tall, r * tall * dice.range(0.9, 1.1));
            }
            trunk(path, x, foot, tall * 0.06, tall * 0.4);
        }
        Tree::Palm => {
            let lean = tall * dice.range(-0.12, 0.12);
            path.move_to(x - tall * 0.03, foot);
            path.quad_to(x + lean * 0.3, foot - tall * 0.5, x + lean, foot - tall * 0.8);
            path.quad_to(x + lean * 0.3 + tall * 0.05, foot - tall * 0.5, x + tall * 0.04, foot);
            path.close();
            for n in 0..7 {
                let angle = 3.6 + n as f32 * 0.68;
                let (dx, dy) = (angle.cos() * tall * 0.42, angle.sin() * tall * 0.26);
                let (cx, cy) = (x + lean, foot - tall * 0.8);
                path.move_to(cx, cy);
                path.quad_to(cx + dx * 0.5, cy + dy - tall * 0.1, cx + dx, cy + dy + tall * 0.12);
                path.quad_to(cx + dx * 0.4, cy + dy * 0.6, cx, cy);
                path.close();
            }
        }
    }
}

fn trunk(path: &mut PathBuilder, x: f32, foot: f32, wide: f32, tall: f32) {
    if let Some(trunk) = Rect::from_xywh(x - wide / 2.0, foot - tall, wide.max(0.5), tall.max(0.5)) {
        path.push_rect(trunk);
    }
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

/// The ground on which the hero stands; its height.
fn near(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice, wet: bool) -> f32 {
    let (unit, height) = (canvas.unit(), canvas.height());
    match reading.setting {
        Setting::Sky => {
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
            0.82
        }
        Setting::Space => {
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
            0.87
        }
        Setting::Sea => 0.9,
        Setting::Lake | Setting::River => {
            canvas.ridge(height * 0.92, unit * 0.03, 0.0, palette.near, palette.fore, depth::NEAR, dice);
            0.93
        }
        Setting::Road => {
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
            0.90
        }
        Setting::City => {
            canvas.ridge(
                height * 0.84,
                unit * 0.003,
                0.0,
                mix(palette.near, palette.fore, 0.4),
                palette.fore,
                depth::NEAR,
                dice,
            );
            0.90
        }
        _ => {
            let line = if wet { 0.83 } else { 0.77 };
            let top =
                mix(palette.near, palette.mid, if reading.setting == Setting::Beach { 0.2 } else { 0.45 });
            canvas.ridge(height * line, unit * 0.035, 0.0, top, palette.near, depth::NEAR, dice);
            if reading.setting == Setting::Garden || reading.season == Some(Season::Spring) {
                for _ in 0..26 {
                    let (x, t) = (dice.range(0.0, canvas.width()), dice.range(0.0, 1.0));
                    let colour = [palette.accent, palette.light, mix(palette.accent, palette.light, 0.5)]
                        [dice.below(3)];
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
            0.88
        }
    }
}

fn oval(rect: Rect) -> Option<Path> {
    PathBuilder::from_oval(rect)
}

/// What grows before everything: it frames the picture and covers feet.
pub(super) fn foreground(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice) {
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

/// Under water: light from above, sand and weed below.
fn deep(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, layer: Layer<'_>) -> Result<Stage> {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let top = mix(palette.water, palette.light, 0.45);
    canvas.wash(top, mix(palette.water, palette.dark, 0.62), 0.0, 1.0, depth::SKY);
    for _ in 0..6 {
        let (x, wide) = (dice.range(0.0, w), unit * dice.range(0.05, 0.14));
        let mut shaft = PathBuilder::new();
        shaft.move_to(x, -2.0);
        shaft.line_to(x + wide, -2.0);
        shaft.line_to(x + wide * 2.4 + unit * 0.25, h * 0.9);
        shaft.line_to(x + unit * 0.2, h * 0.9);
        shaft.close();
        canvas.fill(shaft.finish(), palette.light, palette.water, (0.0, h * 0.9), depth::SKY, 0.16);
    }
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
    let mut bubbles = PathBuilder::new();
    for _ in 0..34 {
        bubbles.push_circle(dice.range(0.0, w), dice.range(0.05, 0.9) * h, unit * dice.range(0.002, 0.009));
    }
    canvas.fill(bubbles.finish(), palette.light, palette.light, (0.0, 1.0), depth::NEAR, 0.55);
    layer(5, Some(canvas))?;
    Ok(Stage { ground: 0.92, back: 0.86, hero: 0.46, water: None, sky: 0.4 })
}
