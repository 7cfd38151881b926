//! This owns the skin of people: the sets print it in a yellow, the packer marks it, and here each gets a natural tone.

use super::reading::Reading;
use super::scene::Dice;

/// Colours by which the packer marks skin, and skin in shade.
pub const MARKS: [&str; 2] = ["#fe01d1", "#fe01d2"];
/// Tones of skin and of its shade, from light to dark.
const TONES: [[&str; 2]; 6] = [
    ["#f2cfae", "#dcab84"],
    ["#e8b98f", "#cc9464"],
    ["#d09a6b", "#ae7648"],
    ["#b07a4e", "#8c5a34"],
    ["#966442", "#744a2e"],
    ["#7c5238", "#5c3a28"],
];

/// The reading with a tone of skin for everybody in it.
pub(super) fn toned(reading: &Reading, dice: &mut Dice) -> Reading {
    let mut reading = reading.clone();
    for subject in &mut reading.subjects {
        let tones = TONES[dice.below(TONES.len())];
        let svg = &subject.figure.svg;
        if MARKS.iter().any(|mark| svg.contains(mark)) {
            let [skin, shade] = MARKS;
            subject.figure.svg = svg.replace(skin, tones[0]).replace(shade, tones[1]).into();
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::reading::{Figure, Hour, Nature, Setting, Subject, Weather};
    use super::*;

    #[test]
    fn everybody_gets_a_tone_and_not_all_the_same() {
        let svg = format!("<svg><path fill='{}'/><path fill='{}'/></svg>", MARKS[0], MARKS[1]);
        let figure = Figure {
            name: "t".into(),
            svg: svg.into(),
            nature: Nature::Grounded,
            height_m: 1.7,
            inner: None,
        };
        let reading = Reading {
            subjects: vec![Subject { figure, count: 1, colour: None, weight: 1.0, tie: None }],
            setting: Setting::Meadow,
            hour: Hour::Day,
            season: None,
            weather: Weather::Clear,
            mood: None,
            technique: None,
            colours: Vec::new(),
        };
        let drawn = |seed| toned(&reading, &mut Dice::new(seed)).subjects[0].figure.svg.to_string();
        let tones: HashSet<String> = (0..40).map(drawn).collect();
        assert_eq!(tones.len(), TONES.len());
        assert!(tones.iter().all(|svg| MARKS.iter().all(|mark| !svg.contains(mark))));
    }
}
