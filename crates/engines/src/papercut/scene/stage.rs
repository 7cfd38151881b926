//! This owns where figures stand: who is large, who is behind, how a group spreads, and on what ground.

use kernel::Result;

use super::super::colour::{Palette, Rgb};
use super::super::reading::{How, Nature, Reading, Subject};
use super::canvas::{Canvas, Dice};
use super::figure::{Placing, Sprite};
use super::{Layer, depth, tied};

/// Height of stars and planets that were named.
const CELESTIAL_HEIGHT: f32 = 0.26;
/// Lower end of a face or bust: it rises from the lower edge, behind the grass.
pub(super) const BUST_FEET: f32 = 1.04;
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
    /// Lower end of a face or bust.
    pub bust: f32,
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

/// A subject on its way to the stage.
struct Cast<'a> {
    place: usize,
    subject: &'a Subject,
    sprite: Sprite,
    group: Group,
    /// Where it is put when it is tied to another; a group is put by its own rule.
    tied: Option<(How, Placing)>,
}

/// Places every subject: the rest behind, the hero before them, and what is tied where its other is.
pub(super) fn figures(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    dice: &mut Dice,
    stage: Stage,
    layer: Layer<'_>,
) -> Result<()> {
    let mut cast = casting(canvas, reading, palette, dice, stage);
    for n in 0..cast.len() {
        let tied = cast.get(n).and_then(|own| {
            let tie = own.subject.tie?;
            let other = cast.iter().find(|other| other.place == tie.to)?;
            let [one, two] = [own, other].map(|cast| (cast.subject, cast.stands(reading, stage, dice)));
            let mut placing = tied::placing(tie.how, one, two, canvas);
            if matches!(tie.how, How::Worn(_)) {
                placing.x += other.sprite.head(two.1, canvas);
            }
            Some((tie.how, placing))
        });
        if let Some(own) = cast.get_mut(n) {
            own.tied = tied;
        }
    }
    cast.sort_by_key(|own| order(own, reading));
    for (drawn, own) in cast.iter_mut().enumerate() {
        if let Some((_, placing)) = own.tied {
            own.sprite.put(canvas, palette, placing);
        } else {
            for n in own.group.order() {
                let placing = own.group.placing(own.subject, own.slot(reading), n, stage, dice);
                own.sprite.put(canvas, palette, placing);
            }
        }
        layer(6 + (drawn as u32).min(2), (drawn == 0).then_some(&*canvas))?;
    }
    Ok(())
}

/// Who comes when: by rank, and what is tied right before or right after its other.
fn order(own: &Cast<'_>, reading: &Reading) -> (std::cmp::Reverse<u8>, std::cmp::Reverse<usize>, u8) {
    let other = own.subject.tie.and_then(|tie| Some((tie, reading.subjects.get(tie.to)?)));
    let (subject, place, turn) = match (own.tied, other) {
        (Some((How::Astride | How::In, _)), Some((tie, other))) => (other, tie.to, 0),
        (Some(_), Some((tie, other))) => (other, tie.to, 2),
        _ => (own.subject, own.place, 1),
    };
    (std::cmp::Reverse(rank(subject)), std::cmp::Reverse(place), turn)
}

impl Cast<'_> {
    /// Where the first of it stands.
    fn stands(&self, reading: &Reading, stage: Stage, dice: &mut Dice) -> Placing {
        self.group.placing(self.subject, self.slot(reading), 0, stage, dice)
    }

    /// Its place, or that of what is tied to it: who carries the hero stands where the hero would.
    fn slot(&self, reading: &Reading) -> usize {
        let tied = |subject: &Subject| subject.tie.is_some_and(|tie| tie.to == self.place);
        reading.subjects.iter().position(tied).map_or(self.place, |place| place.min(self.place))
    }
}

/// Every subject that is drawn as a figure, at its size.
fn casting<'a>(
    canvas: &Canvas,
    reading: &'a Reading,
    palette: &Palette,
    dice: &mut Dice,
    stage: Stage,
) -> Vec<Cast<'a>> {
    let shown = || reading.subjects.iter().enumerate().filter(|(_, s)| drawn_in_sky(s).is_none());
    let earthly = shown().filter(|(_, subject)| subject.figure.nature != Nature::Celestial);
    let tallest = earthly.map(|(_, subject)| subject.figure.height_m).fold(0.1, f32::max);
    let first = shown().next().map_or(0, |(place, _)| place);
    let side = if stage.focus < 0.5 { -1.0 } else { 1.0 };
    let carries = |place: usize| reading.subjects.iter().any(|s| s.tie.is_some_and(|tie| tie.to == place));
    let cast = shown().filter_map(|(place, subject)| {
        // Sizes follow nature, but gently: a mouse beside a castle has to be seen.
        let natural = (subject.figure.height_m / tallest).powf(0.30).clamp(0.3, 1.0);
        // What towers by nature over all others need not be small because it was named last.
        let towers = natural > 0.99 && subject.figure.nature != Nature::Building;
        let lead = match place {
            place if place == first || carries(place) => 1.0,
            _ if towers => 0.94,
            _ => 0.78,
        };
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
        let sprite = Sprite::of(&subject.figure, canvas, palette, subject.colour, reading.hour, tall_px)?;
        let mut own = Cast { place, subject, sprite, group: Group::default(), tied: None };
        let slot = own.slot(reading);
        own.group = Group::of(&own.sprite, subject, slot, height, canvas, stage, side, dice);
        Some(own)
    });
    cast.collect()
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
#[derive(Clone, Copy, Default)]
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
        let shrink = (GROUP_WIDTH_MAX / whole).min(1.0);
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
            Nature::Bust => (stage.bust, depth::HERO, 0.0),
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
