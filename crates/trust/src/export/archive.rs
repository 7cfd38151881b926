//! This owns the form of a ZIP archive whose files are stored as they are: where each of its bytes is, known before any file
//! is read. It does not read files. The form is that of PKWARE's APPNOTE, with ZIP64 where a number needs it.

use std::ops::Range;

use kernel::clock::UnixSeconds;
use kernel::{Error, Result};

const HEAD_MARK: u32 = 0x0403_4b50;
const LINE_MARK: u32 = 0x0201_4b50;
const END_MARK: u32 = 0x0605_4b50;
const END64_MARK: u32 = 0x0606_4b50;
const LOCATOR_MARK: u32 = 0x0706_4b50;
/// Bytes of these records without names and extra fields.
const HEAD_BYTES: u64 = 30;
const LINE_BYTES: u64 = 46;
const END_BYTES: u64 = 22;
const END64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
/// What of an [`END64_BYTES`] record counts as its size.
const END64_COUNTED: u64 = END64_BYTES - 12;
/// The extra field with the time as seconds, since the other one knows no time zone.
const TIME_MARK: u16 = 0x5455;
const TIME_BYTES: u16 = 9;
/// The extra field with a place behind 4 GiB.
const PLACE64_MARK: u16 = 0x0001;
const PLACE64_BYTES: u16 = 12;
/// Versions of the form that a reader has to know, and of who made it: a Unix, so that rights are read.
const PLAIN: u16 = 10;
const ZIP64: u16 = 45;
const MADE_BY: u16 = 3 << 8 | ZIP64;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// A file that its owner may write and others may read.
const RIGHTS: u32 = 0o100_644 << 16;
/// The day 1980-01-01, before which there are no days.
const FIRST_DAY: u16 = 1 << 5 | 1;

/// A file of an archive, as far as it is known before it is read.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path, with `/`.
    pub(super) name: String,
    /// Its length.
    pub(super) bytes: u64,
    /// When it was made.
    pub(super) modified: UnixSeconds,
}

/// A part of an archive that is made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The head of the file with this number, and the file.
    File(usize),
    /// The list of all files, which ends the archive.
    Directory,
}

/// Where the parts of an archive are.
#[derive(Debug)]
pub(super) struct Layout {
    entries: Vec<Entry>,
    heads: Vec<u64>,
    directory: Range<u64>,
}

impl Layout {
    /// The archive of these files, in this order.
    ///
    /// # Errors
    /// `Internal` for a file of 4 GiB or a name of 64 KiB, which nothing here has.
    pub(super) fn of(entries: Vec<Entry>) -> Result<Self> {
        let fits =
            |entry: &Entry| entry.bytes < u64::from(u32::MAX) && entry.name.len() < usize::from(u16::MAX);
        if !entries.iter().all(fits) {
            return Err(Error::internal("a file is too large for an archive"));
        }
        let mut heads = Vec::with_capacity(entries.len());
        let (mut at, mut lines) = (0, 0);
        for entry in &entries {
            heads.push(at);
            lines += LINE_BYTES + entry.name_bytes() + u64::from(extra_bytes(at));
            at += entry.head_bytes() + entry.bytes;
        }
        let ends = if needs_zip64(entries.len(), at, lines) { END64_BYTES + LOCATOR_BYTES } else { 0 };
        Ok(Self { entries, heads, directory: at..at + lines + ends + END_BYTES })
    }

    /// Its length.
    pub(super) fn bytes(&self) -> u64 {
        self.directory.end
    }

    /// Its files.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The part in which a byte is.
    pub(super) fn part_at(&self, place: u64) -> Part {
        match self.heads.partition_point(|head| *head <= place).checked_sub(1) {
            Some(file) if place < self.directory.start => Part::File(file),
            _ => Part::Directory,
        }
    }

    /// Where a part begins.
    pub(super) fn start(&self, part: Part) -> u64 {
        match part {
            Part::File(file) => self.heads.get(file).copied().unwrap_or(self.directory.start),
            Part::Directory => self.directory.start,
        }
    }

    /// What stands before a file; `crc` is that of its content.
    pub(super) fn head(&self, file: usize, crc: u32) -> Vec<u8> {
        let Some(entry) = self.entries.get(file) else { return Vec::new() };
        Record::new(HEAD_MARK)
            .u16(PLAIN)
            .bytes(&entry.common(crc))
            .u16(TIME_BYTES)
            .bytes(entry.name.as_bytes())
            .bytes(&entry.time())
            .0
    }

