//! This owns sealing, record keys and keyed fingerprints. It does not know what a record is.

mod file_keys;
mod seal;

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hkdf, hmac};
use kernel::{Error, Id, Result};
use zeroize::Zeroizing;

pub use file_keys::FileKeys;
pub use seal::{Kind, Opened, open, open_range, plain_len, seal};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a short signature.
pub const MAC_BYTES: usize = 16;

/// The key of one record. Wiped when dropped, never printed.
pub struct RecordKey(Zeroizing<[u8; KEY_BYTES]>);

impl RecordKey {
    pub(crate) fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    pub(crate) fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
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

/// Where record keys are kept. What it has erased, it cannot give back.
pub trait KeyStore: Send + Sync {
    /// Makes and keeps the key of a new record; it is on the disk when this returns.
    ///
    /// # Errors
    /// `Conflict` when the record has a key already, `StorageFull` on a full disk.
    fn create(&self, record: Id) -> Result<RecordKey>;

    /// The key of a record.
    ///
    /// # Errors
    /// `Gone` when it was erased or never made.
    fn get(&self, record: Id) -> Result<RecordKey>;

    /// Erases keys; they are overwritten on the disk when this returns. May be repeated.
    ///
    /// # Errors
    /// `Internal` when a key could not be overwritten.
    fn erase(&self, records: &[Id]) -> Result<()>;

    /// Every record that has a key.
    fn records(&self) -> Vec<Id>;
}

/// The keys of one data folder.
pub struct Vault {
    keys: Arc<dyn KeyStore>,
    site: hmac::Key,
}

impl Vault {
    /// Opens the vault under `dir`, making it if it is missing.
    ///
    /// # Errors
    /// `Internal` for a broken root or key file, `StorageFull` on a full disk.
    pub fn open(dir: &Path) -> Result<Self> {
        let keys = FileKeys::open(dir)?;
        let site = keys.derive("site fingerprints")?;
        Ok(Self { site: hmac::Key::new(hmac::HMAC_SHA256, &*site), keys: Arc::new(keys) })
    }

    /// The record keys.
    #[must_use]
    pub fn keys(&self) -> &dyn KeyStore {
        &*self.keys
    }

    /// A fingerprint that only this site can make: the same for the same label and bytes, and of no use elsewhere.
    #[must_use]
    pub fn fingerprint(&self, label: &'static str, bytes: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.site);
        context.update(label.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
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

/// A length for HKDF output.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// Derives a key for one use from another.
fn derive(key: &[u8; KEY_BYTES], info: &[&[u8]]) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
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
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let vault = Vault::open(a.path()).unwrap();
        let print = vault.fingerprint("address", b"x");
        assert_eq!(print, Vault::open(a.path()).unwrap().fingerprint("address", b"x"));
        assert_ne!(print, Vault::open(b.path()).unwrap().fingerprint("address", b"x"));
        assert_ne!(print, vault.fingerprint("session", b"x"));
        assert_ne!(print, vault.fingerprint("address", b"y"));
        let mac = vault.mac("url", b"x");
        assert!(vault.verify_mac("url", b"x", &mac));
        assert!(!vault.verify_mac("url", b"y", &mac));
        assert!(!vault.verify_mac("url", b"x", &mac[..8]));
    }
}
