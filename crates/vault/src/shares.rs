//! This owns secret sharing: a key is split into shares, of which some number opens it and fewer say nothing of it.
//! It does not own how a share looks on paper; see `share_text`.
//!
//! Shamir's scheme over GF(256), byte by byte, on the key and a tag of it, so that shares that do not belong together
//! give an error and never a wrong key. No branch and no lookup depends on a secret.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time;
use data_encoding::HEXLOWER;
use kernel::{Error, Result};
use zeroize::Zeroizing;

use crate::{KEY_BYTES, Key, derive};

/// Shares of one key at most.
pub const SHARES_MAX: u8 = 16;
const TAG_BYTES: usize = 12;
/// Bytes of a share's own value.
pub(crate) const VALUE_BYTES: usize = KEY_BYTES + TAG_BYTES;
/// Bytes of a set's id.
pub(crate) const SET_BYTES: usize = 8;
/// Bytes of it that all sets of one backup have in common.
const BACKUP_BYTES: usize = 4;

type Value = Zeroizing<[u8; VALUE_BYTES]>;

/// How many shares there are, and how many of them open the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    needed: u8,
    of: u8,
}

impl Quorum {
    /// Any `needed` of `of` shares.
    ///
    /// # Errors
    /// `Invalid` for a number of shares outside 1 to 16, for more needed than there are, and for a single share that
    /// opens what several people hold.
    pub fn new(needed: u8, of: u8) -> Result<Self> {
        if !(1..=SHARES_MAX).contains(&of) {
            return Err(Error::invalid("shares", format!("There can be 1 to {SHARES_MAX} shares.")));
        }
        if needed > of {
            return Err(Error::invalid(
                "needed",
                format!("{needed} shares cannot be needed where there are {of}."),
            ));
        }
        if needed < 2 && of > 1 {
            let words = "At least 2 shares have to be needed, or each of them would open everything alone. Use --shares 1 if one is enough.";
            return Err(Error::invalid("needed", words));
        }
        // What is left is a needed number of 0 beside a single share.
        if needed == 0 {
            return Err(Error::invalid("needed", "At least 1 share has to be needed."));
        }
        Ok(Self { needed, of })
    }

    /// Shares that open the key.
    #[must_use]
    pub const fn needed(self) -> u8 {
        self.needed
    }

    /// Shares that there are.
    #[must_use]
    pub const fn of(self) -> u8 {
        self.of
    }
}

/// Which shares belong together: half of it is the same for all sets of one backup, so that a share of another is never
/// taken for an old one of this. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetId(pub(crate) [u8; SET_BYTES]);

impl SetId {
    /// The first one of a backup.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Another one of the same backup.
    #[must_use]
    pub fn next(self) -> Self {
        let mut next = Self::random();
        next.0.split_at_mut(BACKUP_BYTES).0.copy_from_slice(self.0.split_at(BACKUP_BYTES).0);
        next
    }

    /// Whether both are of the same backup.
    #[must_use]
    pub fn is_of_backup(self, other: Self) -> bool {
        self.0.split_at(BACKUP_BYTES).0 == other.0.split_at(BACKUP_BYTES).0
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for SetId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| Error::invalid("set", "This is not the id of a set of shares."))
    }
}

/// One share. Wiped when dropped, never printed but by [`Share::text`].
#[derive(Clone)]
pub struct Share {
    pub(crate) set: SetId,
    pub(crate) quorum: Quorum,
    /// From 1; where the polynomials are taken.
    pub(crate) number: u8,
    pub(crate) value: Value,
}

impl Share {
    /// The set it belongs to.
    #[must_use]
    pub const fn set(&self) -> SetId {
        self.set
    }

    /// How many there are and are needed.
    #[must_use]
    pub const fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Which of them this is, from 1.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of {})", self.number, self.quorum.of)
    }
}

