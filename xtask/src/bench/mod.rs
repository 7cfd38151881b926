//! This owns measuring: each number beside its peer where there is one, in the same run, on the same machine.

mod allocator;
mod export;
mod server;
mod serving;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Done, Profile, SELECTION, root, runs, setup, target};

/// Widths of thumbnails that both sides make.
const WIDTHS: [&str; 4] = ["240", "360", "480", "720"];
/// Prompts that are drawn.
const PROMPTS: [&str; 5] = [
    "a red fox in a snowy forest at night",
    "a sailboat on the sea at sunset",
    "a castle on a hill",
    "three penguins",
    "a cup of coffee on a table",
];

/// What one part found: lines to print, or why it could not be measured here.
type Measured = Result<Vec<String>, String>;

/// Prints every number that can be measured here; what cannot is named. Words are the parts to measure, all by default;
/// `--build` adds the clean build, which is long, and `--full` the largest tree of keys.
pub(crate) fn bench(rest: &[String]) -> Done {
    setup::setup(Profile::Release);
    crate::build(Profile::Release, "--bin", "safelight")?;
    for example in ["papercut", "throughput", "latency", "deletion", "ledger", "export"] {
        crate::build(Profile::Release, "--example", example)?;
    }
    let shared = std::env::var_os("SAFELIGHT_SHARED_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let scratch = std::env::temp_dir().join(format!("safelight-bench-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|cause| cause.to_string())?;
    let words: Vec<&str> = rest.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let flag = |flag: &str| rest.iter().any(|word| word == flag);
    let mut failed = Vec::new();
    let mut part = |name: &'static str, measure: &dyn Fn() -> Measured| {
        if !words.is_empty() && !words.contains(&name) {
            return;
        }
        match measure() {
            Ok(lines) => println!("\n{name}\n  {}", lines.join("\n  ")),
            Err(why) => {
                println!("\n{name}\n  skipped: {why}");
                failed.push(name);
            }
        }
    };
    part("import", &|| import(&shared.join("artworks"), &scratch));
    part("search", &|| figures(Command::new(example("latency")).arg(&shared)).and_then(all));
    part("vault", &vault);
    part("deletion", &|| deletion(flag("--full")));
    part("ledger", &ledger);
    part("papercut", &|| papercut(&scratch));
    part("server", &|| server::server(&data(&scratch)));
    part("serving", &|| serving::serving(&scratch));
    part("export", &|| export::export(&scratch));
    part("allocator", &|| allocator::allocator(&scratch));
    if flag("--build") {
        part("build", &|| build(&scratch));
    } else if words.is_empty() {
        println!("\nbuild\n  skipped: ask for it with cargo x bench --build");
    }
    let _ = std::fs::remove_dir_all(scratch);
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join(", "))) }
}

fn example(name: &str) -> PathBuf {
    target().join("release/examples").join(name)
}

/// The import of real artworks, everything included, beside their four thumbnails alone by libvips.
fn import(artworks: &Path, scratch: &Path) -> Measured {
    let posts = artworks.join("posts.json");
    if !posts.is_file() {
        return Err("no shared data".into());
    }
    let started = Instant::now();
    let imported = Command::new(binary()).arg("import").arg(&posts).arg("--data").arg(data(scratch)).output();
    if !imported.is_ok_and(|output| output.status.success()) {
        return Err("the import failed".into());
    }
    let ours = started.elapsed().as_secs_f64();
    let files: Vec<PathBuf> = std::fs::read_dir(artworks.join("media"))
        .map_err(|cause| format!("no pictures: {cause}"))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let mut lines = vec![format!(
        "ours: {:.1} pictures/s ({} pictures in {ours:.1} s: prompts, decoding, five sizes, fingerprints, sealing, rows, index)",
        files.len() as f64 / ours,
        files.len()
    )];
    if !runs("vipsthumbnail", &["--vips-version"]) {
        lines.push(
            "vipsthumbnail: skipped: it is missing; install it, for example with: apt-get install libvips-tools"
                .into(),
        );
        return Ok(lines);
    }
    let thumbnail = |files: &[PathBuf], width: &str| {
        let out = scratch.join(format!("%s-{width}.webp"));
        let made = Command::new("vipsthumbnail")
            .args(files)
            .args(["-s", &format!("{width}x"), "-o"])
            .arg(out)
            .status();
        if made.is_ok_and(|status| status.success()) { Ok(()) } else { Err("vipsthumbnail failed") }
    };
    let mut peer = |name: &str, made: &dyn Fn() -> Result<(), &'static str>| {
        let started = Instant::now();
        made()?;
        let peer = started.elapsed().as_secs_f64();
        lines.push(format!(
            "vipsthumbnail, four sizes, {name}: {:.1} pictures/s, ratio {:.2}",
            files.len() as f64 / peer,
            peer / ours
        ));
        Ok::<_, String>(())
    };
    peer("one after another", &|| {
        files.iter().try_for_each(|file| {
            WIDTHS.iter().try_for_each(|width| thumbnail(std::slice::from_ref(file), width))
        })
    })?;
    peer("all pictures in one process per size", &|| {
        WIDTHS.iter().try_for_each(|width| thumbnail(&files, width))
    })?;
    Ok(lines)
}

