//! `safelight audit` by the real command line: a clean house passes, and each thing that is broken is found.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kernel::Id;
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::program::{Server, report, safelight};
use crate::site::{self, copy_dir};

/// A file system in memory, where overwriting erases whatever this machine's disks do.
const IN_MEMORY: &str = "/dev/shm";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and some pixels";

struct Lived {
    dir: tempfile::TempDir,
}

impl Lived {
    /// A data folder in which someone has lived.
    async fn new() -> Self {
        let dir = tempfile::tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir()).unwrap();
        let lived = Self { dir };
        let made = safelight(&lived.data())
            .args(["account", "create", "ada@example.org", "--credits", "9", "--json"])
            .output()
            .unwrap();
        let key: Value = serde_json::from_slice(&made.stdout).unwrap();
        let server = Server::start(&lived.data()).await;
        site::develop(&server, key["api_key"].as_str().unwrap()).await;
        drop(server);
        // It was killed, so its socket is still there; nobody can copy one.
        fs::remove_file(lived.data().join("operator.sock")).unwrap();
        lived
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Another folder with the same in it.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.dir.path().join(name);
        copy_dir(&self.data(), &copy);
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
        close(&copy);
        copy
    }
}

/// Takes from others what a copy has given them.
fn close(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let folder = entry.path().is_dir();
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(if folder { 0o700 } else { 0o600 }))
            .unwrap();
        if folder {
            close(&entry.path());
        }
    }
}

/// The exit status of an audit, and its report.
fn audit(data: &Path, more: &[&str]) -> (i32, Value) {
    let output = safelight(data).args(["audit", "--json"]).args(more).output().unwrap();
    let parsed = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", report(&output)));
    (output.status.code().unwrap(), parsed)
}

fn outcome<'a>(report: &'a Value, probe: &str) -> (&'a str, &'a str) {
    let probes = report["probes"].as_array().unwrap();
    let found = probes.iter().find(|found| found["probe"] == probe).unwrap();
    (found["outcome"].as_str().unwrap(), found["words"].as_str().unwrap())
}

/// An audit that finds this one thing broken, and says a word of it.
fn finds(data: &Path, more: &[&str], probe: &str, word: &str) {
    let (status, report) = audit(data, more);
    assert_eq!(status, 1, "{probe}: {report}");
    assert_eq!(report["outcome"], "breach");
    assert_eq!(report["breaches"], 1, "{probe}: {report:#}");
    let (outcome, words) = outcome(&report, probe);
    assert!(outcome == "breach" && words.contains(word), "{probe}: {words}");
}

