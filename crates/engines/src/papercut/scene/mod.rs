//! This owns composing: which layers a place has, from back to front. It does not place the figures (see `stage`).

mod canvas;
mod cut;
mod figure;
mod flat;
mod ground;
mod indoors;
mod medallion;
mod shot;
mod stage;
mod tied;
mod weather;

use kernel::Result;

pub(super) use canvas::{Canvas, Dice};
use stage::figures;

use super::colour::Palette;
use super::layout::Layout;
use super::reading::{Nature, Reading, Setting};

/// Hears of each layer.
pub(super) type Layer<'a> = &'a mut dyn FnMut(u32, Option<&Canvas>) -> Result<()>;

/// Depths of the layers; figures stand between them.
pub(super) mod depth {
    pub(in super::super) const SKY: u8 = 1;
    pub(in super::super) const DISC: u8 = 2;
    pub(in super::super) const CLOUD: u8 = 3;
    pub(in super::super) const FAR: u8 = 4;
    pub(in super::super) const MID: u8 = 6;
    pub(in super::super) const BEHIND: u8 = 8;
    pub(in super::super) const NEAR: u8 = 9;
    pub(in super::super) const HERO: u8 = 11;
    pub(in super::super) const FORE: u8 = 13;
}

/// Composes a scene on a canvas; for a coarse print the hero is larger.
pub(super) fn compose(
    canvas: &mut Canvas,
    reading: &Reading,
    palette: &Palette,
    (layout, coarse): (Layout, bool),
    dice: &mut Dice,
    layer: Layer<'_>,
) -> Result<()> {
    match reading.setting {
        Setting::Pattern => flat::pattern(canvas, reading, palette, dice, layer),
        Setting::Abstract => flat::shapes(canvas, palette, dice, layer),
        Setting::Poster | Setting::Portrait => flat::poster(canvas, reading, palette, dice, layer),
        Setting::Room | Setting::Table => {
            let focus = layout.focus.unwrap_or(0.5 + dice.range(-0.1, 0.1));
            let stage = indoors::room(canvas, reading, palette, focus, dice);
            layer(4, Some(canvas))?;
            figures(canvas, reading, palette, dice, stage, layer)
        }
        _ => {
            let mut shot = shot::choose(canvas, reading, (layout, coarse), dice);
            // A head that stood among trees would be a giant's: it is framed.
            let framed = reading.subjects.first().is_some_and(|s| s.figure.nature == Nature::Bust);
            if framed {
                shot.focus = 0.5;
            }
            let mut stage = ground::place(canvas, reading, palette, shot, dice, layer)?;
            if framed {
                stage.bust = medallion::BUST_FEET;
            }
            figures(canvas, reading, palette, dice, stage, layer)?;
            if !framed {
                ground::foreground(canvas, reading, palette, shot, dice);
            }
            weather::fall(canvas, reading, palette, dice);
            if framed {
                medallion::frame(canvas, palette, dice);
            }
            layer(9, Some(canvas))
        }
    }
}
