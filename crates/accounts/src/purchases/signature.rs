//! This owns the check that an event comes from the payment processor: its signature over the bytes as they came.

use aws_lc_rs::{constant_time, hmac};
use data_encoding::HEXLOWER;
use kernel::clock::UnixSeconds;
use kernel::{Error, Result};

/// How far the time of signing may lie from ours; older ones could be sent again by somebody who had listened.
const TOLERANCE_SECONDS: u64 = 300;
/// Signatures of one event that are looked at; there are two while a secret is replaced.
const SIGNATURES_MAX: usize = 8;

/// Whether one of these secrets has signed these bytes, just now.
///
/// # Errors
/// `Invalid`, whatever is wrong: who forges learns nothing.
pub(crate) fn check(header: &str, body: &[u8], secrets: &[hmac::Key], now: UnixSeconds) -> Result<()> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find_map(|(name, value)| (name == "t").then_some(value)).unwrap_or_default();
    let fresh = time.parse::<UnixSeconds>().is_ok_and(|time| now.abs_diff(time) <= TOLERANCE_SECONDS);
    let signed = [time.as_bytes(), b".", body].concat();
    let signatures: Vec<Vec<u8>> = parts()
        .filter(|(name, _)| *name == "v1")
        .take(SIGNATURES_MAX)
        .filter_map(|(_, value)| HEXLOWER.decode(value.as_bytes()).ok())
        .collect();
    let ours = secrets.iter().any(|secret| {
        let tag = hmac::sign(secret, &signed);
        signatures.iter().any(|given| constant_time::verify_slices_are_equal(tag.as_ref(), given).is_ok())
    });
    if fresh && ours {
        return Ok(());
    }
    Err(Error::invalid(
        "stripe-signature",
        "This event is not signed by the payment processor, or too long ago.",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixSeconds = 1_760_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn key(secret: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
    }

    fn v1(secret: &str, time: &str, body: &[u8]) -> String {
        let tag = hmac::sign(&key(secret), &[time.as_bytes(), b".", body].concat());
        HEXLOWER.encode(tag.as_ref())
    }

    fn header(secret: &str, time: UnixSeconds) -> String {
        format!("t={time},v1={}", v1(secret, &time.to_string(), BODY))
    }

    fn holds(header: &str, body: &[u8], secrets: &[&str]) -> bool {
        let keys: Vec<_> = secrets.iter().map(|secret| key(secret)).collect();
        check(header, body, &keys, NOW).is_ok()
    }

    /// Made by another implementation: `printf '1760000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn a_signature_of_another_implementation_holds() {
        let known = "t=1760000000,v1=66e880d7175fffb43ce10c4e14db1cfb230c8804b5aafb116affbc9a836c7690";
        assert!(holds(known, BODY, &["whsec_test"]));
    }

    #[test]
    fn only_a_fresh_signature_by_one_of_our_secrets_over_all_bytes_holds() {
        let good = header("old", NOW);
        assert!(holds(&good, BODY, &["old"]));
        assert!(holds(&good, BODY, &["new", "old"]), "while it is replaced, either signs");
        let second = format!("t={NOW},v0=abc,v1={},v1={}", "0".repeat(64), v1("old", &NOW.to_string(), BODY));
        assert!(holds(&second, BODY, &["old"]), "any of several");
        for age in [-300, 0, 300] {
            assert!(holds(&header("old", NOW - age), BODY, &["old"]), "{age}");
        }
        for age in [-301, 301, i64::from(u32::MAX)] {
            assert!(!holds(&header("old", NOW - age), BODY, &["old"]), "{age}");
        }
        assert!(!holds(&good, BODY, &["other"]));
        assert!(!holds(&good, BODY, &[]));
        assert!(!holds(&good, &BODY[..BODY.len() - 1], &["old"]), "cut short");
        assert!(!holds(&good.replace("v1=", "v0="), BODY, &["old"]), "a scheme that is not for use");
        assert!(
            !holds(&good.replace(&NOW.to_string(), &(NOW + 1).to_string()), BODY, &["old"]),
            "another time"
        );
        for broken in ["", "t=,v1=", "t=x", "v1=00", ",,,", "t=1760000000", "=,=,=", &good.to_uppercase()] {
            assert!(!holds(broken, BODY, &["old"]), "{broken}");
        }
        let many =
            format!("t={NOW}{},v1={}", ",v1=00".repeat(SIGNATURES_MAX), v1("old", &NOW.to_string(), BODY));
        assert!(!holds(&many, BODY, &["old"]), "there is an end to what is looked at");
    }

    proptest! {
        #[test]
        fn garbage_never_holds_and_never_panics(header in ".*", body in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!holds(&header, &body, &["old"]));
        }

        #[test]
        fn one_changed_byte_is_noticed(place in 0..BODY.len(), flip in 1_u8..) {
            let mut body = BODY.to_vec();
            body[place] ^= flip;
            prop_assert!(!holds(&header("old", NOW), &body, &["old"]));
        }
    }
}
