//! This owns showing what was counted: the same numbers to everyone, as a page and as JSON. There is no other view of them.

mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts::{MaybeMember, day_text};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use platform::db::Db;
use platform::http::{Html, Reply, Visitor};
use platform::statistics::{Counter, Counters, EPSILON, EVENT_MAX, PERSON_MAX, SCALE, SHOWN_MIN};
use platform::ui::{Nav, Page, Site, say};
use serde_json::{Value, json};

use store::Published;
pub use store::publish;

/// Days on the page.
const DAYS: i64 = 30;
/// Width of a day in a chart, and height of the chart, in its own units.
const BAR: i64 = 4;
const CHART: u32 = 24;
/// How long a browser may keep the numbers; they change once a day.
const FRESH: &str = "public, max-age=600";

/// A counter over the days.
struct Line {
    label: String,
    latest: Option<u32>,
    bars: Vec<Bar>,
}

/// A day of a chart.
struct Bar {
    x: i64,
    height: u32,
    whole: bool,
}

/// All counters of a day; none for one that a restart has lost.
struct Row {
    day: String,
    whole: bool,
    counts: Option<Vec<Option<u32>>>,
}

#[derive(askama::Template)]
#[template(path = "statistics/statistics.html")]
struct StatisticsPage {
    page: Page,
    limits: [(&'static str, u32); 4],
    lines: Vec<Line>,
    rows: Vec<Row>,
    few: u32,
    width: i64,
    height: u32,
}

/// `GET /statistics`.
pub async fn statistics(
    State(db): State<Db>,
    State(counters): State<Counters>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
) -> Reply<impl IntoResponse> {
    let published = store::list(&db).await?;
    let days = calendar(&published, &counters);
    let label = |counter: &Counter| say(visitor.locale, &format!("counter-{}", counter.name()));
    let title = say(visitor.locale, "statistics-title");
    Ok(Html(StatisticsPage {
        page: Page::new(&site, &visitor, Nav::Other, title).for_member(member.0.as_ref()),
        limits: [
            ("statistics-of-one", EVENT_MAX.into()),
            ("statistics-in-all", PERSON_MAX.into()),
            ("statistics-budget", EPSILON.into()),
            ("statistics-shown", SHOWN_MIN),
        ],
        lines: Counter::ALL.iter().map(|counter| line(label(counter), counter.name(), &days)).collect(),
        rows: days.iter().rev().map(|(day, published)| row(*day, *published)).collect(),
        few: SHOWN_MIN,
        width: DAYS * BAR,
        height: CHART,
    }))
}

/// `GET /.well-known/statistics.json`: every day that is kept, in the same numbers.
pub async fn statistics_json(State(db): State<Db>) -> Reply<impl IntoResponse> {
    let published = store::list(&db).await?;
    let days: Vec<Value> = published
        .iter()
        .map(|one| json!({ "day": day_text(one.day), "whole": one.whole, "epsilon": one.budget, "counts": one.counts }))
        .collect();
    let answer = json!({
        "noise": { "distribution": "discrete Laplace", "scale": SCALE, "epsilon": EPSILON, "delta": 0 },
        "personPerDay": { "ofOneEvent": EVENT_MAX, "inAll": PERSON_MAX },
        "nullMeansFewerThan": SHOWN_MIN,
        "days": days,
    });
    Ok(([(header::CACHE_CONTROL, FRESH)], Json(answer)))
}

/// The last days up to the newest that can be there, each with what was published of it. Days before the first are left out.
fn calendar<'a>(published: &'a [Published], counters: &Counters) -> Vec<(i64, Option<&'a Published>)> {
    let Some(first) = published.first() else { return Vec::new() };
    let yesterday = counters.today() - 1;
    // What is over and waits for its row is not lost.
    let waiting = counters.ended().iter().filter(|ended| ended.day > first.day).map(|ended| ended.day).min();
    let last = waiting.map_or(yesterday, |waiting| waiting - 1);
    let by_day: BTreeMap<i64, &Published> = published.iter().map(|one| (one.day, one)).collect();
    (first.day.max(last - DAYS + 1)..=last).map(|day| (day, by_day.get(&day).copied())).collect()
}

fn count(published: Option<&Published>, name: &str) -> Option<u32> {
    published?.counts.get(name).copied().flatten()
}

fn line(label: String, name: &str, days: &[(i64, Option<&Published>)]) -> Line {
    let most = days.iter().filter_map(|(_, published)| count(*published, name)).max().unwrap_or(1);
    let start = DAYS - i64::try_from(days.len()).unwrap_or(DAYS);
    let bars = days.iter().zip(start..).filter_map(|((_, published), place)| {
        let shown = count(*published, name).unwrap_or(0);
        let height = (u64::from(shown) * u64::from(CHART) / u64::from(most)).max(1);
        let height = u32::try_from(height).unwrap_or(CHART);
        Some(Bar { x: place * BAR, height, whole: (*published)?.whole })
    });
    let latest = days.iter().rev().find_map(|(_, published)| *published);
    Line { label, latest: count(latest, name), bars: bars.collect() }
}

fn row(day: i64, published: Option<&Published>) -> Row {
    let counts = published.map(|_| Counter::ALL.iter().map(|one| count(published, one.name())).collect());
    Row { day: day_text(day), whole: published.is_some_and(|one| one.whole), counts }
}
