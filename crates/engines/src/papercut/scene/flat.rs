//! This owns pictures without a place: patterns, posters, portraits, and shapes alone.

use kernel::Result;
use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::colour::{Palette, Rgb, mix};
use super::super::reading::{Reading, Setting};
use super::canvas::{Canvas, Dice};
use super::figure::{Placing, Sprite};
use super::stage::{BUST_FEET, Stage, figures};
use super::{Layer, depth};

/// A half-drop repeat of the subjects.
pub(super) fn pattern(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    let deep = dice.below(3) == 0;
    let field =
        if deep { mix(palette.near, palette.fore, 0.6) } else { mix(palette.sky_low, palette.light, 0.35) };
    canvas.wash(field, field, 0.0, 1.0, depth::SKY);
    let columns = 3 + dice.below(3);
    let step = canvas.width() / columns as f32;
    let tall_px = step * 0.72;
    let mut sprites: Vec<Sprite> = reading
        .subjects
        .iter()
        .filter_map(|subject| {
            Sprite::of(&subject.figure, canvas, palette, subject.colour, reading.hour, tall_px)
        })
        .collect();
    layer(4, None)?;
    let leaf = if deep { mix(palette.mid, palette.far, 0.3) } else { mix(palette.mid, palette.near, 0.3) };
    let rows = (canvas.height() / step).ceil() as i32 + 1;
    for column in 0..columns as i32 {
        for row in -1..rows {
            let (x, drop) = ((column as f32 + 0.5) * step, if column % 2 == 0 { 0.0 } else { 0.5 });
            let y = (row as f32 + 0.5 + drop) * step;
            let n = (column * 2 + row).rem_euclid(6) as usize;
            // Between four figures there is room for a sprig.
            sprig(
                canvas,
                (x + step * 0.5, y),
                step * 0.30,
                leaf,
                if (column + row) % 2 == 0 { 1.0 } else { -1.0 },
            );
            if sprites.is_empty() {
                let petals = [palette.accent, palette.far, palette.light][n % 3];
                canvas.blossom(x, y, step * 0.3, petals, mix(palette.accent, palette.dark, 0.3), depth::MID);
                continue;
            }
            let kind = n % sprites.len();
            let Some(sprite) = sprites.get_mut(kind) else { continue };
            let tall = (step * 0.72).min(step * 0.8 / sprite.aspect());
            let placing = Placing {
                x: x / canvas.width(),
                feet: (y + tall / 2.0) / canvas.height(),
                height: tall / Placing::whole(canvas),
                mirror: if (column + row) % 2 == 0 { 1.0 } else { -1.0 },
                depth: depth::HERO,
                shadow: 0.0,
                reflect: false,
                haze: 0.0,
                cut: None,
            };
            sprite.put(canvas, palette, placing);
        }
        layer(5 + column.unsigned_abs() / 2, None)?;
    }
    Ok(())
}

/// A twig with leaves in pairs.
fn sprig(canvas: &mut Canvas, (x, y): (f32, f32), size: f32, colour: Rgb, turn: f32) {
    let mut path = PathBuilder::new();
    for n in 0..4 {
        let t = n as f32 / 3.0;
        let (cx, cy) = (x + turn * size * 0.3 * (t - 0.5), y + size * (0.7 - 1.4 * t));
        let long = size * (0.42 - 0.2 * t);
        for side in [-1.0, 1.0] {
            let (dx, dy) = (side * long, -long * 0.55);
            path.move_to(cx, cy);
            path.quad_to(cx + dx * 0.3, cy + dy * 1.3, cx + dx, cy + dy);
            path.quad_to(cx + dx * 0.75, cy + dy * 0.1, cx, cy);
            path.close();
        }
    }
    canvas.flat(path.finish(), colour, depth::MID);
}

