//! This owns a visit: what is made first, everything that is asked, well and wrong and with a broken database, and what
//! kinds of answers each route gave.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use imaging::Picture;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use sqlx::Connection;

use crate::asks::{Answer, Ask, Then, send};
use crate::authenticator::Authenticator;
use crate::registered::registered;
use crate::scan::MARK;
use crate::stripe::stories::Step;
use crate::stripe::{SECRET, Stripe, signature};
use crate::watched::Watched;

/// How often a folder or a state is looked at, and how often at most.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS_MAX: usize = 3000;
/// Routes that read nothing which can break, and so have no answer of the server's fault; held to that.
const UNBREAKABLE: [&str; 13] = [
    "GET /assets/{digest}/{*path}",
    "GET /favicon.ico",
    "GET /healthz",
    "GET /robots.txt",
    "GET /sign-in",
    "GET /sign-in/code",
    "GET /sign-in/mail",
    "POST /preferences",
    "POST /sign-in",
    "POST /sign-in/passkey/question",
    "GET /api/models",
    "GET /receipt",
    "GET /verify",
];

/// Who sends a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Who {
    Visitor,
    Member,
    Program,
}
use Who::{Member, Program, Visitor};

/// A visit of everything.
pub(crate) struct Visit {
    address: SocketAddr,
    metrics: SocketAddr,
    database: PathBuf,
    mail: PathBuf,
    stripe: Stripe,
    session: String,
    key: String,
    /// What stands for `{name}` in addresses.
    pub(crate) known: BTreeMap<&'static str, String>,
    /// What each canary was sent as, by its number.
    pub(crate) sent: Vec<String>,
    pub(crate) asked: usize,
    /// Kinds of answers, by route.
    pub(crate) seen: BTreeMap<String, BTreeSet<u16>>,
    /// Failures and metrics, to be searched.
    pub(crate) told: Vec<(String, Vec<u8>)>,
}

pub(crate) fn png(seed: u32) -> Vec<u8> {
    let rgba = (0..96 * 96).flat_map(|at: u32| [(at ^ seed) as u8, (at >> 5) as u8, 90, 255]).collect();
    imaging::encode_png(&Picture { width: 96, height: 96, rgba }).unwrap()
}

impl Visit {
    /// Makes what the routes need to answer: members, pictures, keys, an artwork.
    pub(crate) async fn begin(server: &Watched) -> Self {
        let made = server.command(&["account", "create", "ada@example.org", "--credits", "100000", "--json"]);
        let made: Value = serde_json::from_str(&made).unwrap();
        let post = server.path("posts.jsonl");
        std::fs::write(server.path("one.png"), png(1)).unwrap();
        let line = json!({ "id": "heron", "prompt": "a heron on a pier, linocut", "image": "one.png" });
        std::fs::write(&post, line.to_string()).unwrap();
        server.command(&["import", post.to_str().unwrap()]);
        let vouchers = server.command(&["voucher", "create", "--credits", "5", "--count", "1"]);
        let known = [("artwork", "heron".to_owned()), ("voucher", vouchers.trim().to_owned())];
        let mut visit = Self {
            address: server.address,
            metrics: server.metrics,
            database: server.data().join("safelight.db"),
            mail: server.mail(),
            stripe: server.stripe.clone(),
            session: String::new(),
            key: made["api_key"].as_str().unwrap().to_owned(),
            known: BTreeMap::from(known),
            sent: Vec::new(),
            asked: 0,
            seen: BTreeMap::new(),
            told: Vec::new(),
        };
        visit.session = visit.sign_in().await;
        visit
    }

    /// A canary, and what it is sent as.
    pub(crate) fn canary(&mut self, what: &str) -> String {
        let number = self.sent.len();
        self.sent.push(what.to_owned());
        format!("{}{number:05}", std::str::from_utf8(MARK).unwrap())
    }

