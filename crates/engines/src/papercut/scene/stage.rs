//! This owns where figures stand: who is large, who is behind, how a group spreads, and on what ground.

use kernel::Result;

use super::super::colour::{Palette, Rgb};
use super::super::reading::{Nature, Reading, Subject};
use super::canvas::{Canvas, Dice};
use super::figure::{Placing, Sprite};
use super::{Layer, depth};

/// Height of stars and planets that were named.
const CELESTIAL_HEIGHT: f32 = 0.26;
/// Height of a figure that is a face or bust only.
const BUST_HEIGHT: f32 = 0.66;
/// From so many birds on, they are a flock far away.
const FLOCK_MIN: u32 = 5;
/// Of a group, so much of the width at most is taken.
const GROUP_WIDTH_MAX: f32 = 0.80;
/// What stands leaves so much of the height free above it.
const HEADROOM: f32 = 0.04;

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
    /// Whether there is sand before the water.
    pub shore: bool,
}

/// What is drawn with the sky, not as a figure: a picture of the sun among hills would look pasted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Disc {
    /// In a colour that was named for it.
    Sun(Option<[u8; 3]>),
    Moon(Option<[u8; 3]>),
    Crescent,
    Rainbow,
    /// So many birds.
    Flock(u32),
}

impl Disc {
    /// The colour named for it.
    pub(super) fn colour(self) -> Option<Rgb> {
        match self {
            Self::Sun(colour) | Self::Moon(colour) => colour.map(|rgb| rgb.map(|v| f32::from(v) / 255.0)),
            _ => None,
        }
    }
}

/// The subject as a part of the sky, if it is one.
pub(super) fn drawn_in_sky(subject: &Subject) -> Option<Disc> {
    match subject.figure.name.split(':').nth(1)? {
        "sun" | "sun-with-face" => Some(Disc::Sun(subject.colour)),
        "full-moon" | "full-moon-face" | "new-moon" => Some(Disc::Moon(subject.colour)),
        "crescent-moon" | "first-quarter-moon" | "last-quarter-moon" => Some(Disc::Crescent),
        "rainbow" => Some(Disc::Rainbow),
        "bird" if subject.count >= FLOCK_MIN => Some(Disc::Flock(subject.count)),
        _ => None,
    }
}

/// Whether a thing needs ground under it.
pub(super) fn earthbound(nature: Nature) -> bool {
    !matches!(nature, Nature::Floating | Nature::Swimming | Nature::Flying | Nature::Celestial)
}

