//! This owns what is asked: for each route a request that it answers, one that it refuses, and one that fails for a broken
//! database, with canaries in every place where something can be put.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use imaging::Picture;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::asks::{Answer, Ask, send};
use crate::registered::registered;
use crate::scan::MARK;
use crate::watched::Watched;

/// How often a folder or a state is looked at, and how often at most.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS_MAX: usize = 3000;
/// Names of fields and parameters that some route reads.
const FIELDS: [&str; 33] = [
    "address",
    "aspectRatio",
    "back",
    "category",
    "code",
    "count",
    "from",
    "id",
    "idempotencyKey",
    "lang",
    "limit",
    "model",
    "modelId",
    "name",
    "next",
    "page",
    "picture",
    "prompt",
    "q",
    "ratio",
    "receipt",
    "reference",
    "referenceImages",
    "resolution",
    "seed",
    "similar",
    "sort",
    "start",
    "sure",
    "technique",
    "theme",
    "confirm",
    "offset",
];
/// Headers that clients, proxies and libraries send.
const HEADERS: [&str; 26] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-modified-since",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "sec-fetch-site",
    "te",
    "traceparent",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-request-id",
];
/// Routes that read nothing which can break, and so have no answer of the server's fault; held to that.
const UNBREAKABLE: [&str; 11] = [
    "GET /assets/{digest}/{*path}",
    "GET /favicon.ico",
    "GET /healthz",
    "GET /robots.txt",
    "GET /sign-in",
    "POST /preferences",
    "POST /sign-in",
    "GET /api/models",
    "GET /verify",
    "POST /verify",
    "GET /.well-known/privacy.json",
];

/// Who sends a request.
#[derive(Clone, Copy, PartialEq)]
enum Who {
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
    session: String,
    key: String,
    /// What stands for `{name}` in addresses.
    known: BTreeMap<&'static str, String>,
    /// What each canary was sent as, by its number.
    pub(crate) sent: Vec<String>,
    pub(crate) asked: usize,
    /// Kinds of answers, by route.
    pub(crate) seen: BTreeMap<String, BTreeSet<u16>>,
    /// Failures and metrics, to be searched.
    pub(crate) told: Vec<(String, Vec<u8>)>,
}

fn png(seed: u32) -> Vec<u8> {
    let rgba = (0..96 * 96).flat_map(|at: u32| [(at ^ seed) as u8, (at >> 5) as u8, 90, 255]).collect();
    imaging::encode_png(&Picture { width: 96, height: 96, rgba }).unwrap()
}

impl Visit {
    /// Makes what the routes need to answer: members, pictures, keys, an artwork.
    pub(crate) async fn begin(server: &Watched) -> Self {
        let made = server.command(&["account", "create", "ada@example.org", "--credits", "1000", "--json"]);
        let made: Value = serde_json::from_str(&made).unwrap();
        let post = server.path("posts.jsonl");
        std::fs::write(server.path("one.png"), png(1)).unwrap();
        let line = json!({ "id": "heron", "prompt": "a heron on a pier, linocut", "image": "one.png" });
        std::fs::write(&post, line.to_string()).unwrap();
        server.command(&["import", post.to_str().unwrap()]);
        let mut visit = Self {
            address: server.address,
            metrics: server.metrics,
            database: server.data().join("safelight.db"),
            mail: server.mail(),
            session: String::new(),
            key: made["api_key"].as_str().unwrap().to_owned(),
            known: BTreeMap::from([("artwork", "heron".to_owned())]),
            sent: Vec::new(),
            asked: 0,
            seen: BTreeMap::new(),
            told: Vec::new(),
        };
        visit.session = visit.sign_in().await;
        visit
    }

    /// A canary, and what it is sent as.
    fn canary(&mut self, what: &str) -> String {
        let number = self.sent.len();
        self.sent.push(what.to_owned());
        format!("{}{number:05}", std::str::from_utf8(MARK).unwrap())
    }

    /// What the canary that something found was sent as, where its number can be read.
    pub(crate) fn sent_as(&self, found: &str) -> &str {
        let number = found.split(' ').find_map(|word| word.parse::<usize>().ok());
        number.and_then(|number| self.sent.get(number)).map_or("", String::as_str)
    }

    async fn ask(&mut self, route: &str, ask: &Ask) -> Answer {
        let bytes = ask.bytes();
        self.ask_bytes(route, &bytes).await
    }

