//! This owns what the studio's pages show: plain data, and the templates beside it.

use platform::ui::{Page, Said};

/// A model to choose.
pub struct ModelView {
    /// Id in the form.
    pub id: String,
    /// Name.
    pub name: String,
    /// One honest sentence.
    pub description: String,
    /// Host it is sent to; none when it stays here.
    pub host: Option<String>,
    /// Price of one picture.
    pub credits: u32,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A picture that is kept or that failed.
pub struct Print {
    /// Id of the generation.
    pub id: String,
    /// Whether there is a picture.
    pub completed: bool,
    /// Why there is none.
    pub failure: Said,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Name of the model.
    pub model: String,
    /// Day of the history it stands under.
    pub day: String,
}

/// A picture that waits or is being drawn.
pub struct Developing {
    /// Id of the generation.
    pub id: String,
    /// Place in line; 0 when it is being drawn.
    pub position: usize,
    /// Steps done.
    pub step: u32,
    /// Steps in all.
    pub steps: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The history of one day.
pub struct Day {
    /// The day.
    pub name: String,
    /// Its prints, the newest first.
    pub prints: Vec<Print>,
}

/// `GET /studio`.
#[derive(askama::Template)]
#[template(path = "studio.html")]
pub struct StudioPage {
    /// The frame.
    pub page: Page,
    /// A prompt to begin with, from a public artwork.
    pub prompt: String,
    /// Models, the default first.
    pub models: Vec<ModelView>,
    /// Techniques of the built-in engine.
    pub techniques: Vec<String>,
    /// Aspect ratios.
    pub ratios: Vec<String>,
    /// Names of resolutions, the smallest first.
    pub resolutions: Vec<String>,
    /// The resolution that is chosen.
    pub resolution: String,
    /// Credits that can be spent here.
    pub credits: u32,
    /// What is developing.
    pub developing: Vec<Developing>,
    /// What was developed.
    pub history: Vec<Day>,
    /// Whether there is so little that a prompt to begin with helps.
    pub few: bool,
    /// What went wrong.
    pub wrong: Option<Said>,
}

/// `GET /studio/compare`.
#[derive(askama::Template)]
#[template(path = "compare.html")]
pub struct ComparePage {
    /// The frame.
    pub page: Page,
    /// The pictures.
    pub prints: Vec<Print>,
}

/// Asks once more before pictures are deleted, for browsers without scripts.
#[derive(askama::Template)]
#[template(path = "delete.html")]
pub struct DeletePage {
    /// The frame.
    pub page: Page,
    /// Ids of the generations.
    pub ids: Vec<String>,
    /// Those of them that have a picture to show.
    pub pictured: Vec<String>,
}
