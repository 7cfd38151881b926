//! This owns how a share looks on paper and in a file: lines that can be typed, each with a checksum of its own, so that a
//! typing error is named by its line. It does not know what a share opens.
//!
//! Four lines of 24 letters and 4 more that check them, in Crockford's base 32. They hold: version, needed, of, number,
//! set, value, and a check of it all.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::{Encoding, Specification};
use kernel::{Error, Result, crockford};
use zeroize::Zeroizing;

use crate::Share;
use crate::shares::{Quorum, SET_BYTES, SetId, VALUE_BYTES};

const VERSION: u8 = 1;
const LINES: usize = 4;
/// Bytes that a line carries, and that check it.
const LINE_BYTES: usize = 15;
const LINE_LETTERS: usize = LINE_BYTES * 8 / 5;
const CHECK_LETTERS: usize = 4;
/// Letters that stand together.
const GROUP_LETTERS: usize = 4;
const SHARE_BYTES: usize = LINES * LINE_BYTES;
const HEAD_BYTES: usize = 4;
const CHECK_BYTES: usize = SHARE_BYTES - HEAD_BYTES - SET_BYTES - VALUE_BYTES;
/// How every share begins.
const HEADING: &str = "safelight share";
/// Letters of a text that may hold shares.
const TEXT_LETTERS_MAX: usize = 64 * 1024;

static LETTERS: LazyLock<Encoding> = LazyLock::new(|| {
    let mut letters = Specification::new();
    letters.symbols.push_str(crockford::SYMBOLS);
    letters.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    letters.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    #[allow(clippy::expect_used)] // The alphabet is a constant; the first test would fail.
    letters.encoding().expect("32 distinct symbols")
});

impl Share {
    /// The share as lines of text.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let quorum = self.quorum;
        let opens = match quorum.needed() {
            1 => "it opens the backup".to_owned(),
            needed => format!("any {needed} open the backup"),
        };
        let mut text = Zeroizing::new(String::with_capacity(LINES * 64));
        *text += &format!("Safelight share {} of {}; {opens}\nset {}\n", self.number, quorum.of(), self.set);
        for (line, bytes) in (1..).zip(self.bytes().chunks(LINE_BYTES)) {
            let letters = Zeroizing::new(LETTERS.encode(bytes) + &line_check(line, bytes));
            *text += &format!("{line}:");
            for (at, letter) in letters.chars().enumerate() {
                text.extend((at % GROUP_LETTERS == 0).then_some(' '));
                text.push(letter);
            }
            text.push('\n');
        }
        text
    }

    /// The shares of a text, each with what is wrong with it. Words around them, case and spacing do not matter, and
    /// letters that look like a digit count as that digit.
    ///
    /// # Errors
    /// `Invalid` where there is none.
    pub fn read_all(text: &str) -> Result<Vec<Result<Self>>> {
        let none = || Error::invalid("share", "There is no share in this file.");
        if text.len() > TEXT_LETTERS_MAX {
            return Err(none());
        }
        let mut parts: Vec<Vec<(usize, &str)>> = vec![Vec::new()];
        for line in text.lines() {
            if line.trim().to_ascii_lowercase().starts_with(HEADING) {
                parts.push(Vec::new());
            }
            if let (Some(found), Some(part)) = (numbered(line), parts.last_mut()) {
                part.push(found);
            }
        }
        let shares: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(|part| read(part)).collect();
        if shares.is_empty() { Err(none()) } else { Ok(shares) }
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let head = [VERSION, self.quorum.needed(), self.quorum.of(), self.number];
        let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_BYTES));
        for part in [head.as_slice(), &self.set.0, &*self.value] {
            bytes.extend_from_slice(part);
        }
        let check = check(0, &bytes);
        bytes.extend(check.iter().take(CHECK_BYTES));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let wrong = |words: &'static str| Error::invalid("share", words);
        let mixed = || wrong("The lines of this share do not belong together.");
        let (body, checked) = bytes.split_at_checked(SHARE_BYTES - CHECK_BYTES).ok_or_else(mixed)?;
        if check(0, body).get(..CHECK_BYTES) != Some(checked) {
            return Err(mixed());
        }
        let (head, rest) = body.split_first_chunk::<HEAD_BYTES>().ok_or_else(mixed)?;
        let (set, value) = rest.split_first_chunk().ok_or_else(mixed)?;
        let [version, needed, of, number] = *head;
        if version != VERSION {
            return Err(wrong("This share was made by a newer version of Safelight."));
        }
        let quorum = Quorum::new(needed, of)?;
        if !(1..=of).contains(&number) {
            return Err(mixed());
        }
        let value = Zeroizing::new(*value.first_chunk().ok_or_else(mixed)?);
        Ok(Self { set: SetId(*set), quorum, number, value })
    }
}

