//! This owns framing: where the horizon lies, how large the hero is, where it stands, and from where the light falls.

use super::super::layout::Layout;
use super::super::reading::{Hour, Nature, Reading, Setting};
use super::canvas::{Canvas, Dice};

/// How a picture is framed, in shares of its sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shot {
    /// Height of the horizon.
    pub horizon: f32,
    /// Height of a lone hero.
    pub hero: f32,
    /// Where the hero stands.
    pub focus: f32,
    /// Where sun or moon stand.
    pub sun: (f32, f32),
    /// Radius of sun or moon, as a share of the shorter side.
    pub radius: f32,
}

/// Ranges from which a frame is diced: horizon, hero, distance of the hero from the middle.
struct Frame {
    horizon: (f32, f32),
    hero: (f32, f32),
    off: (f32, f32),
}

/// The hero fills the picture.
const CLOSE: Frame = Frame { horizon: (0.46, 0.56), hero: (0.54, 0.62), off: (0.0, 0.06) };
/// The hero stands on a third.
const THIRDS: Frame = Frame { horizon: (0.55, 0.66), hero: (0.40, 0.47), off: (0.10, 0.17) };
/// A small hero in a wide land, under much sky.
const WIDE: Frame = Frame { horizon: (0.68, 0.75), hero: (0.24, 0.31), off: (0.08, 0.20) };
/// Seen from above: much ground.
const ABOVE: Frame = Frame { horizon: (0.36, 0.43), hero: (0.36, 0.44), off: (0.04, 0.16) };
/// A lone hero is at least so high in stones, stitches and panes.
const COARSE_HERO_MIN: f32 = 0.56;
/// Much air, for what flies.
const AIR: Frame = Frame { horizon: (0.74, 0.84), hero: (0.34, 0.48), off: (0.0, 0.14) };

/// The frame that suits what is to be seen, and how finely it is printed.
pub(super) fn choose(
    canvas: &Canvas,
    reading: &Reading,
    (layout, coarse): (Layout, bool),
    dice: &mut Dice,
) -> Shot {
    let hero = reading.subjects.iter().find(|subject| subject.figure.nature != Nature::Celestial);
    let several = reading.subjects.len() > 1 || hero.is_some_and(|subject| subject.count > 2);
    let frames: &[Frame] = match hero.map(|subject| subject.figure.nature) {
        None => &[WIDE, ABOVE, THIRDS],
        Some(Nature::Flying) => &[AIR],
        Some(Nature::Bust | Nature::Symbol | Nature::Tabletop) => &[CLOSE],
        Some(Nature::Building) if several => &[THIRDS],
        Some(Nature::Building) => &[THIRDS, WIDE, CLOSE],
        Some(_) if several => &[THIRDS, ABOVE],
        Some(Nature::Floating) => &[THIRDS, WIDE, THIRDS, CLOSE],
        Some(_) => &[CLOSE, THIRDS, WIDE, THIRDS, ABOVE],
    };
    let frame = &frames[dice.below(frames.len())];
    let side = dice.side();
    let mut range = |(low, high)| dice.range(low, high);
    let horizon = match reading.setting {
        Setting::Sky => 0.93,
        // Towers of a city and peaks need room above the horizon.
        Setting::City | Setting::Mountains => range(frame.horizon).max(0.56),
        _ => range(frame.horizon),
    };
    let focus = layout.focus.unwrap_or(0.5 + side * range(frame.off));
    let wide = range(frame.hero);
    // Stones and stitches dissolve what is small.
    let wide = if coarse { wide.max(COARSE_HERO_MIN) } else { wide };
    let low = matches!(reading.hour, Hour::Dawn | Hour::Sunset | Hour::GoldenHour);
    // Now and then the light stands right behind the hero, most often on the other side.
    let behind = range((0.0, 1.0)) < if low { 0.4 } else { 0.15 };
    let sun_x = if behind { focus + range((-0.06, 0.06)) } else { 0.5 - side * range((0.16, 0.32)) };
    let horizon = layout.horizon.filter(|_| reading.setting != Setting::Sky).unwrap_or(horizon);
    let radius = match (low, wide < 0.32) {
        (true, true) => range((0.17, 0.26)),
        (true, false) => range((0.13, 0.19)),
        (false, _) => range((0.055, 0.11)),
    };
    let reach = radius * canvas.unit() / canvas.height();
    let sun_y = if low { horizon - reach * range((-0.1, 1.0)) } else { horizon * range((0.2, 0.42)) };
    let sun = (sun_x.clamp(0.12, 0.88), sun_y.min(0.7).max(reach * 1.7 + 0.02));
    Shot { horizon, hero: wide, focus, sun, radius }
}
