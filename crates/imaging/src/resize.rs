//! This owns making pictures smaller: to a size, into a square, and into the set of thumbnails.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use kernel::{Error, Result};

use crate::{Picture, Quality, encode_webp};

/// Width classes of thumbnails in pixels, the largest first, as each is made from the one before.
const WIDTHS: [u16; 4] = [720, 480, 360, 240];

/// A thumbnail, encoded.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    /// Its class: 240, 360, 480 or 720.
    pub width_class: u16,
    /// Its width, which is less than its class when the picture itself is smaller.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// WebP.
    pub webp: Vec<u8>,
}

/// The picture at another size.
///
/// # Errors
/// `Internal` for a size of zero.
pub fn resize(picture: &Picture, width: u32, height: u32) -> Result<Picture> {
    if (width, height) == (picture.width, picture.height) {
        return Ok(picture.clone());
    }
    let failed = |_| Error::internal("a picture could not be resized");
    let from = ImageRef::new(picture.width, picture.height, &picture.rgba, PixelType::U8x4)
        .map_err(|cause| Error::internal("a picture has the wrong length").because(cause))?;
    let mut to = Image::new(width, height, PixelType::U8x4);
    let opaque = picture.rgba.iter().skip(3).step_by(4).all(|alpha| *alpha == 255);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(!opaque);
    Resizer::new().resize(&from, &mut to, &options).map_err(failed)?;
    Ok(Picture { width, height, rgba: to.into_vec() })
}

/// The picture with its longer side at most `long_side` pixels; never enlarged.
///
/// # Errors
/// As [`resize`].
pub fn fit(picture: &Picture, long_side: u32) -> Result<Picture> {
    let longer = picture.width.max(picture.height);
    if longer <= long_side {
        return Ok(picture.clone());
    }
    let scaled = |side: u32| {
        u32::try_from((u64::from(side) * u64::from(long_side) + u64::from(longer) / 2) / u64::from(longer))
            .unwrap_or(long_side)
            .max(1)
    };
    resize(picture, scaled(picture.width), scaled(picture.height))
}

/// Every thumbnail of a picture, each made from the next larger one.
///
/// # Errors
/// `Internal` when the encoder fails.
pub fn thumbnails(picture: &Picture) -> Result<Vec<Thumbnail>> {
    let mut larger = None;
    let mut thumbnails = Vec::with_capacity(WIDTHS.len());
    for width_class in WIDTHS {
        let source = larger.as_ref().unwrap_or(picture);
        let width = u32::from(width_class).min(picture.width);
        let height = u64::from(picture.height) * u64::from(width) / u64::from(picture.width);
        let small = resize(source, width, u32::try_from(height).unwrap_or(1).clamp(1, 16_383))?;
        let webp = encode_webp(&small, Quality::THUMBNAIL)?;
        thumbnails.push(Thumbnail { width_class, width: small.width, height: small.height, webp });
        larger = Some(small);
    }
    Ok(thumbnails)
}
