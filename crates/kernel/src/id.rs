//! This owns record ids: 128 random bits, so that an id is also a capability nobody can guess.
//! It does not decide who may see a record.

use std::fmt;
use std::str::FromStr;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};

use crate::crockford::SYMBOLS;
use crate::error::Error;

/// Length of an id in its text form.
pub const ID_CHARS: usize = 26;

/// A random 128-bit record id, written as 26 lower-case Crockford base-32 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; 16]);

impl Id {
    /// A new id from the operating system's generator.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The id with exactly these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id stored in a 16-byte column.
    ///
    /// # Errors
    /// `Internal` when the column does not hold 16 bytes.
    pub fn from_column(bytes: &[u8]) -> Result<Self, Error> {
        <[u8; 16]>::try_from(bytes)
            .map(Self)
            .map_err(|_| Error::internal("a stored id does not have 16 bytes"))
    }
}

fn base32() -> &'static Encoding {
    static ENCODING: std::sync::LazyLock<Encoding> = std::sync::LazyLock::new(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str(&SYMBOLS.to_ascii_lowercase());
        #[allow(clippy::expect_used)] // The alphabet is a constant; the first test would fail.
        spec.encoding().expect("32 distinct symbols")
    });
    &ENCODING
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0))
    }
}

/// An id is a capability, so a debug print shows only that there is one.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        base32()
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| Error::not_found("There is nothing with this id."))
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("an id has 26 characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_has_a_fixed_length() {
        for _ in 0..100 {
            let id = Id::random();
            let text = id.to_string();
            assert_eq!(text.len(), ID_CHARS);
            assert_eq!(text.parse::<Id>().unwrap(), id);
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "x", "../../etc/passwd", "0000000000000000000000000u", "é"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
