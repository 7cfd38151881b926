//! This owns how subjects are to each other: what rides, sits, wears, or is seen in another already.
//! Which words and which figures say so stands in the lexicon.

use super::lexicon::{Between, LEXICON};
use super::reading::{How, Nature, Setting, Subject, Tie};

/// What was said between two subjects, by their names in the library.
pub(super) struct Said {
    pub first: String,
    pub between: Between,
    pub second: String,
}

/// Where something stands on a thing that is neither ridden nor a seat.
const TOP_SHARE: f32 = 0.9;

/// The name of a figure without its set.
fn plain(name: &str) -> &str {
    name.split(':').nth(1).unwrap_or(name)
}

/// Leaves out what another subject shows already: the boat of a fisherman in a boat.
pub(super) fn drop_held(subjects: &mut Vec<Subject>) {
    let held: Vec<String> = subjects
        .iter()
        .filter_map(|subject| LEXICON.holds.get(plain(&subject.figure.name)))
        .flatten()
        .cloned()
        .collect();
    subjects.retain(|subject| !held.iter().any(|name| name == plain(&subject.figure.name)));
}

/// Whether a figure says that it is winter, in a place where there are winters.
pub(super) fn wintry(subjects: &[Subject], settings: &[Setting]) -> bool {
    let warm = [Setting::Desert, Setting::Beach, Setting::Jungle, Setting::Underwater, Setting::Pattern];
    subjects.iter().any(|subject| LEXICON.wintry.contains(plain(&subject.figure.name)))
        && !settings.iter().any(|setting| warm.contains(setting))
}

/// Ties the subjects of what was said between them.
pub(super) fn tie(subjects: &mut [Subject], said: &[Said]) {
    for Said { first, between, second } in said {
        let place = |name: &str| subjects.iter().position(|subject| subject.figure.name == name);
        let (Some(first), Some(second)) = (place(first), place(second)) else { continue };
        let [from, to] = [first, second].map(|place| subjects.get(place));
        let (Some(one), Some(other)) = (from, to) else { continue };
        // What is worn is tied to its bearer; of all others the first is tied to the second.
        let (at, to, how) = match LEXICON.worn.get(plain(&other.figure.name)) {
            Some(share) if *between != Between::Beside => (second, first, Some(How::Worn(*share))),
            _ => (first, second, way(*between, one, other)),
        };
        // A tie between groups, or to what is tied itself, would not be seen.
        let free = subjects.get(to).is_some_and(|subject| subject.count == 1 && subject.tie.is_none());
        if let (Some(how), Some(subject), true) = (how, subjects.get_mut(at), free) {
            subject.tie = Some(Tie { to, how });
        }
    }
}

/// In what way one subject is to another.
fn way(between: Between, one: &Subject, other: &Subject) -> Option<How> {
    if matches!(one.figure.nature, Nature::Building | Nature::Celestial | Nature::Plant) {
        return None;
    }
    let nature = other.figure.nature;
    match between {
        Between::On | Between::In if nature == Nature::Floating => Some(How::In),
        Between::In if nature == Nature::Vehicle => Some(How::In),
        Between::On => match LEXICON.seat.get(plain(&other.figure.name)) {
            Some(share) => Some(How::On(*share)),
            None => match nature {
                Nature::Grounded | Nature::Vehicle | Nature::Swimming | Nature::Flying => Some(How::Astride),
                Nature::Plant | Nature::Tabletop | Nature::Building => Some(How::On(TOP_SHARE)),
                Nature::Floating | Nature::Celestial | Nature::Bust | Nature::Symbol => None,
            },
        },
        Between::Under if matches!(nature, Nature::Plant | Nature::Floating) => Some(How::Under),
        _ => None,
    }
}
