//! This owns the probe of the data folder: it holds what the data map lists, and its owner alone may read it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kernel::Result;
use trust::audit::{Finding, Probe};
use trust::data_map::data_map;

use super::Facts;

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;
/// What a disk of its own brings along.
const OF_DISKS: &str = "lost+found";
/// Ending of what is replaced in one step.
const UNFINISHED: &str = ".part";
const ADVICE: &str = "take away what is not listed, and run chown -R and chmod -R go= on the folder";

pub(super) fn look(facts: &Facts) -> Result<Finding> {
    let map = data_map()?;
    let listed: Vec<&String> = map.stored.iter().flat_map(|stored| &stored.files).collect();
    let owner = fs::metadata(&facts.data)?.uid();
    let mut seen = Seen { owner, count: 0, faults: Vec::new() };
    seen.judge(&facts.data, "the data folder")?;
    for entry in fs::read_dir(&facts.data)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == OF_DISKS {
            continue;
        }
        let plain = name.strip_suffix(UNFINISHED).unwrap_or(&name);
        if !listed.iter().any(|file| file.trim_end_matches('/') == plain) {
            seen.faults.push(format!("{name} is not in the data map"));
        }
        seen.look_into(&entry.path(), &name)?;
    }
    if facts.root.parent() != Some(facts.data.as_path()) {
        seen.judge(&facts.root, "the root")?;
    }
    let good = format!("{} files and folders, all listed and their owner's alone", seen.count);
    Ok(Finding::of(Probe::Folder, &seen.faults, good, ADVICE))
}

struct Seen {
    owner: u32,
    count: u64,
    faults: Vec<String>,
}

impl Seen {
    fn look_into(&mut self, path: &Path, name: &str) -> std::io::Result<()> {
        self.judge(path, name)?;
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            for entry in fs::read_dir(path)?.flatten() {
                self.look_into(&entry.path(), &format!("{name}/{}", entry.file_name().to_string_lossy()))?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, path: &Path, name: &str) -> std::io::Result<()> {
        let found = match path.symlink_metadata() {
            // What goes meanwhile was erased.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        self.count += 1;
        if found.uid() != self.owner {
            self.faults.push(format!("{name} is another user's"));
        }
        // A link has no rights of its own.
        if !found.is_symlink() && found.mode() & OTHERS != 0 {
            self.faults.push(format!("{name} is open to others ({:o})", found.mode() & 0o777));
        }
        Ok(())
    }
}
