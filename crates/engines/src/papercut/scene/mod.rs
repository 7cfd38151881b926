//! This owns composing: which layers a place has, from back to front, and where the figures stand.

mod canvas;
mod cut;
mod figure;
mod ground;
mod indoors;
mod weather;

use kernel::Result;

pub(super) use canvas::{Canvas, Dice};

use super::colour::{Palette, mix};
use super::layout::Layout;
use super::reading::{Nature, Reading, Setting, Subject};
use figure::{Placing, Sprite};

/// Hears of each layer.
pub(super) type Layer<'a> = &'a mut dyn FnMut(u32, Option<&Canvas>) -> Result<()>;

/// Depths of the layers; figures stand between them.
pub(super) mod depth {
    pub(in super::super) const SKY: u8 = 1;
    pub(in super::super) const DISC: u8 = 2;
    pub(in super::super) const CLOUD: u8 = 3;
    pub(in super::super) const FAR: u8 = 4;
    pub(in super::super) const MID: u8 = 6;
    pub(in super::super) const BEHIND: u8 = 7;
    pub(in super::super) const NEAR: u8 = 9;
    pub(in super::super) const HERO: u8 = 11;
    pub(in super::super) const FORE: u8 = 13;
}

/// Height of sun, moon and stars that were named.
const CELESTIAL_HEIGHT: f32 = 0.24;
/// Height of a figure that is a face or bust only.
const BUST_HEIGHT: f32 = 0.66;

/// Composes a scene on a canvas.
pub(super) fn compose(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    layout: Layout,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    let focus = layout.focus.unwrap_or(0.5);
    match reading.setting {
        Setting::Pattern => pattern(canvas, reading, palette, dice, layer),
        Setting::Poster | Setting::Portrait => poster(canvas, reading, palette, dice, layer),
        Setting::Room | Setting::Table => {
            indoors::room(canvas, reading, palette, dice);
            layer(4, Some(canvas))?;
            let stage = Stage { ground: 0.86, back: 0.80, hero: 0.46, water: None, sky: 0.3, focus };
            figures(canvas, reading, palette, dice, stage, layer)
        }
        _ => {
            let stage = ground::place(canvas, reading, palette, layout, dice, layer)?;
            figures(canvas, reading, palette, dice, stage, layer)?;
            ground::foreground(canvas, reading, palette, dice);
            weather::fall(canvas, reading, palette, dice);
            layer(9, Some(canvas))
        }
    }
}

/// Where figures can stand, as shares of the height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    /// Feet of the hero.
    pub ground: f32,
    /// Feet of what stands behind.
    pub back: f32,
    /// Height of a lone hero.
    pub hero: f32,
    /// The waterline, where there is water.
    pub water: Option<f32>,
    /// Middle of the free sky.
    pub sky: f32,
    /// Where the hero stands, as a share of the width.
    pub focus: f32,
}

/// Places every subject: the rest behind, the hero before them.
fn figures(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    stage: Stage,
    layer: Layer<'_>,
) -> Result<()> {
    let celestial = |subject: &&Subject| subject.figure.nature == Nature::Celestial;
    let earthly = reading.subjects.iter().filter(|subject| !celestial(subject));
    let tallest = earthly.map(|subject| subject.figure.height_m).fold(0.1, f32::max);
    let side = dice.side();
    let mut order: Vec<(usize, &Subject)> = reading.subjects.iter().enumerate().collect();
    order.sort_by_key(|(place, subject)| (std::cmp::Reverse(rank(subject)), std::cmp::Reverse(*place)));
    for (drawn, (place, subject)) in order.iter().enumerate() {
        let Some(sprite) = Sprite::of(&subject.figure, canvas, palette, subject.colour, reading.hour) else {
            continue;
        };
        // Sizes follow nature, but gently: a mouse beside a castle has to be seen.
        let natural = (subject.figure.height_m / tallest).powf(0.30).clamp(0.3, 1.0);
        let lead = if *place == 0 { 1.0 } else { 0.78 };
        let crowd = 1.0 / (subject.count as f32).powf(0.34);
        let height = match subject.figure.nature {
            Nature::Celestial => CELESTIAL_HEIGHT * crowd,
            Nature::Bust => BUST_HEIGHT * lead * crowd,
            _ => stage.hero * natural * lead * crowd,
        };
        for n in 0..subject.count {
            let placing = placing(subject, *place, n, height, side, stage, dice);
            sprite.put(canvas, palette, placing);
        }
        layer(6 + (drawn as u32).min(2), (drawn == 0).then_some(&*canvas))?;
    }
    Ok(())
}

/// What is farther back is drawn first.
fn rank(subject: &Subject) -> u8 {
    match subject.figure.nature {
        Nature::Celestial => 9,
        Nature::Building => 7,
        Nature::Flying => 6,
        Nature::Plant => 5,
        Nature::Floating | Nature::Swimming => 4,
        _ => 2,
    }
}

