//! This owns telling picture formats apart by their first bytes, never by a name or a claim.

use kernel::{Error, Kind, Result};

/// A format that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// GIF, of which the first frame is taken.
    Gif,
}

/// The format of a file.
///
/// # Errors
/// `Unsupported` for anything else.
pub fn sniff(bytes: &[u8]) -> Result<Format> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Format::Webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Format::Gif),
        _ => Err(Error::new(Kind::Unsupported, "This is not a JPEG, PNG, WebP or GIF picture.")),
    }
}
