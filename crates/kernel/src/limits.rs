//! This owns the limits that more than one crate keeps.

/// Characters of a prompt.
pub const PROMPT_CHARS_MAX: usize = 16_384;
/// Bytes of one picture file, uploaded or imported.
pub const PICTURE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Pixels along one side of a decoded picture.
pub const PICTURE_SIDE_MAX: u32 = 16_384;
/// Pixels of a decoded picture.
pub const PICTURE_PIXELS_MAX: u64 = 64_000_000;
/// Pictures one request may ask for.
pub const PICTURES_PER_REQUEST_MAX: u32 = 4;
/// Reference pictures one request may bring.
pub const REFERENCES_PER_REQUEST_MAX: usize = 4;
/// Artworks on one sheet of the gallery.
pub const SHEET_ARTWORKS: usize = 48;
