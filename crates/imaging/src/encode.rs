//! This owns turning pixels into bytes: WebP for pages, PNG for downloads, thumbhash for placeholders.

use kernel::{Error, Kind, Result};

use crate::Picture;

/// How well WebP keeps a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// 0 to 100.
    lossy: f32,
    /// Effort of the encoder, 0 to 6; 2 is 1.8 times as fast as 4 for 3 % more bytes.
    method: i32,
}

impl Quality {
    /// For thumbnails and previews.
    pub const THUMBNAIL: Self = Self { lossy: 76.0, method: 2 };
    /// For the largest form on a page.
    pub const FULL: Self = Self { lossy: 86.0, method: 2 };
}

/// Longer side of the picture a placeholder is made from.
const PLACEHOLDER_SIDE: u32 = 100;

/// Encodes a picture as WebP.
///
/// # Errors
/// `TooLarge` above 16,383 pixels a side, the limit of the format.
pub fn encode_webp(picture: &Picture, quality: Quality) -> Result<Vec<u8>> {
    let failed = || Error::internal("a picture could not be encoded");
    if picture.width > 16_383 || picture.height > 16_383 {
        return Err(Error::new(Kind::TooLarge, "The picture is too large to be shown."));
    }
    let mut config = webp::WebPConfig::new().map_err(|()| failed())?;
    config.quality = quality.lossy;
    config.method = quality.method;
    config.alpha_compression = 1;
    let encoder = webp::Encoder::from_rgba(&picture.rgba, picture.width, picture.height);
    let encoded = encoder.encode_advanced(&config).map_err(|_| failed())?;
    Ok(encoded.to_vec())
}

/// Encodes a picture as PNG, fast, without any text.
///
/// # Errors
/// `Internal` when the encoder fails.
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>> {
    encode_png_credited(picture, "")
}

/// Encodes a picture as PNG, with a line that credits the sources of its shapes; nothing else is written beside the
/// pixels.
///
/// # Errors
/// `Internal` when the encoder fails, or for a credit that is not Latin-1.
pub fn encode_png_credited(picture: &Picture, credit: &str) -> Result<Vec<u8>> {
    let failed = |cause: png::EncodingError| Error::internal("a picture could not be encoded").because(cause);
    let opaque = picture.rgba.iter().skip(3).step_by(4).all(|alpha| *alpha == 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width, picture.height);
    encoder.set_color(if opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
    encoder.set_compression(png::Compression::Fast);
    if !credit.is_empty() {
        encoder.add_text_chunk("Copyright".to_owned(), credit.to_owned()).map_err(failed)?;
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    if opaque {
        let rgb: Vec<u8> =
            picture.rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
        writer.write_image_data(&rgb).map_err(failed)?;
    } else {
        writer.write_image_data(&picture.rgba).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// The thumbhash of a picture, about 25 bytes.
#[must_use]
pub fn placeholder(picture: &Picture) -> Vec<u8> {
    let small = crate::fit(picture, PLACEHOLDER_SIDE).unwrap_or_else(|_| picture.clone());
    thumbhash::rgba_to_thumb_hash(small.width as usize, small.height as usize, &small.rgba)
}
