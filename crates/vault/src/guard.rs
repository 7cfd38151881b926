//! This owns the question whether overwriting a file in place erases it on the file system that it lies on.
//! It answers for the file system; what a drive does below it, such as moving blocks of flash, nobody can ask.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kernel::{Error, Kind, Result};
use rustix::fs::{AtFlags, IFlags, StatxFlags, ioctl_getflags, major, minor, statx};

/// What was found out about a folder or file.
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
/// Those of them that can journal the content of files as well.
const JOURNALING: [&str; 2] = ["ext3", "ext4"];
/// Those of them that no restart survives.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];
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
const JOURNALED_HERE: &str = "this folder or file is marked so that the journal keeps what was written before; chattr -j takes the mark off";
const UNTOLD: &str = "its options cannot be read, so its journal may keep what was written before; /proc/fs and /sys have to be visible";
const UNKNOWN: &str = "nobody has shown that it writes in place";

/// Finds out about the file system of a folder or file; of one that is not there yet, about the folder that it would be
/// made in.
///
/// # Errors
/// `Internal` when it cannot be opened, or the kernel does not list its mounts.
pub fn inspect(path: &Path) -> Result<Finding> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(&path);
    let there = fs::canonicalize(there)?;
    let opened = File::open(&there)?;
    let mounts = fs::read("/proc/self/mountinfo").map_err(|cause| {
        Error::new(Kind::Internal, "The mounts of this system cannot be read; /proc has to be mounted.")
            .because(cause)
    })?;
    // Some other mount may have a name that is no text.
    let mounts = String::from_utf8_lossy(&mounts);
    let mount = find_mount(&mounts, &there, &Spot::of(&opened)?)
        .ok_or_else(|| Error::internal("the data folder lies on no listed mount"))?;
    let journaling = if JOURNALING.contains(&mount.file_system) {
        Journaling::of(&opened, &mount)
    } else {
        Journaling::Metadata
    };
    Ok(judge(mount, journaling))
}

impl Finding {
    /// The finding in words for the operator.
    #[must_use]
    pub fn words(&self) -> String {
        let place = format!("{} on {}", self.file_system, self.mount_point.display());
        match self.objection {
            None if IN_MEMORY.contains(&self.file_system.as_str()) => format!(
                "{place}: overwriting in place erases, but all of it is lost with a restart, and every picture with the root; swap may keep a copy"
            ),
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
    id: Option<u64>,
    /// `major:minor`.
    device: &'a str,
    point: PathBuf,
    file_system: &'a str,
    options: String,
}

/// Where the kernel says that an open file lies.
#[derive(Default)]
struct Spot {
    /// The mount; kernels before 5.8 do not tell.
    mount: Option<u64>,
    /// `major:minor`; some file systems have one of their own for every part of them.
    device: String,
}

impl Spot {
    fn of(opened: &File) -> Result<Self> {
        let told = statx(opened, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok();
        let told = told.filter(|told| told.stx_mask & StatxFlags::MNT_ID.bits() != 0);
        let device = opened.metadata()?.dev();
        Ok(Self {
            mount: told.map(|told| told.stx_mnt_id),
            device: format!("{}:{}", major(device), minor(device)),
        })
    }
}

/// The mount that a path lies on. Names alone do not tell: a mount may be hidden by a later one above it. So the one that
/// the kernel names comes first, then one of the same device, then the longest that contains the path; of equal ones the
/// last, which covers the others.
fn find_mount<'a>(mounts: &'a str, path: &Path, spot: &Spot) -> Option<Mount<'a>> {
    let mounts = mounts.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ');
        let (id, device) = (front.next()?.parse().ok(), front.nth(1)?);
        let (point, own) = (unescape(front.nth(1)?), front.next()?);
        let mut back = back.split(' ');
        let file_system = back.next()?;
        let options = format!("{own},{}", back.nth(1).unwrap_or_default());
        Some(Mount { id, device, point: point.into(), file_system, options })
    });
    mounts.filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| {
        let named = spot.mount.is_some() && mount.id == spot.mount;
        (named, mount.device == spot.device, mount.point.components().count())
    })
}

