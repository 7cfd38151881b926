//! This owns requests of HTTP: none is made but to a peer on the list, none follows a redirect, and no answer is read
//! without an end. It adds no header of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kernel::Secret;
use reqwest::multipart::Form;
use reqwest::{Method, StatusCode, Url, header};
use serde_json::Value;

use crate::resolve::literal;
use crate::{Fault, Peer, address};

/// How much of an answer is read, and how long its sender may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the whole answer.
    pub bytes_max: usize,
    /// Until the answer begins, and between its parts.
    pub silence_max: Duration,
}

/// A client for the peers of one purpose.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    peers: Arc<[Peer]>,
}

impl Client {
    pub(crate) const fn new(http: reqwest::Client, peers: Arc<[Peer]>) -> Self {
        Self { http, peers }
    }

    /// A request that reads.
    ///
    /// # Errors
    /// `NotListed` or `Forbidden` for an address that is nobody's on the list.
    pub fn get(&self, url: Url, limits: Limits) -> Result<Ask, Fault> {
        self.ask(Method::GET, url, limits)
    }

    /// A request that hands something over.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn post(&self, url: Url, limits: Limits) -> Result<Ask, Fault> {
        self.ask(Method::POST, url, limits)
    }

    fn ask(&self, method: Method, url: Url, limits: Limits) -> Result<Ask, Fault> {
        self.check(&url)?;
        Ok(Ask { request: self.http.request(method, url), limits })
    }

    /// Whether a request may go there. An address that is no name is never looked up, so it is checked here.
    fn check(&self, url: &Url) -> Result<(), Fault> {
        let asked = (url.scheme(), url.host_str(), url.port_or_known_default());
        let listed = |peer: &&Peer| (peer.scheme.name(), Some(&*peer.host), Some(peer.port)) == asked;
        let peer = self.peers.iter().find(listed).ok_or(Fault::NotListed)?;
        match literal(&peer.host) {
            Some(found) => address::check(found, peer.purpose.reach()).map_err(Fault::Forbidden),
            None => Ok(()),
        }
    }
}

/// A request that may go out.
pub struct Ask {
    request: reqwest::RequestBuilder,
    limits: Limits,
}

impl Ask {
    /// With a credential of the operator's.
    #[must_use]
    pub fn bearer(self, key: &Secret<String>) -> Self {
        Self { request: self.request.bearer_auth(key.expose()), ..self }
    }

    /// With this body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.json(body), ..self }
    }

    /// With a header that the other side's interface asks for.
    #[must_use]
    pub fn header(self, name: &'static str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// With this form, as its pairs are encoded.
    #[must_use]
    pub fn form(self, pairs: String) -> Self {
        let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        Self { request: self.request.header(kind.0, kind.1).body(pairs), ..self }
    }

    /// With this form, which may have files.
    #[must_use]
    pub fn multipart(self, form: Form) -> Self {
        Self { request: self.request.multipart(form), ..self }
    }

    /// Sends it, and waits until the answer begins.
    ///
    /// # Errors
    /// `Forbidden`, `Unreachable` or `Silent`.
    #[expect(clippy::disallowed_methods, reason = "a header of the other side's answer")]
    pub async fn send(self) -> Result<Answer, Fault> {
        let sent = tokio::time::timeout(self.limits.silence_max, self.request.send()).await;
        let answer = sent.map_err(|_| Fault::Silent)?.map_err(Fault::of)?;
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        Ok(Answer {
            status: answer.status(),
            content_type: kind.unwrap_or_default().to_owned(),
            parts: answer.bytes_stream().boxed(),
            limits: self.limits,
        })
    }
}

/// An answer that has begun.
pub struct Answer {
    status: StatusCode,
    content_type: String,
    parts: BoxStream<'static, reqwest::Result<Bytes>>,
    limits: Limits,
}

impl Answer {
    /// How it went.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What it says it is.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Its next part; none at its end.
    ///
    /// # Errors
    /// `Unreachable` where it breaks off, `Silent`, or `TooLong`.
    pub async fn part(&mut self) -> Result<Option<Bytes>, Fault> {
        let part = tokio::time::timeout(self.limits.silence_max, self.parts.next());
        let Some(part) = part.await.map_err(|_| Fault::Silent)? else { return Ok(None) };
        let part = part.map_err(Fault::of)?;
        self.limits.bytes_max = self.limits.bytes_max.checked_sub(part.len()).ok_or(Fault::TooLong)?;
        Ok(Some(part))
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Answer::part`].
    pub async fn bytes(mut self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        while let Some(part) = self.part().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}
