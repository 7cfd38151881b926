//! The real program in a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Client, StatusCode};
use serde_json::json;

/// The program with a data folder of its own, and nothing of this machine's settings.
pub(crate) fn safelight(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // These tests ask how the program behaves, not how well this machine's disk erases, or what it swaps; some of them do.
    command.env("SAFELIGHT_ANCHOR_CHECK", "accept").env("SAFELIGHT_SWAP_CHECK", "accept");
    command.env("SAFELIGHT_DATA", data).env("SAFELIGHT_STARTER_GALLERY", "off");
    command
}

/// A server that ends with its test.
pub(crate) struct Server {
    child: Child,
    base: String,
    log: tempfile::NamedTempFile,
}

impl Server {
    /// One on a free port, ready.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// One with settings of its own.
    pub(crate) async fn start_with(data: &Path, args: &[&str]) -> Self {
        let mut command = safelight(data);
        command.args(args);
        Self::run(command).await
    }

    /// As this command says, on a free port, ready.
    pub(crate) async fn run(mut command: Command) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let log = tempfile::NamedTempFile::new().unwrap();
        command.args(["serve", "--listen", &listen]).stderr(log.reopen().unwrap());
        let server = Self { child: command.spawn().unwrap(), base: format!("http://{listen}"), log };
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

    /// What it has logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it answers.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn generate(&self, key: &str, resolution: &str) -> StatusCode {
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

pub(crate) fn client() -> Client {
    Client::builder().build().unwrap()
}

/// What a command has said.
pub(crate) fn report(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
