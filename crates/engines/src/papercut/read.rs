//! This owns reading a prompt: subjects with count and colour, and everything else that decides a scene.
//! It keeps no word of the prompt; what it returns is made of library figures and plain choices.

use kernel::{Prompt, purpose};
use search::meaning::Encoder;

use super::lexicon::{Between, LEXICON, Said};
use super::library::Library;
use super::reading::{Figure, Hour, Mood, Nature, Reading, Season, Setting, Subject, Technique, Weather};
use super::ties;

/// Characters of a prompt that are read; subjects stand at its beginning.
const READ_CHARS_MAX: usize = 1_200;
/// Words of a phrase that may name one figure.
const PHRASE_WORDS_MAX: usize = 4;
/// Characters of a name in a script without spaces.
const NAME_CHARS_MAX: usize = 6;
/// Subjects of one picture.
const SUBJECTS_MAX: usize = 5;
/// Named figures weigh at least this, guessed ones less.
const NAMED_WEIGHT_MIN: f32 = 0.65;
/// Words whose meaning is looked up because no keyword matched.
const MEANINGS_MAX: usize = 8;
/// Colours named for the whole picture.
const COLOURS_MAX: usize = 6;

/// A word, or one character of a script without spaces.
type Tokens = Vec<String>;

fn tokens(text: &str) -> Tokens {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for c in text.chars().take(READ_CHARS_MAX).flat_map(char::to_lowercase) {
        let alone = matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{0e00}'..='\u{0e7f}');
        // The signs that join Devanagari letters are no letters themselves.
        let joins = matches!(c, '-' | '\'' | '\u{093c}' | '\u{094d}');
        if !alone && (c.is_alphanumeric() || joins) {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if alone {
            tokens.push(c.to_string());
        } else if c.is_ascii_punctuation() || matches!(c, '，' | '。' | '、' | '！' | '\n') {
            tokens.push(String::new());
        }
    }
    tokens.push(word);
    tokens
}

/// What is waiting for its noun.
#[derive(Default)]
struct Pending {
    count: Option<u32>,
    colour: Option<[u8; 3]>,
    /// What the word of the colour names as well, such as a rose or an orange.
    thing: Option<Figure>,
    negated: bool,
}

struct Reader<'a> {
    library: &'a Library,
    encoder: Option<&'a Encoder>,
    meanings_left: usize,
    subjects: Vec<Subject>,
    /// Whether the phrase before named a subject.
    just_named: bool,
    settings: Vec<Setting>,
    hour: Option<Hour>,
    season: Option<Season>,
    weather: Option<Weather>,
    mood: Option<Mood>,
    technique: Option<Technique>,
    colours: Vec<[u8; 3]>,
    /// A word that waits for the second of its subjects, and the name of the first.
    between: Option<(Between, String)>,
    said: Vec<ties::Said>,
}

/// Reads a prompt. Without a library there are no subjects; without an encoder, only those named by a keyword.
#[must_use]
pub fn read(prompt: &Prompt, library: &Library, encoder: Option<&Encoder>) -> Reading {
    let mut reader = Reader {
        library,
        encoder,
        meanings_left: MEANINGS_MAX,
        subjects: Vec::new(),
        just_named: false,
        settings: Vec::new(),
        hour: None,
        season: None,
        weather: None,
        mood: None,
        technique: None,
        colours: Vec::new(),
        between: None,
        said: Vec::new(),
    };
    reader.walk(&tokens(prompt.reveal(purpose::Develop)));
    reader.finish()
}

