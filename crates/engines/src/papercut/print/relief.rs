//! This owns prints from a cut surface, and cut paper itself: woodblock, linocut, etching, paper cut.

use super::super::colour::{Palette, Rgb, hex, luma, mix};
use super::Plate;

/// Soft colour blocks with the grain of the wood, and a dark key block for the outlines.
pub(super) fn woodblock(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    let paper = hex(0xf2e8d3);
    let key = mix(palette.dark, hex(0x1b2340), 0.5);
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let own = plate.rgb(x, y);
        let wave = plate.cloud(x, y, 240.0 * plate.mm) * 26.0 * plate.mm;
        let rings = plate.cloud((x + wave) * 0.06, y + wave, 2.6 * plate.mm);
        let grain = (rings - 0.5) * 0.13 * (1.0 - luma(own) * 0.5);
        // A brushed gradation, a little uneven, as one wipes ink on the block.
        let brushed = own.map(|v| v + 0.035 * (plate.cloud(x * 0.12, y, 30.0 * plate.mm) - 0.5));
        let ink = mix(brushed, paper, 0.08 + grain.max(0.0)).map(|v| v + grain * 0.5);
        let wobble = (plate.cloud(x, y, 30.0 * plate.mm) - 0.5) * 2.0 * plate.mm;
        let line =
            plate.edge(x + wobble, y + wobble, (1.5 + 1.2 * plate.cloud(x, y, 60.0 * plate.mm)) * plate.mm);
        let strength = if plate.depth(x, y) >= 4 { 0.85 } else { 0.35 };
        mix(ink, key, line * strength)
    })
}

/// One dark block over a few flat colours: what is light stays uncut paper, the middle is carved in tapering lines, what
/// is dark is left standing.
pub(super) fn linocut(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    let (paper, key) = (hex(0xf4ecda), mix(palette.dark, [0.06, 0.05, 0.07], 0.5));
    let colours =
        [palette.accent, palette.sky_top, palette.mid, palette.sky_low, palette.near, palette.light];
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let (own, depth) = (plate.rgb(x, y), plate.depth(x, y));
        let light = plate.tone(x, y);
        // What matters is printed in flat colour, so that it stands out from all that is carved around it.
        let figure = (10..13).contains(&depth);
        // The sky is carved level, each nearer depth at its own slant; slow noise bends the tool.
        let slant = if depth <= 3 { 0.0 } else { 0.35 + f32::from(depth) * 0.55 };
        let (s, c) = (slant + 0.5 * (plate.cloud(x, y, 520.0 * plate.mm) - 0.5)).sin_cos();
        let across = (y * c - x * s) / (LINE * plate.mm) + 0.7 * plate.cloud(x, y, 60.0 * plate.mm);
        let along = (x * c + y * s) / (LINE * plate.mm);
        let row = across.floor();
        // Each cut swells and tapers along its length.
        let cut = along / 16.0 + 5.0 * plate.grain(row as i32, 17);
        let swell = 1.0 - (2.0 * cut.rem_euclid(1.0) - 1.0).powi(4) * 0.7;
        // Towards what stays uncut the lines thin out to nothing, so that no edge shows where they end.
        let groove =
            ((light - 0.06) / 0.56).max(0.0).powf(1.25) * 1.1 * (1.0 - (1.0 - swell) * (1.0 - light));
        let off = (2.0 * (across - row) - 1.0).abs();
        let soft = (1.6 / (LINE * plate.mm)).max(0.12);
        let dark = match light {
            light if light > 0.62 || (figure && light > 0.10) => 0.0,
            light if light < 0.10 => 1.0,
            _ => ((off - groove) / soft + 0.5).clamp(0.0, 1.0),
        };
        // Lines are left standing in what is light and carved out of what is dark.
        let outline = plate.edge(x, y, 2.4 * plate.mm);
        let dark =
            if light < 0.3 && depth > 3 { dark * (1.0 - 0.9 * outline) } else { dark.max(outline * 0.9) };
        let speck = (1.6 * plate.mm).max(1.0);
        // A sky goes from tone to tone in specks; land has edges.
        let spread = if depth <= 3 { 0.30 } else { 0.10 };
        let spray = spread * (plate.grain((x / speck) as i32, (y / speck) as i32) - 0.5);
        let nearest = colours.iter().min_by(|a, b| {
            let far = |ink: &&Rgb| (0..3).map(|c| (ink[c] - own[c] - spray).powi(2)).sum::<f32>();
            far(a).total_cmp(&far(b))
        });
        let nearest = nearest.copied().unwrap_or(paper);
        let ink = if figure { mix(nearest, own, 0.94) } else { nearest };
        let tint = mix(paper, ink, if light > 0.86 { 0.25 } else { 0.85 });
        let chatter = if plate.grain(px as i32, py as i32) > 0.988 { 0.4 } else { 0.0 };
        mix(tint, key, (dark - chatter).clamp(0.0, 0.97))
    })
}

