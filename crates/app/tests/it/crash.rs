//! The real program, killed where it hurts.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use imaging::Picture;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::until;

/// Entries of the import that is killed.
const ENTRIES: u32 = 80;

fn safelight(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("SAFELIGHT_DATA", data).env("SAFELIGHT_STARTER_GALLERY", "off");
    command
}

/// A server that ends with its test.
struct Server {
    child: Child,
    base: String,
}

impl Server {
    /// One on a free port, ready.
    async fn start(data: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let mut command = safelight(data);
        command.args(["serve", "--listen", &listen]).stderr(Stdio::null());
        let server = Self { child: command.spawn().unwrap(), base: format!("http://{listen}") };
        let mut turn = tokio::time::interval(crate::POLL);
        for _ in 0..crate::POLLS_MAX {
            turn.tick().await;
            let health = client().get(format!("{}/healthz", server.base)).send().await;
            if health.is_ok_and(|answer| answer.status() == 200) {
                return server;
            }
        }
        panic!("the server did not start");
    }

    async fn generate(&self, key: &str, resolution: &str) -> StatusCode {
        let body = json!({ "prompt": "a castle on a hill", "resolution": resolution });
        let asked = client().post(format!("{}/api/generate/v2", self.base)).bearer_auth(key).json(&body);
        asked.send().await.unwrap().status()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn client() -> Client {
    Client::builder().build().unwrap()
}

fn records(data: &Path) -> usize {
    let shelves = std::fs::read_dir(data.join("blobs")).into_iter().flatten().flatten();
    shelves.map(|shelf| std::fs::read_dir(shelf.path()).into_iter().flatten().count()).sum()
}

fn report(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("posts.jsonl"));
    let mut lines = String::new();
    for n in 0..ENTRIES {
        let rgba =
            (0..640 * 480).flat_map(|at: u32| [(at ^ n) as u8, (at >> 8) as u8, n as u8, 255]).collect();
        let png = imaging::encode_png(&Picture { width: 640, height: 480, rgba }).unwrap();
        std::fs::write(dir.path().join(format!("{n}.png")), png).unwrap();
        let prompt = format!("a fox, number {n}, in the snow");
        lines += &json!({ "id": n.to_string(), "prompt": prompt, "image": format!("{n}.png") }).to_string();
        lines.push('\n');
    }
    std::fs::write(&file, lines).unwrap();
    let mut killed = safelight(&data).arg("import").arg(&file).spawn().unwrap();
    until("nothing was imported", || (records(&data) > 4).then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();

    let again = safelight(&data).arg("import").arg(&file).output().unwrap();
    assert!(again.status.success(), "{}", report(&again));
    let third = safelight(&data).arg("import").arg(&file).output().unwrap();
    assert!(report(&third).contains("0 new, 0 updated, 80 unchanged"), "{}", report(&third));
    assert_eq!(records(&data), ENTRIES as usize, "what the killed run left half-done is gone");
    let found = safelight(&data).args(["search", "number 79", "--json"]).output().unwrap();
    assert!(report(&found).contains("\"79\""), "{}", report(&found));
}

#[tokio::test]
async fn a_server_that_is_killed_gives_credits_back_and_serves_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let made =
        safelight(&data).args(["account", "create", "a@example.org", "--credits", "3", "--json"]).output();
    let made: Value = serde_json::from_slice(&made.unwrap().stdout).unwrap();
    let key = made["api_key"].as_str().unwrap();
    let server = Server::start(&data).await;
    let second = safelight(&data).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "two servers on one folder: {}", report(&second));
    for _ in 0..3 {
        assert_eq!(server.generate(key, "4K").await, 200);
    }
    assert_eq!(server.generate(key, "512").await, 402, "all three are held");
    // SIGKILL, in the middle of the first picture.
    drop(server);

    let server = Server::start(&data).await;
    for _ in 0..3 {
        assert_eq!(server.generate(key, "512").await, 200);
    }
    let checked = safelight(&data).args(["ledger", "check"]).output().unwrap();
    assert!(checked.status.success(), "{}", report(&checked));
}
