//! This owns places out of doors: it puts sky, land, water and ground together and says where figures can stand.

mod frame;
mod grove;
mod land;
mod near;
mod rise;
mod sky;
mod water;

use kernel::Result;

use super::super::colour::Palette;
use super::super::reading::{Reading, Setting};
use super::Layer;
use super::canvas::{Canvas, Dice};
use super::shot::Shot;
use super::stage::{BUST_FEET, Stage, drawn_in_sky};

pub(super) use frame::foreground;

/// Builds the place and says where figures can stand.
pub(super) fn place(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    shot: Shot,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<Stage> {
    if reading.setting == Setting::Underwater {
        return water::deep(canvas, palette, shot, dice, layer);
    }
    sky::sky(canvas, reading, palette, &shot, dice);
    layer(2, None)?;
    let horizon = shot.horizon;
    land::backdrop(canvas, reading, palette, dice, horizon);
    layer(3, Some(canvas))?;
    let water = water::waters(canvas, reading, palette, dice, &shot);
    land::middle(canvas, reading, palette, dice, horizon, water.is_some());
    layer(4, None)?;
    let bare = matches!(reading.setting, Setting::Meadow | Setting::Hills | Setting::Garden | Setting::Road);
    if bare && reading.subjects.iter().all(|subject| drawn_in_sky(subject).is_some()) {
        land::lone_tree(canvas, palette, &shot, dice);
    }
    let risen = rise::rise(canvas, reading, palette, &shot, water, dice);
    let ground = near::near(canvas, reading, palette, dice, (horizon, water.is_some()));
    layer(5, Some(canvas))?;
    let (ground, back) = match risen {
        Some(top) if reading.setting == Setting::Sea => (top + 0.012, top + 0.008),
        Some(top) => (ground, top + 0.012),
        None => (ground, horizon + (ground - horizon) * 0.3),
    };
    let sky = horizon * 0.46;
    let shore = reading.setting == Setting::Beach;
    Ok(Stage { ground, back, hero: shot.hero, water, sky, focus: shot.focus, shore, bust: BUST_FEET })
}
