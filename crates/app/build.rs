//! Puts the packed models into the program where `cargo x setup` has fetched them; without them it says what is missing.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let var = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let pack = var("CARGO_MANIFEST_DIR")?.join("../../vendor/pack");
    let mut code = String::new();
    for (constant, file) in [("ENCODER", "encoder.bin"), ("LIBRARY", "papercut.bin")] {
        let path = pack.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let value = match path.canonicalize() {
            Ok(path) => format!("Some(include_bytes!({:?}))", path.display().to_string()),
            Err(_) => "None".to_owned(),
        };
        code += &format!(
            "/// `{file}`, where it was fetched.\npub(super) static {constant}: Option<&[u8]> = {value};\n"
        );
    }
    fs::write(var("OUT_DIR")?.join("models.rs"), code)
}