    /// The list of all files and the end; `crcs` are those of their contents, in order.
    pub(super) fn directory(&self, crcs: &[u32]) -> Vec<u8> {
        let mut lines = Record(Vec::new());
        for ((entry, head), crc) in self.entries.iter().zip(&self.heads).zip(crcs) {
            let far = extra_bytes(*head) > TIME_BYTES;
            lines = lines
                .u32(LINE_MARK)
                .u16(MADE_BY)
                .u16(if far { ZIP64 } else { PLAIN })
                .bytes(&entry.common(*crc))
                .u16(extra_bytes(*head))
                .bytes(&[0; 6]) // No comment, the first disk, no kind of text.
                .u32(RIGHTS)
                .u32(short(*head))
                .bytes(entry.name.as_bytes())
                .bytes(&entry.time());
            if far {
                lines = lines.u16(PLACE64_MARK).u16(PLACE64_BYTES - 4).u64(*head);
            }
        }
        let listed = lines.0.len() as u64;
        self.end(lines, listed).0
    }

    fn end(&self, mut lines: Record, listed: u64) -> Record {
        let (files, at) = (self.entries.len() as u64, self.directory.start);
        if needs_zip64(self.entries.len(), at, listed) {
            lines = lines
                .u32(END64_MARK)
                .u64(END64_COUNTED)
                .u16(MADE_BY)
                .u16(ZIP64)
                .u64(0)
                .u64(files)
                .u64(files)
                .u64(listed)
                .u64(at)
                .u32(LOCATOR_MARK)
                .u32(0)
                .u64(at + listed)
                .u32(1);
        }
        let files = u16::try_from(files).unwrap_or(u16::MAX);
        lines.u32(END_MARK).u32(0).u16(files).u16(files).u32(short(listed)).u32(short(at)).u16(0)
    }
}

impl Entry {
    fn name_bytes(&self) -> u64 {
        self.name.len() as u64
    }

    fn head_bytes(&self) -> u64 {
        HEAD_BYTES + self.name_bytes() + u64::from(TIME_BYTES)
    }

    /// What a head and a line of the list have in common: from the flags to the length of the name.
    fn common(&self, crc: u32) -> Vec<u8> {
        let (time, day) = dos_time(self.modified);
        let name_bytes = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        let bytes = short(self.bytes);
        Record(Vec::new())
            .u16(FLAGS)
            .u16(0)
            .u16(time)
            .u16(day)
            .u32(crc)
            .u32(bytes)
            .u32(bytes)
            .u16(name_bytes)
            .0
    }

    fn time(&self) -> Vec<u8> {
        let seconds = u32::try_from(self.modified.max(0)).unwrap_or(u32::MAX);
        Record(Vec::new()).u16(TIME_MARK).u16(TIME_BYTES - 4).bytes(&[1]).u32(seconds).0
    }
}

/// Bytes of the extra fields of a file's line in the list.
fn extra_bytes(head: u64) -> u16 {
    if head < u64::from(u32::MAX) { TIME_BYTES } else { TIME_BYTES + PLACE64_BYTES }
}

fn needs_zip64(files: usize, directory_at: u64, listed: u64) -> bool {
    files >= usize::from(u16::MAX) || directory_at.max(listed) >= u64::from(u32::MAX)
}

/// A number in its short field, which is full where the long one counts.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Time of day and day as MS-DOS knew them, in UTC.
fn dos_time(time: UnixSeconds) -> (u16, u16) {
    let civil = jiff::Timestamp::from_second(time).map(|time| jiff::tz::Offset::UTC.to_datetime(time));
    let Some(civil) = civil.ok().filter(|civil| (1980..=2107).contains(&civil.year())) else {
        return (0, FIRST_DAY);
    };
    let part = |number: i8| u16::from(number.unsigned_abs());
    let year = civil.year().unsigned_abs() - 1980;
    let time = (part(civil.hour()) << 11) | (part(civil.minute()) << 5) | (part(civil.second()) / 2);
    (time, year << 9 | part(civil.month()) << 5 | part(civil.day()))
}

/// A record as it grows: numbers stand with their least byte first.
struct Record(Vec<u8>);

impl Record {
    fn new(mark: u32) -> Self {
        Self(Vec::new()).u32(mark)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(self, number: u16) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }
}

#[cfg(test)]
mod tests;
