//! This owns receipts of deletions: a signed statement that commits to what was erased, and the proof that the commitment
//! stands in the public log. They make the deletion accountable; they do not show that no copy exists elsewhere.
//!
//! A receipt is a signed note. The log holds its commitment alone, among random entries of the same form; only who has
//! the receipt can tell which is which. A completed receipt carries a proof as c2sp.org/tlog-proof has it behind itself.

mod merkle;
mod note;

use aws_lc_rs::digest;
use data_encoding::BASE64;
use kernel::clock::{UnixSeconds, from_utc_text, utc_text};
use kernel::{Error, Id, Result};

pub use merkle::{
    BUNDLE_ENTRIES, Hash, Tile, bundle_bytes, bundle_from_path, head, head_from_path, leaf_hash, path,
};
use note::invalid;
pub use note::{Signer, VerifierKey};

/// First line of what a commitment is the digest of.
const DOMAIN: &[u8] = b"safelight erasure 1\n";
/// First line of a proof.
const PROOF: &str = "c2sp.org/tlog-proof@v1\n";
/// Records that one receipt names.
pub const RECORDS_MAX: usize = 1000;
/// Hashes of a proof.
const PATH_MAX: usize = 64;

/// What was erased, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Ids of the records.
    pub records: Vec<Id>,
    /// The turn that erased them.
    pub epoch: u64,
    /// When it ended.
    pub time: UnixSeconds,
}

/// A deletion with the random number that hides it in its commitment.
pub struct Receipt {
    deletion: Deletion,
    nonce: Hash,
}

/// What a receipt shows once it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was erased, and when.
    pub deletion: Deletion,
    /// Its entry in the log.
    pub commitment: Hash,
    /// Where the log has it, for a completed receipt.
    pub inclusion: Option<Inclusion>,
}

/// Where an entry stands in a log of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Number of the entry, from 0.
    pub index: u64,
    /// Entries in the log that was signed.
    pub size: u64,
}

impl Receipt {
    /// A receipt of a deletion, not signed yet.
    #[must_use]
    pub fn new(deletion: Deletion) -> Self {
        Self { deletion, nonce: rand::random() }
    }

    /// What goes into the log. Says nothing to anyone who does not have the receipt.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        let mut records = self.deletion.records.clone();
        records.sort_unstable();
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(DOMAIN);
        context.update(&self.nonce);
        context.update(&self.deletion.epoch.to_be_bytes());
        context.update(&self.deletion.time.to_be_bytes());
        records.iter().for_each(|record| context.update(record.as_bytes()));
        context.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// The receipt as its owner gets it, signed.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> String {
        let Deletion { records, epoch, time } = &self.deletion;
        let mut text = format!(
            "{}\nerased {}\nepoch {epoch}\ncommitment {}\nnonce {}\n",
            signer.name(),
            utc_text(*time),
            BASE64.encode(&self.commitment()),
            BASE64.encode(&self.nonce),
        );
        text.extend(records.iter().map(|record| format!("record {record}\n")));
        signer.sign(&text)
    }
}

/// The signed state of a log.
#[must_use]
pub fn checkpoint(signer: &Signer, size: u64, head: &Hash) -> String {
    signer.sign(&format!("{}\n{size}\n{}\n", signer.name(), BASE64.encode(head)))
}

/// A receipt with the proof that the log has it.
#[must_use]
pub fn complete(receipt: &str, index: u64, path: &[Hash], checkpoint: &str) -> String {
    let mut text = format!("{receipt}\n{PROOF}index {index}\n");
    text.extend(path.iter().map(|hash| BASE64.encode(hash) + "\n"));
    format!("{text}\n{checkpoint}")
}

/// Checks a receipt, with its proof if it has one.
///
/// # Errors
/// `Invalid` with what is wrong with it.
pub fn verify(text: &str, key: &VerifierKey) -> Result<Verified> {
    // Pasted text comes with other line ends, and with or without the last one.
    let around = |c: char| c.is_whitespace() || c == '\u{feff}';
    let text = text.replace("\r\n", "\n").trim_matches(around).to_owned() + "\n";
    let (receipt, proof) = match text.split_once(&format!("\n{PROOF}")) {
        Some((receipt, proof)) => (receipt, Some(proof)),
        None => (text.as_str(), None),
    };
    let found = read(key.verify(receipt)?)?;
    let commitment = found.0.commitment();
    if commitment != found.1 {
        return Err(invalid("Its commitment is not that of what it says was erased."));
    }
    let inclusion = proof.map(|proof| included(&commitment, proof, key)).transpose()?;
    Ok(Verified { deletion: found.0.deletion, commitment, inclusion })
}

/// The receipt that a text states, and the commitment that it names.
fn read(text: &str) -> Result<(Receipt, Hash)> {
    let other = || invalid("It is signed by this site, but is not a receipt of a deletion.");
    let mut lines = text.lines().skip(1);
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
    let time = value("erased").and_then(|text| from_utc_text(&text)).ok_or_else(other)?;
    let epoch = value("epoch").and_then(|text| number(&text)).ok_or_else(other)?;
    let commitment = value("commitment").and_then(|text| hash(&text)).ok_or_else(other)?;
    let nonce = value("nonce").and_then(|text| hash(&text)).ok_or_else(other)?;
    let record = |line: &str| line.strip_prefix("record ")?.parse::<Id>().ok();
    let records = lines.map(record).collect::<Option<Vec<_>>>().ok_or_else(other)?;
    if records.is_empty() || records.len() > RECORDS_MAX {
        return Err(other());
    }
    Ok((Receipt { deletion: Deletion { records, epoch, time }, nonce }, commitment))
}

fn included(commitment: &Hash, proof: &str, key: &VerifierKey) -> Result<Inclusion> {
    let wrong = || invalid("Its proof does not lead to the log that this site has signed.");
    let (path, note) = proof.split_once("\n\n").ok_or_else(wrong)?;
    let mut lines = path.lines();
    let index = lines.next().and_then(|line| number(line.strip_prefix("index ")?)).ok_or_else(wrong)?;
    let hashes = lines.map(hash).take(PATH_MAX + 1).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
    let mut signed = key.verify(note)?.lines().skip(1);
    let size = signed.next().and_then(number).ok_or_else(wrong)?;
    let head = signed.next().and_then(hash).ok_or_else(wrong)?;
    if hashes.len() > PATH_MAX || head_from_path(leaf_hash(commitment), index, size, &hashes) != Some(head) {
        return Err(wrong());
    }
    Ok(Inclusion { index, size })
}

/// A number in its one proper form.
fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

fn hash(text: &str) -> Option<Hash> {
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// What this key's owner signs receipts and the log with, from the site's own key.
///
/// # Errors
/// `Internal` when the key or the name cannot be used.
pub fn signer(site: &crate::SiteKey, name: &str) -> Result<Signer> {
    let seed = zeroize::Zeroizing::new(site.fingerprint("receipts", b"ed25519"));
    Signer::from_seed(&seed, name).map_err(|_| Error::internal("the log has no name it could sign under"))
}

#[cfg(test)]
mod tests;
