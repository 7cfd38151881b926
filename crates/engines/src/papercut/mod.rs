//! This owns Papercut, the built-in engine: it reads a prompt, composes a scene from library figures and prints it.
//! It is composition, not diffusion, and says so.

mod colour;
mod draw;
mod layout;
mod lexicon;
pub mod library;
mod print;
pub mod read;
pub mod reading;
mod scene;
pub mod skin;
mod ties;

use std::sync::Arc;

use kernel::{Error, Ratio, Result};
use search::meaning::Encoder;

pub use draw::draw;
use library::Library;
use reading::Technique;

use crate::{Developing, Engine, Model, Place, Progress, Request, State};

/// Whose shapes the pictures are made of; every picture carries it.
const CREDIT: &str = "Shapes: game-icons.net contributors (CC BY 3.0), Fluent Emoji by Microsoft (MIT), Noto Emoji by Google (Apache-2.0); composed and printed by Papercut";

/// The built-in engine.
pub struct Papercut {
    models: Vec<Model>,
    parts: Arc<Parts>,
}

struct Parts {
    library: Library,
    encoder: Option<Arc<Encoder>>,
}

impl Papercut {
    /// An engine over a packed library. Without one it draws places without figures; without an encoder it finds
    /// figures by keyword alone.
    ///
    /// # Errors
    /// `Internal` for a damaged library.
    pub fn new(library: Option<&'static [u8]>, encoder: Option<Arc<Encoder>>) -> Result<Self> {
        let library = library.map_or_else(|| Ok(Library::empty()), Library::from_bytes)?;
        Ok(Self { models: vec![model()], parts: Arc::new(Parts { library, encoder }) })
    }
}

fn model() -> Model {
    let ratio = |width, height| Ratio { width, height };
    Model {
        id: "papercut".to_owned(),
        name: "Papercut".to_owned(),
        description:
            "Composes a scene from a library of shapes and prints it by hand-made rules. No diffusion, no \
            download, no network: it understands simple subjects and places, and nothing leaves this server."
                .to_owned(),
        provider: "Safelight".to_owned(),
        place: Place::Here,
        credits: 1,
        basic: true,
        ratios: vec![
            ratio(1, 1),
            ratio(3, 2),
            ratio(2, 3),
            ratio(4, 3),
            ratio(3, 4),
            ratio(16, 9),
            ratio(9, 16),
            ratio(21, 9),
        ],
        resolutions: [("1K", 1024), ("512", 512), ("2K", 2048), ("4K", 4096)]
            .map(|(name, px)| (name.to_owned(), px))
            .into(),
        techniques: Technique::ALL.map(|technique| technique.id().to_owned()).into(),
        references_max: 1,
        seconds_p50: 1,
        credit: CREDIT.to_owned(),
    }
}

impl Engine for Papercut {
    fn models(&self) -> &[Model] {
        &self.models
    }

    fn develop(&self, request: Request, progress: Progress) -> Developing<'_> {
        let parts = Arc::clone(&self.parts);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                let reading = read::read(&request.prompt, &parts.library, parts.encoder.as_deref());
                let technique = request.technique.as_deref();
                let technique = Technique::ALL.into_iter().find(|own| Some(own.id()) == technique);
                let reference = request.references.first();
                draw(
                    &reading,
                    request.size_px,
                    request.seed,
                    technique,
                    reference,
                    &mut |step, steps, preview| {
                        progress.report(State { step, steps, preview: preview.map(Arc::new) })
                    },
                )
            })
            .await
            .map_err(|_| Error::internal("drawing stopped"))?
        })
    }
}