    /// What the canary that something found was sent as, where its number can be read.
    pub(crate) fn sent_as(&self, found: &str) -> &str {
        let number = found.split(' ').find_map(|word| word.parse::<usize>().ok());
        number.and_then(|number| self.sent.get(number)).map_or("", String::as_str)
    }

    /// The account page lists a member's keys by their names, also when it refuses another one, or a voucher.
    pub(crate) fn is_shown_to_its_owner(&self, found: &str) -> bool {
        let sent = self.sent_as(found);
        let refused =
            ["/account/keys 400", "/account/keys 409", "/account/vouchers 400", "/account/vouchers 409"];
        refused.iter().any(|end| found.ends_with(end))
            && ["field name", "of a key", "of a passkey"].iter().any(|end| sent.ends_with(end))
    }

    pub(crate) async fn ask(&mut self, route: &str, ask: &Ask) -> Answer {
        let bytes = ask.bytes();
        self.ask_bytes(route, &bytes, Then::Listen).await
    }

    pub(crate) async fn ask_bytes(&mut self, route: &str, bytes: &[u8], then: Then) -> Answer {
        let answer = send(self.address, bytes, then).await;
        self.asked += 1;
        self.seen.entry(route.to_owned()).or_default().insert(answer.status);
        if answer.status >= 400 {
            self.told.push((format!("{route} {}", answer.status), answer.bytes.clone()));
        }
        answer
    }

    /// Signs a new member in; returns the session.
    async fn sign_in(&mut self) -> String {
        let answer = self.redeem_a_code().await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.cookie("session")
    }

    /// Asks for a code for an address that is a canary, and gives it back.
    async fn redeem_a_code(&mut self) -> Answer {
        let local = self.canary("an address");
        let form = Ask::new("POST", "/sign-in").form(&[("address", &format!("{local}@example.org"))]);
        let asked = self.ask("POST /sign-in", &form.header("sec-fetch-site", "same-origin")).await;
        assert_eq!(asked.status, 303, "{}", asked.text());
        let mail = self.mail_to(&local).await;
        let words: Vec<&str> = mail.split_whitespace().collect();
        let half = |word: &&str| word.len() == 4 && word.parse::<u32>().is_ok();
        let code = words.windows(2).find(|pair| pair.iter().all(half)).unwrap().concat();
        let redeem = Ask::new("POST", "/sign-in/code").form(&[("code", &code), ("next", "/studio")]);
        let redeem = redeem.header("cookie", &format!("sign-in={}", asked.cookie("sign-in")));
        self.ask("POST /sign-in/code", &redeem.header("sec-fetch-site", "same-origin")).await
    }

    /// The mail to an address.
    async fn mail_to(&self, local: &str) -> String {
        let mut turn = tokio::time::interval(LOOK);
        for _ in 0..LOOKS_MAX {
            turn.tick().await;
            let files = std::fs::read_dir(&self.mail).into_iter().flatten().flatten();
            let texts = files.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
            if let Some(mail) = texts.into_iter().find(|mail| mail.contains(local)) {
                return mail;
            }
        }
        panic!(
            "no mail came: {}",
            std::fs::read_to_string(self.mail.parent().unwrap().join("output")).unwrap_or_default()
        );
    }

    /// Sends as this sender does, from a page of the site.
    pub(crate) fn by(&self, who: Who, ask: Ask) -> Ask {
        match who {
            Visitor => ask.header("sec-fetch-site", "same-origin"),
            Member => ask
                .header("cookie", &format!("session={}", self.session))
                .header("sec-fetch-site", "same-origin"),
            Program => ask.header("authorization", &format!("Bearer {}", self.key)),
        }
    }

    /// Everything once: what is answered, then what is refused.
    pub(crate) async fn ask_everything(&mut self) {
        self.make_what_is_needed().await;
        for (route, who, ask) in self.good() {
            self.ask_well(&route, who, ask).await;
        }
        self.make_what_is_needed().await;
        for (route, who, ask) in self.good() {
            self.ask_badly(&route, who, &ask).await;
        }
    }