/// Splits a key.
///
/// # Errors
/// `Internal` when the tag cannot be derived.
pub fn split(key: &Key, quorum: Quorum, set: SetId) -> Result<Vec<Share>> {
    let mut constant = Zeroizing::new([0; VALUE_BYTES]);
    constant.split_at_mut(KEY_BYTES).0.copy_from_slice(&**key);
    constant.split_at_mut(KEY_BYTES).1.copy_from_slice(&tag(key, set)?);
    let random = |_| Zeroizing::new(std::array::from_fn(|_| rand::random()));
    let higher: Vec<Value> = (1..quorum.needed).map(random).collect();
    let at = |x: u8| {
        let mut value = Zeroizing::new([0; VALUE_BYTES]);
        for coefficient in higher.iter().rev().chain([&constant]) {
            for (byte, coefficient) in value.iter_mut().zip(coefficient.iter()) {
                *byte = multiply(*byte, x) ^ coefficient;
            }
        }
        value
    };
    Ok((1..=quorum.of).map(|number| Share { set, quorum, number, value: at(number) }).collect())
}

/// Puts a key together from its shares.
///
/// # Errors
/// `Invalid` for too few, for those of several sets, for one that is there twice, and where they do not fit each other.
pub fn join(shares: &[Share]) -> Result<Key> {
    let wrong = |words: String| Err(Error::invalid("share", words));
    let Some(first) = shares.first() else {
        return wrong("No share was given. Give each with --share FILE.".to_owned());
    };
    let mut numbers = BTreeSet::new();
    for share in shares {
        if (share.set, share.quorum) != (first.set, first.quorum) {
            return wrong("These shares do not belong together: they are of different backups.".to_owned());
        }
        if !numbers.insert(share.number) {
            return wrong(format!("Share {} was given twice. Give another one.", share.number));
        }
    }
    let needed = first.quorum.needed;
    if shares.len() < usize::from(needed) {
        return wrong(format!("{needed} shares are needed, and {} given.", shares.len()));
    }
    let value = at_zero(shares.get(..usize::from(needed)).unwrap_or_default());
    let (key, claimed) = value.split_at(KEY_BYTES);
    let key: Key = Zeroizing::new(key.first_chunk().copied().unwrap_or_default());
    match constant_time::verify_slices_are_equal(claimed, &tag(&key, first.set)?) {
        Ok(()) => Ok(key),
        Err(_) => wrong("These shares do not fit each other: one of them is wrong.".to_owned()),
    }
}

/// The polynomials through these points, at zero.
fn at_zero(shares: &[Share]) -> Value {
    let mut value = Zeroizing::new([0; VALUE_BYTES]);
    for share in shares {
        let others = shares.iter().filter(|other| other.number != share.number);
        let weight = others.fold(1, |weight, other| {
            multiply(weight, multiply(other.number, invert(other.number ^ share.number)))
        });
        for (byte, own) in value.iter_mut().zip(share.value.iter()) {
            *byte ^= multiply(*own, weight);
        }
    }
    value
}

fn tag(key: &Key, set: SetId) -> Result<[u8; TAG_BYTES]> {
    let derived = derive(key, &[b"share check ", &set.0])?;
    Ok(derived.first_chunk().copied().unwrap_or_default())
}

/// Product in GF(256) with the polynomial of AES.
const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 8 {
        product ^= a & 0_u8.wrapping_sub(b & 1);
        a = (a << 1) ^ (0x1b & 0_u8.wrapping_sub(a >> 7));
        b >>= 1;
        bit += 1;
    }
    product
}

