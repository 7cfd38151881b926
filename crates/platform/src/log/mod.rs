//! This owns the log: one sink for everything that this process says while it serves. Each event is one line on standard
//! error, and is counted on the way. What a line may hold is in [`event`]; nothing a visitor sent can be a part of it, by type.

mod docs;
mod event;
mod gate;
mod known;
mod line;
mod metrics;
mod routes;
mod word;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Kind;

pub use docs::markdown;
pub use event::Event;
pub use gate::{LIBRARIES, Library};
pub use known::knows;
pub use metrics::{METRICS, Metrics};
pub use routes::{Route, Routes};
pub use word::{Answer, Delivery, Level, Method, Notice, Outcome, Word};

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The log of this process, and what it has counted.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    form: Form,
    routes: Routes,
    metrics: Metrics,
    sink: Sink,
}

#[derive(Debug, Default)]
enum Sink {
    #[default]
    StandardError,
    /// For tests.
    Kept(Mutex<Vec<u8>>),
}

impl Log {
    /// A log that writes lines of this form on standard error and knows these routes.
    #[must_use]
    pub fn new(form: Form, routes: Routes) -> Self {
        Self(Arc::new(Inner { form, metrics: Metrics::new(&routes), routes, sink: Sink::StandardError }))
    }

    /// A log that keeps its lines in memory, for tests.
    #[must_use]
    pub fn kept(form: Form, routes: Routes) -> Self {
        let sink = Sink::Kept(Mutex::default());
        Self(Arc::new(Inner { form, metrics: Metrics::new(&routes), routes, sink }))
    }

    /// The lines of a log that keeps them.
    #[must_use]
    pub fn lines(&self) -> String {
        let Sink::Kept(lines) = &self.0.sink else { return String::new() };
        String::from_utf8_lossy(&lines.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Writes an event and counts it. A log that cannot be written does not stop the server.
    pub fn write(&self, event: Event<'_>) {
        self.0.metrics.count(&event);
        line::with(self.0.form, event, |line| match &self.0.sink {
            // One write, since nothing gathers them on the way.
            Sink::StandardError => drop(std::io::stderr().lock().write_all(line)),
            Sink::Kept(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line),
        });
    }

    /// Writes a failure, where it is one the operator should know of.
    pub fn failure(&self, error: &kernel::Error) {
        if matches!(error.kind, Kind::Internal | Kind::StorageFull | Kind::Upstream | Kind::Unavailable) {
            self.write(Event::Failure { kind: error.kind, place: error.location });
        }
    }

    /// The route of a template that a request matched.
    #[must_use]
    pub fn route(&self, template: Option<&str>) -> Route {
        self.0.routes.find(template)
    }

    /// What was counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// A panic says where it happened, as an event of this log, and nothing of what it was handling.
    pub fn catch_panics(&self) {
        let log = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            if let Some(place) = panic.location() {
                log.write(Event::Panic { place });
            }
        }));
    }

    /// Makes this the sink of the whole process: of panics, and of what libraries say.
    pub fn take_over(&self) {
        self.catch_panics();
        gate::install(self.clone());
    }
}

#[cfg(test)]
mod tests;
