//! This owns the words of the allow-list: who a peer is and what it is for.

use std::fmt;

use reqwest::Url;

use crate::address::Reach;

/// What a peer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Takes the one mail there is.
    Mail,
    /// Draws pictures.
    Engine,
    /// Has the pictures of posts that are imported.
    PictureSource,
    /// Takes payments.
    Payment,
}

impl Purpose {
    /// In a word, for lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Engine => "engine",
            Self::PictureSource => "picture source",
            Self::Payment => "payment",
        }
    }

    /// Which addresses its peers may have: whom the operator has named may stand beside this program, a source of
    /// pictures has no business in the operator's network.
    #[must_use]
    pub const fn reach(self) -> Reach {
        match self {
            Self::Mail | Self::Engine | Self::Payment => Reach::Own,
            Self::PictureSource => Reach::Public,
        }
    }
}

/// How a peer is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP, as it is.
    Http,
    /// HTTP under TLS.
    Https,
    /// SMTP, under TLS once both have agreed.
    Smtp,
    /// SMTP under TLS from the first byte.
    Smtps,
}

impl Scheme {
    /// As in an address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
        }
    }
}

/// Someone who may be spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What for.
    pub purpose: Purpose,
    /// The setting that names it.
    pub setting: &'static str,
    /// How.
    pub scheme: Scheme,
    /// Name or address, in small letters; IPv6 in brackets, as an address on the web has it.
    pub host: String,
    /// Where.
    pub port: u16,
}

impl Peer {
    /// The one that an address on the web leads to; none where it is no such address.
    #[must_use]
    pub fn at(url: &Url, purpose: Purpose, setting: &'static str) -> Option<Self> {
        let scheme =
            [Scheme::Http, Scheme::Https].into_iter().find(|scheme| scheme.name() == url.scheme())?;
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        Some(Self { purpose, setting, scheme, host, port })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.name(), self.host, self.port)
    }
}
