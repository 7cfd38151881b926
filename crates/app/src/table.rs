//! This owns the form of the routing table: axum's router with the templates that are in it, and what a route can be given.
//! The routes themselves stand in `routes`.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::routing::MethodRouter;
use platform::http::{RateLimit, count_request};
use platform::log::Routes;

use crate::house::House;

/// The routing table as it grows.
#[derive(Default)]
pub struct Table {
    router: Router<House>,
    templates: Vec<&'static str>,
}

impl Table {
    pub(crate) fn route(mut self, template: &'static str, methods: MethodRouter<House>) -> Self {
        self.templates.push(template);
        Self { router: self.router.route(template, methods), ..self }
    }

    /// The router of these routes, without what holds on all of them.
    pub(crate) fn into_router(self) -> Router<House> {
        self.router
    }

    /// The templates, for the log and the metrics.
    #[must_use]
    pub fn into_routes(self) -> Routes {
        Routes::new(self.templates)
    }
}

/// Routes that each network may ask for so often.
pub(crate) fn limited(limit: &'static RateLimit, methods: MethodRouter<House>) -> MethodRouter<House> {
    methods.layer(from_fn(move |request: Request, next: Next| count_request(limit, request, next)))
}

/// Routes whose requests have a body of up to so many bytes.
pub(crate) fn bodied(bytes_max: usize, methods: MethodRouter<House>) -> MethodRouter<House> {
    methods.layer(DefaultBodyLimit::max(bytes_max))
}