    /// A picture, an upload, a key and a session to spend; and the addresses that lead to them.
    async fn make_what_is_needed(&mut self) {
        self.session = self.sign_in().await;
        let words = self.canary("a prompt");
        let order = json!({ "prompt": format!("a fox, {words}"), "resolution": "512" });
        let order = self.by(Program, Ask::new("POST", "/api/generate/v2").json(&order));
        let accepted = self.ask("POST /api/generate/v2", &order).await;
        let id = json_of(&accepted)["generationId"].as_str().unwrap().to_owned();
        self.result_of(&id).await;
        let erase = self.by(Program, Ask::new("DELETE", &format!("/api/generations/{id}")));
        let receipt = json_of(&self.ask("DELETE /api/generations/{id}", &erase).await)["receipt"].clone();
        let encoded = receipt.as_str().unwrap().bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.known.insert("receipt", encoded);
        let accepted = self.ask("POST /api/generate/v2", &order).await;
        let id = json_of(&accepted)["generationId"].as_str().unwrap().to_owned();
        let url = self.result_of(&id).await;
        self.known.insert("result", url.split_once("/r/").unwrap().1.to_owned());
        self.known.insert("of_program", id);
        self.look_at_a_preview().await;
        for name in ["mine", "also_mine", "to_delete"] {
            let id = self.develop().await;
            self.known.insert(name, id);
        }
        let page = self.by(Member, Ask::new("GET", "/account")).send(self.address).await.text();
        let sessions: Vec<String> = between(&page, "/account/sessions/", "/revoke");
        self.known.insert("session", sessions.into_iter().find(|id| id.len() == 26).unwrap_or_default());
        let name = self.canary("the name of a key");
        let made = self.by(Member, Ask::new("POST", "/api/tokens").json(&json!({ "name": name })));
        let made = json_of(&self.ask("POST /api/tokens", &made).await);
        self.known.insert("key", made["id"].as_str().unwrap().to_owned());
        let made = self.by(Member, Ask::new("POST", "/api/tokens").json(&json!({ "name": "other" })));
        let made = json_of(&self.ask("POST /api/tokens", &made).await);
        self.known.insert("other_key", made["id"].as_str().unwrap().to_owned());
        self.make_passkeys().await;
        self.buy().await;
        let front = Ask::new("GET", "/").send(self.address).await.text();
        self.known.insert("asset", between(&front, "/assets/", "\"").remove(0));
        self.known.insert("record", between(&front, "/p/", "/").remove(0));
    }

    /// A passkey to remove, another that proves itself, and a third that is not sent yet.
    async fn make_passkeys(&mut self) {
        let mut passkey = Authenticator::at("http://localhost");
        for mut made in [Authenticator::at("http://localhost"), Authenticator::at("http://localhost")] {
            let (question, browser) = self.question(Member, "/account/passkeys/question").await;
            let body =
                json!({ "name": self.canary("the name of a passkey"), "credential": made.make(&question) });
            let ask = Ask::new("POST", "/account/passkeys").json(&body);
            let ask = self.by(Member, ask.header("cookie", &format!("passkey={browser}")));
            let answer = self.ask("POST /account/passkeys", &ask).await;
            assert_eq!(answer.status, 204, "{}", answer.text());
            passkey = made;
        }
        let page = self.by(Member, Ask::new("GET", "/account")).send(self.address).await.text();
        self.known.insert("passkey", between(&page, "/account/passkeys/", "/remove").remove(0));
        let (question, browser) = self.question(Visitor, "/sign-in/passkey/question").await;
        self.known.insert("proof", passkey.prove(&question).to_string());
        self.known.insert("proof_browser", browser);
        let (question, browser) = self.question(Member, "/account/passkeys/question").await;
        let credential = Authenticator::at("http://localhost").make(&question);
        self.known.insert("credential", credential.to_string());
        self.known.insert("credential_browser", browser);
    }