    async fn ask_bytes(&mut self, route: &str, bytes: &[u8]) -> Answer {
        let answer = send(self.address, bytes).await;
        self.asked += 1;
        self.seen.entry(route.to_owned()).or_default().insert(answer.status);
        if answer.status >= 400 {
            self.told.push((format!("{route} {}", answer.status), answer.bytes.clone()));
        }
        answer
    }

    /// Signs a new member in, whose address is a canary; returns the session.
    async fn sign_in(&mut self) -> String {
        let local = self.canary("an address");
        let form = Ask::new("POST", "/sign-in").form(&[("address", &format!("{local}@example.org"))]);
        let asked = self.ask("POST /sign-in", &form.header("sec-fetch-site", "same-origin")).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        let mail = self.mail_to(&local).await;
        let words: Vec<&str> = mail.split_whitespace().collect();
        let half = |word: &&str| word.len() == 4 && word.parse::<u32>().is_ok();
        let code = words.windows(2).find(|pair| pair.iter().all(half)).unwrap().concat();
        let redeem = Ask::new("POST", "/sign-in/code").form(&[("code", &code), ("next", "/studio")]);
        let redeem = redeem.header("cookie", &format!("sign-in={}", asked.cookie("sign-in")));
        let answer = self.ask("POST /sign-in/code", &redeem.header("sec-fetch-site", "same-origin")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.cookie("session")
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
        panic!("no mail came: {}", std::fs::read_to_string(self.mail.parent().unwrap().join("output")).unwrap_or_default());
    }

    /// Sends as this sender does, from a page of the site.
    fn by(&self, who: Who, ask: Ask) -> Ask {
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
        let url = self.result_of(&id).await;
        self.known.insert("result", url.split_once("/r/").unwrap().1.to_owned());
        self.known.insert("of_program", id);
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
        let front = Ask::new("GET", "/").send(self.address).await.text();
        self.known.insert("asset", between(&front, "/assets/", "\"").remove(0));
        self.known.insert("record", between(&front, "/p/", "/").remove(0));
    }

    /// A member's picture.
    async fn develop(&mut self) -> String {
        let words = self.canary("a prompt of a page");
        let prompt = format!("a heron, {words}");
        let parts = [("prompt", None, prompt.as_bytes()), ("resolution", None, b"512".as_slice())];
        let order =
            Ask::new("POST", "/studio/generations").parts(&parts).header("accept", "application/json");
        let answer = self.ask("POST /studio/generations", &self.by(Member, order)).await;
        let id = json_of(&answer)["generations"][0]["id"].as_str().expect(&answer.text()).to_owned();
        self.result_of(&id).await;
        id
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

    /// For each route a request that it answers, those that end something last.
    fn good(&self) -> Vec<(String, Who, Ask)> {
        let mut all = Vec::new();
        let mut add = |who, method: &str, route: &str, target: &str, fill: fn(Ask) -> Ask| {
            let mut target = target.to_owned();
            for (name, value) in &self.known {
                target = target.replace(&format!("{{{name}}}"), value);
            }
            all.push((format!("{method} {route}"), who, fill(Ask::new(method, &target))));
        };
        let plain: fn(Ask) -> Ask = |ask| ask;
        for path in [
            "/",
            "/sign-in",
            "/verify",
            "/log/checkpoint",
            "/transparency",
            "/statistics",
            "/favicon.ico",
            "/robots.txt",
            "/healthz",
            "/api/search",
            "/api/models",
            "/.well-known/statistics.json",
            "/.well-known/privacy.json",
        ] {
            add(Visitor, "GET", path, path, plain);
        }
        add(Visitor, "GET", "/a/{id}", "/a/{artwork}", plain);
        add(Visitor, "GET", "/api/images/{id}", "/api/images/{artwork}", plain);
        add(Visitor, "GET", "/p/{record}/{form}", "/p/{record}/240.webp", plain);
        add(Visitor, "GET", "/assets/{digest}/{*path}", "/assets/{asset}", plain);
        add(Visitor, "GET", "/log/tile/{*path}", "/log/tile/entries/000.p/256", plain);
        add(Visitor, "GET", "/r/{id}/{expiry}/{signature}", "/r/{result}", plain);
        add(Visitor, "POST", "/preferences", "/preferences", |ask| {
            ask.form(&[("lang", "ja"), ("back", "/")])
        });
        add(Visitor, "POST", "/verify", "/verify", |ask| ask.form(&[("receipt", "{receipt}")]));
        add(Visitor, "GET", "/api/generate/v2/status/{id}", "/api/generate/v2/status/{mine}", plain);
        for path in ["/studio", "/account", "/api/tokens", "/account/export"] {
            add(Member, "GET", path, path, plain);
        }
        add(Member, "GET", "/studio/compare", "/studio/compare?id={mine}&id={also_mine}", plain);
        for end in ["events", "preview", "delete"] {
            add(
                Member,
                "GET",
                &format!("/studio/generations/{{id}}/{end}"),
                &format!("/studio/generations/{{mine}}/{end}"),
                plain,
            );
        }
        add(Member, "GET", "/g/{id}/{form}", "/g/{mine}/full", plain);
        add(Member, "GET", "/g/{id}/download", "/g/{mine}/download", plain);
        add(Member, "POST", "/studio/generations/{id}/cancel", "/studio/generations/{mine}/cancel", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/studio/references", "/studio/references", |ask| {
            ask.parts(&[("picture", Some("holiday.png"), &png(7))])
        });
        add(Member, "POST", "/studio/generations", "/studio/generations", |ask| {
            ask.parts(&[("prompt", None, b"a heron"), ("resolution", None, b"512")])
        });
        add(Member, "POST", "/account/keys", "/account/keys", |ask| ask.form(&[("name", "a key")]));
        add(Member, "POST", "/api/tokens", "/api/tokens", |ask| ask.json(&json!({ "name": "a key" })));
        add(Program, "POST", "/api/generate/v2", "/api/generate/v2", |ask| {
            ask.json(&json!({ "prompt": "a fox", "resolution": "512", "idempotencyKey": "once" }))
        });
        add(Program, "GET", "/api/generate/v2/requests/{id}", "/api/generate/v2/requests/once", plain);
        add(Program, "DELETE", "/api/generations/{id}", "/api/generations/{of_program}", plain);
        add(Member, "DELETE", "/api/tokens/{id}", "/api/tokens/{key}", plain);
        add(Member, "POST", "/account/keys/{id}/revoke", "/account/keys/{other_key}/revoke", |ask| {
            ask.form(&[])
        });
        add(
            Member,
            "POST",
            "/studio/generations/delete",
            "/studio/generations/delete?id={to_delete}",
            |ask| {
                let id = ask.target.split_once("id=").map_or(String::new(), |(_, id)| id.to_owned());
                ask.form(&[("id", &id), ("sure", "yes")])
            },
        );
        add(Member, "POST", "/account/delete-all", "/account/delete-all", |ask| ask.form(&[("sure", "yes")]));
        add(Visitor, "POST", "/sign-in", "/sign-in", |ask| ask.form(&[("address", "ada@example.org")]));
        add(Visitor, "POST", "/sign-in/code", "/sign-in/code", |ask| ask.form(&[("code", "12345678")]));
        add(Member, "POST", "/account/sessions/{id}/revoke", "/account/sessions/{session}/revoke", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/account/sessions/revoke-all", "/account/sessions/revoke-all", |ask| {
            ask.form(&[])
        });
        add(Member, "POST", "/sign-out", "/sign-out", |ask| ask.form(&[]));
        add(Member, "POST", "/account/close", "/account/close", |ask| ask.form(&[("sure", "yes")]));
        all
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

    /// The same request made wrong in every way, one at a time.
    async fn ask_badly(&mut self, route: &str, who: Who, good: &Ask) {
        let names = |visit: &mut Self, what: &str| -> Vec<(&'static str, String)> {
            FIELDS.iter().map(|name| (*name, visit.canary(&format!("{route}: {what} {name}")))).collect()
        };
        let mut asks = Vec::new();
        let parameters = names(self, "parameter");
        let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = good.target.split('?').next().unwrap_or_default().to_owned();
        asks.push(Ask { target: format!("{path}?{}", pairs.join("&")), ..good.clone() });
        let places = path.matches('/').count();
        for place in 1..=places {
            let canary = self.canary(&format!("{route}: part {place} of the path"));
            let parts = path.split('/').enumerate();
            let parts: Vec<&str> =
                parts.map(|(n, part)| if n == place { canary.as_str() } else { part }).collect();
            // Only where the route itself is still met.
            if route.split('/').nth(place).is_some_and(|part| part.starts_with('{')) {
                asks.push(Ask { target: parts.join("/"), ..good.clone() });
            }
        }
        let form = names(self, "field");
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        asks.push(good.clone().form(&form));
        let member = |values: &[(&str, Value)]| {
            Value::Object(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let texts: Vec<_> =
            names(self, "text of JSON").into_iter().map(|(name, value)| (name, json!(value))).collect();
        let lists: Vec<_> = names(self, "list of JSON")
            .into_iter()
            .map(|(name, value)| (name, json!([value, { value.clone(): 1 }])))
            .collect();
        asks.push(good.clone().json(&member(&texts)));
        asks.push(good.clone().json(&member(&lists)));
        // Known fields alone, so that the first wrong one does not hide the others.
        for (name, value) in texts.iter().chain(&lists) {
            if good.body.starts_with(b"{") {
                let mut body: Value = serde_json::from_slice(&good.body).unwrap();
                body[*name] = value.clone();
                asks.push(good.clone().json(&body));
            }
        }
        let canary = self.canary(&format!("{route}: broken JSON"));
        asks.push(good.clone().body("application/json", format!("{{\"prompt\": \"{canary}\", \"{canary}")));
        let [field, file, content] = ["name of a part", "name of a file", "content of a file"]
            .map(|what| self.canary(&format!("{route}: {what}")));
        asks.push(good.clone().parts(&[(&field, Some(&file), content.as_bytes())]));
        asks.push(
            good.clone()
                .parts(&[("picture", Some(&file), content.as_bytes()), ("prompt", None, content.as_bytes())]),
        );
        let canary = self.canary(&format!("{route}: a body of another type"));
        asks.push(good.clone().body(&format!("text/{canary}"), canary.clone()));
        let canary = self.canary(&format!("{route}: a body that is too large"));
        asks.push(good.clone().form(&[("prompt", &canary.repeat(200_000 / canary.len()))]));
        for name in HEADERS {
            let canary = self.canary(&format!("{route}: header {name}"));
            let value = match name {
                "authorization" => format!("Bearer {canary}"),
                "cookie" => format!("session={canary}; sign-in={canary}; lang={canary}; theme={canary}"),
                "range" => format!("bytes={canary}"),
                _ => canary,
            };
            let mut ask = good.clone();
            ask.headers.retain(|(other, _)| other != name);
            asks.push(ask.header(name, &value));
        }
        let canary = self.canary(&format!("{route}: name of a header"));
        asks.push(good.clone().header(&canary, &canary));
        let canary = self.canary(&format!("{route}: a method"));
        asks.push(Ask { method: canary, ..good.clone() });
        asks.push(Ask { method: "PATCH".to_owned(), ..good.clone() });
        for ask in asks {
            let ask =
                if ask.headers.iter().any(|(name, _)| ["cookie", "authorization"].contains(&name.as_str())) {
                    ask
                } else {
                    self.by(who, ask)
                };
            self.ask(route, &ask).await;
        }
        self.ask_brokenly(route, good).await;
    }

    /// Bytes that are no request, or only a part of one.
    async fn ask_brokenly(&mut self, route: &str, good: &Ask) {
        let whole = good.bytes();
        let canary = self.canary(&format!("{route}: a body that breaks off"));
        let cut = good.clone().header("content-length", "5000").body("application/json", canary);
        let canary = self.canary(&format!("{route}: bytes that are no request"));
        let line = format!("{} {} HTTP/1.1\r\n", good.method, good.target);
        let long = canary.repeat(12_000 / canary.len());
        let many = canary.repeat(80_000 / canary.len());
        for bytes in [
            cut.bytes(),
            format!("{canary}\r\n\r\n").into_bytes(),
            format!("{} /{canary} HTTP/9.9\r\n\r\n", good.method).into_bytes(),
            format!("{line}{canary}\r\n\r\n").into_bytes(),
            format!("{line}host: a\r\nx: {many}\r\n\r\n").into_bytes(),
            format!("{} {}?q={long} HTTP/1.1\r\nhost: a\r\n\r\n", good.method, good.target).into_bytes(),
            [format!("{line}host: a\r\nx: {canary}").as_bytes(), &[0xff, 0, 0x80], b"\r\n\r\n"].concat(),
            format!(
                "{} {}?%zz={canary}%ff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                good.method, good.target
            )
            .into_bytes(),
            whole.iter().take(20).copied().chain(canary.bytes()).collect(),
        ] {
            self.ask_bytes(route, &bytes).await;
        }
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
        for (route, who, ask) in good {
            let mut ask = self.by(who, ask);
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