fn placing(
    subject: &Subject,
    place: usize,
    n: u32,
    height: f32,
    side: f32,
    stage: Stage,
    dice: &mut Dice,
) -> Placing {
    let count = subject.count as f32;
    // The hero stands off the middle; others go to the other side; a group spreads.
    let spread = if subject.count > 1 { (n as f32 + 0.5) / count - 0.5 } else { 0.0 };
    let lane = [-0.06, 0.27, -0.31, 0.38, -0.42][place.min(4)] * side;
    let width = if subject.count > 1 { 0.72 } else { 0.0 };
    let x = (stage.focus
        + lane * if subject.count > 2 { 0.2 } else { 1.0 }
        + spread * width
        + dice.range(-0.02, 0.02))
    .clamp(0.1, 0.9);
    let jitter = dice.range(-0.5, 0.5);
    let mirrored = (x < 0.5) != (dice.range(0.0, 1.0) < 0.15);
    let (feet, depth, shadow) = match subject.figure.nature {
        Nature::Celestial => (stage.sky * 0.75 + height * 0.5 + jitter * 0.08, depth::DISC, 0.0),
        Nature::Flying => (stage.sky + height * 0.5 + jitter * 0.22, depth::BEHIND, 0.0),
        Nature::Floating => {
            (stage.water.unwrap_or(stage.ground) + height * 0.06 + jitter * 0.06, depth::BEHIND, 0.0)
        }
        Nature::Swimming if stage.water.is_none() => {
            (0.52 + height * 0.5 + jitter * 0.34, depth::BEHIND, 0.0)
        }
        Nature::Swimming => (stage.water.unwrap_or(0.6) + height * 0.3, depth::BEHIND, 0.0),
        Nature::Building => (stage.back, depth::MID + 1, 0.35),
        // A face has no feet: it rises from the lower edge, behind the grass.
        Nature::Bust => (1.04, depth::HERO, 0.0),
        Nature::Symbol => (stage.ground, depth::HERO, 0.5),
        _ if place == 0 => {
            (stage.ground + jitter * if subject.count > 1 { 0.05 } else { 0.0 }, depth::HERO, 1.0)
        }
        _ => (stage.back + 0.5 * (stage.ground - stage.back) + jitter * 0.03, depth::BEHIND, 0.8),
    };
    let near = 1.0 + jitter * if subject.count > 1 { 0.24 } else { 0.0 };
    let mirror_weight = if mirrored { -1.0 } else { 1.0 };
    Placing {
        x,
        feet,
        height: height * near,
        mirror: mirror_weight,
        depth,
        shadow,
        reflect: stage.water.filter(|_| subject.figure.nature == Nature::Floating).is_some(),
    }
}

/// A half-drop repeat of the subjects.
fn pattern(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    let field = mix(palette.sky_low, palette.light, 0.35);
    canvas.wash(field, field, 0.0, 1.0, depth::SKY);
    let sprites: Vec<Sprite> = reading
        .subjects
        .iter()
        .filter_map(|subject| Sprite::of(&subject.figure, canvas, palette, subject.colour, reading.hour))
        .collect();
    layer(4, None)?;
    let columns = 5;
    let step = canvas.width() / columns as f32;
    let rows = (canvas.height() / step).ceil() as i32 + 1;
    for column in 0..columns {
        for row in -1..rows {
            let (x, drop) = ((column as f32 + 0.5) * step, if column % 2 == 0 { 0.0 } else { 0.5 });
            let y = (row as f32 + 0.5 + drop) * step;
            let n = (column + row).rem_euclid(2) as usize + usize::try_from(row.rem_euclid(3)).unwrap_or(0);
            if sprites.is_empty() || n % 3 == 2 {
                canvas.blossom(
                    x,
                    y,
                    step * 0.24,
                    [palette.accent, palette.mid, palette.near][n % 3],
                    palette.light,
                    depth::MID,
                );
                continue;
            }
            let feet = (y + step * 0.33) / canvas.height();
            let mirror = if column % 2 == 0 { 1.0 } else { -1.0 };
            let placing = Placing {
                x: x / canvas.width(),
                feet,
                height: step * 0.66 / canvas.height(),
                mirror,
                depth: depth::HERO,
                shadow: 0.0,
                reflect: false,
            };
            sprites[n % sprites.len()].put(canvas, palette, placing);
        }
        canvas.dots((column as f32 + 1.0) * step, step, palette.mid, depth::FAR, dice);
        layer(5 + column.unsigned_abs() / 2, None)?;
    }
    Ok(())
}

/// One large shape before rays or a disc; no text.
fn poster(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    canvas.wash(palette.sky_top, palette.sky_low, 0.0, 1.0, depth::SKY);
    if reading.setting == Setting::Poster {
        canvas.rays(
            0.5,
            0.62,
            18,
            mix(palette.sky_low, palette.light, 0.5),
            depth::DISC,
            dice.range(0.0, 0.3),
        );
    }
    let unit = canvas.width().min(canvas.height());
    for (share, colour) in [(0.47, mix(palette.light, palette.sky_low, 0.5)), (0.40, palette.accent)] {
        canvas.disc(canvas.width() * 0.5, canvas.height() * 0.5, unit * share, colour, depth::CLOUD);
    }
    layer(5, Some(canvas))?;
    let band = canvas.height() * 0.86;
    canvas.ridge(band, unit * 0.02, 0.0, palette.near, palette.fore, depth::NEAR, dice);
    let stage = Stage { ground: 0.88, back: 0.88, hero: 0.62, water: None, sky: 0.3, focus: 0.5 };
    figures(canvas, reading, palette, dice, stage, layer)?;
    canvas.ridge(canvas.height() * 0.93, unit * 0.015, 0.0, palette.fore, palette.dark, depth::FORE, dice);
    layer(9, None)
}
