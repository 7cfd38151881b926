//! This owns turning the bytes of a picture into pixels, within bounds that are checked before memory is taken.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::limits::{PICTURE_BYTES_MAX, PICTURE_PIXELS_MAX, PICTURE_SIDE_MAX};
use kernel::{Error, Kind, Result};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::format::{Format, sniff};
use crate::{Picture, orientation};

/// Memory a codec may take beside the pixels.
const CODEC_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Decodes a picture: upright, first frame, pixels only.
///
/// # Errors
/// `Unsupported` for other formats, `TooLarge` above the limits of `kernel::limits`, `Invalid` for a broken file.
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(Error::new(Kind::TooLarge, "A picture may have at most 32 MiB."));
    }
    let format = sniff(bytes)?;
    // Decoders have had panics on hostile files; one such file must not take the server along.
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => jpeg(bytes),
        Format::Png => png(bytes),
        Format::Webp => webp(bytes),
        Format::Gif => gif(bytes),
    }));
    let picture = decoded.unwrap_or_else(|_| Err(broken()))?;
    let expected = u64::from(picture.width) * u64::from(picture.height) * 4;
    if expected == 0 || picture.rgba.len() as u64 != expected {
        return Err(broken());
    }
    Ok(picture)
}

fn broken() -> Error {
    Error::new(Kind::Invalid, "The picture is broken and cannot be read. Please save it anew and try again.")
}

/// Refuses a size before anything is allocated for it.
fn check_size(width: u32, height: u32) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX || pixels > PICTURE_PIXELS_MAX {
        return Err(Error::new(
            Kind::TooLarge,
            "A picture may have at most 64 megapixels and 16384 pixels a side.",
        ));
    }
    if pixels == 0 { Err(broken()) } else { Ok(()) }
}

fn jpeg(bytes: &[u8]) -> Result<Picture> {
    let options = DecoderOptions::default()
        .set_max_width(PICTURE_SIDE_MAX as usize)
        .set_max_height(PICTURE_SIDE_MAX as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGBA)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let unreadable = |_| broken();
    decoder.decode_headers().map_err(|cause| {
        let text = cause.to_string();
        if text.contains("width") || text.contains("height") || text.contains("dimension") {
            check_size(u32::MAX, u32::MAX).err().unwrap_or_else(broken)
        } else {
            broken()
        }
    })?;
    let (width, height) = decoder.dimensions().ok_or_else(broken)?;
    let (width, height) =
        (u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX));
    check_size(width, height)?;
    let turned = decoder.exif().map_or(1, |exif| orientation::read(exif));
    let inks =
        decoder.input_colorspace().filter(|space| matches!(space, ColorSpace::CMYK | ColorSpace::YCCK));
    if let Some(inks) = inks {
        // Taken as they are, since the decoder goes astray where it turns print inks into colours with alpha.
        decoder.set_options(options.jpeg_set_out_colorspace(inks));
    }
    let pixels = decoder.decode().map_err(unreadable)?;
    let rgba = match inks {
        Some(inks) => colours(&pixels, inks),
        None => pixels,
    };
    Ok(orientation::apply(Picture { width, height, rgba }, turned))
}

/// The colours of print inks as JPEG carries them: turned round, so that 255 is bare paper.
fn colours(pixels: &[u8], inks: ColorSpace) -> Vec<u8> {
    let round = |value: f32| 255 - value.round().clamp(0.0, 255.0) as u8;
    let shaded = |ink: u8, black: u8| (u32::from(ink) * u32::from(black) / 255) as u8;
    let colour = |[a, b, c, black]: &[u8; 4]| {
        let [y, blue, red] = [f32::from(*a), f32::from(*b) - 128.0, f32::from(*c) - 128.0];
        let paper = match inks {
            ColorSpace::YCCK => {
                [round(y + 1.402 * red), round(y - 0.344_14 * blue - 0.714_14 * red), round(y + 1.772 * blue)]
            }
            _ => [*a, *b, *c],
        };
        let [r, g, b] = paper.map(|ink| shaded(ink, *black));
        [r, g, b, 255]
    };
    pixels.as_chunks::<4>().0.iter().flat_map(colour).collect()
}

fn opaque(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
}

fn png(bytes: &[u8]) -> Result<Picture> {
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: CODEC_BYTES_MAX });
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(|_| broken())?;
    let (width, height) = (header.width, header.height);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(|_| broken())?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or_else(broken)?];
    let frame = reader.next_frame(&mut pixels).map_err(|_| broken())?;
    pixels.truncate(frame.buffer_size());
    let rgba = match frame.color_type {
        png::ColorType::Rgba => pixels,
        png::ColorType::GrayscaleAlpha => {
            pixels.as_chunks::<2>().0.iter().flat_map(|[grey, alpha]| [*grey, *grey, *grey, *alpha]).collect()
        }
        _ => return Err(broken()),
    };
    let turned = reader.info().exif_metadata.as_deref().map_or(1, orientation::read);
    // An animation's first frame may be smaller than its canvas; it is the picture all the same.
    Ok(orientation::apply(Picture { width: frame.width, height: frame.height, rgba }, turned))
}

fn webp(bytes: &[u8]) -> Result<Picture> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    decoder.set_memory_limit(CODEC_BYTES_MAX);
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or_else(broken)?];
    if decoder.is_animated() {
        decoder.read_frame(&mut pixels).map(drop).map_err(|_| broken())?;
    } else {
        decoder.read_image(&mut pixels).map_err(|_| broken())?;
    }
    let rgba = if decoder.has_alpha() { pixels } else { opaque(&pixels) };
    let turned = decoder.exif_metadata().ok().flatten().map_or(1, |exif| orientation::read(&exif));
    Ok(orientation::apply(Picture { width, height, rgba }, turned))
}

fn gif(bytes: &[u8]) -> Result<Picture> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let limit = std::num::NonZeroU64::new(PICTURE_PIXELS_MAX * 4).ok_or_else(broken)?;
    options.set_memory_limit(gif::MemoryLimit::Bytes(limit));
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(|_| broken())?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_size(width, height)?;
    let frame = decoder.read_next_frame().map_err(|_| broken())?.ok_or_else(broken)?;
    let mut rgba = vec![0; width as usize * height as usize * 4];
    let (left, row_bytes) = (usize::from(frame.left) * 4, usize::from(frame.width) * 4);
    if row_bytes == 0 {
        return Err(broken());
    }
    for (y, row) in frame.buffer.chunks_exact(row_bytes).enumerate() {
        let start = (usize::from(frame.top) + y) * width as usize * 4 + left;
        let room = (width as usize * 4).saturating_sub(left).min(row_bytes);
        if let Some(to) = rgba.get_mut(start..start + room) {
            to.copy_from_slice(row.get(..room).unwrap_or_default());
        }
    }
    Ok(Picture { width, height, rgba })
}
