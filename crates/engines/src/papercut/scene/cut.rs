//! This owns backing silhouettes: a second ink is laid behind a shape, where it shows through the cuts and narrow gaps, as
//! paper of another colour would behind a stencil. Wide gaps, as between legs, stay open.

use resvg::tiny_skia::{ColorU8, Pixmap};

/// Side of the mask on which the back is found; edges of the back lie under the shape, so it may be coarse.
const MASK_SIDE: usize = 192;
/// Gaps up to twice this share of the side are closed.
const CLOSED_SHARE: f32 = 0.032;
/// Cover from which a pixel counts as the shape's.
const COVER_MIN: u8 = 100;

/// Lays ink behind a shape, under its cuts and gaps.
pub(super) fn back(pixmap: &mut Pixmap, ink: [u8; 3]) {
    let (w, h) = (pixmap.width() as usize, pixmap.height() as usize);
    let mask = Mask::of(pixmap);
    let reach = (MASK_SIDE as f32 * CLOSED_SHARE).round() as usize;
    let closed = mask.grown(reach).shrunk(reach);
    let backed = closed.filled();
    for (at, pixel) in pixmap.pixels_mut().iter_mut().enumerate() {
        let (x, y) = ((at % w) as f32 + 0.5, (at / w) as f32 + 0.5);
        let cover = backed.cover(x / w as f32, y / h as f32);
        let rest = 255 - u32::from(pixel.alpha());
        let share = (cover * rest as f32) as u32;
        if share == 0 {
            continue;
        }
        let top = *pixel;
        let sum = |over: u8, under: u8| (u32::from(over) + u32::from(under) * share / 255).min(255) as u8;
        let alpha = (u32::from(top.alpha()) + share).min(255);
        let plain = |value: u8| (u32::from(value) * 255 / alpha.max(1)).min(255) as u8;
        let [red, green, blue] = [(top.red(), ink[0]), (top.green(), ink[1]), (top.blue(), ink[2])]
            .map(|(over, under)| plain(sum(over, under)));
        *pixel = ColorU8::from_rgba(red, green, blue, alpha as u8).premultiply();
    }
}

/// A coarse shape.
struct Mask(Vec<bool>);

impl Mask {
    fn of(pixmap: &Pixmap) -> Self {
        let (w, h) = (pixmap.width() as usize, pixmap.height() as usize);
        let pixels = pixmap.pixels();
        let at = |place: usize| {
            let (x, y) = (place % MASK_SIDE * w / MASK_SIDE, place / MASK_SIDE * h / MASK_SIDE);
            pixels.get(y * w + x).is_some_and(|pixel| pixel.alpha() > COVER_MIN)
        };
        Self((0..MASK_SIDE * MASK_SIDE).map(at).collect())
    }

    fn has(&self, x: isize, y: isize) -> bool {
        let side = MASK_SIDE as isize;
        (0..side).contains(&x) && (0..side).contains(&y) && self.0[(y * side + x) as usize]
    }

    /// Grown by `reach` in all directions, first along rows, then along columns.
    fn grown(&self, reach: usize) -> Self {
        self.near(reach, true)
    }

    /// Shrunk by `reach`; what lies outside the mask does not eat into it.
    fn shrunk(&self, reach: usize) -> Self {
        self.near(reach, false)
    }

    /// A place becomes `value` where one within reach is `value`.
    fn near(&self, reach: usize, value: bool) -> Self {
        let side = MASK_SIDE as isize;
        let mut now = Self(self.0.clone());
        for (dx, dy) in [(1, 0), (0, 1)] {
            let found = |place: usize| {
                let (x, y) = ((place % MASK_SIDE) as isize, (place / MASK_SIDE) as isize);
                let reached = (-(reach as isize)..=reach as isize).any(|step| {
                    let (x, y) = (x + dx * step, y + dy * step);
                    (0..side).contains(&x) && (0..side).contains(&y) && now.has(x, y) == value
                });
                if reached { value } else { !value }
            };
            now = Self((0..MASK_SIDE * MASK_SIDE).map(found).collect());
        }
        now
    }

    /// With every hole filled: all that cannot be reached from the edge.
    fn filled(&self) -> Self {
        let side = MASK_SIDE as isize;
        let mut outside = vec![false; MASK_SIDE * MASK_SIDE];
        let mut next: Vec<(isize, isize)> =
            (0..side).flat_map(|n| [(n, 0), (n, side - 1), (0, n), (side - 1, n)]).collect();
        while let Some((x, y)) = next.pop() {
            let inside = (0..side).contains(&x) && (0..side).contains(&y);
            if !inside || self.has(x, y) || outside[(y * side + x) as usize] {
                continue;
            }
            outside[(y * side + x) as usize] = true;
            next.extend([(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]);
        }
        Self(outside.into_iter().map(|out| !out).collect())
    }

    /// Cover at a place given as shares of the sides, smooth between the coarse places.
    fn cover(&self, u: f32, v: f32) -> f32 {
        let (fx, fy) = (u * MASK_SIDE as f32 - 0.5, v * MASK_SIDE as f32 - 0.5);
        let (x, y) = (fx.floor(), fy.floor());
        let (tx, ty) = (fx - x, fy - y);
        let at = |dx: isize, dy: isize| f32::from(u8::from(self.has(x as isize + dx, y as isize + dy)));
        let (top, low) = (at(0, 0) * (1.0 - tx) + at(1, 0) * tx, at(0, 1) * (1.0 - tx) + at(1, 1) * tx);
        let smooth = top * (1.0 - ty) + low * ty;
        ((smooth - 0.35) / 0.3).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [200, 0, 0];

    fn pixmap(drawn: impl Fn(usize, usize) -> bool) -> Pixmap {
        let mut pixmap = Pixmap::new(400, 400).unwrap();
        for (at, pixel) in pixmap.pixels_mut().iter_mut().enumerate() {
            if drawn(at % 400, at / 400) {
                *pixel = ColorU8::from_rgba(0, 0, 255, 255).premultiply();
            }
        }
        pixmap
    }

    #[test]
    fn holes_and_narrow_gaps_are_backed_and_wide_ones_stay_open() {
        // A block with a hole, a narrow slit open to the right, and a wide gap open below.
        let mut pixmap = pixmap(|x, y| {
            let block = (50..350).contains(&x) && (50..350).contains(&y);
            let hole = (120..180).contains(&x) && (100..160).contains(&y);
            let slit = x >= 200 && (120..132).contains(&y);
            let gap = (150..250).contains(&x) && y >= 250;
            block && !hole && !slit && !gap
        });
        back(&mut pixmap, RED);
        let at = |x: usize, y: usize| pixmap.pixels()[y * 400 + x].demultiply();
        let red = |x, y| at(x, y).red() > 180 && at(x, y).alpha() > 240;
        assert!(red(150, 130) && red(260, 126), "{:?} {:?}", at(150, 130), at(260, 126));
        assert_eq!(at(200, 320).alpha(), 0);
        assert_eq!(at(10, 10).alpha(), 0);
        assert_eq!((at(100, 300).blue(), at(100, 300).red()), (255, 0));
    }
}