/// Blanks and backslashes in a path stand as octal numbers.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// What a journal keeps.
#[derive(Clone, Copy)]
enum Journaling {
    /// Names and places of files.
    Metadata,
    /// Also what is in them.
    Data(&'static str),
}

impl Journaling {
    fn of(opened: &File, mount: &Mount<'_>) -> Self {
        // The list of mounts leaves out what the superblock says by default; this file has all options. The one driver of
        // ext3 and ext4 has it under this name for both.
        let device = fs::read_link(format!("/sys/dev/block/{}", mount.device)).ok();
        let device = device.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        let options =
            device.and_then(|name| fs::read_to_string(format!("/proc/fs/ext4/{name}/options")).ok());
        Self::from_facts(options.as_deref(), ioctl_getflags(opened).ok())
    }

    fn from_facts(options: Option<&str>, flags: Option<IFlags>) -> Self {
        match (options, flags) {
            (Some(options), _) if options.lines().any(|option| option == "data=journal") => {
                Self::Data(JOURNALED)
            }
            (_, Some(flags)) if flags.contains(IFlags::JOURNALING) => Self::Data(JOURNALED_HERE),
            (Some(_), Some(_)) => Self::Metadata,
            // Silence is no promise.
            _ => Self::Data(UNTOLD),
        }
    }
}

fn judge(mount: Mount<'_>, journaling: Journaling) -> Finding {
    let known = ELSEWHERE.iter().find(|(names, _)| names.contains(&mount.file_system)).map(|(_, why)| *why);
    let objection = match (known, journaling) {
        (Some(why), _) => Some(why),
        (None, _) if !IN_PLACE.contains(&mount.file_system) => Some(UNKNOWN),
        (None, _) if mount.options.split(',').any(|option| option == "data=journal") => Some(JOURNALED),
        (None, Journaling::Data(why)) => Some(why),
        (None, Journaling::Metadata) => None,
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
48 27 254:2 / /hidden/by/name rw - ext4 /dev/vde rw
49 27 0:35 / /hidden rw - overlay overlay rw,lowerdir=a,upperdir=b
50 27 254:0 /keys /bound rw - ext4 /dev/vda rw
51 27 254:2 / /parts/of rw - ext4 /dev/vde rw
52 27 0:36 / /parts rw - btrfs /dev/vdf rw
";

    fn mount_of(path: &str, spot: &Spot) -> Mount<'static> {
        find_mount(MOUNTS, Path::new(path), spot).unwrap()
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
            let mount = mount_of(path, &Spot::default());
            assert_eq!(judge(mount, Journaling::Metadata).objection, expected, "{path}");
        }
    }

    #[test]
    fn what_the_kernel_says_of_a_place_comes_before_its_name() {
        let spot = |mount, device: &str| Spot { mount, device: device.to_owned() };
        for (path, spot, expected) in [
            ("/hidden/by/name/x", spot(Some(49), "0:35"), 49),
            ("/hidden/by/name/x", spot(Some(48), "254:2"), 48),
            ("/hidden/by/name/x", spot(None, "0:35"), 49),
            ("/hidden/by/name/x", spot(None, "254:2"), 48),
            // A part of btrfs has a device of its own, which no mount has.
            ("/srv/data", spot(None, "0:77"), 40),
            ("/parts/of/it", spot(Some(52), "0:77"), 52),
            ("/bound/x", spot(None, "254:0"), 50),
        ] {
            assert_eq!(mount_of(path, &spot).id, Some(expected), "{path} {:?}", spot.mount);
        }
    }

    #[test]
    fn a_journal_of_which_nothing_is_known_is_refused() {
        let of = |options, flags| {
            let journaling = Journaling::from_facts(options, flags);
            judge(mount_of("/data", &Spot::default()), journaling).objection
        };
        let plain = Some(IFlags::empty());
        assert_eq!(of(Some("rw\ndata=ordered\n"), plain), None);
        assert_eq!(of(Some("rw\ndata=journal\n"), plain), Some(JOURNALED));
        assert_eq!(of(Some("rw\ndata=ordered\n"), Some(IFlags::JOURNALING)), Some(JOURNALED_HERE));
        assert_eq!(of(None, plain), Some(UNTOLD));
        assert_eq!(of(Some("rw\ndata=ordered\n"), None), Some(UNTOLD));
    }

