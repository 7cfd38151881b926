//! Sessions: each hears of new ones, and one that has ended opens nothing any more.

use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::TestApp;
use crate::doors::MATRIX;

const NOTICE: &str = "A new sign-in on";
/// Pages with the frame of somebody who is signed in.
const PAGES: [&str; 6] = ["/", "/studio", "/account", "/transparency", "/statistics", "/verify"];

impl TestApp {
    async fn page(&self, browser: &Client, path: &str) -> String {
        browser.get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    /// On how many of the pages a browser is told of a new sign-in.
    async fn told(&self, browser: &Client) -> usize {
        let mut told = 0;
        for path in PAGES {
            told += usize::from(self.page(browser, path).await.contains(NOTICE));
        }
        told
    }

    /// Ids of the sessions that the account page lists beside the one that asks.
    async fn other_sessions(&self, browser: &Client) -> Vec<String> {
        let page = self.page(browser, "/account").await;
        let forms = page.split("/account/sessions/").skip(1).filter_map(|part| part.split_once("/revoke\""));
        let others = forms.filter(|(_, form)| !form.split("</form>").next().unwrap().contains("this one"));
        others.map(|(id, _)| id.to_owned()).collect()
    }
}

#[tokio::test]
async fn every_other_session_is_told_of_a_new_one_until_its_owner_has_seen_it() {
    let app = TestApp::with_passkeys().await;
    let (first, stranger) = (app.sign_in("ada@example.org").await, app.sign_in("bob@example.org").await);
    assert_eq!(app.told(&first).await, 0, "the first has nobody to hear of");
    let second = app.sign_in("ada@example.org").await;
    let told = [app.told(&first).await, app.told(&first).await];
    assert_eq!(told, [PAGES.len(); 2], "on every page, and again");
    assert_eq!([app.told(&second).await, app.told(&stranger).await], [0, 0]);
    let page = app.page(&first, "/?q=fox").await;
    let today = accounts::day_text(kernel::Clock::today(&kernel::SystemClock));
    assert!(page.contains(&format!("{NOTICE} <time datetime=\"{today}\">")), "the day, and nothing else");
    assert!(page.contains("name=\"next\" value=\"/?q=fox\""));

    for (next, leads) in
        [("/?q=fox", "/?q=fox"), ("//evil.example", "/studio"), ("https://evil.example", "/studio")]
    {
        let seen = app.form(&first, "/account/sessions/dismiss", &[("next", next)]).await;
        assert_eq!((seen.status().as_u16(), &seen.headers()["location"]), (303, &leads.parse().unwrap()));
    }
    assert_eq!(app.told(&first).await, 0);

    let mut passkey = app.passkey(&second, "key").await;
    let mails = app.mails().len();
    let third = app.browser();
    assert_eq!(app.enter(&third, &mut passkey).await.status(), 204);
    let told = [app.told(&first).await, app.told(&second).await, app.told(&third).await];
    assert_eq!(told, [PAGES.len(), PAGES.len(), 0], "a passkey is a sign-in like any other");
    app.form(&first, "/account/sessions/dismiss", &[("next", "/")]).await;
    assert_eq!(app.told(&second).await, PAGES.len(), "each session has its own");
    assert_eq!(app.mails().len(), mails, "no mail says it");

    assert_eq!(app.form(&first, "/account/sessions/revoke-all", &[]).await.status(), 303);
    for browser in [&first, &second, &third] {
        assert_eq!(browser.get(app.url("/account")).send().await.unwrap().status(), 401);
    }
    let again = app.sign_in("ada@example.org").await;
    assert_eq!(app.told(&again).await, 0, "it went with its session");
    assert!(app.other_sessions(&again).await.is_empty());
}

#[tokio::test]
async fn a_revoked_session_opens_no_door_from_then_on() {
    let app = TestApp::with_passkeys().await;
    let (kept, revoked) = (app.sign_in("ada@example.org").await, app.sign_in("ada@example.org").await);
    let none = kernel::Id::random().to_string();
    let ask = async |browser: &Client, method: &str, address: &str| -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = browser.request(method, app.url(&address.replace("{none}", &none)));
        let kind = if address.starts_with("/api/") {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let request = request.header("sec-fetch-site", "same-origin").header("content-type", kind);
        request.body(if address.starts_with("/api/") { "{}" } else { "" }).send().await.unwrap()
    };
    assert_eq!(ask(&revoked, "GET", "/account").await.status(), 200);
    let others = app.other_sessions(&kept).await;
    assert_eq!(others.len(), 1);
    assert_eq!(app.form(&kept, &format!("/account/sessions/{}/revoke", others[0]), &[]).await.status(), 303);
    let kinds = [kept.get(app.url("/account")), revoked.get(app.url("/account"))];
    let mut statuses = Vec::new();
    for request in kinds {
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 401], "the other one goes on");
    let doors = MATRIX.iter().filter(|(.., [visitor, member, _])| *visitor == 401 && *member != 401);
    let mut tried = 0;
    for (method, _, address, _) in doors {
        assert_eq!(ask(&revoked, method, address).await.status(), 401, "{method} {address}");
        tried += 1;
    }
    assert!(tried > 20, "{tried} doors");
    for path in ["/", "/transparency"] {
        assert!(app.page(&revoked, path).await.contains("href=\"/sign-in\""), "{path}");
    }
}

#[tokio::test]
async fn signing_out_everywhere_ends_what_is_being_told() {
    let app = TestApp::start().await;
    let (listener, other) = (app.sign_in("ada@example.org").await, app.sign_in("ada@example.org").await);
    let fields = [("prompt", "a harbour"), ("resolution", "4K"), ("count", "4")];
    let form = fields
        .into_iter()
        .fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(name, value));
    let made = listener.post(app.url("/studio/generations")).header("sec-fetch-site", "same-origin");
    let made: Value =
        made.header("accept", "application/json").multipart(form).send().await.unwrap().json().await.unwrap();
    let last = made["generations"][3]["id"].as_str().unwrap();
    let mut events =
        listener.get(app.url(&format!("/studio/generations/{last}/events"))).send().await.unwrap();
    let mut told = String::from_utf8(events.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(told.contains("event: state"), "{told}");
    assert_eq!(app.form(&other, "/account/sessions/revoke-all", &[]).await.status(), 303);
    while let Some(more) = events.chunk().await.unwrap() {
        told += std::str::from_utf8(&more).unwrap();
    }
    assert!(told.contains("event: signed-out") && !told.contains("event: done"), "{told}");
    let again = listener.get(app.url(&format!("/studio/generations/{last}/events"))).send().await.unwrap();
    assert_eq!(again.status(), 401);
}
