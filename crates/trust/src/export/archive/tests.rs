//! An archive read back by an independent reader, with names of every script, and larger than any disk here.

use std::io::{self, Read, Seek, SeekFrom};

use proptest::prelude::*;
use zip::ZipArchive;

use super::*;

const GIB: u64 = 1 << 30;

/// What a file holds: these bytes, or so many zeros.
#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Zeros(u64),
}

impl Content {
    fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(bytes) => *bytes,
        }
    }

    /// A file of zeros is never read here, so its sum does not matter.
    fn crc(&self) -> u32 {
        match self {
            Self::Bytes(bytes) => crc32fast::hash(bytes),
            Self::Zeros(_) => 0,
        }
    }
}

/// An archive that is nowhere: each byte is made when it is read.
struct Archive {
    layout: Layout,
    contents: Vec<Content>,
    at: u64,
}

impl Archive {
    fn of(files: &[(String, Content)]) -> Self {
        let entry = |(name, content): &(String, Content)| Entry {
            name: name.clone(),
            bytes: content.bytes(),
            modified: 1_764_000_001,
        };
        let layout = Layout::of(files.iter().map(entry).collect()).unwrap();
        Self { layout, contents: files.iter().map(|(_, content)| content.clone()).collect(), at: 0 }
    }

    fn part(&self, part: Part) -> Vec<u8> {
        match part {
            Part::File(file) => self.layout.head(file, self.contents[file].crc()),
            Part::Directory => {
                let crcs: Vec<u32> = self.contents.iter().map(Content::crc).collect();
                self.layout.directory(&crcs)
            }
        }
    }

    fn whole(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

impl Read for Archive {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.layout.bytes() {
            return Ok(0);
        }
        let part = self.layout.part_at(self.at);
        let made = self.part(part);
        let within = self.at - self.layout.start(part);
        let read = match (made.get(usize::try_from(within).unwrap()..), part) {
            (Some(rest), _) if !rest.is_empty() => (&rest[..]).read(into)?,
            (_, Part::File(file)) => {
                let behind = within - made.len() as u64;
                match &self.contents[file] {
                    Content::Bytes(bytes) => (&bytes[usize::try_from(behind).unwrap()..]).read(into)?,
                    Content::Zeros(bytes) => io::repeat(0).take(bytes - behind).read(into)?,
                }
            }
            (_, Part::Directory) => panic!("the directory is shorter than it was said to be"),
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Archive {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => i128::from(place),
            SeekFrom::Current(by) => i128::from(self.at) + i128::from(by),
            SeekFrom::End(by) => i128::from(self.layout.bytes()) + i128::from(by),
        };
        self.at = u64::try_from(place).map_err(io::Error::other)?;
        Ok(self.at)
    }
}

fn read(archive: &mut ZipArchive<impl Read + Seek>, place: usize) -> (String, Vec<u8>) {
    let mut file = archive.by_index(place).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    (file.name().unwrap().into_owned(), bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_files_come_back_as_they_were(
        files in prop::collection::vec(("[a-z 天気日本語éß]{0,12}", prop::collection::vec(any::<u8>(), 0..200)), 0..12)
    ) {
        let named = |(n, (name, bytes)): (usize, &(String, Vec<u8>))| {
            (format!("pictures/{n}{name}.png"), Content::Bytes(bytes.clone()))
        };
        let named: Vec<_> = files.iter().enumerate().map(named).collect();
        let bytes = Archive::of(&named).whole();
        prop_assert_eq!(bytes.len() as u64, Archive::of(&named).layout.bytes());
        prop_assert_eq!(&bytes, &Archive::of(&named).whole(), "it is the same every time");
        let mut archive = ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        prop_assert_eq!(archive.len(), named.len());
        for (place, (name, content)) in named.iter().enumerate() {
            let (read_name, read_bytes) = read(&mut archive, place);
            prop_assert_eq!(&read_name, name);
            prop_assert!(matches!(content, Content::Bytes(bytes) if *bytes == read_bytes));
        }
    }

    #[test]
    fn files_behind_four_gibibytes_are_found(before in prop::collection::vec(0..4 * GIB - 1, 1..6), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let zeros = |(n, bytes): (usize, &u64)| (format!("zeros {n}"), Content::Zeros(*bytes));
        let mut files: Vec<_> = before.iter().enumerate().map(zeros).collect();
        files.push(("絵.png".to_owned(), Content::Bytes(bytes.clone())));
        let mut archive = ZipArchive::new(Archive::of(&files)).unwrap();
        prop_assert_eq!(archive.len(), files.len());
        prop_assert_eq!(read(&mut archive, files.len() - 1), ("絵.png".to_owned(), bytes));
    }
}

#[test]
fn a_place_on_either_side_of_the_limit_is_found() {
    for less in [0, 1, 2, 100] {
        let head = HEAD_BYTES + 1 + u64::from(TIME_BYTES);
        let first = ("a".to_owned(), Content::Zeros(u64::from(u32::MAX) - head - less));
        let second = ("b".to_owned(), Content::Bytes(vec![7; 3]));
        let mut archive = ZipArchive::new(Archive::of(&[first, second])).unwrap();
        assert_eq!(read(&mut archive, 1).1, [7; 3], "{less} below the limit");
    }
}

#[test]
fn more_files_than_a_short_number_counts_are_all_there() {
    for files in [65_534, 65_535, 65_536, 70_000] {
        let files: Vec<_> = (0..files).map(|n| (n.to_string(), Content::Bytes(Vec::new()))).collect();
        let archive = ZipArchive::new(io::Cursor::new(empty(&files))).unwrap();
        assert_eq!(archive.len(), files.len());
    }
}

/// The bytes of an archive of empty files, made in one go.
fn empty(files: &[(String, Content)]) -> Vec<u8> {
    let archive = Archive::of(files);
    let heads = (0..files.len()).flat_map(|file| archive.part(Part::File(file)));
    heads.chain(archive.part(Part::Directory)).collect()
}

#[test]
fn each_byte_is_in_the_part_that_makes_it() {
    let files = ["a", "bb", "ccc"].map(|name| (name.to_owned(), Content::Bytes(name.as_bytes().to_vec())));
    let archive = Archive::of(&files);
    for file in 0..files.len() {
        let start = archive.layout.start(Part::File(file));
        assert_eq!(archive.layout.part_at(start), Part::File(file));
        assert_eq!(archive.layout.part_at(archive.layout.start(Part::File(file + 1)) - 1), Part::File(file));
    }
    assert_eq!(archive.layout.part_at(archive.layout.start(Part::Directory)), Part::Directory);
    assert_eq!(Archive::of(&[]).layout.part_at(0), Part::Directory);
}

#[test]
fn what_does_not_fit_the_form_is_refused() {
    let entry = |name: String, bytes| Layout::of(vec![Entry { name, bytes, modified: 0 }]);
    assert!(entry("a".to_owned(), u64::from(u32::MAX)).is_err());
    assert!(entry("a".repeat(70_000), 0).is_err());
}

#[test]
fn times_are_utc_and_never_before_the_first_day() {
    assert_eq!(dos_time(0), (0, FIRST_DAY));
    let (time, day) = dos_time(1_764_116_259); // 2025-11-26T00:17:39Z
    assert_eq!((time >> 11, time >> 5 & 63, (time & 31) * 2), (0, 17, 38));
    assert_eq!((day >> 9, day >> 5 & 15, day & 31), (45, 11, 26));
}
