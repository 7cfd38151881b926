//! This owns receipts for acts of deletion, and the public log that they are in: accountable deletion. The site signs
//! which records it erased and when, and publishes a commitment to that, which it cannot take back or put earlier.
//! It does not erase anything, and a receipt is no proof that no copy exists. It does not keep or serve the log.
//!
//! A receipt is a signed note that people can read. Later it is completed by a proof that the log holds its commitment;
//! then it checks without the log, with the public key alone. `e2e/verify.mjs` checks it too and shares no code with this.

mod log;
mod merkle;
mod note;
mod proof;
#[cfg(test)]
mod tests;
mod text;
mod tile;

use std::fmt;

use data_encoding::BASE64;
use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Result};

pub use log::{BUNDLE_ENTRIES, Bundle, Log};
pub use merkle::{
    Hash, PROOF_HASHES_MAX, consistency, head, inclusion, leaf_hash, node_hash, over, tree_head,
    verify_consistency, verify_inclusion,
};
pub use note::{NAME_BYTES_MAX, NOTE_BYTES_MAX, Note, NoteKey, SIGNATURES_MAX, VerifierKey};
pub use proof::{CHECKPOINT_BYTES_MAX, Checkpoint, Proof};
pub use tile::{Holds, TILE_HEIGHT, TILE_WIDTH, TilePath, tile};

use text::Text;

/// Records of one receipt.
pub const RECORDS_MAX: usize = 100_000;
/// Bytes of a receipt, completed or not.
pub const RECEIPT_BYTES_MAX: usize = NOTE_BYTES_MAX + 256 * 1024;

/// An act of deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// What was erased; in a receipt sorted, each once.
    pub records: Vec<Id>,
    /// The epoch of the site's keys in which it happened.
    pub epoch: u64,
    /// When.
    pub time: UnixSeconds,
}

/// A receipt for whoever asked for the deletion, and what the log is to hold of it.
pub struct Receipt {
    /// The signed note. It opens the commitment, so it is theirs alone.
    pub text: String,
    /// What goes into the log: random to all who do not have the receipt.
    pub commitment: Hash,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt(..)")
    }
}

/// What signs receipts and checkpoints of a site.
#[derive(Debug)]
pub struct Signer(NoteKey);

impl Signer {
    /// The signer that grows from this seed, under the site's name, such as `example.org/erasure`.
    ///
    /// # Errors
    /// `Invalid` when the name cannot stand in a note; `Internal` when there is no key.
    pub fn from_seed(seed: &[u8; 32], origin: &str) -> Result<Self> {
        NoteKey::from_seed(seed, origin).map(Self)
    }

    /// The key that the site publishes; its text form is one line.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// The receipt for a deletion.
    ///
    /// # Errors
    /// `Invalid` when it names no record, too many, or an impossible time; `Internal` when it cannot be signed.
    pub fn receipt(&self, deletion: &Deletion) -> Result<Receipt> {
        let text = Text::new(self.verifier_key().name(), deletion, rand::random())?;
        Ok(Receipt { text: self.0.sign(&text.write())?, commitment: text.commitment() })
    }

    /// The signed head of the log. Sign only what continues every head that was signed before.
    ///
    /// # Errors
    /// `Internal` when it cannot be signed.
    pub fn checkpoint(&self, size: u64, root: &Hash) -> Result<String> {
        Checkpoint::sign(&self.0, size, root)
    }
}

/// A receipt with the proof that the log holds it.
///
/// # Errors
/// `Invalid` when the receipt is completed already.
pub fn complete(receipt: &str, proof: &Proof) -> Result<String> {
    match take_apart(receipt) {
        (receipt, None) => Ok(format!("{receipt}\n{proof}")),
        _ => Err(refused("This receipt has its proof already. Keep it as it is.")),
    }
}

/// What a receipt says, after every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The site's name when it signed; it may be another than the key's, since a site can move.
    pub origin: String,
    /// What was erased, sorted.
    pub records: Vec<Id>,
    /// The epoch of the site's keys in which it happened.
    pub epoch: u64,
    /// When.
    pub time: UnixSeconds,
    /// What the log holds of it.
    pub commitment: Hash,
    /// Where the log holds it; nothing in a receipt that is not completed yet.
    pub inclusion: Option<Inclusion>,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Which entry.
    pub index: u64,
    /// Entries of the log at that time.
    pub size: u64,
}

/// Checks a receipt, completed or not, with the site's key: signature, commitment and, where it has one, proof.
///
/// # Errors
/// `Invalid` when anything in it is not as the site signed it.
pub fn verify(text: &str, key: &VerifierKey) -> Result<Verified> {
    if text.len() > RECEIPT_BYTES_MAX {
        return Err(refused("The receipt is too large: it has at most 4.25 MiB. Get it again from the site."));
    }
    let (receipt, proof) = take_apart(text);
    let note = Note::parse(receipt)?;
    note.verify(key, note.lines().next().unwrap_or_default())?;
    let text = Text::read(note.lines())?;
    let commitment = text.commitment();
    let inclusion = proof.map(|proof| {
        let proof = Proof::parse(proof)?;
        let size = proof.verify(&commitment, key)?.size;
        Ok::<_, Error>(Inclusion { index: proof.index, size })
    });
    let Deletion { records, epoch, time } = text.deletion;
    let inclusion = inclusion.transpose()?;
    Ok(Verified { origin: text.origin, records, epoch, time, commitment, inclusion })
}

/// A receipt, and the proof behind the blank line after it.
fn take_apart(text: &str) -> (&str, Option<&str>) {
    let mark = format!("\n\n{}\n", proof::PROOF_MARK);
    let parts = text.find(&mark).and_then(|at| text.split_at_checked(at + 1));
    parts.map_or((text, None), |(receipt, rest)| (receipt, rest.strip_prefix('\n')))
}

/// A number as we would write it: no sign, no zeroes before it.
fn read_decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn read_hash(text: &str) -> Option<Hash> {
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn refused(words: &'static str) -> Error {
    Error::invalid("receipt", words)
}