/// Distance of carved lines, in 1024ths of the shorter side.
const LINE: f32 = 8.5;

/// Hatching by tone in brown ink, inside the mark of the plate.
pub(super) fn etching(plate: &Plate<'_>) -> Vec<u8> {
    let (paper, ink) = (hex(0xf1e7d2), hex(0x2c1d16));
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let border = x.min(y).min(plate.w as f32 - x).min(plate.h as f32 - y) / plate.mm;
        let fibre = 0.03 * (plate.grain(px as i32, py as i32) - 0.5);
        if border < 46.0 {
            let mark = if border > 41.0 { 0.10 } else { 0.0 };
            return mix(paper, ink, mark).map(|v| v + fibre);
        }
        let light = plate.tone(x, y) + 0.05 * (plate.cloud(x, y, 60.0 * plate.mm) - 0.5);
        let bend = 16.0 * plate.cloud(x, y, 120.0 * plate.mm);
        let hatch = |angle: f32, from: f32| -> f32 {
            let (s, c) = angle.sin_cos();
            let line = ((y * c - x * s) / plate.mm + bend).rem_euclid(5.0) / 5.0;
            let width = ((from - light) * 1.5).clamp(0.0, 0.85);
            if (line - 0.5).abs() < width / 2.0 { 0.82 } else { 0.0 }
        };
        let lines = hatch(0.6, 0.86).max(hatch(-0.7, 0.52)).max(hatch(1.45, 0.26));
        let tone = 0.07 * (1.0 - light);
        let outline = plate.edge(x, y, 1.3 * plate.mm) * 0.8;
        mix(paper, ink, (lines.max(outline) + tone).min(0.94)).map(|v| v + fibre)
    })
}

/// Sheets of paper on each other, lit from the side of the light.
pub(super) fn paper_cut(plate: &Plate<'_>, palette: &Palette) -> Vec<u8> {
    plate.map(|px, py| {
        let (x, y) = (px as f32, py as f32);
        let own = plate.rgb(x, y);
        let blurred = [(0.0, 0.0), (3.0, 1.0), (-2.0, 3.0), (1.0, -3.0)];
        let shadow: f32 = blurred
            .iter()
            .map(|(dx, dy)| plate.shadow(x + dx * plate.mm, y + dy * plate.mm, 17.0 * plate.mm))
            .sum::<f32>()
            / 4.0;
        // The cut edge of a sheet catches light.
        let lit = plate.depth(x, y) > plate.depth(x + plate.light() * 1.6 * plate.mm, y - 1.6 * plate.mm);
        let fibre = 0.05 * (plate.cloud(x * 0.8, y, 3.2 * plate.mm) - 0.5)
            + 0.03 * (plate.grain(px as i32, py as i32) - 0.5);
        let sheet = own.map(|v| v + fibre);
        let shaded = mix(sheet, mix(palette.dark, own, 0.35), shadow * 0.55);
        if lit { mix(shaded, [1.0; 3], 0.28) } else { shaded }
    })
}
