//! This owns the probe of sealed bytes: every file of a record, and every column whose name ends so, has the sealed form.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use trust::audit::{Finding, Probe};

use crate::house::House;

/// How the name of a sealed column ends.
const SEALED: &str = "sealed";
const ADVICE: &str = "someone wrote into the data folder; find out who, and delete or restore these";

pub(super) async fn look(house: &House) -> Result<Finding> {
    let blobs = house.facts.data.join("blobs");
    let files = tokio::task::spawn_blocking(move || {
        let mut seen = Seen { count: 0, faults: Vec::new() };
        seen.look_into(&blobs, "blobs").map(|()| seen)
    });
    let Seen { count, mut faults } =
        files.await.map_err(|_| Error::internal("looking at files stopped"))??;
    let columns = house.db.columns().await?;
    let sealed: Vec<&String> = columns.iter().filter(|column| column.ends_with(SEALED)).collect();
    for column in &sealed {
        let failing = house.db.count_failing(column, vault::field_has_sealed_form).await?;
        if failing > 0 {
            faults.push(format!("{failing} values of {column} are not sealed"));
        }
    }
    let good = format!("{count} files and {} columns have the sealed form", sealed.len());
    Ok(Finding::of(Probe::Sealed, &faults, good, ADVICE))
}

struct Seen {
    count: u64,
    faults: Vec<String>,
}

impl Seen {
    fn look_into(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            match entry.file_type()? {
                kind if kind.is_dir() => self.look_into(&path, &name)?,
                kind if kind.is_file() && is_sealed(&path)? => self.count += 1,
                _ => self.faults.push(format!("{name} is not a sealed file")),
            }
        }
        Ok(())
    }
}

/// A file that goes meanwhile was erased, and is no fault.
fn is_sealed(path: &PathBuf) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    let bytes = file.metadata()?.len();
    let mut head = Vec::with_capacity(vault::HEAD_BYTES);
    file.take(vault::HEAD_BYTES as u64).read_to_end(&mut head)?;
    // What is being erased is zeros.
    Ok(vault::has_sealed_form(&head, bytes) || head.iter().all(|byte| *byte == 0))
}
