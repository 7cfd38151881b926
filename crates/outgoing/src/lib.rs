//! This owns every connection that the program opens: who may be spoken to, at which addresses, and how.
//! It does not read settings and knows no protocol above HTTP.

pub mod address;
mod client;
mod fault;
mod peer;
mod resolve;

pub use client::{Answer, Ask, Client, Limits};
pub use fault::Fault;
pub use peer::{Peer, Purpose, Scheme};
pub use reqwest::multipart;
pub use reqwest::{StatusCode, Url};
pub use resolve::{Looking, Lookup, SystemLookup};

use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, Result};
use tokio::net::TcpStream;

use resolve::{Checked, find};

/// How long opening a connection may take, its lookup included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The one place that opens connections, to the peers on its list and to nobody else.
#[derive(Clone)]
pub struct Outgoing {
    peers: Arc<[Peer]>,
    lookup: Arc<dyn Lookup>,
}

impl Outgoing {
    /// Speaks to these peers, whose names the system looks up.
    #[must_use]
    pub fn new(peers: Vec<Peer>) -> Self {
        Self::with_lookup(peers, Arc::new(SystemLookup))
    }

    /// As [`Outgoing::new`], with another way to look names up.
    #[must_use]
    pub fn with_lookup(peers: Vec<Peer>, lookup: Arc<dyn Lookup>) -> Self {
        Self { peers: peers.into(), lookup }
    }

    /// Everyone who may be spoken to.
    #[must_use]
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// A client of HTTP for the peers of one purpose.
    ///
    /// # Errors
    /// `Internal` when the TLS library cannot be set up.
    pub fn client(&self, purpose: Purpose) -> Result<Client> {
        let peers: Arc<[Peer]> = self.peers.iter().filter(|peer| peer.purpose == purpose).cloned().collect();
        let resolver = Checked { reach: purpose.reach(), lookup: Arc::clone(&self.lookup) };
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(resolver)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|cause| Error::internal("the HTTP client cannot be set up").because(cause))?;
        Ok(Client::new(http, peers))
    }

    /// Opens a stream to a peer that is on the list for this purpose, at an address that was checked.
    ///
    /// # Errors
    /// `NotListed`, `Forbidden` with the kind of address, `Unreachable` or `Silent`.
    pub async fn connect(
        &self,
        purpose: Purpose,
        host: &str,
        port: u16,
    ) -> std::result::Result<TcpStream, Fault> {
        let listed = |peer: &&Peer| (peer.purpose, &*peer.host, peer.port) == (purpose, host, port);
        let peer = self.peers.iter().find(listed).ok_or(Fault::NotListed)?;
        let opening = async {
            let mut last = Fault::Unreachable(None);
            for address in find(&*self.lookup, &peer.host, purpose.reach()).await? {
                #[expect(clippy::disallowed_methods, reason = "this is the one place")]
                match TcpStream::connect((address, peer.port)).await {
                    Ok(stream) => return Ok(stream),
                    Err(cause) => last = Fault::Unreachable(Some(Box::new(cause))),
                }
            }
            Err(last)
        };
        tokio::time::timeout(CONNECT_TIMEOUT, opening).await.unwrap_or(Err(Fault::Silent))
    }
}