/// The number of a line and its letters, if it is a line of a share.
fn numbered(line: &str) -> Option<(usize, &str)> {
    let (number, letters) = line.split_once(':')?;
    let number = match number.trim() {
        "I" | "i" | "L" | "l" => 1,
        number => number.parse().ok()?,
    };
    (1..=LINES).contains(&number).then_some((number, letters))
}

fn read(lines: &[(usize, &str)]) -> Result<Share> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_BYTES));
    for number in 1..=LINES {
        let wrong = |words: String| Error::invalid("share", words);
        let mut found = lines.iter().filter(|(of, _)| *of == number);
        let (_, letters) =
            found.next().ok_or_else(|| wrong(format!("Line {number} of the share is missing.")))?;
        if found.next().is_some() {
            return Err(wrong(format!("Line {number} of the share is there twice.")));
        }
        let is_letter = |letter: &char| !letter.is_whitespace() && *letter != '-';
        let letters: Zeroizing<String> = Zeroizing::new(letters.chars().filter(is_letter).collect());
        let count = letters.chars().count();
        if count != LINE_LETTERS + CHECK_LETTERS {
            let wanted = LINE_LETTERS + CHECK_LETTERS;
            return Err(wrong(format!("Line {number} of the share has {count} letters, and not {wanted}.")));
        }
        let typo = || wrong(format!("There is a typing error in line {number} of the share."));
        let (carried, checked) = letters.split_at_checked(LINE_LETTERS).ok_or_else(typo)?;
        let carried = Zeroizing::new(LETTERS.decode(carried.as_bytes()).map_err(|_| typo())?);
        let plain = |text: &str| text.bytes().map(crockford::meant).collect::<Vec<u8>>();
        if plain(checked) != line_check(number, &carried).as_bytes() {
            return Err(typo());
        }
        bytes.extend_from_slice(&carried);
    }
    Share::from_bytes(&bytes)
}

fn line_check(line: usize, bytes: &[u8]) -> String {
    let mut letters = LETTERS.encode(&check(line, bytes));
    letters.truncate(CHECK_LETTERS);
    letters
}

