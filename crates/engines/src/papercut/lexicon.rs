//! This owns the words of the lexicon: what they say about a picture beside its subjects, and what figures say of each
//! other. It does not walk a prompt (see `read`).

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::reading::{Hour, Mood, Season, Setting, Technique, Weather};

#[derive(Deserialize)]
struct File {
    setting: HashMap<String, Vec<String>>,
    hour: HashMap<String, Vec<String>>,
    season: HashMap<String, Vec<String>>,
    weather: HashMap<String, Vec<String>>,
    mood: HashMap<String, Vec<String>>,
    technique: HashMap<String, Vec<String>>,
    colour: HashMap<String, Vec<String>>,
    count: HashMap<String, Vec<String>>,
    stop: Words,
    negation: Words,
    after: Words,
    particle: Words,
    between: HashMap<String, Vec<String>>,
    seat: HashMap<String, f32>,
    worn: HashMap<String, f32>,
    holds: HashMap<String, HashSet<String>>,
    wintry: Words,
}

#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
}

/// What a word of the lexicon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Setting(Setting),
    Hour(Hour),
    Season(Season),
    Weather(Weather),
    Mood(Mood),
    Technique(Technique),
    Colour([u8; 3]),
    Count(u32),
    Negation,
}

/// What a word between two subjects says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    On,
    In,
    Under,
    With,
    /// They only stand near each other.
    Beside,
}

#[derive(Default)]
pub(super) struct Lexicon {
    pub(super) said: HashMap<String, Vec<Said>>,
    pub(super) stop: HashSet<String>,
    /// Colours and counts that stand after their noun.
    pub(super) after: HashSet<String>,
    /// Endings that are cut from a noun.
    pub(super) particles: Vec<String>,
    /// Words between two subjects that say how the first is to the second.
    pub(super) between: HashMap<String, Between>,
    /// How high on a figure stands what sits on it, as a share of its height.
    pub(super) seat: HashMap<String, f32>,
    /// How high on its bearer the foot of a thing is that is worn or held.
    pub(super) worn: HashMap<String, f32>,
    /// Figures that are seen in a figure already.
    pub(super) holds: HashMap<String, HashSet<String>>,
    /// Figures that say that it is winter.
    pub(super) wintry: HashSet<String>,
}

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let file: Option<File> = toml::from_str(include_str!("lexicon.toml")).ok();
    let mut lexicon = Lexicon::default();
    let Some(file) = file else { return lexicon };
    let mut add = |table: HashMap<String, Vec<String>>, mean: &dyn Fn(&str) -> Option<Said>| {
        for (name, words) in table {
            for word in words {
                lexicon.said.entry(word).or_default().extend(mean(&name));
            }
        }
    };
    add(file.setting, &|name| SETTINGS.iter().find(|(own, _)| *own == name).map(|(_, s)| Said::Setting(*s)));
    add(file.hour, &|name| HOURS.iter().find(|(own, _)| *own == name).map(|(_, h)| Said::Hour(*h)));
    add(file.season, &|name| SEASONS.iter().find(|(own, _)| *own == name).map(|(_, s)| Said::Season(*s)));
    add(file.weather, &|name| WEATHERS.iter().find(|(own, _)| *own == name).map(|(_, w)| Said::Weather(*w)));
    add(file.mood, &|name| MOODS.iter().find(|(own, _)| *own == name).map(|(_, m)| Said::Mood(*m)));
    add(file.technique, &|name| Technique::ALL.into_iter().find(|t| t.id() == name).map(Said::Technique));
    add(file.colour, &|name| {
        let rgb = u32::from_str_radix(name, 16).ok()?.to_be_bytes();
        Some(Said::Colour([rgb[1], rgb[2], rgb[3]]))
    });
    add(file.count, &|name| name.parse().ok().map(Said::Count));
    for word in file.negation.words {
        lexicon.said.entry(word).or_default().push(Said::Negation);
    }
    lexicon.stop.extend(file.stop.words);
    lexicon.after.extend(file.after.words);
    lexicon.particles = file.particle.words;
    for (name, words) in file.between {
        let Some((_, between)) = BETWEEN.iter().find(|(own, _)| *own == name) else { continue };
        lexicon.between.extend(words.into_iter().map(|word| (word, *between)));
    }
    (lexicon.seat, lexicon.worn, lexicon.holds) = (file.seat, file.worn, file.holds);
    lexicon.wintry.extend(file.wintry.words);
    lexicon
});

const BETWEEN: [(&str, Between); 5] = [
    ("on", Between::On),
    ("in", Between::In),
    ("under", Between::Under),
    ("with", Between::With),
    ("beside", Between::Beside),
];
const SETTINGS: [(&str, Setting); 24] = [
    ("meadow", Setting::Meadow),
    ("hills", Setting::Hills),
    ("mountains", Setting::Mountains),
    ("forest", Setting::Forest),
    ("jungle", Setting::Jungle),
    ("desert", Setting::Desert),
    ("beach", Setting::Beach),
    ("sea", Setting::Sea),
    ("underwater", Setting::Underwater),
    ("river", Setting::River),
    ("lake", Setting::Lake),
    ("city", Setting::City),
    ("village", Setting::Village),
    ("road", Setting::Road),
    ("garden", Setting::Garden),
    ("room", Setting::Room),
    ("table", Setting::Table),
    ("sky", Setting::Sky),
    ("space", Setting::Space),
    ("snowfield", Setting::Snowfield),
    ("pattern", Setting::Pattern),
    ("poster", Setting::Poster),
    ("portrait", Setting::Portrait),
    ("abstract", Setting::Abstract),
];
const HOURS: [(&str, Hour); 6] = [
    ("dawn", Hour::Dawn),
    ("day", Hour::Day),
    ("golden-hour", Hour::GoldenHour),
    ("sunset", Hour::Sunset),
    ("dusk", Hour::Dusk),
    ("night", Hour::Night),
];
const SEASONS: [(&str, Season); 4] = [
    ("spring", Season::Spring),
    ("summer", Season::Summer),
    ("autumn", Season::Autumn),
    ("winter", Season::Winter),
];
const WEATHERS: [(&str, Weather); 6] = [
    ("rain", Weather::Rain),
    ("snow", Weather::Snow),
    ("fog", Weather::Fog),
    ("storm", Weather::Storm),
    ("wind", Weather::Wind),
    ("cloudy", Weather::Cloudy),
];
const MOODS: [(&str, Mood); 8] = [
    ("calm", Mood::Calm),
    ("joyful", Mood::Joyful),
    ("dreamy", Mood::Dreamy),
    ("melancholy", Mood::Melancholy),
    ("dramatic", Mood::Dramatic),
    ("mysterious", Mood::Mysterious),
    ("cosy", Mood::Cosy),
    ("energetic", Mood::Energetic),
];
