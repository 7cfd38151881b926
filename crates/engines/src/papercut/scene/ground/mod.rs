//! This owns places out of doors: it puts sky, land, water and ground together and says where figures can stand.

mod grove;
mod land;
mod near;
mod sky;
mod water;

use kernel::Result;

use super::super::colour::Palette;
use super::super::layout::Layout;
use super::super::reading::{Reading, Setting};
use super::canvas::{Canvas, Dice};
use super::{Layer, Stage};

pub(super) use near::foreground;

/// Builds the place and says where figures can stand.
pub(super) fn place(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    layout: Layout,
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<Stage> {
    if reading.setting == Setting::Underwater {
        return water::deep(canvas, palette, layout.focus.unwrap_or(0.5), dice, layer);
    }
    sky::sky(canvas, reading, palette, dice);
    layer(2, None)?;
    let usual = match reading.setting {
        Setting::Sky => 0.93,
        Setting::Sea | Setting::Lake | Setting::River => 0.58,
        Setting::Mountains => 0.66,
        _ => 0.62,
    } + dice.range(-0.03, 0.03);
    let horizon = layout.horizon.filter(|_| reading.setting != Setting::Sky).unwrap_or(usual);
    land::backdrop(canvas, reading, palette, dice, horizon);
    layer(3, Some(canvas))?;
    let water = water::waters(canvas, reading, palette, dice, horizon);
    land::middle(canvas, reading, palette, dice, horizon, water.is_some());
    layer(4, None)?;
    let ground = near::near(canvas, reading, palette, dice, water.is_some());
    layer(5, Some(canvas))?;
    let hero = if reading.setting == Setting::Sky { 0.42 } else { 0.50 };
    Ok(Stage {
        ground,
        back: horizon + 0.06,
        hero,
        water,
        sky: horizon * 0.46,
        focus: layout.focus.unwrap_or(0.5),
    })
}
