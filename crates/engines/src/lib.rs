//! This owns everything that can draw: the [`Engine`] trait and one module per engine.
//! It does not know accounts, credits, queues or storage.

pub mod openai;
pub mod papercut;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use imaging::Picture;
use kernel::{Prompt, Ratio, Result};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where the words of a prompt go when a model is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Drawn in this process: nothing leaves the machine.
    Here,
    /// Sent to this host (name only, for the page that says so before it happens).
    Remote(String),
}

/// A model that an engine offers.
#[derive(Clone, Debug)]
pub struct Model {
    /// Stable id, as in the API: `papercut`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence for people: what it is, honestly.
    pub description: String,
    /// Who made it.
    pub provider: String,
    /// Where it runs.
    pub place: Place,
    /// Price of one picture, in credits.
    pub credits: u32,
    /// Whether daily credits pay for it.
    pub basic: bool,
    /// Ratios it can draw.
    pub ratios: Vec<Ratio>,
    /// Resolutions it can draw: name as in the API and the longer side in pixels, the default first.
    pub resolutions: Vec<(String, u32)>,
    /// Techniques the caller may choose from, by stable id (Papercut only).
    pub techniques: Vec<String>,
    /// Reference pictures it can use.
    pub references_max: usize,
    /// Seconds a picture usually takes.
    pub seconds_p50: u32,
    /// Who is to be credited in its pictures, in a line of Latin-1; empty for nobody.
    pub credit: String,
}

/// What to draw.
pub struct Request {
    /// The member's words, which several pictures of one order share.
    pub prompt: Arc<Prompt>,
    /// Which of the engine's models.
    pub model: String,
    /// Width and height in pixels.
    pub size_px: (u32, u32),
    /// Same request and seed give the same picture where the engine can promise it.
    pub seed: u64,
    /// A technique's id, if the caller chose one.
    pub technique: Option<String>,
    /// Reference pictures, already stripped.
    pub references: Vec<Picture>,
}

/// What is known of a running job; the latest state only.
#[derive(Clone, Default)]
pub struct State {
    /// Steps done, of `steps`.
    pub step: u32,
    /// Steps in all; 0 when not known yet.
    pub steps: u32,
    /// A small preview of the picture.
    pub preview: Option<Arc<Picture>>,
}

/// How an engine tells what it is doing and hears that it should stop.
#[derive(Clone)]
pub struct Progress {
    state: watch::Sender<State>,
    cancel: CancellationToken,
}

impl Progress {
    /// A handle that reports to `state` and stops on `cancel`.
    #[must_use]
    pub const fn new(state: watch::Sender<State>, cancel: CancellationToken) -> Self {
        Self { state, cancel }
    }

    /// Reports a step.
    ///
    /// # Errors
    /// `Cancelled` once the caller has asked to stop; the engine returns it at once.
    pub fn report(&self, state: State) -> Result<()> {
        self.state.send_replace(state);
        self.check()
    }

    /// # Errors
    /// `Cancelled` once the caller has asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(kernel::Error::new(kernel::Kind::Cancelled, "Cancelled. Nothing was charged."));
        }
        Ok(())
    }

    /// Resolves when the caller has asked to stop.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }
}

/// The future that [`Engine::develop`] returns.
pub type Developing<'a> = Pin<Box<dyn Future<Output = Result<Picture>> + Send + 'a>>;

/// Something that draws pictures from prompts.
pub trait Engine: Send + Sync {
    /// The models it offers.
    fn models(&self) -> &[Model];

    /// Draws one picture of `request.size_px`, reporting each step; returns pixels, never a file.
    ///
    /// # Errors
    /// `Cancelled` within one step of a cancellation, `Upstream` or `Unavailable` with a reason the member can act on.
    fn develop(&self, request: Request, progress: Progress) -> Developing<'_>;
}