/// The inverse in GF(256), as the 254th power.
const fn invert(a: u8) -> u8 {
    let (mut power, mut product) = (a, 1);
    let mut bit = 1;
    while bit < 8 {
        power = multiply(power, power);
        product = multiply(product, power);
        bit += 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random_key;

    fn quorum() -> impl Strategy<Value = Quorum> {
        (1..=SHARES_MAX)
            .prop_flat_map(|of| (of.min(2)..=of).prop_map(move |needed| Quorum::new(needed, of).unwrap()))
    }

    fn dealt() -> impl Strategy<Value = (Quorum, Vec<usize>)> {
        quorum().prop_flat_map(|quorum| {
            let order = Just((0..usize::from(quorum.of)).collect::<Vec<_>>()).prop_shuffle();
            (Just(quorum), order)
        })
    }

    proptest! {
        #[test]
        fn any_that_are_enough_give_the_key_and_fewer_do_not((quorum, order) in dealt()) {
            let key = random_key();
            let shares = split(&key, quorum, SetId::random()).unwrap();
            let some: Vec<Share> = order.iter().map(|at| shares[*at].clone()).collect();
            let needed = usize::from(quorum.needed);
            prop_assert_eq!(&join(&some[..needed]).unwrap(), &key);
            prop_assert_eq!(&join(&some).unwrap(), &key);
            let few = join(&some[..needed - 1]).unwrap_err();
            prop_assert!(needed == 1 || few.public.contains("are needed"), "{}", few.public);
        }

        #[test]
        fn fewer_than_needed_fit_every_key((quorum, order) in dealt(), other in any::<[u8; VALUE_BYTES]>()) {
            let shares = split(&random_key(), quorum, SetId::random()).unwrap();
            let needed = usize::from(quorum.needed);
            let held: Vec<Share> = order[..needed - 1].iter().map(|at| shares[*at].clone()).collect();
            // A polynomial through what is held and through any other secret at zero: take what it says at one more place.
            let last = u8::try_from(order[needed - 1] + 1).unwrap();
            let mut points: Vec<(u8, [u8; VALUE_BYTES])> = held.iter().map(|share| (share.number, *share.value)).collect();
            points.push((0, other));
            let value = Zeroizing::new(std::array::from_fn(|byte| {
                points.iter().fold(0, |sum, (x, value)| {
                    let weight = points.iter().filter(|(other, _)| other != x).fold(1, |weight, (other, _)| {
                        multiply(weight, multiply(last ^ other, invert(x ^ other)))
                    });
                    sum ^ multiply(value[byte], weight)
                })
            }));
            let all: Vec<Share> = held.into_iter().chain([Share { number: last, value, ..shares[0].clone() }]).collect();
            prop_assert_eq!(*at_zero(&all), other);
        }

        #[test]
        fn a_wrong_share_is_an_error_and_never_another_key((quorum, order) in dealt(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let shares = split(&random_key(), quorum, SetId::random()).unwrap();
            let needed = usize::from(quorum.needed);
            let mut some: Vec<Share> = order[..needed].iter().map(|at| shares[*at].clone()).collect();
            let share = at.index(needed);
            some[share].value[at.index(VALUE_BYTES)] ^= flip;
            prop_assert!(join(&some).unwrap_err().public.contains("do not fit"));
        }
    }

    #[test]
    fn the_field_is_the_one_of_aes() {
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x53, 0xca), 1);
        assert!((1..=255).all(|a| multiply(a, invert(a)) == 1));
    }

    /// The example of draft-mcgrew-tss-03, "Threshold Secret Sharing": the word "test" with its closing zero, two of two.
    #[test]
    fn published_shares_give_the_published_secret() {
        let (set, quorum) = (SetId::random(), Quorum::new(2, 2).unwrap());
        let published = [(1, [0xb9, 0xfa, 0x07, 0xe1, 0x85]), (2, [0xf5, 0x40, 0x9b, 0x45, 0x11])];
        let shares = published.map(|(number, bytes)| {
            let mut value = Zeroizing::new([0; VALUE_BYTES]);
            value[..bytes.len()].copy_from_slice(&bytes);
            Share { set, quorum, number, value }
        });
        assert_eq!(at_zero(&shares)[..5], *b"test\0");
    }

    #[test]
    fn shares_of_others_and_repeated_ones_are_refused() {
        let quorum = Quorum::new(2, 3).unwrap();
        let [ours, others] = [(); 2].map(|()| split(&random_key(), quorum, SetId::random()).unwrap());
        let mixed = join(&[ours[0].clone(), others[1].clone()]).unwrap_err();
        assert!(mixed.public.contains("different backups"));
        let twice = join(&[ours[1].clone(), ours[1].clone()]).unwrap_err();
        assert_eq!(twice.public, "Share 2 was given twice. Give another one.");
        assert!(join(&[]).is_err());
    }

    #[test]
    fn sets_of_one_backup_know_each_other() {
        let set = SetId::random();
        assert!(set.next() != set && set.next().is_of_backup(set) && set.next().next().is_of_backup(set));
        assert!(!SetId::random().is_of_backup(set));
        assert_eq!(set.to_string().parse::<SetId>().unwrap(), set);
        assert!("0".repeat(15).parse::<SetId>().is_err() && "zz".parse::<SetId>().is_err());
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for (needed, of) in [(0, 0), (1, 17), (4, 3), (1, 2), (0, 1), (0, 3)] {
            assert!(Quorum::new(needed, of).is_err(), "{needed} of {of}");
        }
        for (needed, of) in [(1, 1), (2, 2), (2, 16), (16, 16)] {
            assert!(Quorum::new(needed, of).is_ok());
        }
    }
}
