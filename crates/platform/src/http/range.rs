//! This owns which part of an answer a request asks for.

use std::ops::Range;

use axum::http::HeaderMap;

use super::heard::Heard;

/// A single range of bytes from a first one. Other forms are answered with the whole, as RFC 9110 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub first: u64,
    /// The last byte; the end where it is left open.
    pub last: Option<u64>,
}

impl ByteRange {
    /// What a request asks for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(Heard::Range.of(headers)?)
    }

    fn parse(value: &str) -> Option<Self> {
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        let first = first.parse().ok()?;
        let last =
            if last.is_empty() { None } else { Some(last.parse().ok().filter(|last| *last >= first)?) };
        Some(Self { first, last })
    }

    /// The place behind its last byte, or none where it is open.
    #[must_use]
    pub fn end(self) -> u64 {
        self.last.map_or(u64::MAX, |last| last.saturating_add(1))
    }

    /// What it asks for of so many bytes; nothing where it begins behind them.
    #[must_use]
    pub fn within(self, bytes: u64) -> Option<Range<u64>> {
        (self.first < bytes).then(|| self.first..self.end().min(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ranges_are_read_and_others_ignored() {
        let range = |first, last| Some(ByteRange { first, last });
        assert_eq!(ByteRange::parse("bytes=0-99"), range(0, Some(99)));
        assert_eq!(ByteRange::parse("bytes=7-"), range(7, None));
        for other in ["bytes=-5", "bytes=9-3", "bytes=0-1,4-5", "lines=0-1", ""] {
            assert_eq!(ByteRange::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_range_ends_with_what_is_there() {
        let range = |first, last| ByteRange { first, last };
        assert_eq!(range(2, None).within(5), Some(2..5));
        assert_eq!(range(2, Some(9)).within(5), Some(2..5));
        assert_eq!(range(2, Some(3)).within(5), Some(2..4));
        assert_eq!(range(5, None).within(5), None);
        assert_eq!(range(0, Some(u64::MAX)).within(5), Some(0..5));
    }
}
