//! Draws prompts with Papercut: `papercut [--side PIXELS] [--ratio W:H] [--technique ID] [--seed FIRST] [--reference PNG]
//! FOLDER PROMPT…`; the library and the encoder come from `vendor/pack`.
//! Prints `milliseconds_median` for `cargo x bench`, and the longest.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engines::papercut::library::Library;
use engines::papercut::reading::Technique;
use engines::papercut::{draw, read};
use kernel::Prompt;
use search::meaning::Encoder;

/// Longer side of the pictures, where none is asked for.
const SIDE_PX: u32 = 1024;

#[allow(clippy::print_stdout)] // It is a measuring program.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let (mut side, mut technique, mut ratio) = (SIDE_PX, None, (1, 1));
    let (mut first, mut reference) = (0_u64, None);
    while let Some(flag) = args.next_if(|argument| argument.starts_with("--")) {
        let value = args.next().ok_or("a flag needs a value")?;
        match flag.as_str() {
            "--side" => side = value.parse()?,
            "--seed" => first = value.parse()?,
            "--reference" => reference = Some(imaging::decode(&std::fs::read(value)?)?),
            "--ratio" => {
                let (w, h) = value.split_once(':').ok_or("a ratio is W:H")?;
                ratio = (w.parse()?, h.parse()?);
            }
            "--technique" => technique = Technique::ALL.into_iter().find(|own| own.id() == value),
            _ => return Err(format!("no flag {flag}").into()),
        }
    }
    let longer: u32 = ratio.0.max(ratio.1);
    let size = (side * ratio.0 / longer, side * ratio.1 / longer);
    let folder = args.next().ok_or("usage: papercut [--side PIXELS] [--technique ID] FOLDER PROMPT…")?;
    std::fs::create_dir_all(&folder)?;
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vendor/pack");
    let library =
        Library::from_bytes(Box::leak(std::fs::read(pack.join("papercut.bin"))?.into_boxed_slice()))?;
    let encoder = Arc::new(Encoder::from_bytes(std::fs::read(pack.join("encoder.bin"))?)?);
    let mut times = Vec::new();
    for (n, text) in args.enumerate() {
        let started = Instant::now();
        let reading = read::read(&Prompt::parse(text.clone())?, &library, Some(&encoder));
        let names: Vec<_> =
            reading.subjects.iter().map(|s| format!("{}×{}", s.count, s.figure.name)).collect();
        let picture =
            draw(&reading, size, first + n as u64, technique, reference.as_ref(), &mut |_, _, _| Ok(()))?;
        times.push(started.elapsed().as_millis());
        println!("{n:02} {:?} {:?} {names:?} {text}", reading.setting, reading.hour);
        let name = format!("{folder}/{:02}.png", first + n as u64);
        std::fs::write(name, imaging::encode_png(&picture)?)?;
    }
    times.sort_unstable();
    println!("milliseconds_median {}", times.get(times.len() / 2).copied().unwrap_or(0));
    println!("milliseconds_max {}", times.last().copied().unwrap_or(0));
    Ok(())
}
