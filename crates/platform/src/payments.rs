//! This owns what is for sale and through whom it is paid, as the operator has set it, and how amounts of money are written.
//! It does not sell.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Result, Secret};
use outgoing::Url;

/// Largest price in the smallest unit of its currency, as the payment processor has it.
const PRICE_MAX: i64 = 99_999_999;
/// Packs on offer.
const PACKS_MAX: usize = 12;

/// Currencies whose amounts are not in hundredths: digits behind the point, and the smallest step that can be paid.
const CURRENCIES: [(&str, u32, i64); 22] = [
    ("BIF", 0, 1),
    ("CLP", 0, 1),
    ("DJF", 0, 1),
    ("GNF", 0, 1),
    ("JPY", 0, 1),
    ("KMF", 0, 1),
    ("KRW", 0, 1),
    ("MGA", 0, 1),
    ("PYG", 0, 1),
    ("RWF", 0, 1),
    ("VND", 0, 1),
    ("VUV", 0, 1),
    ("XAF", 0, 1),
    ("XOF", 0, 1),
    ("XPF", 0, 1),
    ("BHD", 3, 10),
    ("JOD", 3, 10),
    ("KWD", 3, 10),
    ("OMR", 3, 10),
    ("TND", 3, 10),
    // These have no smaller unit any more, and are still asked for in hundredths.
    ("ISK", 2, 100),
    ("UGX", 2, 100),
];

/// A currency, by its three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    fn form(self) -> (u32, i64) {
        let known = CURRENCIES.iter().find(|(letters, ..)| letters.as_bytes() == self.0);
        known.map_or((2, 1), |(_, digits, step)| (*digits, *step))
    }

    /// In small letters, as the payment processor writes it.
    #[must_use]
    pub fn small_letters(self) -> String {
        self.to_string().to_ascii_lowercase()
    }
}

impl FromStr for Currency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let letters = <[u8; 3]>::try_from(text.as_bytes()).ok();
        let letters = letters.filter(|letters| letters.iter().all(u8::is_ascii_alphabetic));
        letters
            .map(|letters| Self(letters.map(|letter| letter.to_ascii_uppercase())))
            .ok_or_else(|| Error::internal("a currency does not have three letters"))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// In the smallest unit of its currency.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, step) = self.currency.form();
        let unit = 10_i64.pow(digits);
        match digits {
            0 => write!(f, "{} {}", self.minor, self.currency),
            _ if step == unit => write!(f, "{} {}", self.minor / unit, self.currency),
            _ => {
                let (whole, part) = (self.minor / unit, (self.minor % unit).abs());
                write!(f, "{whole}.{part:0width$} {}", self.currency, width = digits as usize)
            }
        }
    }
}

impl FromStr for Money {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, currency) = text.trim().split_once(' ').ok_or(())?;
        let currency: Currency = currency.trim().parse().map_err(drop)?;
        let (digits, step) = currency.form();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let proper = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
        // A part is written out whole, so that 5.5 is nobody's typing error.
        if !proper(whole) || !proper(part) || !(part.is_empty() || part.len() == digits as usize) {
            return Err(());
        }
        let unit = 10_i64.pow(digits);
        let (whole, part) = (whole.parse::<i64>().map_err(drop)?, part.parse().unwrap_or(0_i64));
        let minor = whole.checked_mul(unit).and_then(|whole| whole.checked_add(part)).ok_or(())?;
        let payable = (1..=PRICE_MAX).contains(&minor) && minor % step == 0 && !number.ends_with('.');
        if payable { Ok(Self { minor, currency }) } else { Err(()) }
    }
}

/// Credits for a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// How many.
    pub credits: u32,
    /// For how much.
    pub price: Money,
}

/// As in the settings, which tells it from every other.
impl fmt::Display for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.credits, self.price)
    }
}

impl FromStr for Pack {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (credits, price) = text.split_once('=').ok_or(())?;
        let credits = credits.trim().parse().map_err(drop)?;
        if credits == 0 { Err(()) } else { Ok(Self { credits, price: price.parse()? }) }
    }
}

/// What is for sale, and through whom.
#[derive(Debug)]
pub struct Payments {
    /// What is for sale.
    pub packs: Vec<Pack>,
    /// Key for asking.
    pub key: Secret<String>,
    /// What events are signed with; more than one while it is replaced.
    pub secrets: Vec<Secret<String>>,
    /// Where is asked.
    pub url: Url,
}

