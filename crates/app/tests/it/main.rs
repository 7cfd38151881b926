//! The program through its doors: a real server on a free port, a fresh data folder, a real client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // It is a test.
#![allow(clippy::disallowed_methods)] // A browser goes where it likes.

mod archive;
mod audit;
mod authenticator;
mod backup;
mod bounds;
mod closing;
mod command_line;
mod crash;
mod doors;
mod engine;
mod export;
mod gallery;
mod inquiry;
mod keys;
mod ledger;
mod logging;
mod mail;
mod manners;
mod memory;
mod outgoing;
mod pages;
mod passkeys;
mod pictures;
mod program;
mod purchases;
mod receipts;
mod registered;
mod restore;
mod sandbox;
mod sessions;
mod settling;
mod sign_in;
mod site;
mod statistics;
mod stripe;
mod studio;
mod trouble;
mod usage;
mod vouchers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::gallery::source::Folder;
use ::studio::Phase;
use app::connections::{self, Bounds};
use app::house::House;
use app::operator::{Asker, Request, execute};
use app::routes::router;
use kernel::{Clock, SystemClock};
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often a folder or a program from outside is looked at, and how often at most.
const POLL: Duration = Duration::from_millis(20);
const POLLS_MAX: usize = 1500;

/// A running program.
struct TestApp {
    base: String,
    house: House,
    dir: tempfile::TempDir,
}

impl TestApp {
    async fn start() -> Self {
        Self::start_at(Arc::new(SystemClock)).await
    }

    /// A program whose clock the test moves.
    async fn start_at(clock: Arc<dyn Clock>) -> Self {
        Self::start_with(clock, Bounds::default(), &[]).await
    }

    async fn start_with(clock: Arc<dyn Clock>, bounds: Bounds, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (data, mail) = (dir.path().join("data"), format!("dir:{}", dir.path().join("mail").display()));
        let data_text = data.display().to_string();
        let listen = address.to_string();
        let args = [
            "t",
            "--data",
            &data_text,
            "--listen",
            &listen,
            "--mail",
            &mail,
            "--picture-hosts",
            "",
            "--anchor-check",
            "accept",
            "--swap-check",
            "accept",
        ];
        let args = args.iter().chain(more);
        let settings =
            Settings::resolve(&clap::Command::new("t").args(arguments()).get_matches_from(args)).unwrap();
        let Taken::Here(folder) = DataFolder::take(&data).unwrap() else { panic!("the folder is taken") };
        let house = House::open_at(settings, folder, clock).await.unwrap();
        let router = router(house.clone(), bounds);
        let proxies = Arc::clone(&house.proxies);
        tokio::spawn(connections::serve(listener, router, bounds, proxies, CancellationToken::new()));
        Self { base: format!("http://{address}"), house, dir }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A browser: it keeps cookies and shows redirects.
    fn browser(&self) -> Client {
        Client::builder().cookie_store(true).redirect(redirect::Policy::none()).build().unwrap()
    }

    async fn operate(&self, request: Request) -> kernel::Result<Value> {
        let (steps, _heard) = mpsc::unbounded_channel();
        execute(&self.house, request, Asker::new(steps)).await
    }

    /// Imports a file as a command in this process does.
    async fn import(&self, file: &Path) -> kernel::Result<Value> {
        let (steps, _heard) = mpsc::unbounded_channel();
        let (folder, file) = Folder::of(file).unwrap();
        execute(&self.house, Request::Import { file }, Asker { steps, files: Arc::new(folder) }).await
    }

    /// An account with credits; its id and API key.
    async fn account(&self, credits: u32) -> String {
        let address = format!("{}@example.org", kernel::Id::random());
        let made = self.operate(Request::CreateAccount { address, credits }).await.unwrap();
        made["api_key"].as_str().unwrap().to_owned()
    }

    async fn generate(&self, key: &str, body: Value) -> Response {
        self.browser().post(self.url("/api/generate/v2")).bearer_auth(key).json(&body).send().await.unwrap()
    }

    async fn status(&self, id: &str) -> Value {
        self.browser()
            .get(self.url(&format!("/api/generate/v2/status/{id}")))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Waits for a generation to end.
    async fn ended(&self, id: &str) -> Value {
        if let Some(mut live) = self.house.studio.live(id.parse().unwrap()) {
            let _ = live.phase.wait_for(|phase| matches!(phase, Phase::Completed | Phase::Failed(_))).await;
        }
        self.status(id).await
    }

    async fn develop(&self, key: &str, prompt: &str) -> (String, Value) {
        let body = json!({ "prompt": prompt, "resolution": "512" });
        let accepted: Value = self.generate(key, body).await.json().await.unwrap();
        let id = accepted["generationId"].as_str().unwrap().to_owned();
        let status = self.ended(&id).await;
        (id, status)
    }

    /// The eight digits of the newest mail.
    async fn code(&self) -> String {
        let mail = until("no mail came", || self.mails().pop()).await;
        let text = std::fs::read_to_string(mail).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_half = |part: &&str| part.len() == 4 && part.parse::<u32>().is_ok();
        words.windows(2).find(|pair| pair.iter().all(is_half)).unwrap().concat()
    }

    /// Every mail that was sent, the oldest first.
    fn mails(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path().join("mail")).into_iter().flatten().flatten();
        let mails = entries.map(|entry| entry.path());
        let mut mails: Vec<_> =
            mails.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).collect();
        mails.sort();
        mails
    }

    /// Signs a browser in.
    async fn sign_in(&self, address: &str) -> Client {
        let browser = self.browser();
        let before = self.mails().len();
        self.form(&browser, "/sign-in", &[("address", address)]).await;
        until("no mail came", || (self.mails().len() > before).then_some(())).await;
        let code = self.code().await;
        let answer = self.form(&browser, "/sign-in/code", &[("code", &code)]).await;
        assert_eq!(answer.status(), 303);
        browser
    }

    /// Sends a form as a page of this site does.
    async fn form(&self, browser: &Client, path: &str, fields: &[(&str, &str)]) -> Response {
        browser
            .post(self.url(path))
            .header("sec-fetch-site", "same-origin")
            .form(fields)
            .send()
            .await
            .unwrap()
    }

    /// Whether bytes stand in any file of the data folder.
    fn disk_holds(&self, wanted: &[u8]) -> bool {
        holds(&self.dir.path().join("data"), wanted)
    }
}

/// Looks again and again until there is something.
async fn until<T>(otherwise: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut turn = tokio::time::interval(POLL);
    for _ in 0..POLLS_MAX {
        turn.tick().await;
        if let Some(found) = look() {
            return found;
        }
    }
    panic!("{otherwise}");
}

fn holds(path: &Path, wanted: &[u8]) -> bool {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().flatten().any(|entry| holds(&entry.path(), wanted));
    }
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
}