    /// A question for an authenticator, and the cookie that binds it.
    async fn question(&mut self, who: Who, path: &str) -> (Value, String) {
        let ask = self.by(who, Ask::new("POST", path).json(&json!({})));
        let answer = self.ask(&format!("POST {path}"), &ask).await;
        (json_of(&answer), answer.cookie("passkey"))
    }

    /// A purchase with its code, and an event that tells of it.
    async fn buy(&mut self) {
        let page = self.by(Member, Ask::new("GET", "/account")).send(self.address).await.text();
        let id = between(&page, "name=\"purchase\" value=\"", "\"").remove(0);
        let buy =
            Ask::new("POST", "/account/purchases").form(&[("purchase", &id), ("pack", "100%3D5.00%20EUR")]);
        assert_eq!(self.ask("POST /account/purchases", &self.by(Member, buy)).await.status, 200);
        let page = self
            .by(Member, Ask::new("GET", &format!("/account/purchases/{id}")))
            .send(self.address)
            .await
            .text();
        self.known.insert("purchase_code", between(&page, "<code>", "</code>").remove(0));
        let now = Clock::now(&SystemClock);
        let event = self.stripe.happen(&self.stripe.page_of(&id), Step::Completed, now).to_string();
        self.known.insert("event_signature", signature(SECRET, event.as_bytes(), now));
        self.known.insert("event", event);
        self.known.insert("purchase", id);
    }

    /// A member's picture.
    async fn develop(&mut self) -> String {
        let id = self.order("a heron", "512").await;
        self.result_of(&id).await;
        id
    }

