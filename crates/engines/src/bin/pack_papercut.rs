//! Packs the vector pictures of the fetched packages into the library file of Papercut.
//! Usage: `pack-papercut NODE_MODULES ENCODER_BIN OUT`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::path::Path;

use engines::papercut::library::{Library, NewEntry};
use engines::papercut::reading::Nature;
use search::meaning::{Embedding, Encoder};
use serde::Deserialize;
use serde_json::Value;

/// Languages whose names and tags are taken, English first.
const LANGUAGES: [&str; 16] =
    ["en", "zh", "zh-hant", "ja", "ko", "de", "fr", "es", "es-mx", "it", "nl", "pl", "pt", "ru", "th", "hi"];
/// Sets in the order of preference, with the side of their view box.
const SETS: [&str; 2] = ["fluent-emoji-flat", "noto"];

/// Which subgroups are taken, as what, and how high; and single figures that differ.
#[derive(Deserialize)]
struct Choices {
    subgroup: HashMap<String, (String, f32)>,
    figure: HashMap<String, (String, f32)>,
    set: HashMap<String, String>,
    skip: HashSet<String>,
    /// Colours in which the sets print skin, and skin in shade; marked, so that the engine gives it a natural tone.
    skin: [Vec<String>; 2],
    /// Further names, by figure.
    also: HashMap<String, Vec<String>>,
}

/// Silhouettes: in place of figures of the sets, and of things that the sets lack.
#[derive(Deserialize)]
struct Shapes {
    instead: BTreeMap<String, Cut>,
    more: BTreeMap<String, Cut>,
}

