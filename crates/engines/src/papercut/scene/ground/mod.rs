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
use super::canvas::{Canvas, Dice};
use super::shot::Shot;
use super::stage::Stage;
use super::{Layer, depth};

pub(super) use frame::foreground;
pub(super) use rise::{Rise, rise};

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
    let ground = near::near(canvas, reading, palette, dice, (horizon, water.is_some()));
    layer(5, Some(canvas))?;
    let rise = match reading.setting {
        Setting::Sea => Some(Rise::Island),
        Setting::Sky | Setting::Space | Setting::City | Setting::Beach => None,
        _ => Some(Rise::Hill),
    };
    let back = horizon + (ground - horizon) * 0.3;
    let sky = horizon * 0.46;
    Ok(Stage { ground, back, hero: shot.hero, water, sky, focus: shot.focus, rise })
}
