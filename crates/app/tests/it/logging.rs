//! What the real program says while it serves: nothing of what it was sent, in lines, metrics and error pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reqwest::{Client, Method, multipart, redirect};

use crate::doors::MATRIX;
use crate::program::Server;
use crate::registered::registered;

/// Stands in everything that is sent.
const CANARY: &str = "canary-5f1c";

/// A client that names the canary wherever a request names its sender.
fn client() -> Client {
    let mut headers = reqwest::header::HeaderMap::new();
    for name in [
        "user-agent",
        "referer",
        "from",
        "x-forwarded-for",
        "forwarded",
        "cookie",
        "accept-language",
        "via",
        "x-any",
    ] {
        let value =
            if name == "cookie" { format!("session={CANARY}; lang={CANARY}") } else { CANARY.to_owned() };
        headers.insert(name, value.parse().unwrap());
    }
    Client::builder().default_headers(headers).redirect(redirect::Policy::none()).build().unwrap()
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server whose lines go to a file and whose metrics are served.
async fn start(dir: &Path) -> (Server, String) {
    let metrics = free_address();
    let mail = format!("dir:{}", dir.join("mail").display());
    let more = ["--log", "json", "--metrics", &metrics, "--mail", &mail];
    (Server::start_with(&dir.join("data"), &more).await, format!("http://{metrics}/metrics"))
}

async fn get(address: &str) -> String {
    reqwest::get(address).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn nothing_of_a_request_is_in_lines_metrics_or_error_bodies() {
    let dir = tempfile::tempdir().unwrap();
    let (server, metrics) = start(dir.path()).await;
    let client = client();
    let mut asked = 0;
    for (method, route, _, _) in MATRIX {
        let address = route.replace("{*path}", "{path}");
        let address: String = address
            .split('/')
            .map(|part| if part.starts_with('{') { CANARY } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for turn in 0..4 {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = client.request(method, server.url(&format!("{address}?q={CANARY}&{CANARY}=1")));
            let request = match turn {
                0 => request.bearer_auth(CANARY).json(&serde_json::json!({ "prompt": CANARY, CANARY: 1 })),
                1 => request.form(&[
                    ("address", CANARY),
                    ("next", CANARY),
                    ("code", CANARY),
                    ("receipt", CANARY),
                ]),
                2 => {
                    let file = multipart::Part::bytes(CANARY.as_bytes()).file_name(CANARY);
                    request.multipart(multipart::Form::new().part(CANARY, file))
                }
                _ => request.header("content-type", CANARY).header("origin", CANARY).body(CANARY),
            };
            let answer = request.send().await.unwrap();
            let (failed, status) = (answer.status().as_u16() >= 400, answer.status());
            let text = answer.text().await.unwrap();
            assert!(!failed || !text.contains(CANARY), "{route}, turn {turn}, {status}: {text}");
            asked += 1;
        }
    }
    assert_eq!(registered().len(), MATRIX.len(), "every route was asked");
    let figures = get(&metrics).await;
    let lines = server.said();
    assert!(!lines.contains("canary") && !figures.contains("canary"), "{lines}\n{figures}");
    let requests = lines.lines().filter(|line| line.contains("\"event\":\"request\"")).count();
    assert!(requests >= asked, "{requests} lines for {asked} requests");
    for line in lines.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(object["event"].is_string(), "{line}");
    }
}

/// A sample: its labels and its value.
type Samples = BTreeMap<String, Vec<(BTreeMap<String, String>, f64)>>;

/// Reads the text as strictly as its format has it: each family begins with its HELP and TYPE, stands together and comes once.
fn parse(text: &str) -> Samples {
    let (mut samples, mut family, mut form) = (Samples::new(), String::new(), String::new());
    let name_like =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(name_like(name) && words.len() > 5 && seen.insert(name.to_owned()), "{line}");
            (family, form) = (name.to_owned(), String::new());
            samples.insert(family.clone(), Vec::new());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(name == family && form.is_empty(), "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            form = kind.to_owned();
        } else {
            let (head, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = head
                .split_once('{')
                .map_or((head, ""), |(name, rest)| (name, rest.strip_suffix('}').unwrap()));
            let end = name.strip_prefix(family.as_str()).unwrap();
            let ends: &[&str] = if form == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(ends.contains(&end) && !form.is_empty(), "{line}");
            let pairs = labels.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
                let (label, value) = pair.trim_end_matches('"').split_once("=\"").unwrap();
                assert!(name_like(label) && !value.contains(['"', '\\', '\n']), "{line}");
                (label.to_owned(), value.to_owned())
            });
            let mut labels: BTreeMap<String, String> = pairs.collect();
            labels.insert("__end".to_owned(), end.to_owned());
            samples.get_mut(&family).unwrap().push((labels, value.parse().unwrap()));
        }
    }
    samples
}

