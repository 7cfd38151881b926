//! This owns what happens to a picture between its bytes and its pixels: sniffing, bounded decoding, orientation,
//! resizing, encoding, placeholders and fingerprints. It does not store or serve anything.

mod decode;
mod encode;
mod fingerprint;
mod format;
mod orientation;
mod palette;
pub mod picture;
mod resize;

pub use decode::decode;
pub use encode::{Quality, encode_png, encode_png_credited, encode_webp, placeholder};
pub use fingerprint::{Fingerprint, distance, fingerprint};
pub use format::{Format, sniff};
pub use palette::palette;
pub use picture::Picture;
pub use resize::{Thumbnail, fit, resize, thumbnails};