fn binary() -> PathBuf {
    target().join("release/safelight")
}

/// The data folder that the import fills and the server then serves.
fn data(scratch: &Path) -> PathBuf {
    scratch.join("data")
}

fn vault() -> Measured {
    let found = figures(&mut Command::new(example("throughput")))?;
    let line = |name: &str| {
        let figure = |of: &str| get(&found, &format!("{of}_mib_per_second"));
        let (ours, bare) = (figure(name)?, figure(&format!("bare_{name}"))?);
        let ratio = get(&found, &format!("{name}_ratio"))?;
        Ok(format!("{name}, 1 MiB: {ours:.0} MiB/s, bare AES-256-GCM {bare:.0} MiB/s, ratio {ratio:.2}"))
    };
    let wipe = format!("wiping what was opened: {:.0} MiB/s", get(&found, "wipe_mib_per_second")?);
    ["seal", "open"].into_iter().map(line).chain([Ok(wipe)]).collect()
}

/// Transfers of many accounts at once beside bare commits, and a hold with its capture alone, on the disk that builds lie on.
fn ledger() -> Measured {
    let found = figures(Command::new(example("ledger")).arg(target()))?;
    let (ours, bare) = (get(&found, "transfers_per_s")?, get(&found, "bare_commits_per_s")?);
    Ok(vec![
        format!(
            "{ours:.0} transfers/s, each on the disk; bare commits of SQLite {bare:.0}/s, ratio {:.2}",
            ours / bare
        ),
        format!("hold and capture, alone: p50 {:.2} ms", get(&found, "hold_and_capture_ms")?),
    ])
}

/// A deletion beside the waits for the disk that it cannot do without, on the disk that builds lie on. `--full` goes up to
/// ten million keys, which takes a gigabyte.
fn deletion(full: bool) -> Measured {
    let power = if full { 7 } else { 5 };
    let found = figures(Command::new(example("deletion")).arg(target()).arg(power.to_string()))?;
    let mut lines = vec![format!("keys rewritten: {} bytes", get(&found, "key_bytes_rewritten")?)];
    for exponent in 3..=power {
        let (ours, waits) = (
            get(&found, &format!("deletion_ms_at_1e{exponent}"))?,
            get(&found, &format!("two_waits_ms_at_1e{exponent}"))?,
        );
        let resident = get(&found, &format!("resident_mib_at_1e{exponent}"))?;
        lines.push(format!(
            "one deletion at 10^{exponent} keys: p50 {ours:.2} ms, two fdatasync {waits:.2} ms, ratio {:.1}; resident {resident} MiB",
            ours / waits
        ));
    }
    let (all, one) = (get(&found, "hundred_at_once_ms")?, get(&found, "deletion_ms_at_1e3")?);
    lines.push(format!("100 deletions at once: {all:.1} ms, {:.1} times one", all / one));
    Ok(lines)
}

fn papercut(scratch: &Path) -> Measured {
    let found = figures(Command::new(example("papercut")).arg(scratch.join("drawn")).args(PROMPTS))?;
    Ok(vec![format!(
        "median at 1024 px: {:.0} ms (no peer: nothing else composes and prints)",
        get(&found, "milliseconds_median")?
    )])
}

/// A clean release build in a folder of its own, and a second `cargo x check`.
fn build(scratch: &Path) -> Measured {
    let folder = scratch.join("target");
    let started = Instant::now();
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet"])
        .args(SELECTION)
        .args(["--bin", "safelight"])
        .env("CARGO_TARGET_DIR", &folder)
        .current_dir(root())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the build failed".into());
    }
    let clean = started.elapsed().as_secs_f64() / 60.0;
    crate::check()?;
    let started = Instant::now();
    crate::check()?;
    let warm = started.elapsed().as_secs_f64();
    Ok(vec![format!("clean release build: {clean:.1} min"), format!("warm cargo x check: {warm:.0} s")])
}

/// The `name value` lines that a program prints.
fn figures(command: &mut Command) -> Result<HashMap<String, String>, String> {
    let output =
        command.current_dir(root()).stderr(Stdio::inherit()).output().map_err(|cause| cause.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(why) = text.lines().find_map(|line| line.strip_prefix("skipped: ")) {
        return Err(why.to_owned());
    }
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    let pair =
        |line: &str| line.split_once(' ').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

fn get(found: &HashMap<String, String>, name: &str) -> Result<f64, String> {
    found.get(name).and_then(|value| value.parse().ok()).ok_or_else(|| format!("{name} was not measured"))
}

fn all(found: HashMap<String, String>) -> Measured {
    let mut lines: Vec<String> = found.into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    lines.sort();
    Ok(lines)
}
