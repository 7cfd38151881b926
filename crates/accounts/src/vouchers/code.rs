//! This owns the form of a voucher code: 16 random characters and 4 of a checksum, in Crockford's base 32, in groups of four.
//! Letters that look like digits are read as those, and a typing error is noticed without a look-up.

use aws_lc_rs::digest::{SHA256, digest};
use kernel::{Error, Result, Typed, VoucherCode, crockford, purpose};
use rand::RngExt;

/// Random characters, of 5 bits each.
const RANDOM_CHARS: usize = 16;
/// Characters in all.
const CODE_CHARS: usize = 20;
/// Characters between dashes.
const GROUP_CHARS: usize = 4;
/// How far the full-width forms, which some keyboards type, are from those of ASCII.
const FULL_WIDTH: u32 = 0xFEE0;

/// A new code.
pub(super) fn random() -> VoucherCode {
    let mut random = rand::rng();
    let text: String = (0..RANDOM_CHARS).map(|_| crockford::symbol(random.random_range(0..32))).collect();
    VoucherCode::from(text.clone() + &checksum(&text))
}

/// Takes a code as typed, without dashes and spaces, in its one form.
///
/// # Errors
/// `Invalid` for what cannot be a code, or has a typing error in it.
pub fn read(typed: &Typed) -> Result<VoucherCode> {
    let wrong = || {
        Error::invalid(
            "code",
            "This is not a voucher code: a character is wrong or missing. Please check it.",
        )
    };
    let typed =
        typed.reveal(purpose::Parse).chars().filter(|c| !c.is_whitespace() && !"-‐‑–—－".contains(*c));
    let code: Option<String> = typed.take(CODE_CHARS + 1).map(meant).collect();
    let code = code.filter(|code| code.len() == CODE_CHARS).ok_or_else(wrong)?;
    let (random, sum) = code.split_at_checked(RANDOM_CHARS).ok_or_else(wrong)?;
    if sum != checksum(random) {
        return Err(wrong());
    }
    Ok(VoucherCode::from(code))
}

/// The code in groups, for people.
pub(super) fn grouped(code: &VoucherCode) -> String {
    let chars: Vec<char> = code.reveal(purpose::ShowOnce).chars().collect();
    chars.chunks(GROUP_CHARS).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// The character that someone means who typed this one.
fn meant(typed: char) -> Option<char> {
    let narrow = u32::from(typed).checked_sub(FULL_WIDTH).and_then(char::from_u32).filter(char::is_ascii);
    let meant = char::from(crockford::meant(u8::try_from(narrow.unwrap_or(typed)).ok()?));
    crockford::SYMBOLS.contains(meant).then_some(meant)
}

fn checksum(random: &str) -> String {
    let labelled = format!("voucher {random}");
    let digest = digest(&SHA256, labelled.as_bytes());
    digest.as_ref().iter().take(CODE_CHARS - RANDOM_CHARS).map(|byte| crockford::symbol(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "0123456789ABCDEF";

    fn known() -> String {
        CODE.to_owned() + &checksum(CODE)
    }

    fn told(text: &str) -> Option<String> {
        read(&text.into()).ok().map(|code| code.reveal(purpose::Recognise).to_owned())
    }

    #[test]
    fn a_code_reads_as_it_was_printed_and_no_two_are_the_same() {
        let (one, other) = (random(), random());
        let printed = grouped(&one);
        assert_eq!((printed.len(), printed.matches('-').count()), (24, 4));
        assert_eq!(told(&printed).as_deref(), Some(one.reveal(purpose::Recognise)));
        assert_ne!(one.reveal(purpose::Recognise), other.reveal(purpose::Recognise));
    }

    #[test]
    fn what_people_type_for_it_is_the_same_code() {
        let code = known();
        let lower = code.to_lowercase();
        let letters = lower.replace('0', "o").replace('1', "l");
        let wide: String = code.chars().filter_map(|c| char::from_u32(u32::from(c) + FULL_WIDTH)).collect();
        let spaced = format!(" {}  {} - {}\n", &code[..3], &code[3..9], &code[9..]);
        for typed in [&code, &lower, &letters, &letters.replace('l', "I"), &wide, &spaced] {
            assert_eq!(told(typed).as_ref(), Some(&code), "{typed}");
        }
    }

    #[test]
    fn every_single_slip_and_every_exchange_of_neighbours_is_noticed() {
        let code = known();
        for at in 0..code.len() {
            for symbol in crockford::SYMBOLS.bytes() {
                let mut bytes = code.clone().into_bytes();
                bytes[at] = symbol;
                let slipped = String::from_utf8(bytes).unwrap();
                assert_eq!(told(&slipped).is_some(), slipped == code, "{slipped}");
            }
            let mut bytes = code.clone().into_bytes();
            bytes.swap(at, (at + 1) % code.len());
            let exchanged = String::from_utf8(bytes).unwrap();
            assert_eq!(told(&exchanged).is_some(), exchanged == code, "{exchanged}");
        }
        for garbage in
            ["", "-", &code[1..], &format!("{code}0"), &code.replace('A', "U"), "é", &"A".repeat(9999)]
        {
            assert_eq!(told(garbage), None, "{garbage}");
        }
    }
}
