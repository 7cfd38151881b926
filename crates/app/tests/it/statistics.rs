//! What is counted, from the request to the page that everyone sees. Noise is drawn from the system's generator here: each
//! bound on a number leaves it so much room that chance breaks the test less than once in a hundred thousand runs.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use app::connections::{self, Bounds};
use app::house::House;
use app::routes::router;
use kernel::Clock;
use kernel::clock::{DAY_SECONDS, SetClock};
use platform::config::{Settings, arguments};
use platform::folder::{DataFolder, Taken};
use platform::http::client_network;
use platform::statistics::{Counter, Counters, Who};
use reqwest::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::TestApp;

/// The noise is smaller than this, but for once in a million numbers.
const NOISE: u64 = 110;
/// Noon of 25 November 2026.
const NOON: i64 = 1_795_608_000;

async fn at_noon() -> (TestApp, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(NOON));
    (TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await, clock)
}

impl TestApp {
    async fn text(&self, path: &str) -> String {
        self.browser().get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    /// The days that everyone sees.
    async fn days(&self) -> Vec<Value> {
        let text = self.text("/.well-known/statistics.json").await;
        serde_json::from_str::<Value>(&text).unwrap()["days"].as_array().unwrap().clone()
    }
}

/// So many visits of the gallery, each of somebody else.
fn visits(counters: &Counters, count: u32) {
    for n in 0..count {
        counters.count(Counter::GalleryPage, Who::Network(client_network(IpAddr::V4(n.into()))));
    }
}

fn shown(day: &Value, counter: Counter) -> u64 {
    day["counts"][counter.name()].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn a_day_is_published_once_it_is_over_and_once_only() {
    let (app, clock) = at_noon().await;
    for host in 1..=100 {
        let somebody = Client::builder().local_address(IpAddr::from([127, 0, 1, host])).build().unwrap();
        for _ in 0..5 {
            assert_eq!(somebody.get(app.url("/")).send().await.unwrap().status(), 200);
        }
    }
    app.house.publish_statistics().await.unwrap();
    assert!(app.days().await.is_empty(), "the day is not over");
    assert!(app.text("/statistics").await.contains("No day has been published yet"));

    clock.advance(DAY_SECONDS / 2);
    app.house.publish_statistics().await.unwrap();
    let days = app.days().await;
    assert_eq!((days.len(), &days[0]["day"], &days[0]["whole"]), (1, &"2026-11-25".into(), &false.into()));
    let gallery = shown(&days[0], Counter::GalleryPage);
    assert!(gallery.abs_diff(200) < NOISE, "two of each network are counted, not {gallery}");
    assert!(shown(&days[0], Counter::SignedIn) < NOISE);
    let page = app.text("/statistics").await;
    assert!(page.contains(&format!("<td class=\"number\">{gallery}</td>")) && page.contains("fewer than 20"));

    // Noise drawn again would tell more than noise drawn once.
    let again = Arc::new(SetClock::at(NOON));
    let others = Counters::new(Arc::clone(&again) as Arc<dyn Clock>);
    visits(&others, 1_000);
    again.advance(DAY_SECONDS);
    trust::statistics::publish(&app.house.db, &others).await.unwrap();
    assert_eq!(app.days().await, days);

    clock.advance(DAY_SECONDS);
    app.house.publish_statistics().await.unwrap();
    assert_eq!(app.days().await[1]["whole"], true);
    clock.advance(400 * DAY_SECONDS);
    app.house.publish_statistics().await.unwrap();
    assert!(!app.days().await.contains(&days[0]), "a day is kept for 400 days");
}

#[tokio::test]
async fn one_account_that_asks_ten_thousand_times_is_not_seen() {
    let (app, clock) = at_noon().await;
    let key = app.account(1).await;
    // From networks of their own, since one alone would be slowed down.
    let ask = async |host: u8| {
        let client = Client::builder().local_address(IpAddr::from([127, 0, 2, host])).build().unwrap();
        for _ in 0..1_000 {
            let asked = client.get(app.url("/api/generate/v2/requests/none")).bearer_auth(&key);
            assert_eq!(asked.send().await.unwrap().status(), 404);
        }
    };
    tokio::join!(ask(1), ask(2), ask(3), ask(4), ask(5), ask(6), ask(7), ask(8), ask(9), ask(10));
    clock.advance(DAY_SECONDS);
    app.house.publish_statistics().await.unwrap();
    let calls = shown(&app.days().await[0], Counter::ProgramCall);
    assert!(calls < NOISE, "{calls} requests are shown");
}

async fn open(data: &Path, clock: &Arc<SetClock>) -> House {
    let text = data.display().to_string();
    let args = ["t", "--data", &text, "--mail", "terminal", "--anchor-check", "accept"];
    let settings =
        Settings::resolve(&clap::Command::new("t").args(arguments()).get_matches_from(args)).unwrap();
    let Taken::Here(folder) = DataFolder::take(data).unwrap() else { panic!("the folder is taken") };
    House::open_at(settings, folder, Arc::clone(clock) as Arc<dyn Clock>).await.unwrap()
}

#[tokio::test]
async fn a_restart_loses_what_was_counted_and_the_page_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SetClock::at(NOON));
    let house = open(dir.path(), &clock).await;
    visits(&house.counters, 10_000);
    house.close().await;
    drop(house);

    // The rest of the day, and the beginning of the next, which is lost as a whole.
    let house = open(dir.path(), &clock).await;
    clock.advance(DAY_SECONDS);
    house.publish_statistics().await.unwrap();
    visits(&house.counters, 10_000);
    house.close().await;
    drop(house);

    clock.advance(DAY_SECONDS);
    let house = open(dir.path(), &clock).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let bounds = Bounds::default();
    let (router, proxies) = (router(house.clone(), bounds), Arc::clone(&house.proxies));
    tokio::spawn(connections::serve(listener, router, bounds, proxies, CancellationToken::new()));
    let page = reqwest::get(format!("{base}/statistics")).await.unwrap().text().await.unwrap();
    assert!(page.contains("2026-11-25</time> · partly counted"), "{page}");
    let lost = page.split("2026-11-26</time>").nth(1).unwrap();
    assert!(lost.split("</tr>").next().unwrap().contains("not counted: the server was restarted"));
    let json = reqwest::get(format!("{base}/.well-known/statistics.json")).await.unwrap();
    let days = json.json::<Value>().await.unwrap()["days"].as_array().unwrap().clone();
    assert_eq!((days.len(), &days[0]["whole"]), (1, &false.into()));
    assert!(shown(&days[0], Counter::GalleryPage) < NOISE, "what the first process counted is gone");
}

#[tokio::test]
async fn two_accounts_with_opposite_histories_see_the_same_bytes() {
    let (app, clock) = at_noon().await;
    let [busy, idle] = [app.sign_in("busy@example.org").await, app.sign_in("idle@example.org").await];
    for path in ["/", "/?q=fox", "/?q=nothing+like+it", "/studio?start=1", "/a/none"] {
        for _ in 0..20 {
            busy.get(app.url(path)).send().await.unwrap();
        }
    }
    clock.advance(DAY_SECONDS);
    app.house.publish_statistics().await.unwrap();
    for path in ["/", "/?q=fox", "/api/search?q=fox", "/statistics", "/.well-known/statistics.json"] {
        let bytes = async |who: &Client| who.get(app.url(path)).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes(&busy).await, bytes(&idle).await, "{path}");
    }
}
