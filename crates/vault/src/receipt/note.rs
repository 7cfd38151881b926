//! This owns signed notes, as c2sp.org/signed-note has them: text, an empty line, signatures. It does not know what is signed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use kernel::{Error, Result};

use crate::KEY_BYTES;

/// Marks Ed25519 in keys and key ids.
const ALGORITHM: u8 = 1;
const ID_BYTES: usize = 4;
const PUBLIC_BYTES: usize = 32;
const NAME_BYTES_MAX: usize = 200;
/// Bytes of a note that is read.
pub(super) const NOTE_BYTES_MAX: usize = 128 * 1024;

/// Signs notes under a name.
pub struct Signer {
    name: String,
    pair: Ed25519KeyPair,
}

/// What checks the notes of a signer. In text form `name+id+key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; PUBLIC_BYTES],
}

impl Signer {
    /// The signer of a seed, under this name, such as `example.org/log`.
    ///
    /// # Errors
    /// `Internal` when the name or the seed cannot be used.
    pub fn from_seed(seed: &[u8; KEY_BYTES], name: &str) -> Result<Self> {
        let unusable = || Error::internal("the signing key is unusable");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| unusable())?;
        if !is_name(name) {
            return Err(unusable());
        }
        Ok(Self { name: name.to_owned(), pair })
    }

    /// Under which name it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What checks its notes.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        let public = self.pair.public_key().as_ref().first_chunk().copied().unwrap_or_default();
        VerifierKey { name: self.name.clone(), public }
    }

    /// A note with this text, which ends with a line break.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let id = self.verifier().id(&self.name);
        let signed = BASE64.encode(&[id.as_slice(), signature.as_ref()].concat());
        format!("{text}\n— {} {signed}\n", self.name)
    }
}

impl VerifierKey {
    /// The text of a note that this key has signed. Sites move: the key decides, whatever name it signed under.
    ///
    /// # Errors
    /// `Invalid` when it is no note, or none of its signatures is of this key.
    pub fn verify<'a>(&self, note: &'a str) -> Result<&'a str> {
        let (text, signatures) = split(note)?;
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        let signed = signatures.lines().any(|line| {
            self.signature_of(line).is_some_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
        });
        if signed {
            return Ok(text);
        }
        Err(invalid("It is not signed by this site, or was changed after it was signed."))
    }

    /// The signature in a line, if the line can be of this key.
    fn signature_of(&self, line: &str) -> Option<Vec<u8>> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
        let (id, signature) = bytes.split_first_chunk::<ID_BYTES>()?;
        (is_name(name) && *id == self.id(name)).then(|| signature.to_vec())
    }

    fn id(&self, name: &str) -> [u8; ID_BYTES] {
        let named = [name.as_bytes(), &[b'\n', ALGORITHM], &self.public].concat();
        digest::digest(&digest::SHA256, &named).as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[ALGORITHM].as_slice(), &self.public].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id(&self.name)), BASE64.encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(
                "key",
                "This is not a public key. It stands on the site's page for checking receipts, and looks like example.org/log+1a2b3c4d+AQ….",
            )
        };
        let (name, rest) = text.trim().split_once('+').ok_or_else(wrong)?;
        let (id, key) = rest.split_once('+').ok_or_else(wrong)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| wrong())?;
        let public = key.strip_prefix(&[ALGORITHM]).and_then(|key| key.try_into().ok()).ok_or_else(wrong)?;
        let found = Self { name: name.to_owned(), public };
        if is_name(name) && HEXLOWER.encode(&found.id(name)) == id { Ok(found) } else { Err(wrong()) }
    }
}

/// Text and signatures of a note; the text keeps its last line break.
fn split(note: &str) -> Result<(&str, &str)> {
    let cut = || invalid("It is not whole: the lines from the first one to the signature belong together.");
    if note.len() > NOTE_BYTES_MAX {
        return Err(invalid("It is longer than any receipt."));
    }
    let at = note.rfind("\n\n").ok_or_else(cut)?;
    let (text, signatures) = note.split_at_checked(at + 1).ok_or_else(cut)?;
    let signatures = signatures.strip_prefix('\n').filter(|lines| lines.ends_with('\n')).ok_or_else(cut)?;
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(invalid("It has characters that no receipt has."));
    }
    Ok((text, signatures))
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.chars().any(|c| c.is_whitespace() || c == '+' || c.is_control())
}

pub(super) fn invalid(words: &'static str) -> Error {
    Error::invalid("receipt", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_checked_by_its_key_alone() {
        let signer = Signer::from_seed(&[7; 32], "example.org/log").unwrap();
        let (key, note) = (signer.verifier(), signer.sign("one\n\ntwo\n"));
        assert_eq!(key.verify(&note).unwrap(), "one\n\ntwo\n");
        assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
        let moved = Signer::from_seed(&[7; 32], "other.example/log").unwrap();
        assert!(key.verify(&moved.sign("x\n")).is_ok(), "the site moved and kept its key");
        let cosigned = format!("{note}— w.example AAAA\n— bad\n");
        assert!(key.verify(&cosigned).is_ok(), "others may sign as well");
        let other = Signer::from_seed(&[8; 32], "example.org/log").unwrap();
        assert!(other.verifier().verify(&note).is_err());
        for hostile in [
            "",
            "\n\n",
            "x",
            "x\n\n— a b\n",
            "x\n— example.org/log AAAA\n",
            &note[..note.len() - 1],
            "x\ry\n\n— a b\n",
        ] {
            assert!(key.verify(hostile).is_err(), "{hostile:?}");
        }
        assert!(key.verify(&"x\n".repeat(NOTE_BYTES_MAX)).is_err());
    }

    /// The example in the documentation of Go's package `note`, where the format comes from.
    #[test]
    fn a_published_note_is_verified() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert!(key.verify(note).is_ok());
        assert!(key.verify(&note.replace("answer", "Answer")).is_err());
        for wrong in [&text[1..], &text[..text.len() - 4], "a+b", "a+00000000+AQ==", ""] {
            assert!(wrong.parse::<VerifierKey>().is_err());
        }
    }
}
