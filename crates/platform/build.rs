//! Collects the files that pages need into the program: our own from `assets/`, fonts from `vendor/web/` where fetched.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?)
        .join("../..")
        .canonicalize()?;
    let mut files = Vec::new();
    for folder in ["assets/css", "assets/js", "assets/icons", "vendor/web"] {
        let path = root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        if path.is_dir() {
            let below = if folder == "vendor/web" { path.clone() } else { root.join("assets") };
            collect(&path, &below, &mut files)?;
        }
    }
    files.sort();
    let mut code = String::from(
        "/// Every embedded file: its path below `/assets/{digest}/` and its bytes.\npub(super) static FILES: &[(&str, &[u8])] = &[\n",
    );
    for (name, path) in &files {
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
    }
    code.push_str("];\n");
    fs::write(out.join("files.rs"), code)
}

fn collect(folder: &Path, below: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, below, files)?;
        } else if let Ok(name) = path.strip_prefix(below) {
            files.push((name.to_string_lossy().into_owned(), path.clone()));
        }
    }
    Ok(())
}
