//! This owns cutting text into terms: words in lower case without accents; pairs of characters where a script has no
//! spaces, so that Chinese and Japanese need no dictionary and nothing is missed.

use tantivy::tokenizer::{BoxTokenStream, Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Bytes of a term; longer ones are numbers or noise.
const TERM_BYTES_MAX: usize = 64;

/// Which terms a run of ideographs gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Pairs and single characters, so that a query of one character finds its place.
    Document,
    /// Pairs, and a single character only where it stands alone.
    Query,
}

/// The terms of a text, in order.
pub(crate) fn terms(text: &str, side: Side) -> Vec<String> {
    let folded = text.nfkd().filter(|c| !is_combining_mark(*c) || is_paired(*c)).flat_map(char::to_lowercase);
    let (mut terms, mut word, mut run) = (Vec::new(), String::new(), Vec::new());
    for c in folded.nfc() {
        if is_paired(c) {
            end_word(&mut word, &mut terms);
            run.push(c);
        } else {
            end_run(&mut run, side, &mut terms);
            if c.is_alphanumeric() { word.push(c) } else { end_word(&mut word, &mut terms) }
        }
    }
    end_word(&mut word, &mut terms);
    end_run(&mut run, side, &mut terms);
    terms
}

fn end_word(word: &mut String, terms: &mut Vec<String>) {
    if !word.is_empty() && word.len() <= TERM_BYTES_MAX {
        terms.push(std::mem::take(word));
    }
    word.clear();
}

fn end_run(run: &mut Vec<char>, side: Side, terms: &mut Vec<String>) {
    if side == Side::Document || run.len() == 1 {
        terms.extend(run.iter().map(char::to_string));
    }
    terms.extend(run.windows(2).map(String::from_iter));
    run.clear();
}

/// Scripts written without spaces, or whose words change too much at their ends.
const fn is_paired(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{0e00}'..='\u{0e7f}' | '\u{20000}'..='\u{3134f}')
}

/// The same for the index.
#[derive(Clone, Default)]
pub(crate) struct DocumentTerms;

pub(crate) struct Stream {
    terms: std::vec::IntoIter<String>,
    token: Token,
}

impl Tokenizer for DocumentTerms {
    type TokenStream<'a> = BoxTokenStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> BoxTokenStream<'a> {
        let token = Token { position: usize::MAX, ..Token::default() };
        BoxTokenStream::new(Stream { terms: terms(text, Side::Document).into_iter(), token })
    }
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        let Some(term) = self.terms.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text = term;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_ideographs_are_paired() {
        assert_eq!(terms("Café, CRÈME-brûlée 8K", Side::Query), ["cafe", "creme", "brulee", "8k"]);
        assert_eq!(terms("赛博朋克 city", Side::Query), ["赛博", "博朋", "朋克", "city"]);
        assert_eq!(terms("猫", Side::Query), ["猫"]);
        assert_eq!(terms("黒猫", Side::Document), ["黒", "猫", "黒猫"]);
        assert_eq!(terms("ガラス", Side::Query), ["ガラ", "ラス"]);
        assert!(terms("🦊 … --", Side::Query).is_empty());
        assert!(terms(&"x".repeat(100), Side::Query).is_empty());
    }
}
