//! This owns measuring what it costs that memory forgets: the program as it ships beside one with the system's allocator,
//! asked in turns through the same doors, over copies of the same data.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::server::{LISTEN, Server, exchange, get_page};
use super::serving::{Side, ask, gallery, median, processor_seconds, ratio, thumbnail};
use super::{Measured, PROMPTS, binary, example, figures, get};
use crate::{Done, Profile, SELECTION, cargo};

/// What takes the wiping allocator out of a build.
const WITHOUT: &str = "app/system-allocator";
const PEER_LISTEN: &str = "127.0.0.1:8096";
const ROUNDS: usize = 9;
const THUMBNAILS: usize = 20_000;
const SEARCHES: usize = 400;
const SEARCH_PATH: &str = "/api/search?q=fox+in+the+snow";
/// Pictures that an account may pay for; more than are drawn.
const CREDITS: &str = "1000";
/// How long a picture may take, and how often it is asked for.
const DRAWN_MAX: Duration = Duration::from_secs(60);
const DRAWN_POLL: Duration = Duration::from_millis(60);

/// A server and who may draw there.
struct Drawing {
    server: Server,
    listen: &'static str,
    key: String,
}

pub(super) fn allocator(scratch: &Path) -> Measured {
    let folder = scratch.join("allocator");
    std::fs::create_dir_all(&folder).map_err(|cause| cause.to_string())?;
    let mut lines = patterns()?;
    let peer = build_without(&folder)?;
    let data = gallery(&folder)?;
    let key = account(&data)?;
    let copied = folder.join("peer-data");
    let copy = Command::new("cp").arg("-a").args([&data, &copied]).status();
    copy.ok().filter(std::process::ExitStatus::success).ok_or("the data could not be copied")?;
    let start = |binary: &Path, listen, data: &Path, log: &str| {
        let server = Server::start_as(binary, listen, data, &folder.join(log))?;
        Ok::<_, String>(Drawing { server, listen, key: key.clone() })
    };
    let sides =
        [start(&binary(), LISTEN, &data, "ours.log")?, start(&peer, PEER_LISTEN, &copied, "peer.log")?];
    let (thumbnail, bytes) = thumbnail()?;
    lines.push(answers("thumbnail", &sides, &thumbnail, THUMBNAILS, bytes.len())?);
    let found = get_page(LISTEN, SEARCH_PATH)?.len();
    lines.push(answers("search", &sides, SEARCH_PATH, SEARCHES, found)?);
    lines.push(drawings(&sides)?);
    Ok(lines)
}

/// Patterns of taking and freeing, by programs that do nothing else, in turns.
fn patterns() -> Measured {
    let mut found = [Vec::new(), Vec::new()];
    for name in ["wiping", "system"] {
        crate::build(Profile::Release, "--example", name)?;
    }
    for _ in 0..ROUNDS {
        for (name, found) in ["wiping", "system"].into_iter().zip(&mut found) {
            found.push(figures(&mut Command::new(example(name)))?);
        }
    }
    let line = |pattern: &str| {
        let times = |side: &[_]| side.iter().map(|found| get(found, pattern)).collect::<Result<Vec<_>, _>>();
        let [ours, peer] = [times(&found[0])?, times(&found[1])?];
        Ok(told(&format!("alone, {}", pattern.trim_end_matches("_ns")), "ns", &ours, &peer))
    };
    ["small_ns", "growing_ns", "picture_ns"].into_iter().map(line).collect()
}

fn told(what: &str, unit: &str, ours: &[f64], peer: &[f64]) -> String {
    let ratio = ratio(ours, peer);
    format!(
        "{what}: {:.1} {unit}, system's allocator {:.1} {unit}, ratio {ratio}",
        median(ours),
        median(peer)
    )
}

/// Builds the program without the allocator, keeps it in a folder, and puts the shipped one back.
fn build_without(folder: &Path) -> Result<PathBuf, String> {
    let kept = folder.join("safelight-without");
    let build = [&["build", "--release"], &SELECTION[..], &["--bin", "safelight"]].concat();
    cargo(&[&build[..], &["--features", WITHOUT]].concat())?;
    std::fs::copy(binary(), &kept).map_err(|cause| cause.to_string())?;
    cargo(&build)?;
    Ok(kept)
}

/// Makes an account; returns its API key.
fn account(data: &Path) -> Result<String, String> {
    let made = Command::new(binary())
        .args(["account", "create", "bench@example.org", "--json", "--credits", CREDITS, "--data"])
        .arg(data)
        .output()
        .map_err(|cause| cause.to_string())?;
    text_of("api_key", &made.stdout).ok_or_else(|| "no account was made".into())
}

/// Processor time of a kind of request, from both servers in turns.
fn answers(
    name: &'static str,
    sides: &[Drawing; 2],
    path: &str,
    requests: usize,
    bytes: usize,
) -> Result<String, String> {
    let mut sides = sides.each_ref().map(|side| Side {
        name,
        process: side.server.id(),
        address: side.listen,
        path: path.into(),
        codings: "identity",
        costs: vec![],
    });
    for side in &sides {
        ask(side, requests / ROUNDS, bytes)?;
    }
    for _ in 0..ROUNDS {
        for side in &mut sides {
            let before = processor_seconds(side.process)?;
            ask(side, requests, bytes)?;
            side.costs.push((processor_seconds(side.process)? - before) * 1e6 / requests as f64);
        }
    }
    Ok(told(name, "µs", &sides[0].costs, &sides[1].costs))
}

/// Processor time of a drawing of 1024 px, with its sealing, from both servers in turns.
fn drawings(sides: &[Drawing; 2]) -> Result<String, String> {
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (side, costs) in sides.iter().zip(&mut costs) {
            let before = processor_seconds(side.server.id())?;
            PROMPTS.iter().try_for_each(|prompt| draw(side, prompt))?;
            let spent = processor_seconds(side.server.id())? - before;
            costs.push(spent * 1e3 / PROMPTS.len() as f64);
        }
    }
    Ok(told("drawing of 1024 px", "ms", &costs[0], &costs[1]))
}

/// Has a picture drawn and waits for it.
fn draw(side: &Drawing, prompt: &str) -> Done {
    const PATH: &str = "/api/generate/v2";
    let body = format!("{{\"prompt\":\"{prompt}\",\"resolution\":\"1K\",\"seed\":7}}");
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        side.listen,
        side.key,
        body.len()
    );
    let accepted = exchange(side.listen, PATH, &request)?;
    let id = text_of("generationId", &accepted).ok_or("the order was not accepted")?;
    let started = Instant::now();
    while started.elapsed() < DRAWN_MAX {
        match text_of("status", &get_page(side.listen, &format!("{PATH}/status/{id}"))?).as_deref() {
            Some("completed") => return Ok(()),
            Some("failed") => return Err("a drawing failed".into()),
            _ => std::thread::sleep(DRAWN_POLL),
        }
    }
    Err("a drawing took too long".into())
}

/// A text of a JSON object, which has no such name twice.
fn text_of(name: &str, json: &[u8]) -> Option<String> {
    let json = String::from_utf8_lossy(json);
    let (_, rest) = json.split_once(&format!("\"{name}\":"))?;
    rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned)
}
