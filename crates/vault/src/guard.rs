//! This owns the question whether overwriting a file in place erases it on the file system that it lies on.
//! It answers for the file system; what a drive does below it, such as moving blocks of flash, nobody can ask.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::{Error, Kind, Result};

/// What was found out about a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Type of the file system, as the kernel names it.
    pub file_system: String,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Why overwriting does not erase here; nothing where it does.
    pub objection: Option<&'static str>,
}

/// File systems that write where the file already lies.
const IN_PLACE: [&str; 9] = ["ext2", "ext3", "ext4", "xfs", "tmpfs", "ramfs", "vfat", "exfat", "jfs"];
/// File systems that do not, or do not say, with the reason.
const ELSEWHERE: [(&[&str], &str); 4] = [
    (
        &["btrfs", "zfs", "bcachefs", "f2fs", "nilfs2", "ubifs", "jffs2", "logfs", "apfs"],
        "it writes changes to a new place and keeps the old one",
    ),
    (
        &["overlay", "aufs", "overlayfs", "unionfs"],
        "it is a layer over another file system, which cannot be seen from here; containers have it",
    ),
    (
        &["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph", "glusterfs", "afs"],
        "it lies on another machine, which may keep what was",
    ),
    (&["squashfs", "erofs", "iso9660"], "it cannot be written"),
];
const JOURNALED: &str = "it is mounted with data=journal, so the journal keeps what was written before";
const UNKNOWN: &str = "nobody has shown that it writes in place";

/// Finds out about the file system of a folder.
///
/// # Errors
/// `Internal` when the folder is not there, or the kernel does not list its mounts.
pub fn inspect(folder: &Path) -> Result<Finding> {
    let folder = fs::canonicalize(folder)?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|cause| {
        Error::new(Kind::Internal, "The mounts of this system cannot be read; /proc has to be mounted.")
            .because(cause)
    })?;
    let unlisted = || Error::internal("the data folder lies on no listed mount");
    let mount = find_mount(&mounts, &folder).ok_or_else(unlisted)?;
    // The kernel lists what differs from the defaults of the superblock; this file has all of them.
    let device = fs::read_link(format!("/sys/dev/block/{}", mount.device)).ok();
    let device = device.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let options = device.map(|name| format!("/proc/fs/{}/{name}/options", mount.file_system));
    let options = options.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    Ok(judge(mount, &options))
}

impl Finding {
    /// The finding in words for the operator.
    #[must_use]
    pub fn words(&self) -> String {
        let place = format!("{} on {}", self.file_system, self.mount_point.display());
        match self.objection {
            None => format!("{place}: overwriting in place erases"),
            Some(why) => format!("{place}: overwriting in place does not erase, since {why}"),
        }
    }

    /// # Errors
    /// `Invalid` with what to do, where overwriting does not erase.
    pub fn require_erasing(&self) -> Result<()> {
        if self.objection.is_none() {
            return Ok(());
        }
        let words = format!(
            "Deleted pictures could come back here: the root of the keys would lie on {}. Give it a folder on ext4, xfs or another file system that writes in place with --anchor FOLDER (a small partition or an encrypted volume will do). To go on without this protection, and have the site say so, set --anchor-check accept.",
            self.words()
        );
        Err(Error::invalid("anchor", words))
    }
}

struct Mount<'a> {
    /// `major:minor`.
    device: &'a str,
    point: PathBuf,
    file_system: &'a str,
    options: String,
}

/// The mount that a path lies on: the longest that contains it, and of those the last, which covers the others.
fn find_mount<'a>(mounts: &'a str, path: &Path) -> Option<Mount<'a>> {
    let mounts = mounts.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(2);
        let (device, _, point) = (front.next()?, front.next()?, unescape(front.next()?));
        let own = front.next()?;
        let mut back = back.split(' ');
        let file_system = back.next()?;
        let options = format!("{own},{}", back.nth(1).unwrap_or_default());
        Some(Mount { device, point: point.into(), file_system, options })
    });
    mounts.filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.components().count())
}

/// Blanks and backslashes in a path stand as octal numbers.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

