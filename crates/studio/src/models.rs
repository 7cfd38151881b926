//! This owns the list of models on offer, over all engines.

use std::sync::Arc;

use engines::{Engine, Model, Place};
use kernel::{Error, Kind, Result};
use platform::statistics::Counter;

/// The engines of this server and the models they offer.
pub struct Models {
    engines: Vec<Offer>,
}

/// An engine and how many of its pictures may be drawn at the same time.
pub struct Offer {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Pictures at the same time.
    pub width: usize,
}

impl Models {
    /// The models of these engines, in this order; the first is the default.
    #[must_use]
    pub const fn new(engines: Vec<Offer>) -> Self {
        Self { engines }
    }

    /// Every model, the default first.
    pub fn all(&self) -> impl Iterator<Item = &Model> {
        self.engines.iter().flat_map(|offer| offer.engine.models())
    }

    /// The model with this id and the place of its engine; the default for an empty id.
    ///
    /// # Errors
    /// `Invalid` where there is none.
    pub fn get(&self, id: &str) -> Result<(usize, &Model)> {
        self.engines
            .iter()
            .enumerate()
            .flat_map(|(place, offer)| offer.engine.models().iter().map(move |model| (place, model)))
            .find(|(_, model)| id.is_empty() || model.id == id)
            .ok_or_else(|| {
                Error {
                    field: Some("modelId"),
                    ..Error::new(
                        Kind::Invalid,
                        "This model is invalid or inactive here. See /api/models for those on offer.",
                    )
                }
                .with_code("invalid_model")
            })
    }

    /// What a picture of this engine counts as.
    pub(crate) fn counter(&self, engine: usize) -> Counter {
        let model = self.engines.get(engine).and_then(|offer| offer.engine.models().first());
        match model.map(|model| &model.place) {
            Some(Place::Remote(_)) => Counter::MadeElsewhere,
            _ => Counter::MadeHere,
        }
    }

    pub(crate) fn offers(&self) -> &[Offer] {
        &self.engines
    }
}
