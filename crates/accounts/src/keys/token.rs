//! This owns the form of an API key: its prefix, its random part and the checksum that tells typing errors from keys.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use kernel::ApiKey;

/// How every key begins.
pub(crate) const PREFIX: &str = "meigen_sk_";
/// Characters behind the prefix: 27 random ones and 5 of a checksum.
const BODY_CHARS: usize = 32;
const RANDOM_CHARS: usize = 27;
/// Characters by which its owner knows a key again.
const HINT_CHARS: usize = 4;

/// A new key from the operating system's generator, and its first characters.
pub(super) fn random() -> (ApiKey, String) {
    let random: String =
        BASE64URL_NOPAD.encode(&rand::random::<[u8; 21]>()).chars().take(RANDOM_CHARS).collect();
    let token = ApiKey::from(format!("{PREFIX}{random}{}", checksum(&random)));
    (token, random.chars().take(HINT_CHARS).collect())
}

fn checksum(random: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, random.as_bytes());
    let text = BASE32_NOPAD.encode(digest.as_ref()).to_lowercase();
    text.chars().take(BODY_CHARS - RANDOM_CHARS).collect()
}

/// Whether a token can be one of ours, so that typing errors cost no look-up.
pub(super) fn well_formed(token: &str) -> bool {
    token.strip_prefix(PREFIX).and_then(|body| body.split_at_checked(RANDOM_CHARS)).is_some_and(
        |(random, sum)| {
            random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && sum == checksum(random)
        },
    )
}

#[cfg(test)]
mod tests {
    use kernel::purpose;

    use super::*;

    #[test]
    fn a_typing_error_is_noticed() {
        let (token, hint) = random();
        let token = token.reveal(purpose::Recognise);
        assert_eq!(token.len(), PREFIX.len() + BODY_CHARS);
        assert!(well_formed(token) && token[PREFIX.len()..].starts_with(&hint));
        let mut mistyped = token.to_owned();
        let other = if mistyped.remove(12) == 'c' { 'd' } else { 'c' };
        mistyped.insert(12, other);
        for wrong in ["", PREFIX, &token[1..], &token[..token.len() - 1], &mistyped] {
            assert!(!well_formed(wrong), "{wrong}");
        }
    }
}
