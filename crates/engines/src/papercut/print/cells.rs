//! This owns pictures put together from pieces: stained glass, embroidery, mosaic.

use super::super::colour::{Palette, hex, luma, mix};
use super::Plate;

/// The nearest of jittered points: its place, and how much nearer it is than the next (in cells).
fn cell(plate: &Plate<'_>, x: f32, y: f32, size: f32) -> ((f32, f32), f32, (i32, i32)) {
    let (cx, cy) = ((x / size).floor() as i32, (y / size).floor() as i32);
    let (mut best, mut second, mut place, mut id) = (f32::MAX, f32::MAX, (x, y), (cx, cy));
    for gy in cy - 1..=cy + 1 {
        for gx in cx - 1..=cx + 1 {
            let px = (gx as f32 + 0.15 + 0.7 * plate.grain(gx, gy)) * size;
            let py = (gy as f32 + 0.15 + 0.7 * plate.grain(gy + 7919, gx)) * size;
            let far = ((px - x).powi(2) + (py - y).powi(2)).sqrt();
            if far < best {
                (second, best, place, id) = (best, far, (px, py), (gx, gy));
            } else if far < second {
                second = far;
            }
        }
    }
    (place, (second - best) / size, id)
}

/// Luminous panes in lead, cut along the forms and once more across large areas.
pub(super) fn stained_glass(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    let lead = mix(palette.dark, hex(0x14120f), 0.6);
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let depth = plate.depth(x, y);
        // Wide panes for the sky, small ones for what matters.
        let size = match depth {
            0..=3 => 118.0,
            4..=9 => 88.0,
            _ => 54.0,
        } * plate.mm;
        let (middle, gap, id) = cell(plate, x, y, size);
        let lead_width = 3.4 * plate.mm / size;
        // A pane has one colour; where its middle belongs to another form, the place's own colour stands.
        let pane = if plate.depth(middle.0, middle.1) == depth {
            mix(plate.rgb(middle.0, middle.1), plate.rgb(x, y), 0.35)
        } else {
            plate.rgb(x, y)
        };
        let forms = [(3.4, 0.0), (0.0, 3.4), (-3.4, 0.0), (0.0, -3.4)];
        let at_form = forms.iter().any(|(dx, dy)| plate.depth(x + dx * plate.mm, y + dy * plate.mm) != depth);
        if gap < lead_width || at_form || rim(plate, x, y) {
            let sheen = 0.10 * plate.cloud(x, y, 9.0 * plate.mm);
            return lead.map(|v| v + sheen);
        }
        let light = luma(pane);
        let rich = pane.map(|v| light + (v - light) * 1.6);
        let glow = 0.74
            + 0.40 * plate.grain(id.0, id.1)
            + 0.16 * (plate.cloud(x, y, 14.0 * plate.mm) - 0.5)
            + 0.10 * gap.min(0.6);
        rich.map(|v| v * glow + 0.03)
    })
}

/// The border of the window: a line of lead around it and another farther in.
fn rim(plate: &Plate<'_>, x: f32, y: f32) -> bool {
    let border = x.min(y).min(plate.w as f32 - x).min(plate.h as f32 - y) / plate.mm;
    border < 9.0 || (30.0..35.0).contains(&border)
}

/// Rows of stitches on cloth; each form is filled in its own direction.
pub(super) fn embroidery(plate: &Plate<'_>) -> Vec<u8> {
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let depth = plate.depth(x, y);
        // Figures are stitched with a finer thread.
        let (wide, long) = if matches!(depth, 8 | 10..=12) { (4.0, 17.0) } else { (5.0, 34.0) };
        let (wide, long) = ((wide * plate.mm).max(2.0), (long * plate.mm).max(8.0));
        // The sky lies level; every nearer form turns.
        let angle = if depth <= 3 { 0.06 } else { f32::from(depth) * 1.1 + 0.5 };
        let (s, c) = angle.sin_cos();
        let across = (y * c - x * s) / wide;
        let row = across.floor();
        let shift = plate.grain(row as i32, i32::from(depth)) * long;
        let along = (x * c + y * s + shift) / long;
        let stitch = along.floor();
        let (u, v) = (along - stitch, across - row);
        // The colour of a stitch is that of its middle.
        let (ma, mc) = ((stitch + 0.5) * long - shift, (row + 0.5) * wide);
        let (mx, my) = (ma * c - mc * s, ma * s + mc * c);
        let own = if plate.depth(mx, my) == depth { plate.rgb(mx, my) } else { plate.rgb(x, y) };
        let round = (std::f32::consts::PI * v).sin();
        let ends = (u * (1.0 - u) * 4.0).powf(0.35);
        let strand =
            0.06 * (plate.grain((u * 40.0) as i32 + stitch as i32, (v * 4.0) as i32 + row as i32) - 0.5);
        let thread = 0.9 + 0.16 * (plate.grain(stitch as i32, row as i32) - 0.5);
        let shade = (0.50 + 0.62 * round * ends) * thread + strand;
        let shadow = 1.0 - 0.28 * plate.shadow(x, y, 8.0 * plate.mm);
        own.map(|v| v * shade * shadow + 0.05 * round)
    })
}

/// Small stones in mortar.
pub(super) fn mosaic(plate: &Plate<'_>) -> Vec<u8> {
    let mortar = hex(0xcfc4b0);
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        // Smaller stones where the figures are.
        let size = match plate.depth(x, y) {
            0..=6 => 21.0,
            8 | 10..=12 => 10.5,
            _ => 15.0,
        };
        let size = (size * plate.mm).max(4.0);
        let bend = (plate.cloud(x, y, 190.0 * plate.mm) - 0.5) * 30.0 * plate.mm;
        let (middle, gap, id) = cell(plate, x + bend, y + bend, size);
        let (mx, my) = (middle.0 - bend, middle.1 - bend);
        let plain = plate.rgb(mx, my);
        let grey = luma(plain);
        let own = plain.map(|v| grey + (v - grey) * 1.25);
        if gap < 0.13 {
            let sand = 0.10 * (plate.grain(px as i32, py as i32) - 0.5);
            return mix(mortar, own, 0.55).map(|v| v * 0.6 + sand);
        }
        let tilt = ((x - mx) + (y - my)) / size;
        let tone = 0.92 + 0.22 * (plate.grain(id.0, id.1) - 0.5) - 0.14 * tilt;
        own.map(|v| v * tone + 0.02)
    })
}