    const UNMOUNT_TRIES: usize = 100;

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
            // A process that another test is just starting may hold the mount for a moment.
            let point = self.0.display().to_string();
            let gone = (0..UNMOUNT_TRIES).any(|_| done("umount", &[&point]));
            assert!(
                gone || done("umount", &["-l", &point]) || std::thread::panicking(),
                "{point} stays mounted"
            );
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
        assert!(judged().words().contains("restart"));
        drop(memory);
        let layers = ["lower", "upper", "work"].map(|name| dir.path().join(name));
        layers.iter().for_each(|layer| fs::create_dir(layer).unwrap());
        let [lower, upper, work] = layers.map(|layer| layer.display().to_string());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        if let Some(_layered) = Mounted::new(&["-t", "overlay", "overlay", "-o", &options], &point) {
            assert_eq!(judged().objection, Some(ELSEWHERE[1].1));
        }
    }

    /// An image of 16 MiB with a file system made by this program; nothing where that is not possible here.
    fn image(dir: &Path, program: &str) -> Option<String> {
        let image = dir.join("image").display().to_string();
        File::create(&image).unwrap().set_len(16 << 20).unwrap();
        done(program, &["-q", "-F", &image]).then_some(image)
    }

    fn done(program: &str, args: &[&str]) -> bool {
        Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
    }

    #[test]
    fn a_mount_that_another_one_hides_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let outer = dir.path().join("outer");
        let inner = outer.join("inner");
        let lower = Mounted::new(&["-t", "tmpfs", "tmpfs"], &inner);
        let layers = ["lower", "upper", "work"].map(|name| dir.path().join(name));
        layers.iter().for_each(|layer| fs::create_dir(layer).unwrap());
        let [below, upper, work] = layers.map(|layer| layer.display().to_string());
        let options = format!("lowerdir={below},upperdir={upper},workdir={work}");
        let over = Mounted::new(&["-t", "overlay", "overlay", "-o", &options], &outer);
        if lower.is_none() || over.is_none() {
            println!("skipped: a_mount_that_another_one_hides_does_not_count: nothing can be mounted here");
            // Once it is hidden, the lower one cannot be unmounted.
            drop(over);
            return;
        }
        fs::create_dir(&inner).unwrap();
        assert_eq!(inspect(&inner).unwrap().file_system, "overlay");
        drop(over);
        assert_eq!(inspect(&inner).unwrap().file_system, "tmpfs");
    }

    #[test]
    fn ext3_that_journals_data_by_default_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let point = dir.path().join("point");
        let mount = |image: &str| Mounted::new(&["-t", "ext3", "-o", "loop", image], &point);
        let made = image(dir.path(), "mkfs.ext3").and_then(|image| Some((mount(&image)?, image)));
        let Some((plain, image)) = made else {
            println!("skipped: ext3_that_journals_data_by_default_is_refused: nothing can be mounted here");
            return;
        };
        let found = inspect(&point).unwrap();
        assert_eq!((found.file_system.as_str(), found.objection), ("ext3", None));
        drop(plain);
        assert!(done("tune2fs", &["-o", "journal_data", &image]));
        let _silent = mount(&image).unwrap();
        assert_eq!(inspect(&point).unwrap().objection, Some(JOURNALED));
    }

    #[test]
    fn a_file_whose_data_is_journaled_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let point = dir.path().join("point");
        let mount = |image: &str| Mounted::new(&["-o", "loop", image], &point);
        let made = image(dir.path(), "mkfs.ext4").and_then(|image| Some((mount(&image)?, image)));
        let Some((mounted, image)) = made else {
            println!("skipped: a_file_whose_data_is_journaled_is_refused: nothing can be mounted here");
            return;
        };
        fs::write(point.join("kept"), "x").unwrap();
        drop(mounted);
        // What `chattr +j` does, without the capability that it needs: extents and journaled data.
        assert!(done("debugfs", &["-w", "-R", "set_inode_field kept flags 0x84000", &image]));
        let _mounted = mount(&image).unwrap();
        assert_eq!(inspect(&point.join("kept")).unwrap().objection, Some(JOURNALED_HERE));
        let coming = inspect(&point.join("coming/root")).unwrap();
        assert_eq!((coming.mount_point, coming.objection), (point.clone(), None));
        assert_eq!(inspect(&point).unwrap().objection, None);
    }
}
