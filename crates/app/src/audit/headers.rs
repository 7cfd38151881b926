//! This owns the probe of the running server's headers, asked as a visitor would.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use platform::http::STRICT_HEADERS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trust::audit::{Finding, Probe};

/// How long the server may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of the head of an answer.
const HEAD_BYTES_MAX: u64 = 16 * 1024;
const ADVICE: &str = "look at what stands before the server, or which version of it runs";

pub(super) async fn look(at: Option<SocketAddr>) -> Finding {
    let Some(at) = at else {
        return Finding::not_checked(
            Probe::Headers,
            "no server runs over this folder; --headers-at names one",
        );
    };
    let head = match tokio::time::timeout(ANSWER_TIMEOUT, head_of(reachable(at))).await {
        Ok(Ok(head)) => head,
        _ => return Finding::breach(Probe::Headers, format!("nobody answers at {at}; {ADVICE}")),
    };
    let faults = faults(&head);
    Finding::of(Probe::Headers, &faults, format!("{} strict headers at {at}", STRICT_HEADERS.len()), ADVICE)
}

/// A server that listens on every address is reached on this machine's own.
fn reachable(at: SocketAddr) -> SocketAddr {
    let address = match at.ip() {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(address, at.port())
}

#[expect(clippy::disallowed_methods, reason = "an audit asks the server of its own data folder")]
async fn head_of(at: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(HEAD_BYTES_MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase())
}

fn faults(head: &str) -> Vec<String> {
    let value =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let mut faults = Vec::new();
    for (name, wanted) in STRICT_HEADERS {
        match value(name) {
            Some(found) if found == wanted.to_lowercase() => {}
            Some(_) => faults.push(format!("{name} says something else")),
            None => faults.push(format!("{name} is missing")),
        }
    }
    if value("set-cookie").is_some() {
        faults.push("a visitor is given a cookie unasked".to_owned());
    }
    faults
}
