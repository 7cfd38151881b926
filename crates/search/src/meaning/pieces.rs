//! This owns splitting text into the encoder's word pieces: normalisation, then the most probable segmentation.
//! It does not know what a piece means.
//!
//! The vocabulary is a sorted list read in place: nothing is built at start, and a prefix is found by narrowing a
//! range. The scheme is that of SentencePiece's unigram model (Kudo and Richardson, 2018).

use kernel::{Error, Result};

use super::normal::{Normalizer, SPACE_MARK};
use super::pack::{Pack, Section};

/// Stands for text that no piece covers.
const UNKNOWN: u32 = 0;
/// What an unknown character costs below the rarest piece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The vocabulary of word pieces.
pub(super) struct Pieces {
    normalizer: Normalizer,
    /// The bytes of all pieces, sorted, end to end.
    text: Section,
    /// Where each piece starts in `text`, and the end of the last.
    bounds: Section,
    /// Log-probability of each piece.
    scores: Section,
    /// The number of each piece in the table of the network.
    numbers: Section,
    unknown_score: f32,
}

/// The best way to reach one place in the text.
#[derive(Clone, Copy)]
struct Step {
    score: f32,
    start: usize,
    number: u32,
}

impl Pieces {
    /// Reads the vocabulary, every number of which must lie below `known`.
    pub(super) fn open(pack: &Pack, known: usize) -> Result<Self> {
        let (text, bounds) = (pack.get("pieces")?, pack.get("bounds")?);
        let (scores, numbers) = (pack.get("scores")?, pack.get("numbers")?);
        let count = numbers.words().len();
        let ordered = bounds.words().is_sorted_by_key(|word| u32::from_le_bytes(*word));
        let last = bounds.words().last().map_or(0, |word| u32::from_le_bytes(*word) as usize);
        let in_table = numbers.words().iter().all(|word| (u32::from_le_bytes(*word) as usize) < known);
        let whole = bounds.words().len() == count + 1 && scores.words().len() == count;
        if !(whole && ordered && in_table && last == text.bytes().len()) {
            return Err(Error::internal("the packed sentence encoder has a damaged vocabulary"));
        }
        let lowest = scores.words().iter().map(|word| f32::from_le_bytes(*word)).fold(0.0, f32::min);
        let normalizer = Normalizer::open(pack)?;
        Ok(Self { normalizer, text, bounds, scores, numbers, unknown_score: lowest - UNKNOWN_PENALTY })
    }

    /// The numbers of the pieces of a text; none for a text of nothing but spaces.
    pub(super) fn split(&self, text: &str) -> Vec<u32> {
        backtrace(&self.segment(&self.normalizer.apply(text)))
    }

    /// How improbable a text is to this vocabulary, in nats per letter; an ideograph counts as several. Around 3 for
    /// the languages that the encoder has learnt, above 5 for letters at random and for unknown scripts.
    pub(super) fn strangeness(&self, text: &str) -> f32 {
        let text = self.normalizer.apply(text);
        let marks = text.windows(SPACE_MARK.len()).filter(|window| *window == SPACE_MARK).count();
        let letters: usize = text.iter().map(|byte| letters_from(*byte)).sum();
        let letters = letters.saturating_sub(marks * letters_from(SPACE_MARK[0])).max(1);
        -self.segment(&text).last().map_or(0.0, |step| step.score) / letters as f32
    }

    /// The best way to reach each place of a text in normal form.
    fn segment(&self, text: &[u8]) -> Vec<Step> {
        let nowhere = Step { score: f32::NEG_INFINITY, start: 0, number: UNKNOWN };
        let mut best = vec![nowhere; text.len() + 1];
        best[0].score = 0.0;
        let mut start = 0;
        while start < text.len() {
            let reached = best[start].score;
            let character = char_bytes(text[start]).min(text.len() - start);
            let mut covered = false;
            self.each_prefix(&text[start..], |len, entry| {
                covered |= len == character;
                let step = Step { score: reached + self.score(entry), start, number: self.number(entry) };
                improve(&mut best[start + len], step);
            });
            if !covered {
                let step = Step { score: reached + self.unknown_score, start, number: UNKNOWN };
                improve(&mut best[start + character], step);
            }
            start += character;
        }
        best
    }

    /// Calls with the length and entry of every piece that `text` begins with, shortest first.
    fn each_prefix(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut range = 0..self.numbers.words().len();
        for (depth, byte) in text.iter().enumerate() {
            // All pieces in range share `depth` bytes; the one that ends here, if any, sorts first.
            range.start += partition(range.clone(), |entry| self.byte(entry, depth) < Some(*byte));
            range.end =
                range.start + partition(range.clone(), |entry| self.byte(entry, depth) == Some(*byte));
            if range.is_empty() {
                return;
            }
            if self.piece(range.start).len() == depth + 1 {
                found(depth + 1, range.start);
            }
        }
    }

    fn byte(&self, entry: usize, depth: usize) -> Option<u8> {
        self.piece(entry).get(depth).copied()
    }

    fn piece(&self, entry: usize) -> &[u8] {
        let bound = |entry: usize| u32::from_le_bytes(self.bounds.words()[entry]) as usize;
        &self.text.bytes()[bound(entry)..bound(entry + 1)]
    }

    fn score(&self, entry: usize) -> f32 {
        f32::from_le_bytes(self.scores.words()[entry])
    }

    fn number(&self, entry: usize) -> u32 {
        u32::from_le_bytes(self.numbers.words()[entry])
    }
}

/// How many entries from the start of the range fulfil a condition that holds for a first part of it.
fn partition(range: std::ops::Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low - range.start
}

fn improve(best: &mut Step, step: Step) {
    if step.score > best.score {
        *best = step;
    }
}

/// Walks back from the end; neighbouring unknown characters become one piece.
fn backtrace(best: &[Step]) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut end = best.len() - 1;
    while end > 0 {
        let step = best[end];
        if step.number != UNKNOWN || numbers.last() != Some(&UNKNOWN) {
            numbers.push(step.number);
        }
        end = step.start;
    }
    numbers.reverse();
    numbers
}

/// How many letters of an alphabet the character that starts with this byte tells as much as.
const fn letters_from(first: u8) -> usize {
    match first {
        0x80..=0xBF => 0,
        // Kana, of which a word has more than of ideographs.
        0xE3 => 2,
        0xE0..=0xFF => 3,
        _ => 1,
    }
}

/// Bytes of the UTF-8 character that starts with this byte.
pub(super) const fn char_bytes(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}
