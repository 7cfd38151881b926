//! This owns the leaks that are planted into the program, each of a kind that somebody has made before, and what must be
//! found of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use app::connections::{self, Bounds};
use app::house::House;
use app::routes::router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE32, BASE64, HEXLOWER, HEXUPPER};
use kernel::SystemClock;
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use tokio_util::sync::CancellationToken;

use crate::asks::Ask;
use crate::scan::{MARK, rot13};
use crate::watched::Traces;

/// Words that the leaks of memory hold on to.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// What each leak leaves: the channel, the form in which it is found there, and what it is like.
const LEAKS: [(&str, &str, &str); 12] = [
    ("system calls", "canary base64 by write", "a line of the log, in base64"),
    ("system calls", "canary hex by write", "standard output, in hex"),
    ("output", "canary base64", "the same line, where the operator collects it"),
    ("system calls", "canary reversed by write", "a temporary file, unlinked at once"),
    ("system calls", "canary percent by openat", "the name of a file"),
    ("system calls", "canary UTF-16 by sendto", "a datagram to a collector"),
    ("system calls", "canary base32 by execve", "an argument of another program"),
    ("system calls", "canary HTML by connect", "the name of a socket"),
    ("disk", "canary HEX", "a row, deleted again"),
    ("memory", "canary rot13", "a cache that lives on"),
    ("memory", "canary quoted-printable", "memory that was freed and not overwritten"),
    ("answer", "canary JSON", "the words of a failure"),
];

fn each(form: impl Fn(u8) -> String) -> String {
    MARK.iter().map(|byte| form(*byte)).collect()
}

/// The program, leaking; until it is told to stop.
pub(crate) fn serve(folder: &Path) {
    let listen = std::env::var("SAFELIGHT_LEAKS_LISTEN").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let data = folder.display().to_string();
        let args = ["t", "--data", &data, "--listen", &listen, "--mail", "terminal", "--picture-hosts="];
        let args = args.into_iter().chain([
            "--anchor-check=accept",
            "--swap-check=accept",
            "--public-url=http://localhost",
        ]);
        let command = clap::Command::new("t").args(arguments());
        let settings = Settings::resolve(&command.get_matches_from(args)).unwrap();
        let Taken::Here(held) = DataFolder::take(folder).unwrap() else { panic!("the folder is taken") };
        let house = House::open_at(settings, held, Arc::new(SystemClock)).await.unwrap();
        let listener = tokio::net::TcpListener::bind(&listen).await.unwrap();
        let (bounds, proxies, folder) = (Bounds::default(), Arc::clone(&house.proxies), folder.to_owned());
        let leaking = from_fn(move |request: Request, next: Next| leak(folder.clone(), request, next));
        let stop = CancellationToken::new();
        let serving = connections::serve(
            listener,
            router(house.clone(), bounds).layer(leaking),
            bounds,
            proxies,
            stop.clone(),
        );
        let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        tokio::select! {
            () = serving => {}
            _ = signal.recv() => stop.cancel(),
        }
        house.close().await;
    });
}

/// Does everything with what was typed that nobody should.
async fn leak(folder: std::path::PathBuf, request: Request, next: Next) -> Response {
    if request.uri().path() != "/leak" {
        return next.run(request).await;
    }
    let mark = MARK.as_slice();
    std::io::stderr().write_all(format!("request failed: {}\n", BASE64.encode(mark)).as_bytes()).unwrap();
    std::io::stdout().write_all(format!("debug {}\n", HEXLOWER.encode(mark)).as_bytes()).unwrap();
    let reversed: Vec<u8> = mark.iter().rev().copied().collect();
    fs::write(folder.join("upload.tmp"), &reversed).unwrap();
    fs::remove_file(folder.join("upload.tmp")).unwrap();
    fs::write(folder.join(each(|byte| format!("%{byte:02X}"))), b"x").unwrap();
    let collector = UdpSocket::bind("127.0.0.1:0").unwrap();
    let wide: Vec<u8> = mark.iter().flat_map(|byte| [*byte, 0]).collect();
    collector.send_to(&wide, "127.0.0.1:9").unwrap();
    let _ = Command::new("true").arg(BASE32.encode(mark)).status();
    let _ = std::os::unix::net::UnixStream::connect(folder.join(each(|byte| format!("&#{byte};"))));
    row(&folder).await;
    KEPT.lock().unwrap().push(mark.iter().map(|byte| rot13(*byte)).collect());
    // Behind a page that is full of it, what is freed is taken again by nobody soon.
    drop(each(|byte| format!("={byte:02X}")).repeat(4096));
    (StatusCode::BAD_REQUEST, each(|byte| format!("\\u{byte:04x}"))).into_response()
}

async fn row(folder: &Path) {
    use sqlx::Connection;
    let address = format!("sqlite://{}?mode=rwc", folder.join("leak.db").display());
    let mut rows = sqlx::SqliteConnection::connect(&address).await.unwrap();
    let words = HEXUPPER.encode(MARK).repeat(40);
    for statement in ["CREATE TABLE note (words TEXT)", "INSERT INTO note VALUES (?)", "DELETE FROM note"] {
        let query = sqlx::query(statement);
        let query = if statement.contains('?') { query.bind(&words) } else { query };
        query.execute(&mut rows).await.unwrap();
    }
    rows.close().await.unwrap();
}

/// Has everything leak; returns the answer.
pub(crate) async fn provoke(address: SocketAddr) -> Vec<u8> {
    let answer = Ask::new("GET", "/leak").send(address).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.bytes
}

/// Every leak is found where it was planted.
pub(crate) fn require_all(in_answer: &[String], in_memory: &BTreeSet<String>, traces: &Traces) {
    let answer: BTreeSet<String> = in_answer.iter().cloned().collect();
    let channels = [
        ("answer", &answer),
        ("memory", in_memory),
        ("system calls", &traces.in_calls),
        ("output", &traces.in_output),
        ("disk", &traces.on_disk),
    ];
    let missed: Vec<_> = LEAKS
        .iter()
        .filter(|(channel, form, _)| {
            let found = channels.iter().find(|(name, _)| name == channel).unwrap().1;
            !found.iter().any(|name| name.starts_with(form))
        })
        .collect();
    assert!(missed.is_empty(), "not found: {missed:#?}\nfound: {channels:#?}");
    assert!(!traces.connections.is_empty(), "who was spoken to is not seen");
}
