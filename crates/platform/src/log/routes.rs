//! This owns the templates of routes, as the log and the metrics name them. They are registered by the routing table before
//! the first request; afterwards a template can be found among them, and none can be made.

use std::collections::HashMap;

/// A route that the program has, by its template, such as `/a/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    number: usize,
    template: &'static str,
}

impl Route {
    /// Where no route matched.
    pub const NONE: Self = Self { number: 0, template: "-" };

    /// As the routing table has it.
    #[must_use]
    pub const fn template(self) -> &'static str {
        self.template
    }

    /// Its place among all of them.
    pub(super) const fn number(self) -> usize {
        self.number
    }
}

/// Every route.
#[derive(Debug)]
pub struct Routes {
    all: Vec<Route>,
    by_template: HashMap<&'static str, Route>,
}

impl Default for Routes {
    fn default() -> Self {
        Self::new([])
    }
}

impl Routes {
    /// Those of these templates, and the one for what matches none.
    #[must_use]
    pub fn new(templates: impl IntoIterator<Item = &'static str>) -> Self {
        let templates = templates.into_iter().enumerate();
        let all: Vec<Route> = [Route::NONE]
            .into_iter()
            .chain(templates.map(|(place, template)| Route { number: place + 1, template }))
            .collect();
        let by_template = all.iter().map(|route| (route.template, *route)).collect();
        Self { all, by_template }
    }

    /// The route of a template. Whatever is not registered is none, so that nothing of a request comes back from here.
    #[must_use]
    pub fn find(&self, template: Option<&str>) -> Route {
        template.and_then(|template| self.by_template.get(template)).copied().unwrap_or(Route::NONE)
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> &[Route] {
        &self.all
    }
}
