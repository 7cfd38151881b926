//! This owns where a figure goes that is tied to another: on its back, on its seat, in its hull, on its head, beneath it.

use super::super::reading::{How, Nature, Subject};
use super::canvas::Canvas;
use super::figure::Placing;

/// How high the back of what is ridden lies, as a share of its height.
const BACK_SHARE: f32 = 0.66;
/// How high the hips of a rider lie.
const HIP_SHARE: f32 = 0.46;
/// How much of the hull covers who is in it.
const HULL_SHARE: f32 = 0.14;
/// A rider's height as a share of what it rides.
const RIDER_RANGE: (f32, f32) = (0.5, 0.9);
/// The height of who sits on or in a thing, as a share of it.
const SITTER_RANGE: (f32, f32) = (0.3, 0.8);
/// What is worn or held, as a share of its bearer's height.
const WORN_RANGE: (f32, f32) = (0.2, 0.75);
/// Sizes differ less than in nature.
const GENTLE: f32 = 0.7;
/// How far below the boat swims what is beneath it, and how much the water takes of it.
const DIVE: f32 = 0.05;
const DEEP_HAZE: f32 = 0.35;

/// Where a tied figure goes, from where it would stand alone and where its other is put.
pub(super) fn placing(
    how: How,
    (subject, own): (&Subject, Placing),
    (bearer, other): (&Subject, Placing),
    canvas: &Canvas,
) -> Placing {
    // Heights are shares of another length than feet are.
    let down = Placing::whole(canvas) / canvas.height();
    let natural = (subject.figure.height_m / bearer.figure.height_m.max(0.01)).powf(GENTLE);
    let sized = |(low, high): (f32, f32)| other.height * natural.clamp(low, high);
    let above = |share: f32| other.feet - other.height * down * share;
    let free = Placing { shadow: 0.0, reflect: false, cut: None, ..other };
    match how {
        How::Astride => {
            let height = sized(RIDER_RANGE);
            Placing { height, feet: above(BACK_SHARE) + height * down * HIP_SHARE, ..free }
        }
        How::On(share) => Placing { height: sized(SITTER_RANGE), feet: above(share), ..free },
        How::In => Placing { height: sized(SITTER_RANGE), feet: above(HULL_SHARE), ..free },
        How::Worn(share) => Placing { height: sized(WORN_RANGE), feet: above(share), ..free },
        How::Under if bearer.figure.nature == Nature::Floating => {
            let line = other.cut.unwrap_or(other.feet);
            let feet = (line + DIVE + own.height * down).min(0.97);
            Placing { x: other.x, feet, haze: DEEP_HAZE, shadow: 0.0, reflect: false, cut: None, ..own }
        }
        How::Under => Placing { x: other.x, feet: own.feet + 0.012, ..own },
    }
}
