//! This owns sealed fields of rows: what a row says of a member is sealed under the key of its record, and dies with it.
//!
//! Layout: nonce, sealed bytes, tag. The key is derived from the record's key and the name of the field; record and name
//! are bound as associated data, so that a field cannot be moved to another row or column.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::{Error, Id, Result};
use zeroize::Zeroizing;

use crate::{RecordKey, derive};

/// Seals a field of a record.
///
/// # Errors
/// `Internal` when the cipher fails.
pub fn seal_field(key: &RecordKey, record: Id, name: &'static str, plain: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = rand::random();
    let mut body = Zeroizing::new(plain.to_vec());
    let tag = cipher(key, name)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound(record, name), &mut body)
        .map_err(|_| Error::internal("sealing a field failed"))?;
    Ok([nonce.as_slice(), &body, tag.as_ref()].concat())
}

/// Opens a field of a record.
///
/// # Errors
/// `Internal` when a byte of it is wrong, or it is of another record or name.
pub fn open_field(
    key: &RecordKey,
    record: Id,
    name: &'static str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let broken = || Error::internal("a sealed field is broken");
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = cipher(key, name)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), bound(record, name), &mut body)
        .map_err(|_| broken())?
        .len();
    body.truncate(plain);
    Ok(body)
}

/// Whether a field has the form of a sealed one: long enough for nonce and tag, and no text, which so many random bytes
/// never are.
#[must_use]
pub fn field_has_sealed_form(field: &[u8]) -> bool {
    field.len() >= NONCE_LEN + AES_256_GCM.tag_len() && std::str::from_utf8(field).is_err()
}

fn cipher(key: &RecordKey, name: &'static str) -> Result<LessSafeKey> {
    let derived = derive(key.bytes(), &[b"field ", name.as_bytes()])?;
    let key =
        UnboundKey::new(&AES_256_GCM, &*derived).map_err(|_| Error::internal("a field's key is unusable"))?;
    Ok(LessSafeKey::new(key))
}

fn bound(record: Id, name: &'static str) -> Aad<Vec<u8>> {
    Aad::from([record.as_bytes().as_slice(), name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_field_opens_in_its_place_alone(plain in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>()) {
            let (key, record) = (RecordKey::random(), Id::random());
            let sealed = seal_field(&key, record, "name", &plain).unwrap();
            prop_assert!(field_has_sealed_form(&sealed));
            prop_assert_eq!(&*open_field(&key, record, "name", &sealed).unwrap(), &plain);
            prop_assert!(open_field(&key, record, "details", &sealed).is_err());
            prop_assert!(open_field(&key, Id::random(), "name", &sealed).is_err());
            prop_assert!(open_field(&RecordKey::random(), record, "name", &sealed).is_err());
            let mut broken = sealed.clone();
            broken[at.index(sealed.len())] ^= 1;
            prop_assert!(open_field(&key, record, "name", &broken).is_err());
            prop_assert!(open_field(&key, record, "name", &sealed[..at.index(sealed.len())]).is_err());
        }
    }
}
