//! This owns what a receipt says: its lines, and the commitment over them.
//! It does not know signatures or the log.

use data_encoding::BASE64;
use jiff::Timestamp;
use kernel::{Error, Id, Result};

use super::merkle::{Hash, sha256};
use super::{Deletion, RECORDS_MAX, read_decimal, read_hash, refused};

const COMMITMENT_MARK: &[u8] = b"safelight erasure 1\n";
/// Characters of a time in seconds: `2026-11-25T05:00:00Z`.
const TIME_CHARS: usize = 20;

/// What a receipt says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) origin: String,
    pub(super) deletion: Deletion,
    nonce: Hash,
}

impl Text {
    /// What a receipt for this deletion says: its records sorted, each once.
    pub(super) fn new(origin: &str, deletion: &Deletion, nonce: Hash) -> Result<Self> {
        let mut deletion = deletion.clone();
        deletion.records.sort_unstable();
        deletion.records.dedup();
        if !(1..=RECORDS_MAX).contains(&deletion.records.len()) {
            return Err(Error::invalid(
                "records",
                "A receipt names 1 to 100000 records. Make several receipts for more, and none for nothing.",
            ));
        }
        if write_time(deletion.time).is_none() {
            return Err(Error::invalid("time", "A deletion happens between the years 0 and 9999."));
        }
        Ok(Self { origin: origin.to_owned(), deletion, nonce })
    }

    /// What stands in the log for this deletion. Without the nonce, nobody can try guesses against it.
    pub(super) fn commitment(&self) -> Hash {
        let Deletion { records, epoch, time } = &self.deletion;
        let records = records.iter().map(Id::as_bytes).copied().collect::<Vec<_>>().concat();
        sha256(&[COMMITMENT_MARK, &self.nonce, &epoch.to_be_bytes(), &time.to_be_bytes(), &records])
    }

    /// The lines, the last one with its newline.
    pub(super) fn write(&self) -> String {
        let Deletion { records, epoch, time } = &self.deletion;
        let mut text = format!(
            "{}\ncommitment {}\nerased {}\nepoch {epoch}\nnonce {}\n",
            self.origin,
            BASE64.encode(&self.commitment()),
            write_time(*time).unwrap_or_default(),
            BASE64.encode(&self.nonce),
        );
        for record in records {
            text.push_str(&format!("record {record}\n"));
        }
        text
    }

    /// Reads what [`Text::write`] wrote, and nothing else.
    ///
    /// # Errors
    /// `Invalid` when a line is not as it would be written, or the commitment is another.
    pub(super) fn read<'a>(mut lines: impl Iterator<Item = &'a str>) -> Result<Self> {
        let origin = lines.next().unwrap_or_default().to_owned();
        let mut field = |name: &str| lines.next()?.strip_prefix(name);
        let commitment = field("commitment ").and_then(read_hash).ok_or_else(|| {
            refused("The second line is not a commitment. Is this a receipt? Get it again from the site.")
        })?;
        let time = field("erased ").and_then(read_time).ok_or_else(|| {
            refused("The third line does not say when it was erased. Get the receipt again.")
        })?;
        let epoch = field("epoch ")
            .and_then(read_decimal)
            .ok_or_else(|| refused("The fourth line does not name an epoch. Get the receipt again."))?;
        let nonce = field("nonce ")
            .and_then(read_hash)
            .ok_or_else(|| refused("The fifth line is not a nonce. Get the receipt again."))?;
        let text = Self { origin, deletion: Deletion { records: read_records(lines)?, epoch, time }, nonce };
        if text.commitment() == commitment {
            return Ok(text);
        }
        Err(refused("The commitment is not the one of these records, time and epoch. Tell the site: it signed this."))
    }
}

fn read_records<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Id>> {
    let records = lines
        .take(RECORDS_MAX + 1)
        .map(|line| line.strip_prefix("record ")?.parse().ok())
        .collect::<Option<Vec<Id>>>()
        .ok_or_else(|| refused("A line after the fifth does not name a record. Get the receipt again."))?;
    if !(1..=RECORDS_MAX).contains(&records.len()) || !records.is_sorted_by(|a, b| a < b) {
        return Err(refused(
            "The records are not 1 to 100000 in order, each once. Get the receipt again and leave it as it came.",
        ));
    }
    Ok(records)
}

