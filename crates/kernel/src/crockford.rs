//! This owns Crockford's base 32: symbols for people to read and type, of which none is taken for another. It does not know
//! what is written in them.

/// The symbols of five bits, from 0 to 31.
pub const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The symbol of the lowest five bits.
#[must_use]
pub fn symbol(bits: u8) -> char {
    SYMBOLS.as_bytes().get(usize::from(bits & 31)).copied().map_or('0', char::from)
}

/// The letter that someone means who typed this one: a capital, or the digit that it looks like. What is no symbol stays none.
#[must_use]
pub const fn meant(letter: u8) -> u8 {
    match letter.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_for_a_symbol_is_the_symbol_and_nothing_else_becomes_one() {
        for (bits, letter) in (0..32).zip(SYMBOLS.bytes()) {
            assert_eq!((symbol(bits), symbol(bits | 0xE0)), (char::from(letter), char::from(letter)));
            assert_eq!((meant(letter), meant(letter.to_ascii_lowercase())), (letter, letter));
        }
        assert_eq!(b"oOiIlL".map(meant), *b"001111");
        assert_eq!(b"u-\xe9".map(meant), *b"U-\xe9");
    }
}
