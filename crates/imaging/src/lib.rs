//! This owns what happens to a picture between its bytes and its pixels: sniffing, bounded decoding, orientation,
//! resizing, encoding, placeholders and fingerprints. It does not store or serve anything.

pub mod picture;

pub use picture::Picture;
