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
    ["#8a5a38", "#6a4026"],
    ["#6a452f", "#4c2f20"],
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
