//! This owns the conversation with a mail server, over a stream that [`Outgoing`] has opened: one connection a mail.
//! lettre would open its own, to wherever its own lookup leads.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kernel::Error;
use lettre::Message;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
#[expect(deprecated, reason = "there is no other door to TLS from the first byte over a stream of ours")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use outgoing::{Outgoing, Peer, Purpose, Scheme, Url};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Fault;

/// How long handing over a mail may take, from the first byte to the last.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the goodbye of a server that has taken the mail is waited for.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    /// Never: for a server on this machine or in its network.
    Never,
    /// Once the server offers it.
    Offered,
    /// Before anything is said, or nothing is.
    Required,
    /// From the first byte.
    Always,
}

/// A mail server, as set by `mail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    login: Option<Credentials>,
}

impl Server {
    /// Whether nothing is said before the line is encrypted.
    #[must_use]
    pub const fn requires_tls(&self) -> bool {
        matches!(self.tls, Tls::Required | Tls::Always)
    }
}

impl FromStr for Server {
    type Err = Error;

    /// `smtp://USER:PASSWORD@HOST:PORT/NAME?tls=required`: NAME is how this machine calls itself.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let words = "The SMTP address in mail cannot be read: smtp://USER:PASSWORD@HOST:PORT.";
            Error::invalid("mail", words)
        };
        let url = Url::parse(text).map_err(|cause| wrong().because(cause))?;
        let wish = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, wish)| wish.into_owned());
        let (tls, usual_port) = match (url.scheme(), wish.as_deref()) {
            ("smtp", None) => (Tls::Never, 25),
            ("smtp", Some("opportunistic")) => (Tls::Offered, 587),
            ("smtp", Some("required")) => (Tls::Required, 587),
            ("smtps", _) => (Tls::Always, 465),
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_ascii_lowercase();
        let plain = |text: &str| percent_decode_str(text).decode_utf8().map(String::from);
        let login =
            url.password().map(|password| Ok(Credentials::new(plain(url.username())?, plain(password)?)));
        let login = login.transpose().map_err(|cause: std::str::Utf8Error| wrong().because(cause))?;
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        Ok(Self { host, port: url.port().unwrap_or(usual_port), tls, hello, login })
    }
}

impl Server {
    /// Its line on the list of those the program speaks to.
    #[must_use]
    pub fn peer(&self) -> Peer {
        let scheme = if self.tls == Tls::Always { Scheme::Smtps } else { Scheme::Smtp };
        Peer { purpose: Purpose::Mail, setting: "mail", scheme, host: self.host.clone(), port: self.port }
    }

    /// Hands a message over.
    pub(super) async fn hand_over(&self, outgoing: &Outgoing, message: &Message) -> Result<(), Fault> {
        let handing_over = async {
            let tls = match self.tls {
                Tls::Never => None,
                _ => Some(TlsParameters::new(self.host.trim_matches(['[', ']']).to_owned()).map_err(before)?),
            };
            let stream = outgoing.connect(Purpose::Mail, &self.host, self.port).await.map_err(unreached)?;
            self.talk(stream, tls, message).await
        };
        tokio::time::timeout(CONVERSATION_TIMEOUT, handing_over).await.unwrap_or(Err(Fault::Later))
    }

    async fn talk(
        &self,
        stream: TcpStream,
        tls: Option<TlsParameters>,
        message: &Message,
    ) -> Result<(), Fault> {
        let mut connection = self.greet(stream, tls).await.map_err(before)?;
        connection.send(message.envelope(), &message.formatted()).await.map_err(refused)?;
        // It has the mail; how it says goodbye changes nothing.
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, connection.quit()).await;
        Ok(())
    }

    /// Comes to where a mail can be handed over: under TLS where that is wished, and logged in.
    async fn greet(
        &self,
        stream: TcpStream,
        tls: Option<TlsParameters>,
    ) -> Result<AsyncSmtpConnection, smtp::Error> {
        let mut connection = match (self.tls, tls) {
            (Tls::Always, Some(tls)) => {
                let stream = Box::new(Encrypted::begin(stream, tls).await?);
                AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await?
            }
            (wish, tls) => {
                let stream = Box::new(stream);
                let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await?;
                if let Some(tls) = tls.filter(|_| wish == Tls::Required || connection.can_starttls()) {
                    connection.starttls(tls, &self.hello).await?;
                }
                connection
            }
        };
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}

/// What it means that there is no way to the server. Where none may be gone, waiting changes nothing.
fn unreached(fault: outgoing::Fault) -> Fault {
    match fault {
        outgoing::Fault::NotListed | outgoing::Fault::Forbidden(_) => Fault::Setup,
        outgoing::Fault::Unreachable(_) | outgoing::Fault::Silent | outgoing::Fault::TooLong => Fault::Later,
    }
}

/// What it means that a conversation ended before the mail was spoken of: the address is not at fault.
fn before(error: smtp::Error) -> Fault {
    let lasts = error.is_permanent() || error.is_client() || error.is_tls() || is_distrust(&error);
    if lasts { Fault::Setup } else { Fault::Later }
}

/// What it means that the server did not take the mail.
fn refused(error: smtp::Error) -> Fault {
    if error.is_permanent() || error.is_client() { Fault::Refused } else { Fault::Later }
}

/// Whether TLS ended with a certificate or a message that it does not take, and not because the network broke.
fn is_distrust(error: &smtp::Error) -> bool {
    let mut under = error.source();
    while let Some(error) = under {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        under = error.source();
    }
    false
}

/// A stream under TLS from its first byte, as lettre takes it.
#[derive(Debug)]
#[expect(deprecated, reason = "see its import")]
struct Encrypted(AsyncNetworkStream);

#[expect(deprecated, reason = "see its import")]
impl Encrypted {
    async fn begin(stream: TcpStream, tls: TlsParameters) -> Result<Self, smtp::Error> {
        let mut stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
        stream.upgrade_tls(tls).await?;
        Ok(Self(stream))
    }
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<std::net::SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.0);
        let read = ready!(futures_util::AsyncRead::poll_read(stream, cx, to.initialize_unfilled()))?;
        to.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        futures_util::AsyncWrite::poll_write(Pin::new(&mut self.0), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        futures_util::AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        futures_util::AsyncWrite::poll_close(Pin::new(&mut self.0), cx)
    }
}

#[cfg(test)]
mod tests;
