//! This owns accepting a wish for a picture: every field checked before anything is held, written or drawn.

use std::str::FromStr;
use std::sync::Arc;

use accounts::Terms;
use engines::Model;
use imaging::Picture;
use kernel::limits::REFERENCES_PER_REQUEST_MAX;
use kernel::{Error, Kind, Prompt, Ratio, Result};

use crate::models::Models;

/// The door an order came through, which decides the credits that pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A page: daily credits first.
    Page,
    /// An API key: purchased and granted credits only.
    Key,
}

impl Door {
    pub(crate) const fn terms(self, basic: Basic) -> Terms {
        match (self, basic) {
            (Self::Key, _) => Terms::PurchasedOnly,
            (Self::Page, Basic::Yes) => Terms::DailyFirst,
            (Self::Page, Basic::No) => Terms::WithoutDaily,
        }
    }
}

/// Whether daily credits pay for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basic {
    Yes,
    No,
}

/// What was asked for beside the words, as it came.
#[derive(Clone, Default)]
pub struct Asked {
    /// Model id; empty for the default.
    pub model: String,
    /// `16:9`, or `auto` or empty to let the server choose.
    pub ratio: String,
    /// Name of a resolution; empty for the default.
    pub resolution: String,
    /// Id of a technique; empty to let the prompt decide.
    pub technique: String,
    /// Seed; empty for a random one.
    pub seed: String,
    /// Reference pictures.
    pub references: Vec<Picture>,
}

/// An order in which every field is right.
pub struct Order {
    /// Place of the engine among those on offer.
    pub(crate) engine: usize,
    /// Price.
    pub(crate) credits: u32,
    /// Whether daily credits pay.
    pub(crate) basic: Basic,
    /// Aspect ratio.
    pub(crate) ratio: Ratio,
    /// What the engine is given.
    pub(crate) request: engines::Request,
}

impl Order {
    /// Id of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.request.model
    }

    /// Checks an order against what the model can do.
    ///
    /// # Errors
    /// `Invalid` with the field at fault and, where the API names one, a code.
    pub fn parse(prompt: Arc<Prompt>, asked: Asked, models: &Models) -> Result<Self> {
        let (engine, model) = models.get(&asked.model)?;
        if asked.references.len() > model.references_max.min(REFERENCES_PER_REQUEST_MAX) {
            let words = format!("{} takes at most {} reference pictures.", model.name, model.references_max);
            return Err(Error::invalid("referenceImages", words).with_code("too_many_references"));
        }
        let ratio = ratio(&asked.ratio, model, asked.references.first())?;
        let long_side_px = resolution(&asked.resolution, model)?;
        let technique = Some(asked.technique).filter(|technique| !technique.is_empty());
        if technique.as_ref().is_some_and(|technique| !model.techniques.contains(technique)) {
            return Err(Error::invalid(
                "technique",
                format!("{} does not offer this technique.", model.name),
            ));
        }
        let seed = match asked.seed.trim() {
            "" => rand::random::<u32>().into(),
            seed => {
                u64::from_str(seed).map_err(|_| Error::invalid("seed", "A seed is a whole number from 0."))?
            }
        };
        Ok(Self {
            engine,
            credits: model.credits,
            basic: if model.basic { Basic::Yes } else { Basic::No },
            ratio,
            request: engines::Request {
                prompt,
                model: model.id.clone(),
                size_px: ratio.size_px(long_side_px),
                seed,
                technique,
                references: asked.references,
            },
        })
    }
}

fn ratio(asked: &str, model: &Model, reference: Option<&Picture>) -> Result<Ratio> {
    if asked.is_empty() || asked == "auto" {
        return Ok(closest(model, reference));
    }
    let unsupported = || {
        let list: Vec<String> = model.ratios.iter().map(ToString::to_string).collect();
        let words =
            format!("This aspect ratio is not supported by {}. It draws {}.", model.name, list.join(", "));
        Error { kind: Kind::Invalid, ..Error::invalid("aspectRatio", words) }
    };
    asked.parse().ok().filter(|ratio| model.ratios.contains(ratio)).ok_or_else(unsupported)
}

/// The model's ratio that is closest to the reference picture's, or its first.
fn closest(model: &Model, reference: Option<&Picture>) -> Ratio {
    let first = model.ratios.first().copied().unwrap_or(Ratio::SQUARE);
    let Some(reference) = reference else { return first };
    let target = f64::from(reference.width) / f64::from(reference.height);
    let distance = |ratio: &Ratio| (f64::from(ratio.width) / f64::from(ratio.height) / target).ln().abs();
    model.ratios.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(first)
}

fn resolution(asked: &str, model: &Model) -> Result<u32> {
    model
        .resolutions
        .iter()
        .find(|(name, _)| asked.is_empty() || name == asked)
        .map(|(_, long_side_px)| *long_side_px)
        .ok_or_else(|| {
            let list: Vec<&str> = model.resolutions.iter().map(|(name, _)| name.as_str()).collect();
            let words =
                format!("{} does not offer this resolution. It draws {}.", model.name, list.join(", "));
            Error::invalid("resolution", words).with_code("unsupported_resolution")
        })
}
