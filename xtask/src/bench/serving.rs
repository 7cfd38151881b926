//! This owns measuring what an answer costs: processor time for one thumbnail, hot, from our server and from nginx, which
//! has the same bytes as a plain file. Both are asked in turns by the same small client over kept connections.
//! Our server writes a line for each request to a file, so nginx is asked twice: with such a log, and without any.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::server::{ANSWER_MAX, LISTEN, Server, get_page, wait_for};
use super::{Measured, PROMPTS, WIDTHS, binary, example};
use crate::{Done, runs};

/// The thumbnail closest to this is measured.
const PICTURE_BYTES: usize = 30 * 1024;
const CONNECTIONS: usize = 4;
/// Requests of a round to each server, and rounds; the median counts.
const REQUESTS: usize = 20_000;
const ROUNDS: usize = 9;
/// Requests before the first round.
const WARM_UP: usize = 2_000;
const LOGGED: &str = "127.0.0.1:8097";
const UNLOGGED: &str = "127.0.0.1:8098";
const NGINX_PATH: &str = "/picture.webp";
/// Units of the times in `/proc`; Linux gives them to programs in hundredths on every machine.
const TICKS_PER_SECOND: f64 = 100.0;
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// One server and one address of it.
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) process: u32,
    pub(super) address: &'static str,
    pub(super) path: String,
    /// The codings that the client takes; with them a text is compressed.
    pub(super) codings: &'static str,
    /// Microseconds of processor time per request, round by round.
    pub(super) costs: Vec<f64>,
}

pub(super) fn serving(scratch: &Path) -> Measured {
    if !runs("nginx", &["-v"]) {
        return Err("nginx is missing; install it, for example with: apt-get install nginx-light".into());
    }
    let folder = scratch.join("serving");
    std::fs::create_dir_all(folder.join("files")).map_err(|cause| cause.to_string())?;
    let data = gallery(&folder)?;
    let server = Server::start(&data, &folder.join("safelight.log"))?;
    let (path, picture) = thumbnail()?;
    std::fs::write(folder.join("files/picture.webp"), &picture).map_err(|cause| cause.to_string())?;
    let nginx = Nginx::start(&folder)?;
    let side = |name, process, address, path: &str| Side {
        name,
        process,
        address,
        path: path.into(),
        codings: "gzip, deflate, br",
        costs: vec![],
    };
    let mut sides = [
        side("ours, with its log in a file", server.id(), LISTEN, &path),
        side("nginx, with its log in a file", nginx.0.id(), LOGGED, NGINX_PATH),
        side("nginx, without a log", nginx.0.id(), UNLOGGED, NGINX_PATH),
    ];
    for side in &sides {
        ask(side, WARM_UP, picture.len())?;
    }
    for _ in 0..ROUNDS {
        for side in &mut sides {
            let before = processor_seconds(side.process)?;
            ask(side, REQUESTS, picture.len())?;
            let spent = processor_seconds(side.process)? - before;
            side.costs.push(spent * 1e6 / REQUESTS as f64);
        }
    }
    Ok(told(&sides, picture.len()))
}

fn told(sides: &[Side], bytes: usize) -> Vec<String> {
    let mut lines = vec![format!(
        "processor time per request, {:.1} KiB WebP, hot, {CONNECTIONS} kept connections, median of {ROUNDS} rounds of {REQUESTS}",
        bytes as f64 / 1024.0
    )];
    let ours = sides.first().map_or(&[][..], |side| &side.costs);
    for side in sides {
        lines.push(format!(
            "{}: {:.1} µs; ours to it {}",
            side.name,
            median(&side.costs),
            ratio(ours, &side.costs)
        ));
    }
    lines
}

pub(super) fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The ratio of two sides, round by round: median, least and most.
pub(super) fn ratio(ours: &[f64], peer: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
    let least = ratios.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let most = ratios.iter().copied().reduce(f64::max).unwrap_or(0.0);
    format!("{:.2} ({least:.2} to {most:.2})", median(&ratios))
}