    /// Orders a picture as a page does; the prompt has a canary.
    async fn order(&mut self, motif: &str, resolution: &str) -> String {
        let prompt = format!("{motif}, {}", self.canary("a prompt of a page"));
        let parts = [("prompt", None, prompt.as_bytes()), ("resolution", None, resolution.as_bytes())];
        let order =
            Ask::new("POST", "/studio/generations").parts(&parts).header("accept", "application/json");
        let answer = self.ask("POST /studio/generations", &self.by(Member, order)).await;
        json_of(&answer)["generations"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A picture that takes long enough to be looked at while it is drawn.
    async fn look_at_a_preview(&mut self) {
        let id = self.order("a castle", "2K").await;
        let mut turn = tokio::time::interval(LOOK);
        let seen = "GET /studio/generations/{id}/preview";
        for _ in 0..LOOKS_MAX {
            turn.tick().await;
            let look = self.by(Member, Ask::new("GET", &format!("/studio/generations/{id}/preview")));
            if self.ask(seen, &look).await.status == 200 {
                break;
            }
        }
        self.result_of(&id).await;
    }

    /// Waits for a picture; its address.
    async fn result_of(&mut self, id: &str) -> String {
        let mut turn = tokio::time::interval(LOOK);
        for _ in 0..LOOKS_MAX {
            turn.tick().await;
            let status = Ask::new("GET", &format!("/api/generate/v2/status/{id}")).send(self.address).await;
            let status = json_of(&status);
            match status["status"].as_str() {
                Some("processing") => {}
                Some("completed") => return status["imageUrl"].as_str().unwrap().to_owned(),
                _ => panic!("{status}"),
            }
        }
        panic!("a picture does not come");
    }

    /// A request as it should be, with canaries wherever more is allowed than is needed.
    async fn ask_well(&mut self, route: &str, who: Who, ask: Ask) {
        // What ends sessions ends one of its own.
        let ends = ["/sign-out", "revoke-all", "/account/close", "{id}/revoke", "delete-all"];
        let session = self.session.clone();
        if who == Member && ends.iter().any(|end| route.ends_with(end)) && !route.contains("keys") {
            self.session = self.sign_in().await;
        }
        let mut ask = self.by(who, ask);
        for name in ["user-agent", "referer", "x-forwarded-for", "via", "from", "x-request-id", "traceparent"]
        {
            let canary = self.canary(&format!("{route}: header {name}"));
            ask = ask.header(name, &canary);
        }
        let canary = self.canary(&format!("{route}: a parameter"));
        ask.target += if ask.target.contains('?') { "&" } else { "?" };
        ask.target += &format!("more={canary}");
        if route == "GET /" || route == "GET /api/search" {
            ask.target += &format!("&q={canary}");
        }
        self.ask(route, &ask).await;
        self.session = session;
    }

    /// Everything that is answered, once no table can be found any more.
    pub(crate) async fn ask_with_a_broken_database(&mut self) {
        self.make_what_is_needed().await;
        let good = self.good();
        let address = format!("sqlite://{}", self.database.display());
        let mut rows = sqlx::SqliteConnection::connect(&address).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx%'",
        )
        .fetch_all(&mut rows)
        .await
        .unwrap();
        sqlx::query("PRAGMA legacy_alter_table = ON").execute(&mut rows).await.unwrap();
        for table in tables {
            let rename = format!("ALTER TABLE {table} RENAME TO {table}_gone");
            sqlx::query(sqlx::AssertSqlSafe(rename)).execute(&mut rows).await.unwrap();
        }
        rows.close().await.unwrap();
        assert!(self.redeem_a_code().await.status >= 500);
        for (route, who, ask) in good {
            let mut ask = self.by(who, ask);
            // The other size is kept in memory and needs no database.
            ask.target = ask.target.replace("240.webp", "480.webp");
            let canary = self.canary(&format!("{route}: with a broken database"));
            ask.target += if ask.target.contains('?') { "&" } else { "?" };
            ask.target += &format!("more={canary}&q={canary}");
            self.ask(&route, &ask.header("user-agent", &canary)).await;
        }
    }

    pub(crate) async fn metrics(&self) -> Vec<(String, Vec<u8>)> {
        let answer = Ask::new("GET", "/metrics").send(self.metrics).await;
        assert_eq!(answer.status, 200);
        vec![("metrics".to_owned(), answer.bytes)]
    }

    /// How many routes were seen to answer, to refuse, and to fail.
    pub(crate) fn kinds(&self) -> [usize; 3] {
        let count = |kind: &dyn Fn(u16) -> bool| {
            self.seen.values().filter(|statuses| statuses.iter().any(|status| kind(*status))).count()
        };
        [count(&answered), count(&refused), count(&failed)]
    }

    /// Every route of the table has answered, refused and, where it can, failed.
    pub(crate) fn require_every_route(&self) {
        let mut missing = Vec::new();
        for (method, route) in registered() {
            let route = format!("{method} {route}");
            let none = BTreeSet::new();
            let statuses = self.seen.get(&route).unwrap_or(&none);
            let has = |kind: fn(u16) -> bool| statuses.iter().any(|status| kind(*status));
            let breaks = !UNBREAKABLE.contains(&route.as_str());
            if !has(answered) || !has(refused) || has(failed) != breaks {
                missing.push(format!("{route}: {statuses:?}"));
            }
        }
        assert!(missing.is_empty(), "not every kind of answer was seen: {missing:#?}");
    }
}

fn answered(status: u16) -> bool {
    (200..400).contains(&status)
}

fn refused(status: u16) -> bool {
    (400..500).contains(&status)
}

fn failed(status: u16) -> bool {
    status >= 500
}

fn json_of(answer: &Answer) -> Value {
    let text = answer.text();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"))
}

/// Each text between two others.
fn between(text: &str, before: &str, after: &str) -> Vec<String> {
    let parts = text.split(before).skip(1);
    parts.filter_map(|part| Some(part.split_once(after)?.0.to_owned())).collect()
}