fn check(line: usize, bytes: &[u8]) -> [u8; 5] {
    let mut context = Context::new(&SHA256);
    context.update(b"safelight share line ");
    context.update(&[u8::try_from(line).unwrap_or(u8::MAX)]);
    context.update(bytes);
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{join, random_key, split};

    fn shares(needed: u8, of: u8) -> Vec<Share> {
        split(&random_key(), Quorum::new(needed, of).unwrap(), SetId::random()).unwrap()
    }

    fn only(text: &str) -> Result<Share> {
        Share::read_all(text)?.pop().unwrap()
    }

    proptest! {
        #[test]
        fn a_share_comes_back_from_paper_however_it_is_spaced(number in 0..3_usize, seed in any::<u64>()) {
            let shares = shares(2, 3);
            let text = shares[number].text();
            // O for 0, i and l for 1, small letters, spaces and dashes, as a person types.
            let typed: String = text.lines().enumerate().map(|(line, text)| {
                let Some((head, letters)) = text.split_once(": ") else { return format!("{}\n", text.to_uppercase()) };
                let letters: String = letters.chars().enumerate().map(|(at, letter)| {
                    let change = seed.rotate_left((line * 31 + at) as u32) & 3;
                    match (letter, change) {
                        ('0', 0) => "O".into(),
                        ('0', 1) => "o".into(),
                        ('1', 0) => "I".into(),
                        ('1', 1) => "l".into(),
                        (' ', 0) => "-".into(),
                        (' ', 1) => String::new(),
                        (' ', _) => " \t ".into(),
                        (other, 0) => other.to_ascii_lowercase().to_string(),
                        (other, _) => other.to_string(),
                    }
                }).collect();
                format!("  {head} : {letters}\r\n")
            }).collect();
            let read = only(&typed).unwrap();
            prop_assert_eq!((read.set, read.quorum, read.number), (shares[number].set, shares[number].quorum, shares[number].number));
            prop_assert_eq!(&read.value, &shares[number].value);
        }

        #[test]
        fn a_typing_error_is_named_by_its_line(line in 0..LINES, at in 0..LINE_LETTERS + CHECK_LETTERS, other in 0..31_usize) {
            let text = shares(2, 3)[1].text();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let place = 3 + at + at / GROUP_LETTERS;
            let letter = lines[line + 2].as_bytes()[place];
            let others: Vec<u8> = crockford::SYMBOLS.bytes().filter(|other| *other != letter).collect();
            lines[line + 2].replace_range(place..=place, &char::from(others[other]).to_string());
            let error = only(&lines.join("\n")).unwrap_err();
            prop_assert_eq!(error.public, format!("There is a typing error in line {} of the share.", line + 1));
        }

        #[test]
        fn garbage_is_refused(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for text in [text, String::from_utf8_lossy(&bytes).into_owned()] {
                prop_assert!(Share::read_all(&text).map_or(true, |all| all.iter().all(std::result::Result::is_err)));
            }
        }
    }

    #[test]
    fn a_share_says_what_it_is() {
        let text = shares(2, 3)[1].text();
        assert!(text.starts_with("Safelight share 2 of 3; any 2 open the backup\nset "), "{}", *text);
        assert_eq!(text.lines().count(), 2 + LINES);
        assert!(shares(1, 1)[0].text().starts_with("Safelight share 1 of 1; it opens the backup\n"));
    }

    #[test]
    fn lines_that_are_missing_swapped_or_of_others_are_told() {
        let shares = shares(2, 3);
        let text = shares[0].text();
        let lines: Vec<&str> = text.lines().collect();
        let said = |text: &str| only(text).unwrap_err().public;
        assert_eq!(said(&lines[..5].join("\n")), "Line 4 of the share is missing.");
        assert_eq!(said(&format!("{}{}\n", *text, lines[3])), "Line 2 of the share is there twice.");
        assert_eq!(
            said(&text.replace(lines[4], "3: 0000")),
            "Line 3 of the share has 4 letters, and not 28."
        );
        let swapped = text.replace(lines[2], &lines[3].replace("2:", "1:"));
        assert!(said(&swapped).contains("line 1"), "a line knows its place");
        let others = shares[1].text();
        let mixed = text.replace(lines[3], others.lines().nth(3).unwrap());
        assert_eq!(said(&mixed), "The lines of this share do not belong together.");
        assert!(said(&text.replacen("1:", "U:", 1)).contains("Line 1 of the share is missing"));
        assert!(Share::read_all("").is_err() && Share::read_all(&"1: 0\n".repeat(20_000)).is_err());
    }

    #[test]
    fn several_shares_stand_in_one_text_and_a_broken_one_harms_none() {
        let shares = shares(2, 3);
        let (first, second) = (shares[0].text(), shares[1].text());
        let torn = &second[..second.len() / 2];
        let both = Share::read_all(&format!("{}{torn}", *first)).unwrap();
        assert!(both[0].is_ok() && both[1].is_err());
        let both = Share::read_all(&format!("{}\n\n  {}", *first, *second)).unwrap();
        let both: Vec<Share> = both.into_iter().map(Result::unwrap).collect();
        assert!(join(&both).is_ok());
    }
}
