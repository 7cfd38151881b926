//! This owns fetching pictures that a source names by address: from allowed hosts only, bounded, and giving up on a
//! host that does not answer. It runs during an import and at no other time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use kernel::limits::PICTURE_BYTES_MAX;

/// How long one picture may take.
const PICTURE_TIMEOUT: Duration = Duration::from_secs(20);
/// After so many failures in a row a host is left alone for the rest of the run.
const FAILURES_MAX: u32 = 3;

/// Why a picture could not be had, in words for the report.
pub(crate) type Reason = &'static str;

/// Fetches pictures from the hosts that the operator allows.
pub struct Fetcher {
    client: reqwest::Client,
    hosts: Vec<String>,
    failures: Mutex<HashMap<String, u32>>,
}

impl Fetcher {
    /// A fetcher for these host names; an empty list fetches nothing.
    #[must_use]
    pub fn new(client: reqwest::Client, hosts: Vec<String>) -> Self {
        Self { client, hosts, failures: Mutex::default() }
    }

    /// Lets hosts that were given up be tried again; called when an import starts.
    pub(crate) fn start_run(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) async fn get(&self, address: &str) -> Result<Vec<u8>, Reason> {
        let url = reqwest::Url::parse(address).map_err(|_| "its picture has no proper address")?;
        let host = url.host_str().unwrap_or_default().to_owned();
        if !self.hosts.contains(&host) {
            return Err("its picture is on a host that picture-hosts does not allow");
        }
        if self.failed(&host) >= FAILURES_MAX {
            return Err("the host of its picture cannot be reached");
        }
        let answer = tokio::time::timeout(PICTURE_TIMEOUT, self.read(url)).await;
        match answer.unwrap_or(Err("the host of its picture does not answer in time")) {
            Ok(bytes) => {
                self.count(&host, |_| 0);
                Ok(bytes)
            }
            Err(reason) => {
                self.count(&host, |failures| failures + 1);
                Err(reason)
            }
        }
    }

    async fn read(&self, url: reqwest::Url) -> Result<Vec<u8>, Reason> {
        let unreachable = "the host of its picture cannot be reached";
        let answer = self.client.get(url).send().await.map_err(|_| unreachable)?;
        if !answer.status().is_success() {
            return Err("the host of its picture does not have it any more");
        }
        let mut bytes = Vec::new();
        let mut parts = answer.bytes_stream();
        while let Some(part) = parts.next().await {
            bytes.extend_from_slice(&part.map_err(|_| unreachable)?);
            if bytes.len() > PICTURE_BYTES_MAX {
                return Err("its picture is larger than 32 MiB");
            }
        }
        Ok(bytes)
    }

    fn failed(&self, host: &str) -> u32 {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied().unwrap_or(0)
    }

    fn count(&self, host: &str, next: impl FnOnce(u32) -> u32) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = failures.entry(host.to_owned()).or_insert(0);
        *entry = next(*entry);
    }
}