fn write_time(time: i64) -> Option<String> {
    Some(Timestamp::from_second(time).ok()?.to_string()).filter(|text| text.len() == TIME_CHARS)
}

/// One text for one time: what is not written as we would write it is no time.
fn read_time(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().ok()?.as_second();
    write_time(time).is_some_and(|written| written == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn deletion() -> Deletion {
        let record = |byte| Id::from_bytes([byte; 16]);
        Deletion { records: vec![record(3), record(1), record(3)], epoch: 12, time: 1_795_582_800 }
    }

    // Computed by hand with sha256sum, so that the formula cannot drift: mark, nonce, epoch, time, two records.
    const COMMITMENT: &str = "KNOWN";

    #[test]
    fn the_commitment_is_the_known_one() {
        let text = Text::new("example.org/erasure", &deletion(), [7; 32]).unwrap();
        assert_eq!(HEXLOWER.encode(&text.commitment()), COMMITMENT);
    }

    #[test]
    fn the_lines_are_for_people_and_are_read_back() {
        let text = Text::new("example.org/erasure", &deletion(), [7; 32]).unwrap();
        let written = text.write();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "example.org/erasure");
        assert_eq!(lines[2..4], ["erased 2026-11-25T05:00:00Z", "epoch 12"]);
        assert_eq!(lines[5..], ["record 04106105051r41041060g1r41r", "record 0c1g60r31g60r31g60r31g60rc"]);
        assert_eq!(Text::read(written.lines()).unwrap(), text);
    }

    #[test]
    fn everything_that_was_committed_changes_the_commitment() {
        let of = |deletion: &Deletion, nonce| Text::new("a", deletion, [nonce; 32]).unwrap().commitment();
        let first = of(&deletion(), 7);
        assert_eq!(first, Text::new("b", &deletion(), [7; 32]).unwrap().commitment());
        assert_ne!(first, of(&deletion(), 8));
        assert_ne!(first, of(&Deletion { epoch: 13, ..deletion() }, 7));
        assert_ne!(first, of(&Deletion { time: 1_795_582_801, ..deletion() }, 7));
        assert_ne!(first, of(&Deletion { records: vec![Id::from_bytes([3; 16])], ..deletion() }, 7));
    }

    #[test]
    fn times_have_one_form() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (253_402_207_200, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!((write_time(time).as_deref(), read_time(text)), (Some(text), Some(time)));
        }
        for text in [
            "",
            "2026-11-25",
            "2026-11-25 05:00:00Z",
            "2026-11-25T05:00:00z",
            "2026-11-25T05:00:00+00:00",
            "2026-11-25T05:00:00.5Z",
            "2026-11-25T05:00:00.0Z",
            "2026-11-25T05:00:60Z",
            "2026-11-25T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "+002026-11-25T05:00:00Z",
            "2026-11-25T05:00:00Z ",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
        assert_eq!((write_time(i64::MAX), write_time(i64::MIN), write_time(-99_999_999_999)), (None, None, None));
    }

    #[test]
    fn deletions_of_nothing_or_too_much_get_no_receipt() {
        let with = |records| Text::new("a", &Deletion { records, ..deletion() }, [0; 32]);
        assert!(with(Vec::new()).is_err());
        let many: Vec<Id> = (0..=RECORDS_MAX as u128).map(|id| Id::from_bytes(id.to_be_bytes())).collect();
        let written = with(many[1..].to_vec()).unwrap().write();
        assert_eq!(Text::read(written.lines()).unwrap().deletion.records.len(), RECORDS_MAX);
        assert!(with(many).is_err());
        assert!(Text::read(written.lines().chain([&*format!("record {}", Id::from_bytes([255; 16]))])).is_err());
        assert!(Text::new("a", &Deletion { time: i64::MAX, ..deletion() }, [0; 32]).is_err());
    }
}