/// Places every subject: the rest behind, the hero before them.
pub(super) fn figures(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    stage: Stage,
    layer: Layer<'_>,
) -> Result<()> {
    let subjects: Vec<&Subject> =
        reading.subjects.iter().filter(|subject| drawn_in_sky(subject).is_none()).collect();
    let earthly = subjects.iter().filter(|subject| subject.figure.nature != Nature::Celestial);
    let tallest = earthly.map(|subject| subject.figure.height_m).fold(0.1, f32::max);
    let side = if stage.focus < 0.5 { -1.0 } else { 1.0 };
    let mut order: Vec<(usize, &Subject)> = subjects.into_iter().enumerate().collect();
    order.sort_by_key(|(place, subject)| (std::cmp::Reverse(rank(subject)), std::cmp::Reverse(*place)));
    for (drawn, (place, subject)) in order.iter().enumerate() {
        // Sizes follow nature, but gently: a mouse beside a castle has to be seen.
        let natural = (subject.figure.height_m / tallest).powf(0.30).clamp(0.3, 1.0);
        let lead = if *place == 0 { 1.0 } else { 0.78 };
        let crowd = 1.0 / (subject.count as f32).powf(0.30);
        let height = match subject.figure.nature {
            Nature::Celestial => CELESTIAL_HEIGHT * crowd,
            Nature::Bust => BUST_HEIGHT * lead * crowd,
            _ => stage.hero * natural * lead * crowd,
        };
        // Nothing that stands reaches out of the picture.
        let feet = if subject.figure.nature == Nature::Building { stage.back } else { stage.ground };
        let room = (feet - HEADROOM) * canvas.height() / Placing::whole(canvas);
        let height = if subject.figure.nature == Nature::Bust { height } else { height.min(room) };
        let tall_px = height * Placing::whole(canvas);
        let Some(mut sprite) =
            Sprite::of(&subject.figure, canvas, palette, subject.colour, reading.hour, tall_px)
        else {
            continue;
        };
        let group = Group::of(&sprite, subject, *place, height, canvas, stage, side, dice);
        for n in group.order() {
            let placing = group.placing(subject, *place, n, stage, dice);
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

/// The figures of one subject: where their middle is and how far apart they stand.
struct Group {
    x: f32,
    step: f32,
    height: f32,
    count: u32,
    /// Which way most of them look.
    mirror: f32,
}

impl Group {
    #[allow(clippy::too_many_arguments)] // Each is one of the things that decide a place.
    fn of(
        sprite: &Sprite,
        subject: &Subject,
        place: usize,
        height: f32,
        canvas: &Canvas,
        stage: Stage,
        side: f32,
        dice: &mut Dice,
    ) -> Self {
        let wide = sprite.aspect() * height * Placing::whole(canvas) / canvas.width();
        let count = subject.count as f32;
        // Two look at each other, so they keep a distance; a crowd overlaps, for it stands in two rows.
        let close = match (subject.figure.nature, subject.count) {
            (Nature::Flying | Nature::Swimming, _) => 1.25,
            (_, 2 | 3) => 1.04,
            _ => 0.72,
        };
        let whole = wide * (1.0 + close * (count - 1.0));
        let shrink = if subject.count > 1 { (GROUP_WIDTH_MAX / whole).min(1.0) } else { 1.0 };
        let (wide, height) = (wide * shrink, height * shrink);
        let step = wide * close;
        // The others stand on the other side of the hero, one behind it and one before it.
        let lane = [0.0, -0.36, 0.24, -0.58, 0.42][place.min(4)] * side;
        let half = ((count - 1.0) * step + wide.min(0.8)) / 2.0 + 0.03;
        let x = (stage.focus + lane + dice.range(-0.02, 0.02)).clamp(half.min(0.5), (1.0 - half).max(0.5));
        // Whoever stands at a side looks into the picture.
        let inward = (x < 0.5) != (dice.range(0.0, 1.0) < 0.1);
        Self { x, step, height, count: subject.count, mirror: if inward { -1.0 } else { 1.0 } }
    }

    /// Back row first.
    fn order(&self) -> Vec<u32> {
        let rows = |odd: u32| (0..self.count).filter(move |n| n % 2 == odd);
        if self.count > 3 { rows(1).chain(rows(0)).collect() } else { (0..self.count).collect() }
    }

    fn placing(&self, subject: &Subject, place: usize, n: u32, stage: Stage, dice: &mut Dice) -> Placing {
        let middle = (self.count as f32 - 1.0) / 2.0;
        let jitter = if self.count > 1 { dice.range(-0.5, 0.5) } else { 0.0 };
        let x = self.x + (n as f32 - middle) * self.step * (1.0 + 0.1 * jitter);
        // Of four and more every other one stands farther back.
        let back = if self.count > 3 && n % 2 == 1 { 1.0 } else { 0.0 };
        // On a beach, what swims has come ashore.
        let nature = match subject.figure.nature {
            Nature::Swimming if stage.shore => Nature::Grounded,
            own => own,
        };
        let near = 1.0 - 0.2 * back + 0.14 * jitter;
        let height = self.height * near;
        let zigzag = if n.is_multiple_of(2) { -0.5 } else { 0.5 };
        let (feet, depth, shadow) = match nature {
            Nature::Celestial => (stage.sky * 0.75 + height * 0.5, depth::DISC, 0.0),
            Nature::Flying => {
                let swing = if self.count > 1 { height * (0.5 * zigzag + 0.6 * jitter) } else { 0.0 };
                (stage.sky + height * 0.5 + swing, depth::BEHIND, 0.0)
            }
            Nature::Floating => {
                let line = stage.water.unwrap_or(stage.ground);
                (line + height * 0.05 - 0.03 * back + jitter * 0.03, depth::BEHIND, 0.0)
            }
            Nature::Swimming if stage.water.is_none() => {
                let swing = if self.count > 1 { 0.24 * zigzag + 0.2 * jitter } else { 0.0 };
                (0.5 + height * 0.5 + swing * 0.8, depth::BEHIND, 0.0)
            }
            // Only the back of what swims is above the water.
            Nature::Swimming => {
                (stage.water.unwrap_or(0.6) + height * 0.22 - 0.03 * back, depth::BEHIND, 0.0)
            }
            Nature::Building => (stage.back, depth::BEHIND, 0.3),
            // A face has no feet: it rises from the lower edge, behind the grass.
            Nature::Bust => (1.04, depth::HERO, 0.0),
            _ if place == 0 => (stage.ground - 0.05 * back + jitter * 0.03, depth::HERO, 1.0),
            _ => {
                let share = [0.0, 0.72, 0.5, 0.62, 0.4][place.min(4)];
                (stage.back + share * (stage.ground - stage.back) - 0.03 * back, depth::NEAR + 1, 0.9)
            }
        };
        let wet = matches!(nature, Nature::Floating | Nature::Swimming);
        // Two look at each other; of many, one looks back.
        let turned = (self.count == 2 && n == 1) || (self.count > 3 && n == 2);
        Placing {
            x,
            feet,
            height,
            mirror: if turned { -self.mirror } else { self.mirror },
            depth,
            shadow,
            reflect: stage.water.filter(|_| subject.figure.nature == Nature::Floating).is_some(),
            haze: 0.12 * back,
            cut: stage.water.map(|line| line - 0.03 * back + jitter * 0.03).filter(|_| wet),
        }
    }
}
