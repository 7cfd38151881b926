//! This owns what Papercut understood of a prompt: the plain data that composition works from.
//! It does not read the prompt (see `read`) and does not draw (see `scene`).

use std::sync::Arc;

/// A vector picture from the library that stands for one subject.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Name in the library: `fluent-emoji-flat:fox`.
    pub name: String,
    /// A complete SVG document with a `viewBox`.
    pub svg: Arc<str>,
    /// What kind of thing it is, which decides where it stands and how large it is.
    pub nature: Nature,
    /// Natural height in metres, for scale between subjects: fox 0.4, person 1.7, tree 8, castle 30.
    pub height_m: f32,
    /// For a silhouette, the ink that shows through its cuts, as sRGB; a picture in colours has none.
    pub inner: Option<[u8; 3]>,
}

/// What kind of thing a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nature {
    /// Stands on the ground: animal, person, furniture.
    Grounded,
    /// Rooted in the ground and repeated into groves: tree, flower, cactus.
    Plant,
    /// Built: house, castle, tower.
    Building,
    /// Floats on water: boat, duck.
    Floating,
    /// Swims under water: fish, whale, octopus.
    Swimming,
    /// In the air: bird, balloon, rocket, kite.
    Flying,
    /// In the sky and far away: moon, sun, star, planet, cloud, rainbow.
    Celestial,
    /// Lies on a table: cup, fruit, book.
    Tabletop,
    /// Drives or rolls on the ground: car, bicycle, train.
    Vehicle,
    /// A face or bust only; used when nothing whole exists.
    Bust,
    /// A sign or symbol: heart, note, arrow.
    Symbol,
}

/// One subject of the prompt.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The picture that stands for it.
    pub figure: Figure,
    /// How many, 1 to 12.
    pub count: u32,
    /// A colour named for it, as sRGB.
    pub colour: Option<[u8; 3]>,
    /// 0 to 1: how sure the reading is, and how central the subject is.
    pub weight: f32,
    /// How it is to another subject, if said.
    pub tie: Option<Tie>,
}

/// How a subject is to another one, which decides where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tie {
    /// Place of the other among the subjects.
    pub to: usize,
    /// In what way.
    pub how: How,
}

/// Ways in which a subject is to another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// It rides on the other's back.
    Astride,
    /// It stands or sits on the other, at this share of its height.
    On(f32),
    /// It is in the other, which covers its feet.
    In,
    /// It is under the other.
    Under,
    /// The other wears or holds it, at this share of its height.
    Worn(f32),
}

/// Where the scene is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Setting {
    Meadow,
    Hills,
    Mountains,
    Forest,
    Jungle,
    Desert,
    Beach,
    Sea,
    Underwater,
    River,
    Lake,
    City,
    Village,
    Road,
    Garden,
    Room,
    Table,
    Sky,
    Space,
    Snowfield,
    Pattern,
    Poster,
    Portrait,
    Abstract,
}

/// Time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Hour {
    Dawn,
    Day,
    GoldenHour,
    Sunset,
    Dusk,
    Night,
}

/// Season of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Season {
    Spring,
    Summer,
    Autumn,
    Winter,
}

/// Weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Weather {
    Clear,
    Cloudy,
    Rain,
    Snow,
    Fog,
    Storm,
    Wind,
}

/// Mood, which bends the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Mood {
    Calm,
    Joyful,
    Dreamy,
    Melancholy,
    Dramatic,
    Mysterious,
    Cosy,
    Energetic,
}

/// How the composed scene is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The variants are plain words.
pub enum Technique {
    Risograph,
    Linocut,
    Woodblock,
    Cyanotype,
    PaperCut,
    StainedGlass,
    Embroidery,
    Screenprint,
    Etching,
    Mosaic,
}

impl Technique {
    /// Every technique, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::Risograph,
        Self::Linocut,
        Self::Woodblock,
        Self::Cyanotype,
        Self::PaperCut,
        Self::StainedGlass,
        Self::Embroidery,
        Self::Screenprint,
        Self::Etching,
        Self::Mosaic,
    ];

    /// Stable id, as in the API and in forms.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Risograph => "risograph",
            Self::Linocut => "linocut",
            Self::Woodblock => "woodblock",
            Self::Cyanotype => "cyanotype",
            Self::PaperCut => "paper-cut",
            Self::StainedGlass => "stained-glass",
            Self::Embroidery => "embroidery",
            Self::Screenprint => "screenprint",
            Self::Etching => "etching",
            Self::Mosaic => "mosaic",
        }
    }
}

/// Everything understood of a prompt. Holds no words of it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Subjects, the most central first; empty means a landscape or a pattern alone.
    pub subjects: Vec<Subject>,
    /// Where.
    pub setting: Setting,
    /// When.
    pub hour: Hour,
    /// In which season, if said.
    pub season: Option<Season>,
    /// In what weather.
    pub weather: Weather,
    /// With what mood, if said.
    pub mood: Option<Mood>,
    /// How to print it, if said.
    pub technique: Option<Technique>,
    /// Colours named for the whole picture, as sRGB, at most six.
    pub colours: Vec<[u8; 3]>,
}
