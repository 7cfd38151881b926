//! This owns the metrics: what the log's events add up to, in the text form that Prometheus reads. A label is a word of a
//! closed list or a registered route, as in the log; there is no label for anything else.

use std::fmt::Write;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kernel::Kind;

use super::event::Event;
use super::gate::Library;
use super::routes::{Route, Routes};
use super::word::{Answer, Delivery, Level, Method, Outcome, Word};

/// A metric as it is documented.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub form: &'static str,
    /// What it measures.
    pub meaning: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
}

const fn metric(
    name: &'static str,
    form: &'static str,
    meaning: &'static str,
    labels: &'static [&'static str],
) -> Metric {
    Metric { name, form, meaning, labels }
}

const REQUESTS: Metric = metric(
    "safelight_requests_total",
    "counter",
    "Requests answered, by method, route and class of status.",
    &["method", "route", "class"],
);
const REQUEST_SECONDS: Metric = metric(
    "safelight_request_seconds",
    "histogram",
    "Time until the head of an answer, by route.",
    &["route"],
);
const FAILURES: Metric = metric(
    "safelight_failures_total",
    "counter",
    "Failures that the operator should know of, by kind.",
    &["kind"],
);
const PANICS: Metric =
    metric("safelight_panics_total", "counter", "Defects that stopped a piece of work.", &[]);
const LIBRARY: Metric = metric(
    "safelight_library_warnings_total",
    "counter",
    "Warnings and errors of libraries, by part and level.",
    &["target", "level"],
);
const MAILS: Metric =
    metric("safelight_mails_total", "counter", "Sign-in mails handed over, by delivery.", &["delivery"]);
const GENERATIONS: Metric =
    metric("safelight_generations_total", "counter", "Generations ended, by outcome.", &["outcome"]);
const GENERATION_SECONDS: Metric = metric(
    "safelight_generation_seconds",
    "histogram",
    "Time of a generation with its wait in the line, by outcome.",
    &["outcome"],
);
const BUILD: Metric =
    metric("safelight_build_info", "gauge", "Always 1; its label is the version.", &["version"]);
const START: Metric = metric(
    "process_start_time_seconds",
    "gauge",
    "When this process opened its log, in seconds since 1970.",
    &[],
);
const RESIDENT: Metric =
    metric("process_resident_memory_bytes", "gauge", "Memory of this process that is in use.", &[]);
const OPEN_FILES: Metric =
    metric("process_open_fds", "gauge", "Files and connections that this process has open.", &[]);

/// Every metric, in the order in which they are shown.
pub const METRICS: &[&Metric] = &[
    &REQUESTS,
    &REQUEST_SECONDS,
    &FAILURES,
    &PANICS,
    &LIBRARY,
    &MAILS,
    &GENERATIONS,
    &GENERATION_SECONDS,
    &BUILD,
    &START,
    &RESIDENT,
    &OPEN_FILES,
];

/// Upper bounds of the buckets of every histogram: a hot thumbnail to a large picture of a remote engine.
const BOUNDS_MICROS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 5_000_000, 15_000_000,
    60_000_000,
];
const MICROS_PER_SECOND: f64 = 1_000_000.0;

#[derive(Debug)]
struct Tally<W>(Vec<AtomicU64>, PhantomData<fn(W)>);

impl<W: Word> Default for Tally<W> {
    fn default() -> Self {
        Self(zeros(W::ALL.len()), PhantomData)
    }
}

impl<W: Word> Tally<W> {
    fn add(&self, word: W) {
        add(&self.0, word.place(), 1);
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        W::ALL.iter().zip(&self.0).map(|(word, count)| (word.word(), count.load(Relaxed)))
    }
}

fn zeros(many: usize) -> Vec<AtomicU64> {
    (0..many).map(|_| AtomicU64::new(0)).collect()
}

fn add(counts: &[AtomicU64], place: usize, more: u64) {
    if let Some(count) = counts.get(place) {
        count.fetch_add(more, Relaxed);
    }
}

#[derive(Debug)]
struct Histogram {
    /// One for each bound, and one for what is longer than all.
    buckets: Vec<AtomicU64>,
    sum_micros: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: zeros(BOUNDS_MICROS.len() + 1), sum_micros: AtomicU64::new(0) }
    }
}

impl Histogram {
    fn add(&self, micros: u64) {
        add(&self.buckets, BOUNDS_MICROS.partition_point(|bound| *bound < micros), 1);
        self.sum_micros.fetch_add(micros, Relaxed);
    }
}

/// What was counted since the process started.
#[derive(Debug)]
pub struct Metrics {
    started_seconds: i64,
    routes: Vec<Route>,
    /// By route, then method, then class.
    requests: Vec<AtomicU64>,
    request_times: Vec<Histogram>,
    failures: Tally<Kind>,
    panics: AtomicU64,
    /// By level, then part.
    library: [Tally<Library>; Level::ALL.len()],
    mails: Tally<Delivery>,
    generations: Tally<Outcome>,
    generation_times: [Histogram; Outcome::ALL.len()],
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(&Routes::default())
    }
}

impl Metrics {
    /// Nothing counted yet, on these routes.
    #[must_use]
    pub fn new(routes: &Routes) -> Self {
        let routes = routes.all().to_vec();
        Self {
            started_seconds: jiff::Timestamp::now().as_second(),
            requests: zeros(routes.len() * Method::ALL.len() * Answer::ALL.len()),
            request_times: routes.iter().map(|_| Histogram::default()).collect(),
            routes,
            failures: Tally::default(),
            panics: AtomicU64::new(0),
            library: Default::default(),
            mails: Tally::default(),
            generations: Tally::default(),
            generation_times: Default::default(),
        }
    }

