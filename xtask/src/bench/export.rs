//! This owns measuring an export: a thousand sealed pictures of 1024 px as one archive, from the running server over HTTP into
//! a file, beside Info-ZIP and Python, which pack the same pictures from plain files. In turns; each writes a file.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::server::{ANSWER_MAX, LISTEN, Server};
use super::serving::{median, ratio};
use super::{Measured, example, figures};
use crate::{Done, runs};

const ROUNDS: usize = 3;
/// Bytes that the client reads at a time.
const PIECE_BYTES: usize = 256 * 1024;
const PYTHON: &str = "import sys, zipfile, pathlib
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    for path in sorted(pathlib.Path(sys.argv[2]).iterdir()): archive.write(path, path.name)";
const PYTHON_CHECK: &str =
    "import sys, zipfile; archive = zipfile.ZipFile(sys.argv[1]); sys.exit(archive.testzip() and 1); ";

pub(super) fn export(scratch: &Path) -> Measured {
    let folder = scratch.join("export");
    std::fs::create_dir_all(&folder).map_err(|cause| cause.to_string())?;
    let found = figures(Command::new(example("export")).arg(&folder))?;
    let cookie = found.get("cookie").ok_or("nobody is signed in")?;
    let pictures = found.get("pictures").ok_or("no pictures were made")?;
    let (ours, peer) = (folder.join("ours.zip"), folder.join("peer.zip"));
    let plain = folder.join("plain");
    let server = Server::start(&folder.join("data"), &folder.join("safelight.log"))?;
    let idle = server.resident_mib()?;
    let mut own = Vec::new();
    let mut peers: Vec<(&str, Vec<f64>)> = Vec::new();
    if runs("zip", &["-v"]) {
        peers.push(("Info-ZIP, zip -0", Vec::new()));
    }
    if runs("python3", &["--version"]) {
        peers.push(("Python, zipfile", Vec::new()));
    }
    for _ in 0..ROUNDS {
        own.push(timed(|| download(cookie, &ours))?);
        for (name, times) in &mut peers {
            let _ = std::fs::remove_file(&peer);
            let mut command = match *name {
                "Python, zipfile" => python(PYTHON, &[&peer, &plain]),
                _ => info_zip(&peer, &plain),
            };
            times.push(timed(|| done(&mut command))?);
        }
    }
    let bytes = ours.metadata().map_err(|cause| cause.to_string())?.len();
    let seconds = median(&own);
    let mut lines = vec![
        format!(
            "{pictures} pictures, {:.0} MiB: {seconds:.2} s, {:.0} MiB/s, over HTTP into a file, sealed ones opened",
            mib(bytes),
            mib(bytes) / seconds
        ),
        format!("resident: {idle:.0} MiB before, {:.0} MiB at most while sending", server.peak_mib()?),
    ];
    for (name, times) in &peers {
        lines.push(format!("{name}, plain files: {:.2} s; ours to it {}", median(times), ratio(&own, times)));
    }
    if runs("python3", &["--version"]) {
        done(&mut python(PYTHON_CHECK, &[&ours]))?;
        lines.push("every sum is right, says Python".into());
    }
    Ok(lines)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn timed(work: impl FnOnce() -> Done) -> Result<f64, String> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_secs_f64())
}

fn done(command: &mut Command) -> Done {
    let output = command.output().map_err(|cause| cause.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn python(text: &str, paths: &[&Path]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", text]).args(paths);
    command
}

fn info_zip(archive: &Path, folder: &Path) -> Command {
    let mut command = Command::new("zip");
    command.args(["-0", "-q", "-r"]).arg(archive).arg(".").current_dir(folder);
    command
}

/// Downloads the export into a file.
#[expect(clippy::disallowed_methods, reason = "it asks the server that it has started")]
fn download(cookie: &str, into: &Path) -> Done {
    let request = format!(
        "GET /account/export HTTP/1.1\r\nhost: {LISTEN}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    let copy = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(LISTEN)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(request.as_bytes())?;
        let (mut piece, mut head) = (vec![0; PIECE_BYTES], Vec::new());
        let mut file = File::create(into)?;
        loop {
            let read = stream.read(&mut piece)?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            if head.ends_with(b"\r\n\r\n") {
                file.write_all(bytes)?;
                continue;
            }
            head.extend_from_slice(bytes);
            if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                file.write_all(&head.split_off(end + 4))?;
            }
        }
        Ok(head.starts_with(b"HTTP/1.1 200"))
    };
    match copy() {
        Ok(true) => Ok(()),
        Ok(false) => Err("the export is not answered with 200".into()),
        Err(cause) => Err(cause.to_string()),
    }
}