/// One large shape before rays, a disc or an arch; no text.
pub(super) fn poster(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    canvas.wash(palette.sky_top, palette.sky_low, 0.0, 1.0, depth::SKY);
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let pale = mix(palette.light, palette.sky_low, 0.5);
    let manner = dice.below(4);
    match (manner, reading.setting) {
        (0 | 1, Setting::Poster) => {
            let turn = dice.range(0.0, 0.3);
            canvas.rays((0.5, 0.62), 18, mix(palette.sky_low, palette.light, 0.5), (depth::DISC, 1.0), turn);
            canvas.disc(w * 0.5, h * 0.62, unit * 0.33, palette.accent, depth::CLOUD);
        }
        (0, _) => {
            canvas.disc(w * 0.5, h * 0.5, unit * 0.46, pale, depth::CLOUD);
            canvas.disc(w * 0.5, h * 0.5, unit * 0.40, palette.accent, depth::CLOUD);
        }
        (1 | 2, _) => {
            for (grow, colour) in
                [(1.0, pale), (0.84, palette.accent), (0.68, mix(palette.accent, pale, 0.4))]
            {
                let (half, top) = (unit * 0.42 * grow, h * 0.52 - unit * 0.36 * grow);
                let mut arch = PathBuilder::new();
                arch.push_circle(w * 0.5, top + half * 0.9, half);
                if let Some(body) = Rect::from_xywh(w * 0.5 - half, top + half * 0.9, half * 2.0, h) {
                    arch.push_rect(body);
                }
                canvas.flat(arch.finish(), colour, depth::CLOUD);
            }
        }
        _ => {
            let side = dice.side();
            canvas.disc(w * (0.5 + 0.12 * side), h * 0.4, unit * 0.34, palette.accent, depth::CLOUD);
            canvas.ridge(h * 0.7, unit * 0.08, 0.1, palette.far, palette.mid, depth::FAR, dice);
            canvas.ridge(h * 0.79, unit * 0.06, 0.0, palette.mid, palette.near, depth::MID, dice);
        }
    }
    layer(5, Some(canvas))?;
    canvas.ridge(h * 0.86, unit * 0.02, 0.0, palette.near, palette.fore, depth::NEAR, dice);
    for side in [-1.0, 1.0] {
        for n in 0..3 {
            let (x, y) = (w * 0.5 + side * (w * 0.47 - unit * 0.07 * n as f32), h * (0.83 + 0.03 * n as f32));
            let colour = mix(palette.near, palette.fore, 0.3 * n as f32);
            sprig(canvas, (x, y), unit * 0.13, colour, side);
        }
    }
    let stage = Stage {
        ground: 0.89,
        back: 0.88,
        hero: 0.60,
        water: None,
        sky: 0.4,
        focus: 0.5,
        shore: false,
        bust: BUST_FEET,
    };
    figures(canvas, reading, palette, dice, stage, layer)?;
    canvas.ridge(h * 0.94, unit * 0.012, 0.0, palette.fore, palette.dark, depth::FORE, dice);
    layer(9, None)
}

/// Tiles of quarter discs, halves, rings and triangles, as if laid by hand.
pub(super) fn shapes(
    canvas: &mut Canvas,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    let ground = mix(palette.light, palette.sky_low, 0.4);
    canvas.wash(ground, ground, 0.0, 1.0, depth::SKY);
    layer(3, None)?;
    let across = 3 + dice.below(3);
    let side = canvas.unit() / across as f32;
    let inks = [
        palette.accent,
        palette.sky_top,
        palette.near,
        palette.mid,
        palette.dark,
        palette.far,
        palette.light,
    ];
    let (columns, rows) = ((canvas.width() / side).ceil() as usize, (canvas.height() / side).ceil() as usize);
    let mut before = 0;
    for at in 0..columns * rows {
        let (x, y) = ((at % columns) as f32 * side, (at / columns) as f32 * side);
        let mut ink = dice.below(inks.len());
        if ink == before {
            ink = (ink + 1) % inks.len();
        }
        before = ink;
        let (own, other) = (inks[ink], inks[(ink + 2 + dice.below(3)) % inks.len()]);
        canvas.flat(Rect::from_xywh(x, y, side, side).map(PathBuilder::from_rect), own, depth::FAR);
        tile(canvas, (x, y, side), other, own, dice);
    }
    layer(6, Some(canvas))?;
    // One large disc holds the tiles together.
    let (x, y) = (canvas.width() * dice.range(0.34, 0.66), canvas.height() * dice.range(0.34, 0.66));
    let radius = side * 0.98;
    canvas.disc(x, y, radius, palette.accent, depth::HERO);
    canvas.crescent((x, y, radius), (x + radius * 0.4, y - radius * 0.2, radius), palette.dark, depth::HERO);
    layer(9, Some(canvas))
}

fn tile(canvas: &mut Canvas, (x, y, side): (f32, f32, f32), ink: Rgb, own: Rgb, dice: &mut Dice) {
    let (right, down) = (dice.below(2) as f32, dice.below(2) as f32);
    let corner = (x + right * side, y + down * side);
    let rows = (y.max(0.0) as usize, ((y + side) as usize).min(canvas.h));
    match dice.below(5) {
        0 => canvas.tile_disc((x, y, side), rows, corner, side, ink),
        1 => {
            canvas.tile_disc((x, y, side), rows, corner, side, ink);
            canvas.tile_disc((x, y, side), rows, corner, side * 0.55, own);
        }
        2 => canvas.tile_disc((x, y, side), rows, (x + side / 2.0, y + down * side), side / 2.0, ink),
        3 => {
            let mut path = PathBuilder::new();
            path.move_to(x, y);
            path.line_to(x + side, y + side);
            path.line_to(x + right * side, y + (1.0 - right) * side);
            path.close();
            canvas.flat(path.finish(), ink, depth::MID);
        }
        _ => canvas.tile_disc((x, y, side), rows, (x + side / 2.0, y + side / 2.0), side * 0.34, ink),
    }
}

impl Canvas {
    /// The part of a disc that lies within a tile.
    fn tile_disc(
        &mut self,
        (x, _, side): (f32, f32, f32),
        (first, last): (usize, usize),
        (cx, cy): (f32, f32),
        radius: f32,
        ink: Rgb,
    ) {
        let tone = super::canvas::bytes(ink);
        for py in first..last {
            for px in x.max(0.0) as usize..((x + side) as usize).min(self.w) {
                let inside = radius - (px as f32 + 0.5 - cx).hypot(py as f32 + 0.5 - cy) + 0.5;
                if inside > 0.0 {
                    self.lay(px, py, tone, (inside.min(1.0) * 255.0) as u32, depth::MID);
                }
            }
        }
    }
}
