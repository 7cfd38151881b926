//! This owns the public log of deletions: commitments only, in bundles filled up with random entries, one an hour whatever
//! happens, so that nobody can count. It does not know what a commitment stands for; only a receipt tells.

use futures_util::TryStreamExt;
use kernel::{Error, Result};
use rand::seq::SliceRandom;
use vault::receipt::{self, BUNDLE_ENTRIES, Hash, Inclusion, Tile, Verified, VerifierKey};

use super::Keys;
use crate::db::{Db, Writing, commit, sql};

const HOUR_SECONDS: i64 = 3600;
/// Bytes of an entry.
const ENTRY_BYTES: usize = size_of::<Hash>();

/// What is known of a receipt.
#[derive(Debug)]
pub struct Checked {
    /// What it says.
    pub verified: Verified,
    /// The receipt with the proof that the log has it; none until the next bundle is published.
    pub completed: Option<String>,
}

/// What came of looking at the log.
#[derive(Debug)]
pub struct LogProof {
    /// How many bundles there are.
    pub bundles: u64,
    /// Numbers of those that do not fit.
    pub broken: Vec<i64>,
}

impl Keys {
    /// Looks at the whole log: no bundle is missing, each comes after the one before it and has the head of its entries.
    ///
    /// # Errors
    /// As every read.
    pub async fn check_log(&self) -> Result<LogProof> {
        let mut rows = sqlx::query_as::<_, (i64, i64, Vec<u8>, Vec<u8>)>(
            "SELECT number, hour, entries, head FROM log_bundle ORDER BY number",
        )
        .fetch(self.core.db.read());
        let (mut proof, mut last) = (LogProof { bundles: 0, broken: Vec::new() }, i64::MIN);
        while let Some((number, hour, entries, head)) = rows.try_next().await.map_err(sql)? {
            let fits = number.unsigned_abs() == proof.bundles && hour >= last;
            if !fits || receipt::head(&hashes(&entries)).as_slice() != head {
                proof.broken.push(number);
            }
            (proof.bundles, last) = (proof.bundles + 1, hour);
        }
        Ok(proof)
    }

    /// What checks receipts and the log.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        self.core.signer.verifier()
    }

    /// Publishes what waits, once an hour and no more often: at least one bundle, filled up with random entries.
    ///
    /// # Errors
    /// As every write.
    pub async fn publish_log(&self) -> Result<()> {
        let hour = self.core.clock.now().div_euclid(HOUR_SECONDS);
        let mut writing = self.core.db.write().await?;
        let last: Option<(i64, i64)> =
            sqlx::query_as("SELECT number, hour FROM log_bundle ORDER BY number DESC LIMIT 1")
                .fetch_optional(&mut *writing)
                .await
                .map_err(sql)?;
        if last.is_some_and(|(_, published)| published >= hour) {
            return Ok(());
        }
        let next = last.map_or(0, |(number, _)| number + 1);
        for (number, bundle) in (next..).zip(bundles(take_pending(&mut writing).await?)) {
            let hashes: Vec<Hash> = bundle.iter().map(|entry| receipt::leaf_hash(entry)).collect();
            insert_bundle(&mut writing, number, hour, bundle.concat(), &receipt::head(&hashes)).await?;
        }
        commit(writing).await
    }

    /// The signed state of the log.
    ///
    /// # Errors
    /// As every read.
    pub async fn log_checkpoint(&self) -> Result<String> {
        Ok(self.checkpoint(&self.bundle_heads().await?))
    }

    /// The hashes of a tile.
    ///
    /// # Errors
    /// `NotFound` where the log does not reach.
    pub async fn log_tile(&self, tile: Tile) -> Result<Vec<u8>> {
        let missing = || Error::not_found("The log has no such tile.");
        if tile.level == 0 {
            let hashes = hashes(&self.log_entries(tile.number).await?);
            return if tile.width == BUNDLE_ENTRIES { Ok(hashes.concat()) } else { Err(missing()) };
        }
        let heads = self.bundle_heads().await?;
        let heads = match tile.level {
            1 => heads,
            _ => heads.chunks_exact(BUNDLE_ENTRIES).map(receipt::head).collect(),
        };
        let start = usize::try_from(tile.number).ok().and_then(|number| number.checked_mul(BUNDLE_ENTRIES));
        let found = start.and_then(|start| heads.get(start..start.checked_add(tile.width)?));
        found.map(<[Hash]>::concat).ok_or_else(missing)
    }

    /// The entries of a bundle, one behind the other.
    ///
    /// # Errors
    /// `NotFound` where the log does not reach.
    pub async fn log_entries(&self, number: u64) -> Result<Vec<u8>> {
        let entries: Option<Vec<u8>> = sqlx::query_scalar("SELECT entries FROM log_bundle WHERE number = ?")
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .fetch_optional(self.core.db.read())
            .await
            .map_err(sql)?;
        entries.ok_or_else(|| Error::not_found("The log has no such tile."))
    }

    /// Checks a receipt of this site, and completes it where the log has it already.
    ///
    /// # Errors
    /// `Invalid` with what is wrong with it.
    pub async fn check_receipt(&self, text: &str) -> Result<Checked> {
        let mut verified = receipt::verify(text, &self.verifier())?;
        if verified.inclusion.is_some() {
            return Ok(Checked { verified, completed: Some(text.to_owned()) });
        }
        let Some((bundle, entries)) = self.find_entry(&verified.commitment).await? else {
            return Ok(Checked { verified, completed: None });
        };
        let heads = self.bundle_heads().await?;
        let own = hashes(&entries);
        let place =
            own.iter().position(|hash| *hash == receipt::leaf_hash(&verified.commitment)).unwrap_or(0);
        let path = [receipt::path(&own, place), receipt::path(&heads, bundle)].concat();
        let index = (bundle * BUNDLE_ENTRIES + place) as u64;
        verified.inclusion = Some(Inclusion { index, size: (heads.len() * BUNDLE_ENTRIES) as u64 });
        let plain = text.replace("\r\n", "\n").trim().to_owned() + "\n";
        let completed = receipt::complete(&plain, index, &path, &self.checkpoint(&heads));
        Ok(Checked { verified, completed: Some(completed) })
    }

    fn checkpoint(&self, heads: &[Hash]) -> String {
        let size = (heads.len() * BUNDLE_ENTRIES) as u64;
        receipt::checkpoint(&self.core.signer, size, &receipt::head(heads))
    }

    /// The head of each bundle.
    async fn bundle_heads(&self) -> Result<Vec<Hash>> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("SELECT head FROM log_bundle ORDER BY number")
            .fetch_all(self.core.db.read())
            .await
            .map_err(sql)?;
        let broken = |_| Error::internal("the log of deletions is broken");
        rows.into_iter().map(|head| head.try_into().map_err(broken)).collect()
    }

    /// The bundle that has an entry. Bundles are gone through from the newest, since receipts are checked soon.
    async fn find_entry(&self, entry: &Hash) -> Result<Option<(usize, Vec<u8>)>> {
        let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT number, entries FROM log_bundle WHERE instr(entries, ?) > 0 ORDER BY number DESC LIMIT 1",
        )
        .bind(entry.as_slice())
        .fetch_optional(self.core.db.read())
        .await
        .map_err(sql)?;
        Ok(found.and_then(|(number, entries)| Some((usize::try_from(number).ok()?, entries))))
    }
}

