//! This owns measuring the running server: its start, its memory, its pages. It does not own what one answer costs beside
//! another server; that is in `serving`.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{Measured, binary};
use crate::{Done, root, runs};

pub(super) const LISTEN: &str = "127.0.0.1:8099";
/// An answer that has not come by then never will.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long a server may take until it answers, and how often it is asked.
const READY_MAX: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(1);
/// Requests for the gallery page that are timed.
const PAGE_REQUESTS: u32 = 200;

/// Start to ready, memory, and the gallery page of a server on the imported artworks.
pub(super) fn server(data: &Path) -> Measured {
    if !data.is_dir() {
        return Err("nothing was imported".into());
    }
    let server = Server::start(data, &data.with_extension("log"))?;
    let ready = server.ready.as_secs_f64() * 1_000.0;
    let resident = server.resident_mib()?;
    let mut times = Vec::new();
    for _ in 0..PAGE_REQUESTS {
        let started = Instant::now();
        get_page(LISTEN, "/")?;
        times.push(started.elapsed());
    }
    times.sort();
    let place =
        |share: usize| times.get(times.len() * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    let mut lines = vec![
        format!(
            "start to ready: {ready:.0} ms; resident: {resident:.0} MiB idle, {:.0} MiB after the requests",
            server.resident_mib()?
        ),
        format!("gallery page: p50 {:.2} ms, p95 {:.2} ms, one after another", place(50), place(95)),
    ];
    lines.extend(budgets()?);
    Ok(lines)
}

/// Weights of pages in a browser, against their budgets.
fn budgets() -> Measured {
    if !runs("node", &["--version"]) {
        return Ok(vec!["pages: skipped: Node is missing".into()]);
    }
    for folder in ["e2e", "e2e/budgets"] {
        crate::setup::npm_install(folder)?;
    }
    let output = Command::new("node")
        .args(["e2e/budgets/budgets.mjs", &format!("http://{LISTEN}")])
        .current_dir(root())
        .output()
        .map_err(|cause| cause.to_string())?;
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    if !output.status.success() {
        lines.push("pages: a budget is exceeded".into());
    }
    Ok(lines)
}

/// A server that ends with the measurement.
pub(super) struct Server {
    child: Child,
    ready: Duration,
}

impl Server {
    /// Starts it and waits until it answers; its log goes to a file.
    pub(super) fn start(data: &Path, log: &Path) -> Result<Self, String> {
        Self::start_as(&binary(), LISTEN, data, log)
    }

    /// As [`Server::start`], from another build or on another address.
    pub(super) fn start_as(binary: &Path, listen: &str, data: &Path, log: &Path) -> Result<Self, String> {
        let log = File::create(log).map_err(|cause| cause.to_string())?;
        let started = Instant::now();
        let child = Command::new(binary)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", listen, "--mail", "terminal", "--starter-gallery", "off"])
            // A machine for measuring may have swap; and what asks here is many clients, not one that asks too often.
            .args(["--anchor-check", "accept", "--swap-check", "accept", "--trusted-proxies", "127.0.0.1"])
            .stderr(log)
            .spawn()
            .map_err(|cause| cause.to_string())?;
        let mut server = Self { child, ready: Duration::ZERO };
        wait_for(listen, "/healthz", &mut server.child)?;
        server.ready = started.elapsed();
        Ok(server)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory that it has now.
    pub(super) fn resident_mib(&self) -> Result<f64, String> {
        self.memory_mib("VmRSS:")
    }

    /// The most that it ever had.
    pub(super) fn peak_mib(&self) -> Result<f64, String> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, name: &str) -> Result<f64, String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .map_err(|cause| format!("no memory figures here: {cause}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such figure")?;
        line.trim()
            .trim_end_matches(" kB")
            .parse::<f64>()
            .map(|kib| kib / 1024.0)
            .map_err(|cause| cause.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a server that was started answers.
pub(super) fn wait_for(address: &str, path: &str, child: &mut Child) -> Done {
    let started = Instant::now();
    while let Err(why) = get_page(address, path) {
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return Err("the server ended before it was ready".into());
        }
        if started.elapsed() > READY_MAX {
            return Err(why);
        }
        std::thread::sleep(READY_POLL);
    }
    Ok(())
}

/// Asks a server for a page and returns the body of the answer.
pub(super) fn get_page(address: &str, path: &str) -> Result<Vec<u8>, String> {
    exchange(address, path, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"))
}

/// Sends a request that ends its connection and returns the body of the answer.
#[expect(clippy::disallowed_methods, reason = "it asks the server that it has started")]
pub(super) fn exchange(address: &str, path: &str, request: &str) -> Result<Vec<u8>, String> {
    let asked = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().map_err(|cause| format!("{path}: {cause}"))?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|place| place + 4);
    match head.and_then(|head| answer.get(head..)) {
        Some(body) if answer.starts_with(b"HTTP/1.1 200") => Ok(body.to_vec()),
        _ => Err(format!("{path} is not answered with 200")),
    }
}
