//! This owns the e-mail address a visitor types: used for a code and a keyed fingerprint, and never stored.

use crate::error::Error;
use crate::private::{Private, Purpose};

/// Bytes of an address, as RFC 5321 allows in a path.
pub const ADDRESS_BYTES_MAX: usize = 254;

/// An e-mail address in memory. Not printable, serialisable, cloneable or storable.
#[derive(Debug)]
pub struct EmailAddress(Private<String>);

impl EmailAddress {
    /// Takes an address as typed: trimmed, with the domain in lower case.
    ///
    /// # Errors
    /// `Invalid` when it cannot be an address.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(
                "address",
                "This does not look like an email address. Please check it, as in name@example.org.",
            )
        };
        let text = text.trim();
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
        Ok(Self(Private::new(format!("{local}@{}", domain.to_lowercase()))))
    }

    /// The address, for a purpose that is named.
    #[must_use]
    pub fn reveal(&self, purpose: Purpose) -> &str {
        self.0.reveal(purpose)
    }

    /// The form under which the account is found: wholly in lower case, since no mail provider tells cases apart.
    #[must_use]
    pub fn canonical(&self, purpose: Purpose) -> Private<String> {
        Private::new(self.reveal(purpose).to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@b.co", " Ada.L+tag@Example.ORG ", "ünï@bücher.example"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
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
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_address_does_not_print_and_case_does_not_matter() {
        let address = EmailAddress::parse("Ada@Example.org").unwrap();
        assert!(!format!("{address:?}").contains("xample"));
        assert_eq!(address.canonical(Purpose::FindAccount).reveal(Purpose::FindAccount), "ada@example.org");
    }
}
