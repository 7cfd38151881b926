//! This owns the main colours of a picture, by median cut over a small copy of it.

use crate::{Picture, fit};

/// Longer side of the copy that is counted.
const SIDE: u32 = 64;

/// At most `n` colours as sRGB, the most frequent first; transparent pixels do not count.
#[must_use]
pub fn palette(picture: &Picture, n: usize) -> Vec<[u8; 3]> {
    let small = fit(picture, SIDE).unwrap_or_else(|_| picture.clone());
    let pixels: Vec<[u8; 3]> = small
        .rgba
        .as_chunks::<4>()
        .0
        .iter()
        .filter(|p| p[3] > 127)
        .map(|[r, g, b, _]| [*r, *g, *b])
        .collect();
    let mut boxes = vec![pixels];
    while boxes.len() < n {
        let Some((widest, channel)) = widest(&boxes) else { break };
        let mut colours = boxes.swap_remove(widest);
        colours.sort_unstable_by_key(|colour| colour.get(channel).copied());
        let upper = colours.split_off(colours.len() / 2);
        boxes.extend([colours, upper]);
    }
    boxes.sort_by_key(|colours| std::cmp::Reverse(colours.len()));
    boxes.iter().filter(|colours| !colours.is_empty()).map(|colours| mean(colours)).collect()
}

/// The box with the widest channel and that channel; none when every box is of one colour.
fn widest(boxes: &[Vec<[u8; 3]>]) -> Option<(usize, usize)> {
    let spread = |colours: &[[u8; 3]], channel: usize| {
        let values = colours.iter().filter_map(|colour| colour.get(channel));
        let (low, high) = values.fold((u8::MAX, 0), |(low, high), v| (low.min(*v), high.max(*v)));
        high.saturating_sub(low)
    };
    let candidates = boxes.iter().enumerate().flat_map(|(i, colours)| (0..3).map(move |c| (i, c, colours)));
    candidates
        .map(|(i, c, colours)| {
            (
                usize::from(spread(colours, c)) * colours.len().checked_ilog2().unwrap_or(0).max(1) as usize,
                i,
                c,
            )
        })
        .filter(|(weight, ..)| *weight > 0)
        .max()
        .map(|(_, i, c)| (i, c))
}

fn mean(colours: &[[u8; 3]]) -> [u8; 3] {
    let mut sums = [0_usize; 3];
    for colour in colours {
        for (sum, value) in sums.iter_mut().zip(colour) {
            *sum += usize::from(*value);
        }
    }
    sums.map(|sum| u8::try_from(sum / colours.len().max(1)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_halves_give_two_colours() {
        let rgba = (0..64 * 64)
            .flat_map(|i| if i % 64 < 32 { [200, 0, 0, 255] } else { [0, 0, 200, 255] })
            .collect();
        let mut colours = palette(&Picture { width: 64, height: 64, rgba }, 4);
        colours.sort_unstable();
        assert_eq!(colours, [[0, 0, 200], [200, 0, 0]]);
    }
}