/// Puts a commitment among those that wait.
pub(super) async fn insert_pending(writing: &mut Writing, commitment: &Hash) -> Result<()> {
    sqlx::query("INSERT INTO log_pending (commitment) VALUES (?)")
        .bind(commitment.as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

async fn take_pending(writing: &mut Writing) -> Result<Vec<Hash>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar("DELETE FROM log_pending RETURNING commitment")
        .fetch_all(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(rows.into_iter().filter_map(|commitment| commitment.try_into().ok()).collect())
}

/// Takes the log as another database has it, whose rows are newer.
///
/// # Errors
/// As every read and write.
pub async fn carry_over(writing: &mut Writing, newer: &Db) -> Result<()> {
    for statement in ["DELETE FROM log_bundle", "DELETE FROM log_pending"] {
        sqlx::query(statement).execute(&mut **writing).await.map_err(sql)?;
    }
    let bundles: Vec<(i64, i64, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT number, hour, entries, head FROM log_bundle")
            .fetch_all(newer.read())
            .await
            .map_err(sql)?;
    for (number, hour, entries, head) in bundles {
        insert_bundle(writing, number, hour, entries, &head).await?;
    }
    let pending: Vec<Vec<u8>> = sqlx::query_scalar("SELECT commitment FROM log_pending")
        .fetch_all(newer.read())
        .await
        .map_err(sql)?;
    for commitment in pending.into_iter().filter_map(|commitment| commitment.try_into().ok()) {
        insert_pending(writing, &commitment).await?;
    }
    Ok(())
}

async fn insert_bundle(
    writing: &mut Writing,
    number: i64,
    hour: i64,
    entries: Vec<u8>,
    head: &[u8],
) -> Result<()> {
    sqlx::query("INSERT INTO log_bundle (number, hour, entries, head) VALUES (?, ?, ?, ?)")
        .bind(number)
        .bind(hour)
        .bind(entries)
        .bind(head)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

/// Whole bundles of these commitments and random entries, in no order that tells one from the other.
fn bundles(mut entries: Vec<Hash>) -> Vec<Vec<Hash>> {
    let wanted = entries.len().div_ceil(BUNDLE_ENTRIES).max(1) * BUNDLE_ENTRIES;
    entries.resize_with(wanted, rand::random);
    entries.shuffle(&mut rand::rng());
    entries.chunks(BUNDLE_ENTRIES).map(<[Hash]>::to_vec).collect()
}

fn hashes(entries: &[u8]) -> Vec<Hash> {
    entries.chunks_exact(ENTRY_BYTES).map(receipt::leaf_hash).collect()
}
