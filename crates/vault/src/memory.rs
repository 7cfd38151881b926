//! placeholder
use crate::{KEY_BYTES, Key};
use zeroize::Zeroizing;
/// placeholder
#[derive(Debug)]
pub struct SecretPage(Key);
impl SecretPage {
    /// placeholder
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(*key))
    }
    /// placeholder
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}
