//! This owns a member's prompt: it can be given to an engine and to nothing else.
//! It does not own the public prompts of indexed artwork; those are plain text.

use crate::error::Error;
use crate::limits::PROMPT_CHARS_MAX;
use crate::private::{Private, kind, purpose};
use crate::typed::Typed;

/// What a member asks for. Not printable, serialisable, cloneable or storable.
pub type Prompt = Private<kind::Prompt>;

impl Prompt {
    /// Takes what the member typed, without surrounding space.
    ///
    /// # Errors
    /// `Invalid` when nothing is left, or there are more than [`PROMPT_CHARS_MAX`] characters.
    pub fn parse(typed: impl Into<Typed>) -> Result<Self, Error> {
        let typed = typed.into();
        let words = typed.reveal(purpose::Parse).trim();
        if words.is_empty() {
            return Err(Error::invalid("prompt", "Describe the picture you want: the prompt is empty."));
        }
        if words.chars().count() > PROMPT_CHARS_MAX {
            return Err(Error::invalid(
                "prompt",
                format!("The prompt is longer than {PROMPT_CHARS_MAX} characters. Please shorten it."),
            ));
        }
        Ok(Self::new(words.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_trimmed_and_bounded() {
        let prompt = Prompt::parse("  a red fox \n").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(prompt.reveal(purpose::Develop), "a red fox");
        assert!(Prompt::parse(" \n").is_err());
        assert!(Prompt::parse("画".repeat(PROMPT_CHARS_MAX)).is_ok());
        assert!(Prompt::parse("画".repeat(PROMPT_CHARS_MAX + 1)).is_err());
    }
}