/// A data folder with a few pictures that Papercut has drawn.
pub(super) fn gallery(folder: &Path) -> Result<PathBuf, String> {
    let done = |command: &mut Command| {
        let output = command.output().map_err(|cause| cause.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    done(Command::new(example("papercut")).arg(folder).args(PROMPTS))?;
    let line = |(place, prompt): (usize, &&str)| {
        format!("{{\"id\": \"bench-{place}\", \"prompt\": \"{prompt}\", \"image\": \"{place:02}.png\"}}")
    };
    // The example names its pictures by seed, which counts from 0.
    let lines: Vec<String> =
        PROMPTS.iter().enumerate().map(|(place, prompt)| line((place, prompt))).collect();
    let (posts, data) = (folder.join("posts.jsonl"), folder.join("data"));
    std::fs::write(&posts, lines.join("\n")).map_err(|cause| cause.to_string())?;
    done(Command::new(binary()).arg("import").arg(posts).arg("--data").arg(&data))?;
    Ok(data)
}

/// The thumbnail that is closest to the size wanted: its path and its bytes.
pub(super) fn thumbnail() -> Result<(String, Vec<u8>), String> {
    let page = String::from_utf8_lossy(&get_page(LISTEN, "/")?).into_owned();
    let records = page.split("/p/").skip(1).filter_map(|rest| rest.split('/').next());
    let mut found: Option<(String, Vec<u8>)> = None;
    for path in records.flat_map(|record| WIDTHS.map(|width| format!("/p/{record}/{width}.webp"))) {
        let bytes = get_page(LISTEN, &path)?;
        let distance = |bytes: &[u8]| bytes.len().abs_diff(PICTURE_BYTES);
        if found.as_ref().is_none_or(|(_, closest)| distance(&bytes) < distance(closest)) {
            found = Some((path, bytes));
        }
    }
    found.ok_or_else(|| "the gallery shows no picture".into())
}

/// nginx with one worker; it ends with the measurement.
struct Nginx(Child);

impl Nginx {
    fn start(folder: &Path) -> Result<Self, String> {
        let at = folder.display();
        let server = |address: &str, log: &str| {
            format!("server {{ listen {address}; root {at}/files; access_log {log}; }}\n")
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        // As Debian ships it, but that no connection is ever closed.
        let text = format!(
            "daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/error.log;\n\
             events {{ worker_connections 64; }}\n\
             http {{ types {{ image/webp webp; }} sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
             {temporary}{}{} }}\n",
            server(LOGGED, &format!("{at}/access.log")),
            server(UNLOGGED, "off"),
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, text).map_err(|cause| cause.to_string())?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(file)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| cause.to_string())?;
        let mut nginx = Self(child);
        wait_for(LOGGED, NGINX_PATH, &mut nginx.0)?;
        Ok(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked, so that the first process ends its worker; killed, it would leave it behind.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// Sends requests over a few kept connections, each waiting for its answer.
pub(super) fn ask(side: &Side, requests: usize, bytes: usize) -> Done {
    // Each turn comes from a network of its own, since limits count by network.
    static TURNS: AtomicU32 = AtomicU32::new(0);
    let client = std::net::Ipv4Addr::from_bits(0x0a00_0000 + TURNS.fetch_add(1, Ordering::Relaxed));
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\naccept: image/webp,*/*\r\naccept-encoding: {}\r\n\
         accept-language: en\r\nuser-agent: safelight-bench\r\nx-forwarded-for: {client}\r\n\r\n",
        side.path, side.address, side.codings
    );
    let failed = |cause: std::io::Error| format!("{}: {cause}", side.name);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| ask_one(side.address, &request, requests / CONNECTIONS, bytes)))
            .collect();
        for one in asking {
            one.join().map_err(|_| format!("{}: asking stopped", side.name))?.map_err(failed)?;
        }
        Ok(())
    })
}

#[expect(clippy::disallowed_methods, reason = "it asks the server that it has started")]
fn ask_one(address: &str, request: &str, requests: usize, bytes: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let mut answer = vec![0; HEAD_BYTES_MAX + bytes];
    for _ in 0..requests {
        stream.write_all(request.as_bytes())?;
        let (mut read, mut wanted) = (0, None);
        while wanted.is_none_or(|wanted| read < wanted) {
            let part = stream.read(answer.get_mut(read..).unwrap_or_default())?;
            if part == 0 {
                return Err(std::io::Error::other("the answer was cut"));
            }
            read += part;
            let head = || answer.get(..read)?.windows(4).position(|window| window == b"\r\n\r\n");
            wanted = wanted.or_else(|| Some(head()? + 4 + bytes));
        }
        if !answer.starts_with(b"HTTP/1.1 200") || wanted != Some(read) {
            return Err(std::io::Error::other("it is another answer"));
        }
    }
    Ok(())
}

/// Processor time that a process and those that it has started have used.
pub(super) fn processor_seconds(process: u32) -> Result<f64, String> {
    let mut ticks = 0;
    let processes = std::fs::read_dir("/proc").map_err(|cause| format!("no times here: {cause}"))?;
    for entry in processes.flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name of the program, in brackets, may have spaces in it.
        let Some((before, after)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<u64> = after.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        let number = |place: usize| fields.get(place).copied().unwrap_or(0);
        let own = before.split(' ').next() == Some(&process.to_string());
        // After the state: parent, and further on the times in the program and in the system.
        if own || number(1) == u64::from(process) {
            ticks += number(11) + number(12);
        }
    }
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
