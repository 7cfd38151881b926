//! This owns what API keys may do: each thing has a name, and a key has a set of them that is never empty.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

/// Something that a key may do. The number is its bit in rows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Order pictures, which spends credits, and follow what was ordered.
    Make = 1,
    /// Look up what was ordered.
    Read = 2,
    /// Delete pictures.
    Delete = 4,
}

impl Scope {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Make, Self::Read, Self::Delete];

    /// Its name, in forms and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::Read => "read",
            Self::Delete => "delete",
        }
    }

    /// Its name for people, as a key of the interface's words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Make => "scope-make",
            Self::Read => "scope-read",
            Self::Delete => "scope-delete",
        }
    }

    /// What a program is told whose key may not do this.
    pub(crate) const fn refusal(self) -> &'static str {
        match self {
            Self::Make => "This API key may not make pictures. Use one that may, from your account page.",
            Self::Read => "This API key may not look up pictures. Use one that may, from your account page.",
            Self::Delete => "This API key may not delete pictures. Use one that may, from your account page.",
        }
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Everything.
    pub const ALL: Self = Self(Scope::Make as u8 | Scope::Read as u8 | Scope::Delete as u8);

    /// These and no others.
    ///
    /// # Errors
    /// `Invalid` for none: a key that may do nothing is a mistake.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Result<Self> {
        match scopes.into_iter().fold(0, |bits, scope| bits | scope as u8) {
            0 => Err(Error::invalid("scopes", "Choose at least one thing that the key may do.")),
            bits => Ok(Self(bits)),
        }
    }

    /// Whether this is among them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    pub(crate) const fn column(self) -> i64 {
        self.0 as i64
    }

    pub(crate) fn from_column(bits: i64) -> Result<Self> {
        let found = u8::try_from(bits).ok().filter(|bits| *bits != 0 && bits & !Self::ALL.0 == 0);
        found.map(Self).ok_or_else(|| Error::internal("a key may do what there is no name for"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_what_was_put_in_and_is_never_empty() {
        for bits in 1..8_i64 {
            let scopes = Scopes::from_column(bits).unwrap();
            assert_eq!(Scopes::of(scopes.iter()).unwrap().column(), bits);
            assert_eq!(scopes.iter().count(), bits.count_ones() as usize);
        }
        assert!(Scopes::of([]).is_err());
        for wrong in [-1, 0, 8, 256] {
            assert!(Scopes::from_column(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Scopes::of(Scope::ALL).unwrap(), Scopes::ALL);
    }

    #[test]
    fn refusals_are_not_taken_for_something_else() {
        // Programs in the field tell failures apart by these words.
        for scope in Scope::ALL {
            let words = scope.refusal().to_lowercase();
            for other in [
                "safety",
                "policy",
                "flagged",
                "content",
                "credit",
                "insufficient",
                "timed out",
                "limit",
                "model",
                "ratio",
            ] {
                assert!(!words.contains(other), "{words} has {other}");
            }
        }
    }
}
