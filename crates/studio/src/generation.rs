//! This owns what a generation is: one picture a member asked for. It holds no word of the prompt.

use kernel::Id;
use kernel::clock::UnixSeconds;
use serde::{Deserialize, Serialize};

/// How far a generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waiting or being drawn.
    Processing,
    /// Its picture is kept.
    Completed,
    /// It has no picture, and its credits were given back.
    Failed,
}

impl State {
    /// The value in the database and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        [Self::Processing, Self::Completed]
            .into_iter()
            .find(|state| state.name() == name)
            .unwrap_or(Self::Failed)
    }
}

/// One picture that a member asked for.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Record in the vault; whoever knows it may ask for its state.
    pub id: Id,
    /// Whose it is.
    pub account: Id,
    /// The hold that pays for it.
    pub hold: Id,
    /// How far it is.
    pub state: State,
    /// When it was asked for.
    pub created_at: UnixSeconds,
    /// What it is like.
    pub details: Details,
}

/// What a generation is like; sealed in its row.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Details {
    /// Why it failed, in words for its owner.
    pub failure: String,
    /// Id of the model.
    pub model: String,
    /// Aspect ratio, as `16:9`.
    pub ratio: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Price.
    pub credits: u32,
}
