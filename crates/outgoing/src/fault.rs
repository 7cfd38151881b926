//! This owns why nothing came back from a peer. Whoever asked says it in words of their own.

use std::fmt;

/// Why nothing came back.
#[derive(Debug)]
pub enum Fault {
    /// Nobody with this scheme, host and port is on the list for this purpose.
    NotListed,
    /// The name leads to an address that this peer may not have; what kind of address that is.
    Forbidden(&'static str),
    /// The connection could not be made, or broke.
    Unreachable(Option<Box<dyn std::error::Error + Send + Sync>>),
    /// The peer was silent for too long.
    Silent,
    /// The answer is longer than was asked for.
    TooLong,
}

impl Fault {
    /// What a failed request comes from: a refused address is found under what the libraries wrapped around it.
    pub(crate) fn of(cause: reqwest::Error) -> Self {
        let mut under: Option<&(dyn std::error::Error + 'static)> = Some(&cause);
        while let Some(error) = under {
            if let Some(Self::Forbidden(kind)) = error.downcast_ref() {
                return Self::Forbidden(kind);
            }
            under = error.source();
        }
        // Without the address, which may carry what it should not.
        Self::Unreachable(Some(Box::new(cause.without_url())))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => f.write_str("not on the list of those this program speaks to"),
            Self::Forbidden(kind) => write!(f, "its name leads to an address that is not allowed: {kind}"),
            Self::Unreachable(_) => f.write_str("it cannot be reached"),
            Self::Silent => f.write_str("it does not answer in time"),
            Self::TooLong => f.write_str("its answer is longer than is accepted"),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable(Some(cause)) => Some(&**cause),
            _ => None,
        }
    }
}
