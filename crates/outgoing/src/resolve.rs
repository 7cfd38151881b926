//! This owns the step from a name to addresses: one lookup, every address checked, and only those handed on.
//! One bad address among good ones spoils the answer, since nobody honest gives such an answer.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Fault;
use crate::address::{self, Reach};

/// Addresses that a name may lead to; an answer with more is cut.
const ADDRESSES_MAX: usize = 32;

/// What a lookup is waited for by.
pub type Looking<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// How a name becomes addresses.
pub trait Lookup: Send + Sync {
    /// The addresses of a host.
    fn lookup<'a>(&'a self, host: &'a str) -> Looking<'a>;
}

/// As the system does it.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, host: &'a str) -> Looking<'a> {
        Box::pin(async move {
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The address that a host is, where it is one and not a name.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The addresses of a host, each checked.
pub(crate) async fn find(lookup: &dyn Lookup, host: &str, reach: Reach) -> Result<Vec<IpAddr>, Fault> {
    let mut found = match literal(host) {
        Some(address) => vec![address],
        None => lookup.lookup(host).await.map_err(|cause| Fault::Unreachable(Some(Box::new(cause))))?,
    };
    for address in &found {
        address::check(*address, reach).map_err(Fault::Forbidden)?;
    }
    found.truncate(ADDRESSES_MAX);
    Ok(found)
}

/// What reqwest asks for addresses.
pub(crate) struct Checked {
    pub(crate) reach: Reach,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, lookup) = (self.reach, Arc::clone(&self.lookup));
        Box::pin(async move {
            let found = find(&*lookup, name.as_str(), reach).await?;
            // Port 0 stands for the one in the address that was asked for.
            let found: Vec<SocketAddr> = found.into_iter().map(|address| (address, 0).into()).collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
