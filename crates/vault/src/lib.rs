//! This owns keys and what they seal: the erasable root, the key tree under it, sealed blobs and fields, keyed fingerprints,
//! and the shares of a backup's root. It also keeps this process's memory off disks.
//! It does not know what a record is, nor where nodes of the tree are kept.

mod field;
pub mod guard;
mod memory;
pub mod receipt;
mod root;
mod seal;
mod share_text;
mod shares;
pub mod swap;
mod tree;

use aws_lc_rs::{constant_time, hkdf, hmac};
use kernel::{Error, Result};
use zeroize::Zeroizing;

pub use field::{field_has_sealed_form, open_field, seal_field};
pub use memory::{SecretPage, core_dumps_are_denied, deny_core_dumps};
pub use root::{Root, RootFile};
pub use seal::{HEAD_BYTES, Kind, Opened, has_sealed_form, open, open_range, plain_len, seal};
pub use shares::{Quorum, SHARES_MAX, SetId, Share, join, split};
pub use tree::{DEPTH, NODE_BYTES, NodeId, PLACES_MAX, Place, Tree, Written, reseal_first};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a short signature.
pub const MAC_BYTES: usize = 16;

/// A key on its way: wiped when dropped.
pub type Key = Zeroizing<[u8; KEY_BYTES]>;

/// A new key.
#[must_use]
pub fn random_key() -> Key {
    Zeroizing::new(rand::random())
}

/// What seals the blobs and fields of one record. Wiped when dropped, never printed.
pub struct RecordKey(Key);

impl RecordKey {
    /// The key of a record: from its leaf of the tree and, where it belongs to someone, the leaf of its owner. With
    /// either of them erased, it is gone.
    ///
    /// # Errors
    /// `Internal` when a key cannot be derived.
    pub fn of(leaf: &Key, owner: Option<&Key>) -> Result<Self> {
        let owner = owner.map_or(&[][..], |owner| owner.as_slice());
        Ok(Self(derive(leaf, &[b"record ", owner])?))
    }

    /// A fingerprint that dies with the record: nobody can make it again, or try guesses against it, afterwards.
    #[must_use]
    pub fn fingerprint(&self, label: &'static str, bytes: &[u8]) -> [u8; 32] {
        fingerprint(&hmac::Key::new(hmac::HMAC_SHA256, self.bytes()), label, bytes)
    }

    #[cfg(test)]
    pub(crate) fn random() -> Self {
        Self(random_key())
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordKey(..)")
    }
}

/// What a site fingerprints and signs with. It outlives records, so nothing that has to go may hang on it alone.
pub struct SiteKey(hmac::Key);

impl SiteKey {
    /// The site's key over its leaf of the tree.
    ///
    /// # Errors
    /// `Internal` when a key cannot be derived.
    pub fn of(leaf: &Key) -> Result<Self> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*derive(leaf, &[b"site fingerprints"])?)))
    }

    /// A fingerprint that only this site can make: the same for the same label and bytes, and of no use elsewhere.
    #[must_use]
    pub fn fingerprint(&self, label: &'static str, bytes: &[u8]) -> [u8; 32] {
        fingerprint(&self.0, label, bytes)
    }

    /// A short signature, for addresses that this site hands out.
    #[must_use]
    pub fn mac(&self, label: &'static str, bytes: &[u8]) -> [u8; MAC_BYTES] {
        self.fingerprint(label, bytes).first_chunk().copied().unwrap_or_default()
    }

    /// Whether a signature is this site's own, in constant time.
    #[must_use]
    pub fn verify_mac(&self, label: &'static str, bytes: &[u8], claimed: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(label, bytes), claimed).is_ok()
    }
}

fn fingerprint(key: &hmac::Key, label: &'static str, bytes: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    context.update(label.as_bytes());
    context.update(&[0]);
    context.update(bytes);
    context.sign().as_ref().first_chunk().copied().unwrap_or_default()
}

/// A length for HKDF output.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// Derives a key for one use from another.
///
/// # Errors
/// `Internal` when the derivation fails.
pub fn derive(key: &[u8; KEY_BYTES], info: &[&[u8]]) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let mut derived = Zeroizing::new([0_u8; KEY_BYTES]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"safelight 1")
        .extract(key)
        .expand(info, KeyLength)
        .and_then(|okm| okm.fill(&mut *derived))
        .map_err(|_| Error::internal("a key could not be derived"))?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_site_label_and_bytes() {
        let (a, b) = (random_key(), random_key());
        let site = SiteKey::of(&a).unwrap();
        let print = site.fingerprint("address", b"x");
        assert_eq!(print, SiteKey::of(&a).unwrap().fingerprint("address", b"x"));
        assert_ne!(print, SiteKey::of(&b).unwrap().fingerprint("address", b"x"));
        assert_ne!(print, site.fingerprint("session", b"x"));
        assert_ne!(print, site.fingerprint("address", b"y"));
        let mac = site.mac("url", b"x");
        assert!(site.verify_mac("url", b"x", &mac));
        assert!(!site.verify_mac("url", b"y", &mac));
        assert!(!site.verify_mac("url", b"x", &mac[..8]));
    }

    #[test]
    fn a_record_needs_its_own_leaf_and_its_owners() {
        let (leaf, owner) = (random_key(), random_key());
        let key = RecordKey::of(&leaf, Some(&owner)).unwrap();
        assert_eq!(key.bytes(), RecordKey::of(&leaf, Some(&owner)).unwrap().bytes());
        for other in [
            RecordKey::of(&leaf, None),
            RecordKey::of(&leaf, Some(&random_key())),
            RecordKey::of(&random_key(), Some(&owner)),
        ] {
            assert_ne!(key.bytes(), other.unwrap().bytes());
        }
    }
}
