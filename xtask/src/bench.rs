//! This owns measuring: each number beside its peer, in the same run, on the same machine.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::{Done, cargo, has, root, target};

/// Sizes of thumbnails that both sides make.
const WIDTHS: [&str; 4] = ["240", "360", "480", "720"];
/// Prompts that are drawn.
const PROMPTS: [&str; 5] = [
    "a red fox in a snowy forest at night",
    "a sailboat on the sea at sunset",
    "a castle on a hill",
    "three penguins",
    "a cup of coffee on a table",
];

/// Prints every number that can be measured here; what cannot is named.
pub(crate) fn bench() -> Done {
    cargo(&["build", "--quiet", "--release", "--package", "imaging", "--example", "pipeline"])?;
    cargo(&["build", "--quiet", "--release", "--package", "engines", "--example", "papercut"])?;
    let shared = std::env::var_os("SAFELIGHT_SHARED_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    import(&shared.join("artworks/media"))?;
    let out = std::env::temp_dir().join("safelight-bench");
    let drawn = figure(
        Command::new(target().join("release/examples/papercut")).arg(&out).args(PROMPTS),
        "milliseconds_median",
    );
    println!(
        "Papercut, 1024 px, median: {}",
        drawn.map_or_else(|| "skipped: no packed library".into(), |millis| format!("{millis} ms"))
    );
    let _ = std::fs::remove_dir_all(out);
    Ok(())
}

fn import(media: &std::path::Path) -> Done {
    if !media.is_dir() || !has("vipsthumbnail") {
        println!("skipped: import against vipsthumbnail: no shared data, or no libvips-tools");
        return Ok(());
    }
    let ours =
        figure(Command::new(target().join("release/examples/pipeline")).arg(media), "pictures_per_second")
            .unwrap_or(0.0);
    let files: Vec<PathBuf> = std::fs::read_dir(media)
        .map_err(|cause| cause.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let out = std::env::temp_dir().join("safelight-bench-%s.webp");
    let started = Instant::now();
    for file in &files {
        for width in WIDTHS {
            let made = Command::new("vipsthumbnail")
                .arg(file)
                .args(["-s", &format!("{width}x")])
                .arg("-o")
                .arg(&out)
                .status();
            made.map_err(|cause| cause.to_string())?;
        }
    }
    let theirs = files.len() as f64 / started.elapsed().as_secs_f64();
    println!(
        "import: {ours:.1} pictures/s, vipsthumbnail {theirs:.1} pictures/s, ratio {:.2}",
        ours / theirs
    );
    Ok(())
}

/// The number behind a word that a program prints.
fn figure(command: &mut Command, word: &str) -> Option<f64> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
}
