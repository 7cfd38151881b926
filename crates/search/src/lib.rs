//! This owns search by words and by meaning: the index, the analysis of text, the sentence encoder.
//! It owns no SQL and no HTTP; an index hit is a candidate that its reader looks up before showing it.

mod index;
pub mod meaning;
mod terms;
mod vectors;
mod words;

pub use index::{Document, Hit, Index};
