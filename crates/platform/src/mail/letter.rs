//! This owns the form of a mail: said once, and shown as plain text and as HTML.
//! The HTML asks nobody for anything, and takes its colours from the mail client, so that it is dark where the client is.

use askama::Template;
use kernel::{Error, Locale, Result};

/// A mail without an address.
pub struct Letter {
    /// Its language.
    pub locale: Locale,
    /// Subject line.
    pub subject: String,
    /// What it says, from the top.
    pub parts: Vec<Part>,
}

/// A part of a mail.
pub enum Part {
    /// A sentence or two.
    Words(String),
    /// What is to be typed.
    Code(String),
    /// What is read last.
    Aside(String),
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Page<'a> {
    letter: &'a Letter,
    /// A mail brings its style along.
    style: &'static str,
}

impl Letter {
    /// As plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Words(text) | Part::Aside(text) => format!("{text}\n"),
            Part::Code(text) => format!("    {text}\n"),
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    /// As a page of HTML.
    pub(super) fn html(&self) -> Result<String> {
        let style = concat!("<style>\n", include_str!("letter.css"), "</style>");
        let page = Page { letter: self, style };
        page.render().map_err(|cause| Error::internal("a mail could not be rendered").because(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        let parts = vec![
            Part::Words("Your code & more:".into()),
            Part::Code("1234 5678".into()),
            Part::Aside("<b>Ignore</b> it.".into()),
        ];
        Letter { locale: Locale::Japanese, subject: "Safelight".into(), parts }
    }

    #[test]
    fn both_forms_say_the_same_and_neither_lets_markup_in() {
        let text = letter().text();
        assert_eq!(text, "Your code & more:\n\n    1234 5678\n\n<b>Ignore</b> it.\n");
        let html = letter().html().unwrap();
        assert!(html.contains("lang=\"ja\"") && html.contains("1234 5678"), "{html}");
        assert!(!html.contains("<b>") && html.contains("code &#38; more"), "{html}");
    }

    #[test]
    fn the_page_asks_nobody_for_anything_and_is_dark_where_the_client_is() {
        let html = letter().html().unwrap();
        for way_out in ["http", "//", "url(", "src=", "href=", "@import", "<script"] {
            assert!(!html.contains(way_out), "{way_out}");
        }
        assert!(html.contains("color-scheme"));
    }
}
