//! This owns the tests of the log: its schema, its lines, its gate and its metrics.

use std::collections::BTreeSet;
use std::panic::Location;

use super::event::Reader;
use super::gate::Gate;
use super::*;

const SOURCE: &str = include_str!("event.rs");
/// What must not come through, in whatever part of a library's words.
const CANARY: &str = "ada.canary@example.org";

fn routes() -> Routes {
    Routes::new(["/", "/a/{id}"])
}

/// The variants of the enum as they are written.
fn variants() -> BTreeSet<&'static str> {
    let body = SOURCE.split_once("pub enum Event<'a> {").unwrap().1.split_once("\n}").unwrap().0;
    body.lines()
        .filter_map(|line| line.trim().split([' ', ',']).next())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_event_is_described_and_the_document_is_the_programs_own() {
    let sampled: Vec<String> = Event::SAMPLES.iter().map(|event| format!("{event:?}")).collect();
    let sampled: BTreeSet<&str> = sampled.iter().map(|text| text.split([' ', '{']).next().unwrap()).collect();
    assert_eq!(sampled, variants(), "an event without a sample is missing from the document");
    for event in Event::SAMPLES {
        event.describe(&mut Described(0));
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/logging.md");
    let kept = std::fs::read_to_string(root).unwrap();
    assert!(kept.trim_end() == markdown().trim_end(), "docs/logging.md is stale; run: cargo x docs");
}

/// Asks that nothing is left without words.
struct Described(usize);

impl Described {
    fn say(&mut self, name: &str, texts: &[&str]) {
        self.0 += 1;
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !name.is_empty(), "{name}");
        assert!(texts.iter().all(|text| text.len() > 5), "{name} is not described");
    }
}

impl Reader for Described {
    fn event(&mut self, name: &'static str, meaning: &'static str, when: &'static str) {
        self.say(name, &[meaning, when]);
    }
    fn number(&mut self, name: &'static str, _: u64, _: event::Unit, meaning: &'static str) {
        self.say(name, &[meaning]);
    }
    fn word<W: Word>(&mut self, name: &'static str, value: W, meaning: &'static str) {
        self.say(name, &[meaning]);
        assert!(W::ALL.contains(&value), "{name} holds a word outside its list");
        for word in W::ALL {
            let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
            assert!(word.word().chars().all(plain), "{} would need escapes", word.word());
        }
    }
    fn route(&mut self, name: &'static str, _: Route, meaning: &'static str) {
        self.say(name, &[meaning]);
    }
    fn place(&mut self, name: &'static str, _: &Location<'_>, meaning: &'static str) {
        self.say(name, &[meaning]);
    }
}

#[test]
fn closed_lists_are_whole() {
    fn whole<W: Word>(last: W, number: usize) {
        assert_eq!((W::ALL.len(), last.place()), (number + 1, number));
        let words: BTreeSet<_> = W::ALL.iter().map(|word| word.word()).collect();
        assert_eq!(words.len(), W::ALL.len(), "a word stands twice");
    }
    whole(Kind::Internal, Kind::Internal as usize);
    whole(Method::Other, Method::Other as usize);
    whole(Answer::Fails, Answer::Fails as usize);
    whole(Outcome::Cancelled, Outcome::Cancelled as usize);
    whole(Delivery::GivenUp, Delivery::GivenUp as usize);
    whole(Level::Error, Level::Error as usize);
    whole(Notice::FiguresMissing, Notice::FiguresMissing as usize);
}

