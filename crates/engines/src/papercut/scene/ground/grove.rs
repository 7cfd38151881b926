//! This owns trees: single ones and groves of a kind.

use resvg::tiny_skia::{PathBuilder, Rect};

use super::super::super::colour::{Rgb, mix};
use super::super::canvas::{Canvas, Dice};

#[derive(Clone, Copy)]
pub(super) enum Tree {
    Fir,
    Round,
    Palm,
}

pub(super) fn grove(
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

/// One tree, its crown lit from the side of the light.
pub(super) fn single(
    canvas: &mut Canvas,
    kind: Tree,
    (x, foot): (f32, f32),
    tall: f32,
    colour: Rgb,
    at: u8,
    dice: &mut Dice,
) {
    let mut path = PathBuilder::new();
    tree(&mut path, kind, x, foot, tall, dice);
    canvas.fill(
        path.finish(),
        mix(colour, [1.0; 3], 0.06),
        mix(colour, [0.0; 3], 0.2),
        (foot - tall, foot),
        at,
        1.0,
    );
    if matches!(kind, Tree::Round) {
        let mut lit = PathBuilder::new();
        for n in 0..26 {
            let (angle, far) = (n as f32 * 2.4, (n as f32 / 26.0).sqrt() * 0.26 * tall);
            let (cx, cy) = (x + canvas.light * tall * 0.05, foot - tall * 0.63);
            lit.push_circle(
                cx + angle.cos() * far,
                cy + angle.sin() * far * 0.8,
                tall * dice.range(0.012, 0.03),
            );
        }
        let tone = mix(colour, [1.0, 0.95, 0.8], 0.22);
        canvas.flat(lit.finish(), tone, at);
    }
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
