//! This owns what people and programs show to be let in, or to be given something: sign-in codes, API keys, the tokens in
//! cookies, and voucher codes. It does not know who they belong to; that is found by their keyed fingerprint.

use data_encoding::BASE64URL_NOPAD;
use rand::RngExt;

use crate::private::{Private, kind, purpose};
use crate::typed::Typed;

/// Digits of a code.
const CODE_DIGITS: usize = 8;

/// The digits in the mail. Not printable, serialisable, cloneable or storable.
pub type SignInCode = Private<kind::SignInCode>;

impl SignInCode {
    /// A new code from the operating system's generator.
    #[must_use]
    pub fn random() -> Self {
        Self::new(format!("{:0CODE_DIGITS$}", rand::rng().random_range(0..10_u64.pow(8))))
    }

    /// What was typed as a code: its digits alone, and no more than make it a wrong one.
    #[must_use]
    pub fn read(typed: &Typed) -> Self {
        let digits = typed.reveal(purpose::Parse).chars().filter(char::is_ascii_digit);
        Self::new(digits.take(CODE_DIGITS + 1).collect())
    }
}

/// What a program shows. Not printable, serialisable, cloneable or storable.
pub type ApiKey = Private<kind::ApiKey>;

impl From<String> for ApiKey {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// 256 random bits in a cookie. Not printable, serialisable, cloneable or storable.
pub type Token = Private<kind::Token>;

impl Token {
    /// A new token from the operating system's generator.
    #[must_use]
    pub fn random() -> Self {
        Self::new(BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>()))
    }
}

/// What is worth credits to whoever types it first. Not printable, serialisable, cloneable or storable.
pub type VoucherCode = Private<kind::VoucherCode>;

impl From<String> for VoucherCode {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_digits_and_a_longer_one_is_another() {
        let read = |text: &str| SignInCode::read(&text.into()).reveal(purpose::Recognise).to_owned();
        assert_eq!(read(" 1234 5678\n"), "12345678");
        assert_eq!(read("12345678999"), "123456789");
        let code = SignInCode::random();
        assert_eq!(read(code.reveal(purpose::SendSignInCode)), code.reveal(purpose::Recognise));
    }
}