#[tokio::test]
async fn metrics_parse_count_what_was_asked_and_name_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (server, metrics) = start(dir.path()).await;
    let (before, client) = (parse(&get(&metrics).await), client());
    for _ in 0..3 {
        client.get(server.url("/api/models")).send().await.unwrap();
        client.get(server.url("/a/none")).send().await.unwrap();
        client.request(Method::from_bytes(b"BREW").unwrap(), server.url("/nowhere")).send().await.unwrap();
    }
    crate::program::client()
        .post(server.url("/sign-in"))
        .form(&[("address", "a@example.org")])
        .send()
        .await
        .unwrap();
    let mut turn = tokio::time::interval(crate::POLL);
    let mut after = parse(&get(&metrics).await);
    let sum = |samples: &Samples, name: &str, wanted: &[(&str, &str)]| -> f64 {
        let fits = |labels: &BTreeMap<String, String>| {
            wanted.iter().all(|(label, value)| labels.get(*label).is_some_and(|other| other == value))
        };
        samples[name].iter().filter(|(labels, _)| fits(labels)).map(|(_, value)| value).sum()
    };
    for _ in 0..crate::POLLS_MAX {
        if sum(&after, "safelight_mails_total", &[]) > 0.0 {
            break;
        }
        turn.tick().await;
        after = parse(&get(&metrics).await);
    }
    let more = |name: &str, wanted: &[(&str, &str)]| sum(&after, name, wanted) - sum(&before, name, wanted);
    let requests = "safelight_requests_total";
    assert_eq!(more(requests, &[("method", "GET"), ("route", "/api/models"), ("class", "2xx")]), 3.0);
    assert_eq!(more(requests, &[("method", "GET"), ("route", "/a/{id}"), ("class", "4xx")]), 3.0);
    assert_eq!(more(requests, &[("method", "OTHER"), ("route", "-"), ("class", "4xx")]), 3.0);
    assert_eq!(more("safelight_mails_total", &[("delivery", "accepted")]), 1.0);
    let timed = [("route", "/api/models"), ("__end", "_count")];
    assert_eq!(more("safelight_request_seconds", &timed), 3.0);
    assert!(sum(&after, "process_resident_memory_bytes", &[]) > 1e6);
    assert!(sum(&after, "process_open_fds", &[]) > 3.0);
    let routes: BTreeSet<String> =
        registered().into_iter().map(|(_, route)| route).chain(["-".to_owned()]).collect();
    for (labels, _) in after.values().flatten() {
        for (label, value) in labels {
            let closed: &[&str] = match label.as_str() {
                "route" => {
                    assert!(routes.contains(value), "{value}");
                    continue;
                }
                "method" => &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "OTHER"],
                "class" => &["1xx", "2xx", "3xx", "4xx", "5xx"],
                "delivery" => &["accepted", "delayed", "refused", "setup", "given_up"],
                "outcome" => &["completed", "failed", "cancelled"],
                "level" => &["warning", "error"],
                "version" => &[env!("CARGO_PKG_VERSION")],
                _ => continue,
            };
            assert!(closed.contains(&value.as_str()), "{label}={value}");
        }
    }
    // The site itself does not show them.
    assert_eq!(client.get(server.url("/metrics")).send().await.unwrap().status(), 404);
}

/// Files that write to a terminal themselves, and why they may.
const OTHER_VOICES: [(&str, &str); 5] = [
    ("platform/src/log/mod.rs", "it is the sink"),
    ("platform/src/mail.rs", "the terminal is one way of mail, for trying things out"),
    ("app/src/command.rs", "answers of commands, and why the program did not start"),
    ("app/src/desk/typed.rs", "it asks the operator at the terminal"),
    ("search/src/bin/pack-encoder/main.rs", "a program of the build"),
];

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn nothing_but_the_log_speaks_while_the_program_serves() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    sources(crates, &mut files);
    let mut speaking: Vec<String> = files
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            ["io::stderr()", "io::stdout()", "eprintln!("].iter().any(|voice| text.contains(voice))
        })
        .map(|path| path.strip_prefix(crates).unwrap().to_string_lossy().into_owned())
        .collect();
    speaking.sort();
    let mut known = OTHER_VOICES.map(|(path, _)| path);
    known.sort_unstable();
    assert_eq!(speaking, known);
}