impl Reader<'_> {
    fn walk(&mut self, tokens: &[String]) {
        let mut pending = Pending::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if token.is_empty() {
                self.just_named = false;
                self.between = None;
                self.let_go(std::mem::take(&mut pending));
                at += 1;
                continue;
            }
            at += self.take(tokens, at, &mut pending);
        }
        self.let_go(pending);
    }

    /// A colour that no noun took colours the picture, or was a thing itself.
    fn let_go(&mut self, mut pending: Pending) {
        match pending.thing.take() {
            Some(thing) if !pending.negated => {
                pending.colour = None;
                self.subject(thing, 0.9, 1, &mut pending);
            }
            _ => self.colours.extend(pending.colour),
        }
    }

    /// Takes the longest phrase that means something; returns how many tokens it had.
    fn take(&mut self, tokens: &[String], at: usize, pending: &mut Pending) -> usize {
        let alone = tokens.get(at).is_some_and(|token| token.chars().count() == 1 && !token.is_ascii());
        let longest = if alone { NAME_CHARS_MAX } else { PHRASE_WORDS_MAX };
        for length in (1..=longest.min(tokens.len() - at)).rev() {
            let Some(part) =
                tokens.get(at..at + length).filter(|part| part.iter().all(|token| !token.is_empty()))
            else {
                continue;
            };
            let phrase = part.join(if alone { "" } else { " " });
            if self.phrase(&phrase, pending) {
                return length;
            }
        }
        let phrase = tokens.get(at).map(String::as_str).unwrap_or_default();
        self.guess(phrase, pending);
        1
    }

    /// Whether the phrase is known to the lexicon or the library.
    fn phrase(&mut self, phrase: &str, pending: &mut Pending) -> bool {
        let said = LEXICON.said.get(phrase).or_else(|| LEXICON.said.get(stem(phrase)?.as_str()));
        let just_named = self.just_named;
        let negated = pending.negated;
        for said in said.into_iter().flatten() {
            match *said {
                Said::Negation => pending.negated = true,
                Said::Count(count) if just_named && LEXICON.after.contains(phrase) => {
                    if let Some(subject) = self.subjects.last_mut() {
                        subject.count = count;
                    }
                }
                Said::Count(count) => pending.count = Some(count),
                Said::Colour(colour) if just_named && LEXICON.after.contains(phrase) => {
                    if let Some(subject) = self.subjects.last_mut() {
                        subject.colour = Some(colour);
                    }
                }
                Said::Colour(colour) => {
                    pending.colour = Some(colour);
                    pending.thing = self.library.named(phrase);
                }
                _ if negated => {}
                Said::Setting(setting) => {
                    pending.colour = None;
                    self.between = None;
                    self.settings.push(setting);
                }
                Said::Hour(hour) => self.hour = self.hour.or(Some(hour)),
                Said::Season(season) => self.season = self.season.or(Some(season)),
                Said::Weather(weather) => self.weather = self.weather.or(Some(weather)),
                Said::Mood(mood) => self.mood = self.mood.or(Some(mood)),
                Said::Technique(technique) => self.technique = self.technique.or(Some(technique)),
            }
        }
        if said.is_some() {
            self.just_named = false;
            pending.negated &= said.is_some_and(|all| all.contains(&Said::Negation));
            return true;
        }
        if let Some(between) = LEXICON.between.get(phrase) {
            self.between = self.subjects.last().map(|first| (*between, first.figure.name.clone()));
            self.just_named = false;
            return true;
        }
        if LEXICON.stop.contains(phrase) {
            return false;
        }
        let one = stem(phrase).and_then(|one| self.library.named(&one));
        match self.library.named(phrase).or_else(|| one.clone()) {
            Some(figure) => {
                // A plural may have a name of its own; it still means several.
                let plural = phrase.is_ascii() && one.is_some_and(|one| one.name == figure.name);
                self.just_named = true;
                self.subject(figure, 1.0, if plural { 3 } else { 1 }, pending);
                true
            }
            None => false,
        }
    }

    /// A single word that nothing knows: perhaps a tag, perhaps near in meaning to a figure.
    fn guess(&mut self, word: &str, pending: &mut Pending) {
        self.just_named = false;
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        if letters < 3 || LEXICON.stop.contains(word) || word.chars().any(|c| c.is_ascii_digit()) {
            return;
        }
        if let Some(figure) = self.library.tagged(word).filter(|figure| figure.nature != Nature::Symbol) {
            return self.subject(figure, 0.6, 1, pending);
        }
        let Some(encoder) = self.encoder.filter(|_| self.meanings_left > 0 && self.subjects.len() < 2) else {
            return;
        };
        self.meanings_left -= 1;
        if let Some(figure) = self.library.meant(encoder, word) {
            self.subject(figure, 0.5, 1, pending);
        }
    }

    fn subject(&mut self, figure: Figure, weight: f32, plural_count: u32, pending: &mut Pending) {
        let pending = std::mem::take(pending);
        let between = self.between.take();
        if pending.negated || self.subjects.iter().any(|subject| subject.figure.name == figure.name) {
            return;
        }
        let count = pending.count.filter(|count| *count > 1).unwrap_or(plural_count).clamp(1, 12);
        let central = 1.0 - 0.08 * self.subjects.len().min(SUBJECTS_MAX - 1) as f32;
        if let Some((between, first)) = between {
            self.said.push(ties::Said { first, between, second: figure.name.clone() });
        }
        let weight = weight * central;
        self.subjects.push(Subject { figure, count, colour: pending.colour, weight, tie: None });
    }

    fn finish(mut self) -> Reading {
        self.subjects.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        // Beside a thing that was named, what was only guessed is more often wrong than right.
        if self.subjects.iter().any(|subject| subject.weight >= NAMED_WEIGHT_MIN) {
            self.subjects.retain(|subject| subject.weight >= NAMED_WEIGHT_MIN);
        }
        ties::drop_held(&mut self.subjects);
        self.subjects.truncate(SUBJECTS_MAX);
        ties::tie(&mut self.subjects, &self.said);
        self.colours.dedup();
        self.colours.truncate(COLOURS_MAX);
        if ties::wintry(&self.subjects, &self.settings) {
            self.season = self.season.or(Some(Season::Winter));
        }
        let has = |nature: Nature| self.subjects.iter().any(|subject| subject.figure.nature == nature);
        // A place wins over the form of the picture, unless nothing but a form was named.
        let form = |setting: &Setting| {
            matches!(setting, Setting::Poster | Setting::Portrait | Setting::Sky | Setting::Abstract)
        };
        let named = self.settings.iter().find(|s| !form(s)).or(self.settings.first()).copied();
        let setting =
            named.unwrap_or_else(|| match self.subjects.first().map(|subject| subject.figure.nature) {
                _ if has(Nature::Swimming) && !has(Nature::Floating) => Setting::Underwater,
                _ if has(Nature::Floating) => Setting::Sea,
                Some(Nature::Tabletop) if has(Nature::Grounded) && self.hour == Some(Hour::Night) => {
                    Setting::Meadow
                }
                Some(Nature::Tabletop) => Setting::Table,
                Some(Nature::Flying) if has(Nature::Plant) => Setting::Garden,
                Some(Nature::Flying) if has(Nature::Grounded) || has(Nature::Building) => Setting::Hills,
                Some(Nature::Flying) => Setting::Sky,
                Some(Nature::Bust) => Setting::Portrait,
                Some(Nature::Symbol) => Setting::Poster,
                Some(Nature::Vehicle) => Setting::Road,
                Some(Nature::Building) => Setting::Hills,
                Some(Nature::Plant) => Setting::Garden,
                _ if self.season == Some(Season::Winter) || self.weather == Some(Weather::Snow) => {
                    Setting::Snowfield
                }
                _ => Setting::Meadow,
            });
        let moon = self.subjects.iter().any(|subject| subject.figure.name.contains("moon"));
        let hour =
            self.hour.unwrap_or(if moon || setting == Setting::Space { Hour::Night } else { Hour::Day });
        let winter = self.season == Some(Season::Winter);
        Reading {
            subjects: self.subjects,
            setting,
            hour,
            season: self.season,
            weather: self.weather.unwrap_or(if winter { Weather::Snow } else { Weather::Clear }),
            mood: self.mood,
            technique: self.technique,
            colours: self.colours,
        }
    }
}

