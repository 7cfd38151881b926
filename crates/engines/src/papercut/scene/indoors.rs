//! This owns places indoors: a wall with a window, a floor or a table, and the light that falls in.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::colour::{Palette, mix};
use super::super::reading::{Hour, Reading, Setting};
use super::canvas::{Canvas, Dice};
use super::depth;

/// Builds a room; a still life looks at the table more closely.
pub(super) fn room(canvas: &mut Canvas, reading: &Reading, palette: &Palette, dice: &mut Dice) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let night = matches!(reading.hour, Hour::Night | Hour::Dusk);
    let wall =
        if night { mix(palette.mid, palette.accent, 0.18) } else { mix(palette.sky_low, palette.far, 0.28) };
    canvas.wash(wall, mix(wall, palette.near, 0.18), 0.0, 1.0, depth::SKY);
    let mut stripes = PathBuilder::new();
    let mut x = 0.0;
    while x < w {
        stripes.extend_rect(x, 0.0, unit * 0.028, h * 0.8);
        x += unit * 0.085;
    }
    canvas.fill(stripes.finish(), mix(wall, palette.light, 0.5), wall, (0.0, h * 0.8), depth::SKY, 0.35);
    window(canvas, palette, dice, night);
    let edge = if reading.setting == Setting::Table { 0.66 } else { 0.76 };
    let top = mix(palette.accent, palette.near, 0.45);
    let mut board = PathBuilder::new();
    board.extend_rect(-1.0, h * edge, w + 2.0, h);
    canvas.fill(
        board.finish(),
        mix(top, palette.light, 0.28),
        mix(top, palette.dark, 0.4),
        (h * edge, h),
        depth::NEAR,
        1.0,
    );
    let mut lip = PathBuilder::new();
    lip.extend_rect(-1.0, h * edge - unit * 0.006, w + 2.0, unit * 0.014);
    canvas.flat(lip.finish(), mix(palette.light, top, 0.3), depth::NEAR);
    if reading.setting == Setting::Table {
        let cloth = Rect::from_xywh(w * 0.18, h * 0.74, w * 0.64, h * 0.2).and_then(PathBuilder::from_oval);
        canvas.fill(
            cloth,
            mix(palette.light, palette.sky_low, 0.4),
            palette.sky_low,
            (h * 0.74, h * 0.94),
            depth::NEAR,
            0.9,
        );
    } else {
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
        let rug = Rect::from_xywh(w * 0.2, h * 0.82, w * 0.6, h * 0.13).and_then(PathBuilder::from_oval);
        canvas.fill(rug, palette.far, palette.mid, (h * 0.82, h * 0.95), depth::NEAR, 0.85);
    }
}

fn window(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, night: bool) {
    let (unit, w, h) = (canvas.unit(), canvas.width(), canvas.height());
    let (ww, wh) = (unit * 0.36, unit * 0.42);
    let (x, y) = (w * if dice.side() > 0.0 { 0.62 } else { 0.12 }, h * 0.10);
    let rect = |x: f32, y: f32, w: f32, h: f32| {
        let mut path = PathBuilder::new();
        path.extend_rect(x, y, w, h);
        path.finish()
    };
    canvas.flat(
        rect(x - unit * 0.02, y - unit * 0.02, ww + unit * 0.04, wh + unit * 0.04),
        mix(palette.light, palette.sky_low, 0.2),
        depth::FAR,
    );
    canvas.fill(rect(x, y, ww, wh), palette.sky_top, palette.sky_low, (y, y + wh), depth::DISC, 1.0);
    canvas.disc(
        x + ww * 0.68,
        y + wh * 0.3,
        unit * 0.04,
        if night { palette.light } else { palette.accent },
        depth::DISC,
    );
    canvas.fill(
        rect(x, y + wh * 0.7, ww, wh * 0.3),
        palette.mid,
        palette.near,
        (y + wh * 0.7, y + wh),
        depth::DISC,
        1.0,
    );
    for bar in [
        rect(x + ww * 0.5 - unit * 0.006, y, unit * 0.012, wh),
        rect(x, y + wh * 0.5 - unit * 0.006, ww, unit * 0.012),
    ] {
        canvas.flat(bar, mix(palette.light, palette.sky_low, 0.2), depth::FAR);
    }
    let mut beam = PathBuilder::new();
    beam.move_to(x, y + wh);
    beam.line_to(x + ww, y + wh);
    beam.line_to(x + ww * 0.7 + unit * 0.05, h);
    beam.line_to(x - ww * 0.7, h);
    beam.close();
    if !night {
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
