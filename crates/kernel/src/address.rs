//! This owns the e-mail address a visitor types: used for a code and a keyed fingerprint, and never stored.

use crate::error::Error;
use crate::private::{Private, kind, purpose};
use crate::typed::Typed;

/// Bytes of an address, as RFC 5321 allows in a path.
pub const ADDRESS_BYTES_MAX: usize = 254;

/// An e-mail address in memory. Not printable, serialisable, cloneable or storable.
pub type EmailAddress = Private<kind::EmailAddress>;

impl EmailAddress {
    /// Takes an address as typed: trimmed, with the domain in lower case.
    ///
    /// # Errors
    /// `Invalid` when it cannot be an address.
    pub fn parse(typed: &Typed) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(
                "address",
                "This does not look like an email address. Please check it, as in name@example.org.",
            )
        };
        let text = typed.reveal(purpose::Parse).trim();
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let unfit = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
        let well_formed = text.len() <= ADDRESS_BYTES_MAX
            && !local.is_empty()
            && local.len() <= 64
            && !local.contains(unfit)
            && domain.split('.').count() >= 2
            && domain
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
        if !well_formed {
            return Err(wrong());
        }
        Ok(Self::new(format!("{local}@{}", domain.to_lowercase())))
    }

    /// The form under which the account is found: wholly in lower case, since no mail provider tells cases apart.
    #[must_use]
    pub fn canonical(&self) -> Self {
        Self::new(self.reveal(purpose::FindAccount).to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@b.co", " Ada.L+tag@Example.ORG ", "ünï@bücher.example"] {
            assert!(EmailAddress::parse(&good.into()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@.co",
            "a b@c.de",
            "a@b.co\r\nBcc: c@d.ef",
            "a@b@c.de,f@g.hi",
            "<a@b.co>",
        ] {
            assert!(EmailAddress::parse(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn case_does_not_matter() {
        let address =
            EmailAddress::parse(&"Ada@Example.org".into()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(address.canonical().reveal(purpose::FindAccount), "ada@example.org");
    }
}
