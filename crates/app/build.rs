//! Puts the packed models into the program where `cargo x setup` has fetched them; without them it says what is missing.
//! It also puts in which packages the program is made of, for audits.

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
    fs::write(var("OUT_DIR")?.join("models.rs"), code)?;
    let lock = var("CARGO_MANIFEST_DIR")?.join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    fs::write(var("OUT_DIR")?.join("packages.rs"), packages(&fs::read_to_string(lock)?))
}

/// Every package that others wrote, as `(name, version)`.
fn packages(lock: &str) -> String {
    let field = |package: &str, name: &str| {
        let value = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
        value.map(|value| value.trim_end_matches('"').to_owned())
    };
    let of_others = lock.split("[[package]]").filter(|package| field(package, "source").is_some());
    let pairs: Vec<_> =
        of_others.filter_map(|package| Some((field(package, "name")?, field(package, "version")?))).collect();
    format!(
        "/// Packages that others wrote, as the lock file pins them; those of tests among them.\nstatic PACKAGES: [(&str, &str); {}] = {pairs:?};\n",
        pairs.len()
    )
}