#[test]
fn lines_are_json_or_for_people() {
    for form in [Form::Json, Form::Pretty] {
        let log = Log::kept(form, routes());
        Event::SAMPLES.iter().for_each(|event| log.write(*event));
        log.write(Event::Request {
            method: Method::Get,
            route: log.route(Some("/a/{id}")),
            status: 200,
            micros: u64::MAX,
        });
        let lines = log.lines();
        assert_eq!(lines.lines().count(), Event::SAMPLES.len() + 1);
        let last = lines.lines().last().unwrap();
        assert!(last.contains("/a/{id}") && last.contains("18446744073709551615"), "{last}");
        for line in lines.lines().filter(|_| form == Form::Json) {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(object["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
            assert!(object["event"].is_string(), "{line}");
        }
    }
}

#[test]
fn what_is_no_template_is_no_route() {
    let routes = routes();
    assert_eq!(routes.find(Some("/a/{id}")).template(), "/a/{id}");
    assert_eq!(routes.find(Some("/a/ada.canary@example.org")), Route::NONE);
    assert_eq!(routes.find(None), Route::NONE);
}

#[test]
fn nothing_of_a_librarys_words_comes_through_the_gate() {
    let log = Log::kept(Form::Json, routes());
    let gate = Gate(log.clone());
    for target in ["sqlx::query", "tantivy::indexer", "sqlx::query_canary", CANARY] {
        for level in [log::Level::Error, log::Level::Warn, log::Level::Info] {
            let mut record = log::Record::builder();
            record.target(target).level(level).module_path(Some(CANARY)).file(Some(CANARY));
            log::Log::log(&gate, &record.args(format_args!("{CANARY}")).build());
        }
    }
    assert_eq!(log.lines().lines().count(), 4, "{}", log.lines());
    tracing::subscriber::with_default(gate, || {
        let span = tracing::warn_span!(target: "sqlx::query", "span", canary = CANARY);
        let _inside = span.enter();
        tracing::warn!(target: "sqlx::query", canary = CANARY, "{CANARY}");
        tracing::error!(target: "hyper", canary = CANARY, "{CANARY}");
        tracing::info!(target: "hyper", canary = CANARY, "{CANARY}");
        tracing::error!(target: "unheard::of", canary = CANARY, "{CANARY}");
    });
    let (lines, metrics) = (log.lines(), log.metrics().text());
    assert_eq!(lines.lines().count(), 6, "{lines}");
    assert!(!lines.contains("canary") && !metrics.contains("canary"), "{lines}\n{metrics}");
    for counted in [
        "{target=\"sqlx::query\",level=\"warning\"} 2",
        "{target=\"sqlx::query\",level=\"error\"} 1",
        "{target=\"hyper\",level=\"error\"} 1",
    ] {
        assert!(metrics.contains(&format!("safelight_library_warnings_total{counted}\n")), "{metrics}");
    }
}

#[test]
fn facades_are_not_cut_off_at_build() {
    assert!(log::STATIC_MAX_LEVEL >= log::LevelFilter::Warn, "a feature max_level_* loses warnings");
    let kept = tracing::level_filters::STATIC_MAX_LEVEL;
    assert!(kept >= tracing::level_filters::LevelFilter::WARN, "a feature max_level_* loses warnings");
}

#[test]
fn counts_are_those_of_the_events() {
    let log = Log::kept(Form::Pretty, routes());
    Event::SAMPLES.iter().for_each(|event| log.write(*event));
    for micros in [100, 101, 70_000_000] {
        let route = log.route(Some("/"));
        log.write(Event::Request { method: Method::Post, route, status: 303, micros });
    }
    let text = log.metrics().text();
    for line in [
        "safelight_requests_total{method=\"GET\",route=\"-\",class=\"4xx\"} 1",
        "safelight_requests_total{method=\"POST\",route=\"/\",class=\"3xx\"} 3",
        "safelight_request_seconds_bucket{route=\"/\",le=\"0.0001\"} 1",
        "safelight_request_seconds_bucket{route=\"/\",le=\"0.00025\"} 2",
        "safelight_request_seconds_bucket{route=\"/\",le=\"60\"} 2",
        "safelight_request_seconds_bucket{route=\"/\",le=\"+Inf\"} 3",
        "safelight_request_seconds_count{route=\"/\"} 3",
        "safelight_failures_total{kind=\"internal\"} 1",
        "safelight_panics_total 1",
        "safelight_mails_total{delivery=\"accepted\"} 1",
        "safelight_generations_total{outcome=\"completed\"} 1",
        "safelight_generation_seconds_sum{outcome=\"completed\"} 0.261",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_panic_says_where_and_not_what() {
    let log = Log::kept(Form::Json, routes());
    log.catch_panics();
    let caught = std::panic::catch_unwind(|| panic!("{CANARY}"));
    drop(std::panic::take_hook());
    assert!(caught.is_err());
    let lines = log.lines();
    assert!(lines.contains("\"event\":\"panic\",\"place\":\"") && lines.contains("log/tests.rs:"), "{lines}");
    assert!(!lines.contains("canary"), "{lines}");
}
