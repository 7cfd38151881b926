//! This owns what is taken of a reference picture's composition: where its horizon lies and where its weight.
//! Its colours are taken by `imaging::palette`; its shapes are not taken at all.

use imaging::Picture;

use super::colour::luma;

/// Rows and columns at which a picture is looked at.
const GRID: usize = 32;
/// A step in lightness across the whole width that is taken for a horizon.
const HORIZON_STEP_MIN: f32 = 0.07;
/// Where a horizon can lie, so that a scene still has a sky and a ground.
const HORIZON_RANGE: (f32, f32) = (0.36, 0.76);
/// Where the hero can stand.
const FOCUS_RANGE: (f32, f32) = (0.24, 0.76);

/// A composition, as shares of height and width.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// Height of the horizon; `None` where the picture has none.
    pub horizon: Option<f32>,
    /// Where the main thing stands; `None` where nothing stands out.
    pub focus: Option<f32>,
}

/// The composition of a picture.
pub(super) fn of(picture: &Picture) -> Layout {
    let grid = lightness(picture);
    let rows: Vec<f32> = grid.iter().map(|row| row.iter().sum::<f32>() / GRID as f32).collect();
    // Two rows on each side of a line are compared, so that a thin stroke is no horizon.
    let step = |y: usize| ((rows[y - 2] + rows[y - 1]) / 2.0 - (rows[y] + rows[y + 1]) / 2.0).abs();
    let horizon = (2..GRID - 1)
        .map(|y| (y as f32 / GRID as f32, step(y)))
        .filter(|(y, step)| (HORIZON_RANGE.0..=HORIZON_RANGE.1).contains(y) && *step >= HORIZON_STEP_MIN)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(y, _)| y);
    Layout { horizon, focus: focus(&grid, &rows) }
}

/// The middle of what differs from its own row, where that is more here than there.
fn focus(grid: &[[f32; GRID]; GRID], rows: &[f32]) -> Option<f32> {
    let weight = |x: usize| -> f32 { grid.iter().zip(rows).map(|(row, mean)| (row[x] - mean).powi(2)).sum() };
    let weights: Vec<f32> = (0..GRID).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    let most = weights.iter().copied().fold(0.0, f32::max);
    if most < 1.6 * sum / GRID as f32 || sum < 0.2 {
        return None;
    }
    let middle =
        weights.iter().enumerate().map(|(x, w)| (x as f32 + 0.5) / GRID as f32 * w).sum::<f32>() / sum;
    Some(middle.clamp(FOCUS_RANGE.0, FOCUS_RANGE.1))
}

/// Mean lightness of each field of the grid, from samples.
fn lightness(picture: &Picture) -> [[f32; GRID]; GRID] {
    const SAMPLES: usize = 4;
    let (w, h) = (picture.width as usize, picture.height as usize);
    let pixels = picture.rgba.as_chunks::<4>().0;
    let mut grid = [[0.0; GRID]; GRID];
    for (y, row) in grid.iter_mut().enumerate() {
        for (x, field) in row.iter_mut().enumerate() {
            for n in 0..SAMPLES * SAMPLES {
                let px = (x * SAMPLES + n % SAMPLES) * w / (GRID * SAMPLES);
                let py = (y * SAMPLES + n / SAMPLES) * h / (GRID * SAMPLES);
                let [red, green, blue, _] = pixels.get(py * w + px).copied().unwrap_or_default();
                *field += luma([red, green, blue].map(|value| f32::from(value) / 255.0));
            }
            *field /= (SAMPLES * SAMPLES) as f32;
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(light: impl Fn(f32, f32) -> u8) -> Picture {
        let (width, height) = (200, 100);
        let pixel = |at: u32| {
            let (x, y) = (at % width, at / width);
            let value = light(x as f32 / width as f32, y as f32 / height as f32);
            [value, value, value, 255]
        };
        Picture { width, height, rgba: (0..width * height).flat_map(pixel).collect() }
    }

    #[test]
    fn a_horizon_and_a_thing_are_found_where_they_are() {
        for line in [0.4, 0.5, 0.7] {
            let found = of(&picture(|_, y| if y < line { 220 } else { 90 }));
            assert!((found.horizon.unwrap() - line).abs() < 0.05, "{line}: {found:?}");
            assert_eq!(found.focus, None);
        }
        for place in [0.3, 0.7] {
            let found = of(&picture(|x, y| if (x - place).abs() < 0.08 && y > 0.3 { 20 } else { 200 }));
            assert!((found.focus.unwrap() - place).abs() < 0.06, "{place}: {found:?}");
        }
    }

    #[test]
    fn a_plain_picture_has_no_composition() {
        assert_eq!(of(&picture(|_, _| 128)), Layout::default());
        let one = Picture { width: 1, height: 1, rgba: vec![9, 9, 9, 255] };
        assert_eq!(of(&one), Layout::default());
    }
}
