//! This owns a member's prompt: it can be given to an engine and to nothing else.
//! It does not own the public prompts of indexed artwork; those are plain text.

use crate::error::Error;
use crate::limits::PROMPT_CHARS_MAX;
use crate::private::{Private, Purpose};

/// What a member typed. Not printable, serialisable, cloneable or storable.
#[derive(Debug)]
pub struct Prompt(Private<String>);

impl Prompt {
    /// Takes what the member typed, without surrounding space.
    ///
    /// # Errors
    /// `Invalid` when nothing is left, `TooLarge` above [`PROMPT_CHARS_MAX`] characters.
    pub fn parse(text: String) -> Result<Self, Error> {
        let text = Private::new(text);
        let typed = text.reveal(Purpose::Develop).trim();
        if typed.is_empty() {
            return Err(Error::invalid("prompt", "Describe the picture you want: the prompt is empty."));
        }
        if typed.chars().count() > PROMPT_CHARS_MAX {
            return Err(Error::invalid(
                "prompt",
                format!("The prompt is longer than {PROMPT_CHARS_MAX} characters. Please shorten it."),
            ));
        }
        Ok(Self(Private::new(typed.to_owned())))
    }

    /// The words, for an engine.
    #[must_use]
    pub fn reveal(&self, purpose: Purpose) -> &str {
        self.0.reveal(purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_trimmed_bounded_and_unprintable() {
        let prompt = Prompt::parse("  a red fox \n".into()).unwrap();
        assert_eq!(prompt.reveal(Purpose::Develop), "a red fox");
        assert!(!format!("{prompt:?}").contains("fox"));
        assert!(Prompt::parse(" \n".into()).is_err());
        assert!(Prompt::parse("画".repeat(PROMPT_CHARS_MAX)).is_ok());
        assert!(Prompt::parse("画".repeat(PROMPT_CHARS_MAX + 1)).is_err());
    }
}