/// A word without its ending: the singular of a plural, a Korean noun without its particle.
fn stem(word: &str) -> Option<String> {
    if word.chars().all(|c| ('가'..='힣').contains(&c)) {
        let cut = LEXICON.particles.iter().find_map(|end| word.strip_suffix(end.as_str()));
        return cut.filter(|stem| !stem.is_empty()).map(str::to_owned);
    }
    singular(word)
}

/// The singular of a plural in the Latin-script languages, by its ending.
fn singular(word: &str) -> Option<String> {
    if !word.is_ascii() || word.len() < 4 {
        return None;
    }
    let cut = |end: &str, with: &str| word.strip_suffix(end).map(|stem| format!("{stem}{with}"));
    cut("ies", "y").or_else(|| cut("ves", "f")).or_else(|| {
        let es = ["xes", "shes", "ches", "sses"].iter().any(|end| word.ends_with(end));
        if es {
            cut("es", "")
        } else if word.ends_with("ss") {
            None
        } else {
            cut("s", "")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_plain(text: &str) -> Reading {
        read(&Prompt::parse(text).unwrap(), &Library::empty(), None)
    }

    #[test]
    fn place_hour_weather_season_mood_and_technique_are_read_in_many_languages() {
        for (text, setting, hour) in [
            ("a lighthouse by the sea at night", Setting::Sea, Hour::Night),
            ("森林里的日出", Setting::Forest, Hour::Dawn),
            ("夜の街", Setting::City, Hour::Night),
            ("ein Berg im Sonnenuntergang", Setting::Mountains, Hour::Sunset),
            ("une plage au crépuscule", Setting::Beach, Hour::Dusk),
            ("un bosque de noche", Setting::Forest, Hour::Night),
        ] {
            let reading = read_plain(text);
            assert_eq!((reading.setting, reading.hour), (setting, hour), "{text}");
        }
        let reading = read_plain("a foggy autumn valley, melancholy, linocut, in blue and gold");
        assert_eq!(reading.weather, Weather::Fog);
        assert_eq!(reading.season, Some(Season::Autumn));
        assert_eq!(reading.mood, Some(Mood::Melancholy));
        assert_eq!(reading.technique, Some(Technique::Linocut));
        assert!(!reading.colours.is_empty());
        assert_eq!(read_plain("a meadow without rain").weather, Weather::Clear);
    }

    #[test]
    fn the_lexicon_is_whole() {
        assert!(LEXICON.said.len() > 500);
        assert!(
            LEXICON.said.values().all(|said| !said.is_empty()),
            "a heading of the lexicon has no meaning"
        );
    }

    #[test]
    fn the_longest_prompt_is_read_in_bounds() {
        let reading = read_plain(&"{\"camera\": \"85mm, bokeh\"} ".repeat(600));
        assert!(reading.subjects.is_empty());
    }
}
