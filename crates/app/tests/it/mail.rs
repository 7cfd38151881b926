//! Sign-in mails through a mail server that we did not write, in a process of its own: what arrives, and what is told if not.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Client, redirect};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::program::{Server, safelight};
use crate::{holds, sandbox, until};

/// What a certificate says, and who signed it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Papers {
    Good,
    OfAnother,
    OfAStranger,
    OutOfDate,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a certificate with its key, and the authority that a program is to trust.
fn write_papers(dir: &Path, papers: Papers) -> (PathBuf, PathBuf) {
    let (trusted, stranger) = (authority(), authority());
    let name = if papers == Papers::OfAnother { "mail.example" } else { "localhost" };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if papers == Papers::OutOfDate {
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let signer = if papers == Papers::OfAStranger { &stranger } else { &trusted };
    let certificate = params.signed_by(&key, signer).unwrap();
    let (own, roots) = (dir.join("papers.pem"), dir.join("roots.pem"));
    std::fs::write(&own, certificate.pem() + &key.serialize_pem()).unwrap();
    std::fs::write(&roots, trusted.pem()).unwrap();
    (own, roots)
}

/// A mail server that ends with its test, and what it says of what happens.
struct MailServer {
    child: Child,
    port: u64,
    heard: mpsc::UnboundedReceiver<Value>,
}

impl MailServer {
    async fn start(mode: &str, port: u64, papers: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-W", "ignore"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail_server/server.py"))
            .args([mode, &port.to_string()])
            .arg(papers)
            .env("PYTHONPATH", packages())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (say, mut heard) = mpsc::unbounded_channel();
        std::thread::spawn(move || lines.for_each(|line| drop(say.send(line.parse().unwrap()))));
        let said: Value = heard.recv().await.expect("the mail server did not start");
        Self { child, port: said["port"].as_u64().unwrap(), heard }
    }

    /// What it has said since, without waiting.
    fn said(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vendor/mail-server")
}

fn skipped(name: &str) -> bool {
    let missing = !packages().join("aiosmtpd").exists();
    if missing {
        println!("skipped: {name}: the mail server of the tests is not there; cargo x test installs it");
    }
    missing
}

/// A site with this route of mails, held to it where this kernel can.
async fn site(dir: &Path, route: &str, roots: &Path) -> Server {
    let mut command = safelight(&dir.join("data"));
    let sandbox = if sandbox::holds() { "require" } else { "off" };
    command.env("SSL_CERT_FILE", roots).args(["--mail", route, "--sandbox", sandbox]);
    Server::run(command).await
}

/// Someone who signs in.
struct Visitor<'a> {
    site: &'a Server,
    browser: Client,
}

impl<'a> Visitor<'a> {
    fn of(site: &'a Server) -> Self {
        let browser = Client::builder().cookie_store(true).redirect(redirect::Policy::none());
        Self { site, browser: browser.build().unwrap() }
    }

    async fn post(&self, path: &str, field: &str, value: &str) -> reqwest::Response {
        let post = self.browser.post(self.site.url(path)).header("sec-fetch-site", "same-origin");
        post.form(&[(field, value)]).send().await.unwrap()
    }

    /// Asks for a code; the page that asks for it.
    async fn ask(&self, address: &str) -> String {
        let asked = self.post("/sign-in", "address", address).await;
        assert_eq!(
            (asked.status().as_u16(), &asked.headers()["location"].to_str().unwrap()[..13]),
            (303, "/sign-in/code")
        );
        self.page().await
    }

    async fn page(&self) -> String {
        self.browser.get(self.site.url("/sign-in/code")).send().await.unwrap().text().await.unwrap()
    }

    /// What the open page is told of its mail, until the end.
    async fn told(&self) -> Vec<(String, String)> {
        let events = self.browser.get(self.site.url("/sign-in/mail")).send().await.unwrap();
        let events = events.text().await.unwrap();
        let told = events.lines().filter_map(|line| line.strip_prefix("data: "));
        let told = told.map(|data| data.parse::<Value>().unwrap());
        told.map(|told| ["state", "words"].map(|field| told[field].as_str().unwrap().to_owned()).into())
            .collect()
    }
}

fn code_in(mail: &str) -> String {
    let words: Vec<&str> = mail.split_whitespace().collect();
    let half = |word: &&str| word.len() == 4 && word.parse::<u32>().is_ok();
    words.windows(2).find(|pair| pair.iter().all(half)).unwrap().concat()
}

/// A mail server in this mode, as the setting of a site names it.
fn route(mode: &str, login: &str, port: u64) -> String {
    match mode {
        "tls" => format!("smtps://{login}@localhost:{port}"),
        _ => format!("smtp://{login}@localhost:{port}?tls=required"),
    }
}

const LOGIN: &str = "ada%40example.org:s%40cret";

