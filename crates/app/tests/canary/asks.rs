//! This owns requests, written byte by byte so that they can be as wrong as anybody's, each from a network of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// How long an answer may take; streams are left after it.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// A request before it is sent.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Parts of a form with a file: name, name of the file if it is one, content.
    pub(crate) fn parts(self, parts: &[(&str, Option<&str>, &[u8])]) -> Self {
        let mut body = Vec::new();
        for (name, file, content) in parts {
            let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
            let head = format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend([head.as_bytes(), content, b"\r\n"].concat());
        }
        body.extend(b"--part--\r\n");
        self.body("multipart/form-data; boundary=part", body)
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, fallback) in
            [("host", "localhost".to_owned()), ("content-length", self.body.len().to_string())]
        {
            if !self.headers.iter().any(|(other, _)| other == name) {
                head += &format!("{name}: {fallback}\r\n");
            }
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"connection: close\r\n\r\n", &self.body].concat()
    }

    pub(crate) async fn send(&self, address: SocketAddr) -> Answer {
        send(address, &self.bytes(), Then::Listen).await
    }
}

/// What a sender does once it has sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    /// Wait for an answer.
    Listen,
    /// Break off.
    Hang,
}

/// Sends bytes from a network that has asked nothing before, and reads what comes back.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8], then: Then) -> Answer {
    static NETWORKS: AtomicU32 = AtomicU32::new(0x7f01_0000);
    let from = IpAddr::from(NETWORKS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    // A server that has answered already may have closed.
    let _ = stream.write_all(bytes).await;
    if then == Then::Hang {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(ANSWER_MAX, stream.read_to_end(&mut answer)).await;
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    Answer { status: status.unwrap_or(0), bytes: answer }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The value of a cookie that it sets.
    pub(crate) fn cookie(&self, name: &str) -> String {
        let text = self.text();
        let start = format!("set-cookie: {name}=");
        let value = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default();
        value.split(';').next().unwrap_or_default().to_owned()
    }
}
