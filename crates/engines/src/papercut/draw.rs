//! This owns the making of one picture: choose, compose, print, and tell of each step.

use imaging::Picture;
use kernel::Result;

use super::colour;
use super::layout;
use super::print;
use super::reading::{Reading, Setting, Technique};
use super::scene::{self, Canvas, Dice};
use super::skin;

/// Steps that are reported: layers, printing, finishing.
pub(super) const STEPS: u32 = 10;
/// Turns among palettes; every number of palettes up to eight divides it.
const PALETTE_TURNS: usize = 840;
/// Longer side of a preview.
const PREVIEW_SIDE: u32 = 256;

/// Draws a reading at a size. The same arguments give the same picture. `report` hears of each step, with a preview now
/// and then, and stops the work by an error.
///
/// # Errors
/// What `report` returns, or `Internal` for a size of zero.
pub fn draw(
    reading: &Reading,
    size_px: (u32, u32),
    seed: u64,
    technique: Option<Technique>,
    reference: Option<&Picture>,
    report: &mut dyn FnMut(u32, u32, Option<Picture>) -> Result<()>,
) -> Result<Picture> {
    let mut dice = Dice::new(seed);
    let technique = technique.or(reading.technique).unwrap_or_else(|| suited(reading, &mut dice));
    let reading = &skin::toned(reading, &mut dice);
    let layout = reference.map(layout::of).unwrap_or_default();
    let reference = reference.map(|picture| imaging::palette(picture, 4)).unwrap_or_default();
    let palette = colour::choose(reading, dice.below(PALETTE_TURNS), &reference);
    report(1, STEPS, None)?;
    let mut canvas = Canvas::new(size_px, palette.sky_low)?;
    let coarse = matches!(technique, Technique::Mosaic | Technique::Embroidery | Technique::StainedGlass);
    let frame = (layout, coarse);
    scene::compose(&mut canvas, reading, &palette, frame, &mut dice, &mut |step, canvas| {
        report(step, STEPS, canvas.map(|canvas| preview(&canvas.sketch(2 * PREVIEW_SIDE))).transpose()?)
    })?;
    let printed = print::print(&canvas, &palette, technique, &mut dice);
    report(STEPS, STEPS, Some(preview(&printed)?))?;
    Ok(printed)
}

fn preview(picture: &Picture) -> Result<Picture> {
    imaging::fit(picture, PREVIEW_SIDE)
}

/// A technique that suits the place, where none was asked for.
fn suited(reading: &Reading, dice: &mut Dice) -> Technique {
    let choices: &[Technique] = match reading.setting {
        Setting::Sea | Setting::Mountains | Setting::Lake | Setting::River => {
            &[Technique::Woodblock, Technique::Risograph, Technique::PaperCut]
        }
        Setting::City | Setting::Poster | Setting::Road | Setting::Abstract => {
            &[Technique::Screenprint, Technique::Risograph]
        }
        Setting::Forest | Setting::Jungle => &[Technique::PaperCut, Technique::Linocut, Technique::Risograph],
        Setting::Pattern => &[Technique::Risograph, Technique::Screenprint],
        _ => &[Technique::Risograph, Technique::PaperCut, Technique::Screenprint],
    };
    choices[dice.below(choices.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::reading::{Figure, Hour, Nature, Subject, Weather};
    use super::*;

    const FOX: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><path fill='#f70' d='M4 28h24L16 4z'/></svg>";
    const SETTINGS: [Setting; 24] = [
        Setting::Meadow,
        Setting::Hills,
        Setting::Mountains,
        Setting::Forest,
        Setting::Jungle,
        Setting::Desert,
        Setting::Beach,
        Setting::Sea,
        Setting::Underwater,
        Setting::River,
        Setting::Lake,
        Setting::City,
        Setting::Village,
        Setting::Road,
        Setting::Garden,
        Setting::Room,
        Setting::Table,
        Setting::Sky,
        Setting::Space,
        Setting::Snowfield,
        Setting::Pattern,
        Setting::Poster,
        Setting::Portrait,
        Setting::Abstract,
    ];
    const NATURES: [Nature; 11] = [
        Nature::Grounded,
        Nature::Plant,
        Nature::Building,
        Nature::Floating,
        Nature::Swimming,
        Nature::Flying,
        Nature::Celestial,
        Nature::Tabletop,
        Nature::Vehicle,
        Nature::Bust,
        Nature::Symbol,
    ];

    /// Paper has a grain; what changes by no more than it is a flat picture.
    const FLAT_MAX: u8 = 14;

    fn reading(setting: Setting, nature: Nature, svg: &str, count: u32) -> Reading {
        let figure =
            Figure { name: "t".into(), svg: svg.into(), nature, height_m: 1.0, inner: Some([250, 230, 200]) };
        let subjects = vec![Subject { figure, count, colour: None, weight: 1.0, tie: None }];
        Reading {
            subjects,
            setting,
            hour: Hour::Day,
            season: None,
            weather: Weather::Snow,
            mood: None,
            technique: None,
            colours: vec![[200, 30, 30]],
        }
    }

    fn quiet(_: u32, _: u32, _: Option<Picture>) -> Result<()> {
        Ok(())
    }

    #[test]
    fn the_same_seed_gives_the_same_picture_and_another_another() {
        let reading = reading(Setting::Meadow, Nature::Grounded, FOX, 2);
        let draw = |seed| draw(&reading, (160, 120), seed, None, None, &mut quiet).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn an_error_of_the_listener_stops_the_work() {
        let reading = reading(Setting::Sea, Nature::Floating, FOX, 1);
        let mut calls = 0;
        let stopped = draw(&reading, (160, 120), 1, None, None, &mut |step, _, _| {
            calls += 1;
            if step >= 3 { Err(kernel::Error::new(kernel::Kind::Cancelled, "stop")) } else { Ok(()) }
        });
        assert_eq!(stopped.unwrap_err().kind, kernel::Kind::Cancelled);
        assert!(calls <= 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]
        #[test]
        fn every_reading_gives_a_whole_picture(
            setting in 0_usize..24, nature in 0_usize..11, technique in 0_usize..10, svg in 0_usize..3,
            count in 1_u32..13, width in 8_u32..220, height in 8_u32..220, seed: u64
        ) {
            let svg = [FOX, "<svg", "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 0 0'/>"][svg];
            let reading = reading(SETTINGS[setting], NATURES[nature], svg, count);
            let picture = draw(&reading, (width, height), seed, Some(Technique::ALL[technique]), None, &mut quiet).unwrap();
            prop_assert_eq!((picture.width, picture.height), (width, height));
            prop_assert!(picture.rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255));
            if width > 60 && height > 60 {
                // A picture may be in one tone of red; of all its channels one has to change.
                let pixels = picture.rgba.as_chunks::<4>().0;
                let varies = |channel: usize| {
                    let values = || pixels.iter().map(|pixel| pixel[channel]);
                    values().max().unwrap_or(0) - values().min().unwrap_or(0) > FLAT_MAX
                };
                prop_assert!((0..3).any(varies), "a flat picture");
            }
        }
    }
}
