//! This owns the one error type: what went wrong, in words for the person who can mend it, and a cause for the operator.
//! It does not render or log; every door does that once, at its edge.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// Result with the workspace's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure this is; each door maps it to its own status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input is wrong; `public` says what to do.
    Invalid,
    /// No valid session or key.
    Unauthenticated,
    /// Not enough credits.
    InsufficientCredits,
    /// Signed in, but not allowed.
    Forbidden,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// It contradicts what is already there.
    Conflict,
    /// It was here and has been erased.
    Gone,
    /// Larger than a named limit.
    TooLarge,
    /// Not a kind of file that is accepted.
    Unsupported,
    /// Too many attempts; wait.
    RateLimited,
    /// The caller cancelled.
    Cancelled,
    /// Cannot be done at the moment; try again.
    Unavailable,
    /// No room on the disk.
    StorageFull,
    /// An engine or server that we asked has failed.
    Upstream,
    /// A defect or a broken part of this machine.
    Internal,
}

impl Kind {
    /// The HTTP status with which web and JSON doors answer.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::InsufficientCredits => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::Cancelled => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Upstream => 502,
            Self::Unavailable => 503,
            Self::StorageFull => 507,
        }
    }
}

/// A failure. `public` is shown to the caller and never holds their input; `cause` is for the operator.
pub struct Error {
    /// What kind of failure.
    pub kind: Kind,
    /// A stable machine-readable code, where the API contract names one.
    pub code: Option<&'static str>,
    /// One or two sentences for the caller: what is wrong and what to do. Never user input.
    pub public: Cow<'static, str>,
    /// The input field at fault.
    pub field: Option<&'static str>,
    /// What broke, in words for the person at the command line.
    pub place: Option<&'static str>,
    /// Where in the program it was made; the only part of a failure that is logged besides its kind, since nothing but the
    /// compiler can make one.
    pub location: &'static Location<'static>,
    /// What lies beneath. Never logged, since nobody can promise what a library writes into its errors.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind with these words for the caller.
    #[must_use]
    #[track_caller]
    pub fn new(kind: Kind, public: impl Into<Cow<'static, str>>) -> Self {
        let location = Location::caller();
        Self { kind, code: None, public: public.into(), field: None, place: None, location, cause: None }
    }

    /// The input is wrong.
    #[must_use]
    #[track_caller]
    pub fn invalid(field: &'static str, public: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), ..Self::new(Kind::Invalid, public) }
    }

    /// There is no such thing.
    #[must_use]
    #[track_caller]
    pub fn not_found(public: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, public)
    }

    /// A defect; the words describe the place, not the data.
    #[must_use]
    #[track_caller]
    pub fn internal(place: &'static str) -> Self {
        Self {
            place: Some(place),
            ..Self::new(
                Kind::Internal,
                "Something broke on this server. Nothing was charged. Please try again.",
            )
        }
    }

    /// The same error without its cause, where one failure is told to several callers.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { public: self.public.clone(), cause: None, ..*self }
    }

    /// The same error with a machine-readable code.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same error with what lies beneath.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl From<std::io::Error> for Error {
    #[track_caller]
    fn from(cause: std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::new(
                Kind::StorageFull,
                "The disk of this server is full. Nothing was kept or charged. The operator has to free space.",
            ),
            _ => Self::internal("input or output failed"),
        }
        .because(cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.public)?;
        if let Some(place) = self.place {
            write!(f, " [{place}]")?;
        }
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as _)
    }
}
