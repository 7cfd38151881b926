//! This owns fetching pictures that a source names by address: from allowed hosts only, bounded, and giving up on a
//! host that does not answer. It runs during an import and at no other time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::limits::PICTURE_BYTES_MAX;
use outgoing::{Ask, Client, Fault, Limits, Url};

/// How long one picture may take.
const PICTURE_TIMEOUT: Duration = Duration::from_secs(20);
const LIMITS: Limits = Limits { bytes_max: PICTURE_BYTES_MAX, silence_max: PICTURE_TIMEOUT };
/// After so many failures in a row a host is left alone for the rest of the run.
const FAILURES_MAX: u32 = 3;

/// Why a picture could not be had, in words for the report.
pub(crate) type Reason = &'static str;

/// Fetches pictures from the hosts that the operator allows.
pub struct Fetcher {
    client: Client,
    failures: Mutex<HashMap<String, u32>>,
}

impl Fetcher {
    /// A fetcher with this client, which reaches sources of pictures and nobody else.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, failures: Mutex::default() }
    }

    /// Lets hosts that were given up be tried again; called when an import starts.
    pub(crate) fn start_run(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) async fn get(&self, address: &str) -> Result<Vec<u8>, Reason> {
        let url = Url::parse(address).map_err(|_| "its picture has no proper address")?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let ask = self.client.get(url, LIMITS).map_err(|fault| reason(&fault))?;
        if self.failed(&host) >= FAILURES_MAX {
            return Err("the host of its picture cannot be reached");
        }
        let answer = tokio::time::timeout(PICTURE_TIMEOUT, read(ask)).await;
        match answer.unwrap_or(Err(reason(&Fault::Silent))) {
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

    fn failed(&self, host: &str) -> u32 {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied().unwrap_or(0)
    }

    fn count(&self, host: &str, next: impl FnOnce(u32) -> u32) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = failures.entry(host.to_owned()).or_insert(0);
        *entry = next(*entry);
    }
}

async fn read(ask: Ask) -> Result<Vec<u8>, Reason> {
    let answer = ask.send().await.map_err(|fault| reason(&fault))?;
    if !answer.status().is_success() {
        return Err("the host of its picture does not have it any more");
    }
    answer.bytes().await.map_err(|fault| reason(&fault))
}

const fn reason(fault: &Fault) -> Reason {
    match fault {
        Fault::NotListed => "its picture is on a host that picture-hosts does not allow",
        Fault::Forbidden(_) => "the host of its picture has an address that is not public",
        Fault::Unreachable(_) => "the host of its picture cannot be reached",
        Fault::Silent => "the host of its picture does not answer in time",
        Fault::TooLong => "its picture is larger than 32 MiB",
    }
}

#[cfg(test)]
mod tests {
    use outgoing::{Outgoing, Peer, Purpose};

    use super::*;

    #[tokio::test]
    async fn only_public_hosts_of_the_settings_are_asked_and_by_https() {
        let host =
            |address: &str| Peer::at(&Url::parse(address).unwrap(), Purpose::PictureSource, "").unwrap();
        let outgoing = Outgoing::new(vec![host("https://pictures.example"), host("https://127.0.0.1")]);
        let fetcher = Fetcher::new(outgoing.client(Purpose::PictureSource).unwrap());
        let not_allowed = "its picture is on a host that picture-hosts does not allow";
        for (address, reason) in [
            ("pictures.example/x.jpg", "its picture has no proper address"),
            ("http://pictures.example/x.jpg", not_allowed),
            ("https://other.example/x.jpg", not_allowed),
            ("https://pictures.example:8443/x.jpg", not_allowed),
            ("file:///etc/passwd", not_allowed),
            ("https://127.0.0.1/x.jpg", "the host of its picture has an address that is not public"),
        ] {
            assert_eq!(fetcher.get(address).await, Err(reason), "{address}");
        }
    }
}