fn judge(mount: Mount<'_>, device_options: &str) -> Finding {
    let journaled =
        mount.options.split(',').chain(device_options.lines()).any(|option| option == "data=journal");
    let known = ELSEWHERE.iter().find(|(names, _)| names.contains(&mount.file_system)).map(|(_, why)| *why);
    let objection = match known {
        Some(why) => Some(why),
        None if !IN_PLACE.contains(&mount.file_system) => Some(UNKNOWN),
        None => journaled.then_some(JOURNALED),
    };
    Finding { file_system: mount.file_system.to_owned(), mount_point: mount.point, objection }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const MOUNTS: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:30 / /srv rw shared:1 - btrfs /dev/vdb rw,space_cache
41 40 7:0 /sub /srv/on\\040ext4 rw,relatime master:2 - ext4 /dev/loop0 rw
42 27 7:1 / /journal rw,relatime - ext4 /dev/loop1 rw,nodelalloc,data=journal
43 27 0:31 / /over rw - overlay overlay rw,lowerdir=a,upperdir=b
44 27 0:32 / /far rw - nfs4 host:/x rw,vers=4.2
45 27 0:33 / /user rw - fuse.sshfs host: rw
46 27 254:1 / /covered rw - ext4 /dev/vdc rw
47 46 0:34 / /covered rw - btrfs /dev/vdd rw
";

    fn objection(path: &str, options: &str) -> Option<&'static str> {
        judge(find_mount(MOUNTS, Path::new(path)).unwrap(), options).objection
    }

    #[test]
    fn the_mount_of_a_path_is_found_and_judged() {
        for (path, expected) in [
            ("/data", None),
            ("/srvother", None),
            ("/srv/data", Some(ELSEWHERE[0].1)),
            ("/srv/on ext4/data", None),
            ("/journal/data", Some(JOURNALED)),
            ("/over", Some(ELSEWHERE[1].1)),
            ("/far/data", Some(ELSEWHERE[2].1)),
            ("/user/data", Some(UNKNOWN)),
            ("/covered/data", Some(ELSEWHERE[0].1)),
        ] {
            assert_eq!(objection(path, ""), expected, "{path}");
        }
        assert_eq!(objection("/data", "rw\ndata=journal\n"), Some(JOURNALED));
        assert_eq!(objection("/data", "rw\ndata=ordered\n"), None);
    }

    /// A mount that ends with its test.
    struct Mounted(PathBuf);

    impl Mounted {
        fn new(args: &[&str], point: &Path) -> Option<Self> {
            fs::create_dir_all(point).unwrap();
            let done = Command::new("mount").args(args).arg(point).output();
            done.is_ok_and(|output| output.status.success()).then(|| Self(point.to_owned()))
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.0).output();
        }
    }

    #[test]
    fn real_mounts_are_judged_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let (image, point) = (dir.path().join("image"), dir.path().join("mount point"));
        fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
        let image = image.to_str().unwrap();
        let make = |program: &str, args: &[&str]| {
            Command::new(program).args(args).arg(image).output().is_ok_and(|output| output.status.success())
        };
        let plain = make("mkfs.ext4", &["-q", "-F"]).then(|| Mounted::new(&["-o", "loop", image], &point));
        let Some(Some(plain)) = plain else {
            println!("skipped: real_mounts_are_judged_as_they_are: no file system can be mounted here");
            return;
        };
        let judged = || inspect(&point).unwrap();
        assert_eq!((judged().file_system.as_str(), judged().objection), ("ext4", None));
        assert_eq!(judged().mount_point, point);
        drop(plain);
        let journaled = Mounted::new(&["-o", "loop,data=journal", image], &point).unwrap();
        assert_eq!(judged().objection, Some(JOURNALED));
        assert!(judged().require_erasing().unwrap_err().public.contains("--anchor"));
        drop(journaled);
        assert!(make("tune2fs", &["-o", "journal_data"]));
        let silent = Mounted::new(&["-o", "loop", image], &point).unwrap();
        assert_eq!(judged().objection, Some(JOURNALED), "by default of its superblock");
        drop(silent);
        let memory = Mounted::new(&["-t", "tmpfs", "tmpfs"], &point).unwrap();
        assert_eq!((judged().file_system.as_str(), judged().objection), ("tmpfs", None));
        drop(memory);
        let layers = ["lower", "upper", "work"].map(|name| dir.path().join(name));
        layers.iter().for_each(|layer| fs::create_dir(layer).unwrap());
        let [lower, upper, work] = layers.map(|layer| layer.display().to_string());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        if let Some(_layered) = Mounted::new(&["-t", "overlay", "overlay", "-o", &options], &point) {
            assert_eq!(judged().objection, Some(ELSEWHERE[1].1));
        }
    }
}