/// One silhouette and how it is printed.
#[derive(Deserialize)]
struct Cut {
    /// Name in the set.
    #[serde(default)]
    shape: String,
    /// Another set, of pictures that keep their colours.
    #[serde(default)]
    set: Option<String>,
    /// Drawn by hand, in place of a shape of a set: the body of an SVG, with its sides.
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    sides: Option<[f64; 2]>,
    /// sRGB in hex, of the shape and of what shows through its cuts.
    #[serde(default)]
    ink: String,
    #[serde(default)]
    inner: Option<String>,
    /// What kind of thing it is, and how high in metres.
    #[serde(rename = "as")]
    as_what: (String, f32),
    /// Its names in other languages, and other names.
    #[serde(default)]
    words: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: pack-papercut NODE_MODULES ENCODER_BIN OUT";
    let (modules, encoder, out) =
        (args.next().ok_or(usage)?, args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let modules = Path::new(&modules);
    let encoder = Encoder::from_bytes(std::fs::read(encoder)?)?;
    let choices: Choices = toml::from_str(include_str!("../papercut/choices.toml"))?;
    let icons = SETS.map(|set| json(&modules.join(format!("@iconify-json/{set}/icons.json"))));
    let icons =
        [icons[0].as_ref().map_err(ToString::to_string)?, icons[1].as_ref().map_err(ToString::to_string)?];
    let groups = json(&modules.join("emojibase-data/meta/groups.json"))?;
    let mut words: HashMap<String, Vec<String>> = HashMap::new();
    for language in LANGUAGES {
        collect_words(&json(&modules.join(format!("emojibase-data/{language}/data.json")))?, &mut words);
    }
    let english = json(&modules.join("emojibase-data/en/data.json"))?;
    let shapes: Shapes = toml::from_str(include_str!("../papercut/shapes.toml"))?;
    let sheet = json(&modules.join("@iconify-json/game-icons/icons.json"))?;
    // The first to claim a name has it, so what the sets lack comes first.
    let mut figures = Vec::new();
    for (name, cut) in &shapes.more {
        let label = name.replace('-', " ");
        let names = std::iter::once(&label).chain(&cut.words).map(|word| format!("={word}")).collect();
        let mut entry = silhouette(name, cut, (&sheet, icons), names, encoder.encode(&label))?;
        if cut.shape.contains("man") || cut.shape.starts_with("person") {
            mark_skin(&mut entry, &choices.skin);
        }
        figures.push(entry);
    }
    for emoji in english.as_array().into_iter().flatten() {
        let Some(mut entry) = figure(emoji, &choices, &groups, icons, &words, &encoder) else { continue };
        let name = entry.name.split_once(':').map_or("", |(_, name)| name).to_owned();
        // A face that smiles out of a landscape is no picture of a person; a walker is.
        let person = entry.nature == Nature::Bust && is_person(emoji, &groups);
        let human = is_person(emoji, &groups);
        let cut = shapes.instead.get(&name).or_else(|| shapes.instead.get("person").filter(|_| person));
        if let Some(cut) = cut {
            entry = silhouette(&name, cut, (&sheet, icons), entry.keywords, entry.meaning)?;
        }
        if human {
            mark_skin(&mut entry, &choices.skin);
        }
        figures.push(entry);
    }
    std::fs::write(out, Library::pack(&figures))?;
    Ok(())
}

/// Marks the skin of a figure.
fn mark_skin(entry: &mut NewEntry, skin: &[Vec<String>; 2]) {
    for (colours, mark) in skin.iter().zip(engines::papercut::skin::MARKS) {
        for colour in colours {
            entry.svg = entry.svg.replace(&format!("#{colour}"), mark);
            entry.svg = entry.svg.replace(&format!("#{}", colour.to_uppercase()), mark);
        }
    }
}

fn json(path: &Path) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// Whether an emoji stands in one of the subgroups of people.
fn is_person(emoji: &Value, groups: &Value) -> bool {
    let subgroup = emoji["subgroup"].as_u64().map(|number| number.to_string()).unwrap_or_default();
    groups["subgroups"][subgroup].as_str().is_some_and(|name| name.starts_with("person"))
}

fn collect_words(data: &Value, words: &mut HashMap<String, Vec<String>>) {
    for emoji in data.as_array().into_iter().flatten() {
        let code = emoji["hexcode"].as_str().unwrap_or_default().to_owned();
        let into = words.entry(code).or_default();
        into.push(format!("={}", emoji["label"].as_str().unwrap_or_default().to_lowercase()));
        into.extend(
            emoji["tags"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|tag| Some(tag.as_str()?.to_lowercase())),
        );
    }
}

fn slug(label: &str) -> String {
    let kept = label.to_lowercase().replace([' ', '_'], "-");
    kept.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

fn nature(name: &str) -> Option<Nature> {
    Some(match name {
        "grounded" => Nature::Grounded,
        "plant" => Nature::Plant,
        "building" => Nature::Building,
        "floating" => Nature::Floating,
        "swimming" => Nature::Swimming,
        "flying" => Nature::Flying,
        "celestial" => Nature::Celestial,
        "tabletop" => Nature::Tabletop,
        "vehicle" => Nature::Vehicle,
        "bust" => Nature::Bust,
        "symbol" => Nature::Symbol,
        _ => return None,
    })
}

/// The figure of a silhouette, printed in its inks.
fn silhouette(
    name: &str,
    cut: &Cut,
    (sheet, sets): (&Value, [&Value; 2]),
    keywords: Vec<String>,
    meaning: Embedding,
) -> Result<NewEntry, Box<dyn Error>> {
    let own_set = if cut.body.is_some() { "papercut" } else { "game-icons" };
    let own = SETS.iter().position(|set| cut.set.as_deref() == Some(*set));
    let sheet = own.and_then(|place| sets.get(place)).copied().unwrap_or(sheet);
    let icon = &sheet["icons"][&cut.shape];
    let drawn = cut.body.as_deref().or_else(|| icon["body"].as_str());
    let body = drawn.ok_or_else(|| format!("no shape {}", cut.shape))?;
    let side = |axis: &str| icon[axis].as_f64().or_else(|| sheet[axis].as_f64()).unwrap_or(512.0);
    let [wide, tall] = cut.sides.unwrap_or_else(|| [side("width"), side("height")]);
    let inked = body.replace("currentColor", &format!("#{}", cut.ink));
    let inner = cut.inner.as_deref().map(|hex| u32::from_str_radix(hex, 16)).transpose()?;
    let inner = inner.map(|rgb| rgb.to_be_bytes()).map(|[_, red, green, blue]| [red, green, blue]);
    Ok(NewEntry {
        name: format!("{}:{name}", cut.set.as_deref().unwrap_or(own_set)),
        nature: nature(&cut.as_what.0).ok_or_else(|| format!("{name} is of no known kind"))?,
        inner,
        height_m: cut.as_what.1,
        keywords,
        meaning,
        svg: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 {} {}\">{inked}</svg>",
            wide, tall
        ),
    })
}

fn figure(
    emoji: &Value,
    choices: &Choices,
    groups: &Value,
    icons: [&Value; 2],
    words: &HashMap<String, Vec<String>>,
    encoder: &Encoder,
) -> Option<NewEntry> {
    let label = emoji["label"].as_str()?;
    let name = slug(label);
    if choices.skip.contains(&name) {
        return None;
    }
    let subgroup = groups["subgroups"][emoji["subgroup"].as_u64()?.to_string()].as_str()?;
    let (kind, height_m) = choices.figure.get(&name).or_else(|| choices.subgroup.get(subgroup))?;
    let preferred = choices.set.get(&name).map(String::as_str);
    let mut sets: Vec<(&str, &Value)> = SETS.into_iter().zip(icons).collect();
    sets.sort_by_key(|(set, _)| preferred.is_some_and(|preferred| *set != preferred));
    let (set, icons, body) = sets.into_iter().find_map(|(set, icons)| {
        let icon = &icons["icons"][&name];
        Some((set, icons, icon["body"].as_str()?))
    })?;
    let side =
        |axis: &str| icons["icons"][&name][axis].as_f64().or_else(|| icons[axis].as_f64()).unwrap_or(32.0);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 {} {}\">{body}</svg>",
        side("width"),
        side("height")
    );
    let mut keywords = words.get(emoji["hexcode"].as_str()?)?.clone();
    // `dog face` is asked for as `dog` only where no whole dog exists, so the short name is a tag.
    keywords.extend(label.to_lowercase().strip_suffix(" face").map(str::to_owned));
    keywords.extend(choices.also.get(&name).into_iter().flatten().map(|more| format!("={more}")));
    let mut seen = HashSet::new();
    keywords.retain(|word| word.chars().count() > 1 || !word.is_ascii());
    keywords.retain(|word| seen.insert(word.clone()));
    Some(NewEntry {
        name: format!("{set}:{name}"),
        nature: nature(kind)?,
        inner: None,
        height_m: *height_m,
        keywords,
        meaning: encoder.encode(label),
        svg,
    })
}
