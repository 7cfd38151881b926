//! Draws prompts with Papercut: `papercut [--side PIXELS] [--technique ID] FOLDER PROMPT…`; the library and the encoder come from `vendor/pack`.
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
    let (mut side, mut technique) = (SIDE_PX, None);
    while let Some(flag) = args.next_if(|argument| argument.starts_with("--")) {
        let value = args.next().ok_or("a flag needs a value")?;
        match flag.as_str() {
            "--side" => side = value.parse()?,
            "--technique" => technique = Technique::ALL.into_iter().find(|own| own.id() == value),
            _ => return Err(format!("no flag {flag}").into()),
        }
    }
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
        let picture = draw(&reading, (side, side), n as u64, technique, None, &mut |_, _, _| Ok(()))?;
        times.push(started.elapsed().as_millis());
        println!("{n:02} {:?} {:?} {names:?} {text}", reading.setting, reading.hour);
        std::fs::write(format!("{folder}/{n:02}.png"), imaging::encode_png(&picture)?)?;
    }
    times.sort_unstable();
    println!("milliseconds_median {}", times.get(times.len() / 2).copied().unwrap_or(0));
    println!("milliseconds_max {}", times.last().copied().unwrap_or(0));
    Ok(())
}
