//! This owns the probe of what belongs together: rows and keys, keys and files, both ways. It changes nothing.

use std::collections::HashSet;

use kernel::{Error, Id, Result};
use studio::Studio;
use trust::audit::{Finding, Probe};

use crate::house::House;

const ADVICE: &str = "run safelight doctor, and restore what is missing from a backup";

/// Keys and rows that do not belong together.
pub(crate) struct Unmatched {
    /// Keys that there are.
    pub(crate) keys: usize,
    /// Rows without a key.
    pub(crate) keyless: usize,
    /// Keys without a row.
    pub(crate) rowless: usize,
}

/// Holds the keys against the rows of every slice.
///
/// # Errors
/// As every read.
pub(crate) async fn unmatched(house: &House) -> Result<Unmatched> {
    let keyed: HashSet<Id> = house.keys.records().await?.into_iter().collect();
    let rows =
        [house.gallery.records().await?, house.studio.records().await?, house.accounts.records().await];
    let rows: HashSet<Id> = rows.concat().into_iter().collect();
    Ok(Unmatched {
        keys: keyed.len(),
        keyless: rows.difference(&keyed).count(),
        rowless: keyed.difference(&rows).count(),
    })
}

pub(super) async fn look(house: &House) -> Result<Finding> {
    let found = unmatched(house).await?;
    let strays = house.blobs.find_strays().await?.len();
    let pictures = [house.gallery.records().await?, Studio::records_with_files(&house.db).await?].concat();
    let blobs = house.blobs.clone();
    let missing = tokio::task::spawn_blocking(move || blobs.find_missing(&pictures).len())
        .await
        .map_err(|_| Error::internal("looking for files stopped"))?;
    let unswept = house.blobs.count_unswept().await?;
    let looks = house.accounts.count_stray_looks().await?;
    let counts = [
        (found.keyless, "rows without a key"),
        (found.rowless, "keys without a row"),
        (strays, "records with files and without a key"),
        (missing, "pictures without a file"),
        (usize::try_from(unswept).unwrap_or(usize::MAX), "erased records with files left"),
        (usize::try_from(looks).unwrap_or(usize::MAX), "looks at accounts that are gone"),
    ];
    let faults: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let good = format!("{} keys, each with its row and its files", found.keys);
    Ok(Finding::of(Probe::Orphans, &faults, good, ADVICE))
}