impl Payments {
    /// Payments, by the values of their settings; none where none of them is set.
    ///
    /// # Errors
    /// `Invalid` with the setting that is missing or wrong.
    pub fn of(value: impl Fn(&'static str) -> String) -> Result<Option<Self>> {
        let (packs, key) = (value("packs"), value("stripe-key"));
        let secrets = value("stripe-webhook-secrets");
        let secrets: Vec<_> = parts(&secrets).map(|secret| Secret::new(secret.to_owned())).collect();
        let given = [
            ("packs", !packs.trim().is_empty()),
            ("stripe-key", !key.is_empty()),
            ("stripe-webhook-secrets", !secrets.is_empty()),
        ];
        if given.iter().all(|(_, given)| !given) {
            return Ok(None);
        }
        if let Some((missing, _)) = given.iter().find(|(_, given)| !given) {
            let words = "Payments need packs, stripe-key and stripe-webhook-secrets. Set all of them, or none for no payments.";
            return Err(Error::invalid(missing, words));
        }
        Ok(Some(Self {
            packs: offers(&packs)?,
            key: Secret::new(key),
            secrets,
            url: address(&value("stripe-url"))?,
        }))
    }
}

fn offers(text: &str) -> Result<Vec<Pack>> {
    let packs = parts(text).map(str::parse).collect::<Result<Vec<Pack>, ()>>().ok().filter(|packs| {
        let mut credits: Vec<u32> = packs.iter().map(|pack| pack.credits).collect();
        credits.sort_unstable();
        credits.dedup();
        credits.len() == packs.len() && packs.len() <= PACKS_MAX
    });
    packs.ok_or_else(|| {
        let words = format!(
            "The setting packs should be up to {PACKS_MAX} different packs such as 100=5.00 EUR,500=20.00 EUR or 100=500 JPY."
        );
        Error::invalid("packs", words)
    })
}

fn address(text: &str) -> Result<Url> {
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/'))).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
        Error::invalid(
            "stripe-url",
            "The setting stripe-url should be an address such as https://api.stripe.com.",
        )
    })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_in_the_smallest_unit_of_their_currency_and_written_as_they_are_read() {
        for (text, minor) in [
            ("5.00 EUR", 500),
            ("0.05 USD", 5),
            ("500 JPY", 500),
            ("1.500 KWD", 1500),
            ("5 ISK", 500),
            ("999999.99 CHF", PRICE_MAX),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.minor, money.to_string().as_str()), (minor, text));
        }
        assert_eq!("5 eur".parse::<Money>().unwrap().to_string(), "5.00 EUR");
        for wrong in [
            "",
            "5",
            "5.5 EUR",
            "5. EUR",
            "5.000 EUR",
            "-5.00 EUR",
            "+5 EUR",
            "500.00 JPY",
            "1.505 KWD",
            "5.50 ISK",
            "0 EUR",
            "1000000.00 EUR",
            "5 EURO",
            "5,00 EUR",
            "99999999999999999999 EUR",
        ] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn payments_are_set_whole_or_not_at_all() {
        let of = |packs: &str, key: &str, secrets: &str, url: &str| {
            let given = [
                ("packs", packs),
                ("stripe-key", key),
                ("stripe-webhook-secrets", secrets),
                ("stripe-url", url),
            ];
            let given = given.map(|(name, value)| (name, value.to_owned()));
            Payments::of(|name| given.iter().find(|(known, _)| *known == name).unwrap().1.clone())
        };
        assert!(of("", "", "", "https://api.stripe.com").unwrap().is_none());
        let set =
            of("100=5.00 EUR, 500=20.00 EUR", "k", "old, new", "https://api.stripe.com").unwrap().unwrap();
        assert_eq!(set.packs[1].to_string(), "500=20.00 EUR");
        assert_eq!((set.secrets.len(), set.url.as_str()), (2, "https://api.stripe.com/"));
        for (packs, key, secrets, url, field) in [
            ("100=5.00 EUR", "", "s", "https://x", "stripe-key"),
            ("100=5.00 EUR", "k", " , ", "https://x", "stripe-webhook-secrets"),
            ("", "k", "s", "https://x", "packs"),
            ("100=5.00", "k", "s", "https://x", "packs"),
            ("0=5.00 EUR", "k", "s", "https://x", "packs"),
            ("5=5.00 EUR,5=4.00 EUR", "k", "s", "https://x", "packs"),
            ("100=5.00 EUR", "k", "s", "ftp://x", "stripe-url"),
        ] {
            assert_eq!(
                of(packs, key, secrets, url).unwrap_err().field,
                Some(field),
                "{packs} {key} {secrets}"
            );
        }
    }
}
