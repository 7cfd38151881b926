//! This owns disks made of a file: made, mounted, copied as if the power had gone, taken off, and read byte by byte.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk with ext4 on it, in a file.
pub(crate) struct Device {
    _dir: tempfile::TempDir,
    image: PathBuf,
    point: PathBuf,
    options: String,
    mounted: bool,
}

fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

impl Device {
    /// A new disk, mounted with these options besides; none where that is not permitted.
    pub(crate) fn new(mebibytes: u64, options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        File::create(&image).unwrap().set_len(mebibytes << 20).unwrap();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", image.to_str()?]).then_some(())?;
        Self { point: dir.path().join("disk"), _dir: dir, image, options: options.to_owned(), mounted: false }
            .mount()
    }

    pub(crate) fn mount(mut self) -> Option<Self> {
        fs::create_dir_all(&self.point).unwrap();
        let options = ["loop", &self.options].join(",");
        let options = options.trim_end_matches(',');
        self.mounted = run("mount", &["-o", options, self.image.to_str()?, self.point.to_str()?]);
        self.mounted.then_some(self)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.point
    }

    /// What was written to the disk so far, and what still waits in memory was not: as if the power had gone.
    pub(crate) fn after_power_cut(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        assert!(run("cp", &["--sparse=always", self.image.to_str().unwrap(), image.to_str().unwrap()]));
        Self {
            point: dir.path().join("disk"),
            _dir: dir,
            image,
            options: self.options.clone(),
            mounted: false,
        }
    }

    /// Takes the disk off; everything in memory is written to it first.
    pub(crate) fn unmount(mut self) -> Self {
        self.take_off();
        assert!(!self.mounted, "the disk is still in use");
        self
    }

    /// Every byte of the disk, free blocks and journal included.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.image).unwrap()
    }

    fn take_off(&mut self) {
        if self.mounted {
            self.mounted = !run("umount", &[self.point.to_str().unwrap_or_default()]);
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.take_off();
    }
}