#[tokio::test]
async fn a_code_comes_by_a_real_mail_server_under_tls_and_signs_in() {
    if skipped("a_code_comes_by_a_real_mail_server_under_tls_and_signs_in") {
        return;
    }
    for mode in ["starttls", "tls"] {
        let dir = tempfile::tempdir().unwrap();
        let (papers, roots) = write_papers(dir.path(), Papers::Good);
        let mut mails = MailServer::start(mode, 0, &papers).await;
        let site = site(dir.path(), &route(mode, LOGIN, mails.port), &roots).await;
        let visitor = Visitor::of(&site);
        visitor.ask("carol.canary@example.org").await;
        let told = visitor.told().await;
        assert_eq!(told.last().unwrap().0, "taken", "{mode}: {told:?}");
        assert!(visitor.page().await.contains("has taken the mail"), "and so does the page, loaded again");

        let said = mails.said();
        assert_eq!(said[0], json!({ "login": true, "sealed": true }), "{mode}");
        assert_eq!(
            (&said[1]["sealed"], &said[1]["to"]),
            (&json!(true), &json!(["carol.canary@example.org"]))
        );
        let code = code_in(said[1]["mail"].as_str().unwrap());
        assert_eq!(visitor.post("/sign-in/code", "code", &code).await.status(), 303, "{mode}");
        assert_eq!(visitor.browser.get(site.url("/account")).send().await.unwrap().status(), 200);
        assert!(!holds(&dir.path().join("data"), b"canary") && !site.said().contains("canary"));
    }
}

#[tokio::test]
async fn a_mail_server_with_wrong_papers_hears_no_password_and_no_mail() {
    if skipped("a_mail_server_with_wrong_papers_hears_no_password_and_no_mail") {
        return;
    }
    for mode in ["starttls", "tls"] {
        for wrong in [Papers::OfAnother, Papers::OfAStranger, Papers::OutOfDate] {
            let dir = tempfile::tempdir().unwrap();
            let (papers, roots) = write_papers(dir.path(), wrong);
            let mut mails = MailServer::start(mode, 0, &papers).await;
            let site = site(dir.path(), &route(mode, LOGIN, mails.port), &roots).await;
            let visitor = Visitor::of(&site);
            visitor.ask("carol@example.org").await;
            let told = visitor.told().await;
            let (state, words) = told.last().unwrap();
            assert!(state == "failed" && words.contains("operator"), "{mode} {wrong:?}: {told:?}");
            assert_eq!(mails.said(), Vec::<Value>::new(), "{mode} {wrong:?}");
            let typed = visitor.post("/sign-in/code", "code", "12345678").await;
            assert_eq!(typed.status(), 400);
            assert!(typed.text().await.unwrap().contains("was not delivered"), "{mode} {wrong:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_said_before_tls_and_a_wrong_password_is_told() {
    if skipped("nothing_is_said_before_tls_and_a_wrong_password_is_told") {
        return;
    }
    for (mode, login, heard) in [
        ("bare", LOGIN, json!([])),
        ("starttls", "ada%40example.org:wrong", json!([{ "login": false, "sealed": true }])),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (papers, roots) = write_papers(dir.path(), Papers::Good);
        let mut mails = MailServer::start(mode, 0, &papers).await;
        let site = site(dir.path(), &route(mode, login, mails.port), &roots).await;
        let visitor = Visitor::of(&site);
        visitor.ask("carol@example.org").await;
        let told = visitor.told().await;
        assert!(told.last().unwrap().1.contains("operator"), "{mode}: {told:?}");
        assert_eq!(json!(mails.said()), heard, "{mode}");
    }
}

#[tokio::test]
async fn an_address_that_is_refused_is_told_and_one_that_is_put_off_is_tried_again() {
    if skipped("an_address_that_is_refused_is_told_and_one_that_is_put_off_is_tried_again") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (papers, roots) = write_papers(dir.path(), Papers::Good);
    let mut mails = MailServer::start("starttls", 0, &papers).await;
    let site = site(dir.path(), &route("starttls", LOGIN, mails.port), &roots).await;

    let visitor = Visitor::of(&site);
    visitor.ask("nobody@example.org").await;
    let told = visitor.told().await;
    assert!(told.last().unwrap().1.contains("does not take mail for this address"), "{told:?}");
    assert_eq!(mails.said().last().unwrap(), &json!({ "refused": 550 }));

    let visitor = Visitor::of(&site);
    visitor.ask("later@example.org").await;
    let states: Vec<_> = visitor.told().await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(states.last().unwrap(), "taken");
    let said = mails.said();
    assert_eq!(said[1], json!({ "refused": 451 }));
    let code = code_in(said.last().unwrap()["mail"].as_str().unwrap());
    assert_eq!(visitor.post("/sign-in/code", "code", &code).await.status(), 303);
    assert!(site.said().contains("delayed") && !site.said().contains("later@"), "{}", site.said());
}

#[tokio::test]
async fn a_mail_waits_for_a_mail_server_that_is_away() {
    if skipped("a_mail_waits_for_a_mail_server_that_is_away") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (papers, roots) = write_papers(dir.path(), Papers::Good);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().into();
    let site = site(dir.path(), &route("tls", LOGIN, port), &roots).await;
    let visitor = Visitor::of(&site);
    visitor.ask("carol@example.org").await;
    until("nothing was tried", || site.said().contains("delayed").then_some(())).await;
    assert!(visitor.page().await.contains("is tried again"));
    let mut mails = MailServer::start("tls", port, &papers).await;
    assert_eq!(visitor.told().await.last().unwrap().0, "taken");
    let code = code_in(mails.said().last().unwrap()["mail"].as_str().unwrap());
    assert_eq!(visitor.post("/sign-in/code", "code", &code).await.status(), 303);
}