    pub(super) fn count(&self, event: &Event<'_>) {
        match *event {
            Event::Request { method, route, status, micros } => {
                add(&self.requests, place(route, method, Answer::of(status)), 1);
                if let Some(times) = self.request_times.get(route.number()) {
                    times.add(micros);
                }
            }
            Event::Failure { kind, .. } => self.failures.add(kind),
            Event::Panic { .. } => drop(self.panics.fetch_add(1, Relaxed)),
            Event::Library { target, level } => {
                if let Some(tally) = self.library.get(level.place()) {
                    tally.add(target);
                }
            }
            Event::Mail { delivery } => self.mails.add(delivery),
            Event::Generation { outcome, millis } => {
                self.generations.add(outcome);
                if let Some(times) = self.generation_times.get(outcome.place()) {
                    times.add(millis.saturating_mul(1_000));
                }
            }
            // What comes once or seldom is read in the log.
            _ => {}
        }
    }

    /// Everything, as Prometheus reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut page = Page(String::new());
        self.show_requests(&mut page);
        page.tally(&FAILURES, &self.failures);
        page.begin(&PANICS);
        page.sample(&PANICS, &[], self.panics.load(Relaxed));
        page.begin(&LIBRARY);
        for (level, tally) in Level::ALL.iter().zip(&self.library) {
            tally.each().for_each(|(part, count)| page.sample(&LIBRARY, &[part, level.word()], count));
        }
        page.tally(&MAILS, &self.mails);
        page.tally(&GENERATIONS, &self.generations);
        page.begin(&GENERATION_SECONDS);
        for (outcome, times) in Outcome::ALL.iter().zip(&self.generation_times) {
            page.histogram(&GENERATION_SECONDS, outcome.word(), times);
        }
        page.begin(&BUILD);
        page.sample(&BUILD, &[env!("CARGO_PKG_VERSION")], 1);
        let started = u64::try_from(self.started_seconds).unwrap_or(0);
        for (metric, value) in
            [(&START, Some(started)), (&RESIDENT, resident_bytes()), (&OPEN_FILES, open_files())]
        {
            page.begin(metric);
            if let Some(value) = value {
                page.sample(metric, &[], value);
            }
        }
        page.0
    }

    fn show_requests(&self, page: &mut Page) {
        page.begin(&REQUESTS);
        for route in &self.routes {
            for method in Method::ALL {
                for class in Answer::ALL {
                    let count = self.requests.get(place(*route, *method, *class));
                    let count = count.map_or(0, |count| count.load(Relaxed));
                    if count > 0 {
                        page.sample(&REQUESTS, &[method.word(), route.template(), class.word()], count);
                    }
                }
            }
        }
        page.begin(&REQUEST_SECONDS);
        for (route, times) in self.routes.iter().zip(&self.request_times) {
            page.histogram(&REQUEST_SECONDS, route.template(), times);
        }
    }
}

fn place(route: Route, method: Method, class: Answer) -> usize {
    (route.number() * Method::ALL.len() + method.place()) * Answer::ALL.len() + class.place()
}

/// The text as it grows.
struct Page(String);

impl Page {
    fn begin(&mut self, metric: &Metric) {
        let Metric { name, form, meaning, .. } = metric;
        let _ = writeln!(self.0, "# HELP {name} {meaning}\n# TYPE {name} {form}");
    }

    fn sample(&mut self, metric: &Metric, values: &[&'static str], number: u64) {
        self.line(metric.name, "", metric.labels, values, &number.to_string());
    }

    fn tally<W: Word>(&mut self, metric: &Metric, tally: &Tally<W>) {
        self.begin(metric);
        tally.each().for_each(|(word, count)| self.sample(metric, &[word], count));
    }

    /// Buckets that add up, their sum and their count; nothing where nothing was timed.
    fn histogram(&mut self, metric: &Metric, value: &'static str, times: &Histogram) {
        let buckets: Vec<u64> = times.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let count: u64 = buckets.iter().sum();
        if count == 0 {
            return;
        }
        let label = metric.labels.first().copied().unwrap_or_default();
        let mut below = 0;
        let bounds = BOUNDS_MICROS.iter().map(|bound| (*bound as f64 / MICROS_PER_SECOND).to_string());
        for (bound, bucket) in bounds.chain(["+Inf".to_owned()]).zip(&buckets) {
            below += bucket;
            let _ = writeln!(self.0, "{}_bucket{{{label}=\"{value}\",le=\"{bound}\"}} {below}", metric.name);
        }
        let sum = times.sum_micros.load(Relaxed) as f64 / MICROS_PER_SECOND;
        self.line(metric.name, "_sum", metric.labels, &[value], &sum.to_string());
        self.line(metric.name, "_count", metric.labels, &[value], &count.to_string());
    }

    fn line(&mut self, name: &str, end: &str, labels: &[&str], values: &[&'static str], number: &str) {
        let pairs: Vec<String> =
            labels.iter().zip(values).map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let pairs = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.0, "{name}{end}{pairs} {number}");
    }
}

/// Nothing where the system does not say.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// As [`resident_bytes`]; the folder that is read is open itself meanwhile, and does not count.
fn open_files() -> Option<u64> {
    Some((std::fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}
