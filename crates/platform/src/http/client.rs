//! This owns where a request comes from, as far as limits need it: the network of its client, for as long as the request
//! lasts. What else a request says of its sender is taken off at the door, so that no handler can read it.

use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use kernel::{Error, Result};

use super::failure::Failure;
use super::heard::Heard;
use super::rate::{RateLimit, RateLimits, client_network};

/// Headers that say who is asking and that nothing here needs.
const SENDER: [HeaderName; 8] = [
    Heard::ForwardedFor.name(),
    header::FORWARDED,
    header::USER_AGENT,
    header::REFERER,
    header::FROM,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// Networks of the operator's own reverse proxies.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
        Ok(Self(parts.map(network).collect::<Result<_, _>>()?))
    }
}

impl Proxies {
    /// Whether connections from here speak for others.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whom a connection speaks for. `X-Forwarded-For` is read from the right, and only what a trusted proxy has added.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines: Vec<&str> = Heard::ForwardedFor.all_of(headers).collect();
        let mut client = peer;
        for told in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.trust(client) {
                break;
            }
            match address(told.trim()) {
                Some(next) => client = next,
                None => break,
            }
        }
        client
    }
}

/// An address, as proxies write it: with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

/// What the door needs to know clients by.
#[derive(Clone)]
pub struct Clients {
    /// Whose word of another's address is taken.
    pub proxies: Arc<Proxies>,
    /// Counts of attempts.
    pub limits: Arc<RateLimits>,
}

/// The client of a request: a network that attempts can be counted by, and that cannot be read.
#[derive(Clone)]
pub struct Client {
    network: [u8; 16],
    limits: Arc<RateLimits>,
}

impl Client {
    /// Counts an attempt.
    ///
    /// # Errors
    /// `RateLimited` when this network has used its window up.
    pub fn count(&self, limit: &RateLimit) -> Result<()> {
        self.limits.count(limit, &self.network)
    }

    /// What statistics tell visitors apart by, under the key of their day.
    pub(crate) const fn network(&self) -> [u8; 16] {
        self.network
    }

    /// As [`Client::count`] for the client of these parts; a request without one is counted nowhere.
    ///
    /// # Errors
    /// As [`Client::count`].
    pub fn count_of(parts: &Parts, limit: &RateLimit) -> Result<()> {
        parts.extensions.get::<Self>().map_or(Ok(()), |client| client.count(limit))
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let client = parts.extensions.get::<Self>().cloned();
        client.ok_or_else(|| Failure(Error::internal("a request without a client")))
    }
}

/// Finds the client of each request, and takes off what else it says of its sender.
pub async fn know_client(State(clients): State<Clients>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer else {
        return Failure(Error::internal("a request without a connection")).into_response();
    };
    let network = client_network(clients.proxies.client(peer.ip(), request.headers()));
    SENDER.iter().for_each(|name| drop(request.headers_mut().remove(name)));
    request.extensions_mut().insert(Client { network, limits: clients.limits });
    next.run(request).await
}

/// Counts each request against a limit before it is answered.
pub async fn count_request(limit: &'static RateLimit, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>();
    match client.map_or(Ok(()), |client| client.count(limit)) {
        Ok(()) => next.run(request).await,
        Err(error) => Failure(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, told: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in told {
            headers.append(Heard::ForwardedFor.name(), line.parse().unwrap());
        }
        let proxies: Proxies = proxies.parse().unwrap();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_what_they_added() {
        let own = "127.0.0.0/8, 10.0.0.0/8,::1";
        assert_eq!(client("", "127.0.0.1", &["9.9.9.9"]), "127.0.0.1", "nobody is trusted unless set");
        assert_eq!(client(own, "8.8.8.8", &["9.9.9.9"]), "8.8.8.8", "a stranger says what it likes");
        assert_eq!(client(own, "127.0.0.1", &["6.6.6.6, 9.9.9.9"]), "9.9.9.9", "read from the right");
        assert_eq!(client(own, "::1", &["6.6.6.6, 9.9.9.9", "10.1.2.3"]), "9.9.9.9", "through two proxies");
        assert_eq!(client(own, "::ffff:127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client(own, "127.0.0.1", &["6.6.6.6, nonsense"]), "127.0.0.1");
        assert_eq!(client(own, "127.0.0.1", &[]), "127.0.0.1");
        for wrong in ["localhost", "10.0.0.0/33", "1.2.3"] {
            assert!(wrong.parse::<Proxies>().is_err(), "{wrong}");
        }
    }
}