async fn rows(data: &Path, statement: &'static str, id: Option<Id>) {
    let options = SqliteConnectOptions::new().filename(data.join("safelight.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let query = sqlx::query(statement);
    let query = if let Some(id) = id { query.bind(id.as_bytes().to_vec()) } else { query };
    query.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_clean_house_passes_without_a_server_and_beside_one() {
    let lived = Lived::new().await;
    let data = lived.data();
    let (status, alone) = audit(&data, &[]);
    assert_eq!((status, &alone["outcome"]), (0, &json!("good")), "{alone:#}");
    assert_eq!(outcome(&alone, "headers").0, "not-checked");
    assert_eq!(outcome(&alone, "advisories").0, "not-checked");
    for field in ["version", "time", "software", "good", "breaches", "not_checked"] {
        assert!(!alone[field].is_null(), "{field}");
    }
    let server = Server::start(&data).await;
    let (status, beside) = audit(&data, &[]);
    assert_eq!((status, &beside["outcome"]), (0, &json!("good")), "{beside:#}");
    assert_eq!(outcome(&beside, "headers").0, "good");
    let page = reqwest::get(server.url("/transparency")).await.unwrap().text().await.unwrap();
    assert!(page.contains(beside["time"].as_str().unwrap()), "the page shows the last audit");
    let text = safelight(&data).arg("audit").output().unwrap();
    assert!(report(&text).contains("good         sealed"), "{}", report(&text));
    assert_eq!(fs::metadata(data.join("audit.json")).unwrap().permissions().mode() & 0o777, 0o600);
    // What really lies in a used folder is what the map lists, and all of it.
    let map = trust::data_map::data_map().unwrap();
    let seldom = ["safelight.toml", "restore-unfinished"];
    for file in map.stored.iter().flat_map(|stored| &stored.files) {
        assert!(seldom.contains(&file.as_str()) || data.join(file).exists(), "{file} is only in the map");
    }
}

#[tokio::test]
async fn each_thing_that_is_broken_in_the_folder_is_found() {
    let lived = Lived::new().await;
    let column = lived.copy("column");
    rows(&column, "ALTER TABLE session ADD COLUMN agent TEXT", None).await;
    finds(&column, &[], "schema", "session.agent");

    let plain = lived.copy("plain");
    let shelf = fs::read_dir(plain.join("blobs")).unwrap().flatten().map(|entry| entry.path());
    let shelf = shelf.into_iter().find(|path| !path.ends_with("incoming")).unwrap();
    let record = fs::read_dir(shelf).unwrap().flatten().next().unwrap().path();
    fs::write(record.join("thumbnail-99"), PNG).unwrap();
    close(&plain);
    finds(&plain, &[], "sealed", "thumbnail-99");

    let field = lived.copy("field");
    let statement = "INSERT INTO api_key (id, account, name_sealed, token_print, hint, created_day) SELECT ?1, account, CAST('the name of a key, not sealed' AS BLOB), randomblob(32), hint, 1 FROM api_key LIMIT 1";
    rows(&field, statement, Some(Id::random())).await;
    finds(&field, &[], "sealed", "api_key.name_sealed");

    let address = lived.copy("address");
    rows(&address, "UPDATE api_key SET hint = 'ada@example.org'", None).await;
    finds(&address, &[], "traces", "api_key.hint");

    let orphan = lived.copy("orphan");
    rows(&orphan, "INSERT INTO key_leaf (record, place) VALUES (?, 99)", Some(Id::random())).await;
    finds(&orphan, &[], "orphans", "1 keys without a row");

    let open = lived.copy("open");
    fs::set_permissions(open.join("root"), fs::Permissions::from_mode(0o644)).unwrap();
    finds(&open, &[], "folder", "root is open to others");

    let notes = lived.copy("notes");
    fs::write(notes.join("notes.txt"), "x").unwrap();
    close(&notes);
    finds(&notes, &[], "folder", "notes.txt is not in the data map");

    let ledger = lived.copy("ledger");
    rows(&ledger, "UPDATE book SET balance = balance + 1 WHERE kind = 'issued'", None).await;
    finds(&ledger, &[], "ledger", "wrong books: 1");

    let log = lived.copy("log");
    rows(&log, "UPDATE log_bundle SET hour = -1, head = zeroblob(32)", None).await;
    finds(&log, &[], "receipts", "bundle 0");
}

#[tokio::test]
async fn each_thing_that_is_broken_around_it_is_found() {
    let lived = Lived::new().await;
    let (data, at) = (lived.data(), |name: &str| lived.dir.path().join(name));
    let line = "2026-11-25T12:00:00Z request   method=GET route=/ status=200 micros=1\n";
    fs::write(at("good.log"), line).unwrap();
    assert_eq!(audit(&data, &["--log-file", at("good.log").to_str().unwrap()]).0, 0);
    fs::write(at("bad.log"), format!("{line}GET /?q=fox from 203.0.113.9\n")).unwrap();
    let bad = at("bad.log");
    finds(&data, &["--log-file", bad.to_str().unwrap()], "log", "line 2");

    let lax = stand_in();
    finds(&data, &["--headers-at", &lax], "headers", "content-security-policy is missing");

    let advisories = at("advisories");
    let known = advisories.join("crates/tokio/RUSTSEC-2026-0001.md");
    fs::create_dir_all(known.parent().unwrap()).unwrap();
    let text = |patched: &str| {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"tokio\"\ndate = \"2026-01-02\"\n\n\
             [versions]\npatched = [\"{patched}\"]\n```\n\n# A weakness\n"
        )
    };
    fs::write(&known, text(">= 0.1.0")).unwrap();
    let (status, found) = audit(&data, &["--advisories", advisories.to_str().unwrap()]);
    assert_eq!((status, outcome(&found, "advisories").0), (0, "good"), "{found:#}");
    assert!(outcome(&found, "advisories").1.contains("the list of 2026-01-02"));
    fs::write(&known, text(">= 999.0.0")).unwrap();
    finds(
        &data,
        &["--advisories", advisories.to_str().unwrap()],
        "advisories",
        "RUSTSEC-2026-0001 is about tokio",
    );
    finds(&data, &["--advisories", at("nowhere").to_str().unwrap()], "advisories", "no advisories");
}

/// A server that answers every request without one of the headers; where it listens. It has a thread of its own, since this
/// one waits for the command.
fn stand_in() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let lax = platform::http::STRICT_HEADERS.iter().filter(|(name, _)| *name != "content-security-policy");
    let head: String = lax.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\nhello").as_bytes()).unwrap();
    });
    address
}
