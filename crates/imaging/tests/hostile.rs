//! Hostile, broken and odd pictures: each is decoded within bounds or refused with a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // It is a test.

use std::io::Write;

use imaging::{Picture, Quality, decode, encode_png, encode_webp, thumbnails};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use kernel::Kind;
use proptest::prelude::*;

fn picture(width: u32, height: u32) -> Picture {
    let rgba = (0..width * height)
        .flat_map(|i| [(i % 251) as u8, (i / 7 % 241) as u8, (i % 13 * 19) as u8, 255])
        .collect();
    Picture { width, height, rgba }
}

fn png(color: png::ColorType, depth: png::BitDepth, width: u32, height: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![10, 20, 30, 200, 100, 50]);
        encoder.set_trns(vec![255, 0]);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// A PNG chunk with its checksum.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let mut crc = u32::MAX;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
}

fn gif(frames: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 8, 4, &[255, 0, 0, 0, 0, 255]).unwrap();
    for n in 0..frames {
        let frame = gif::Frame {
            width: 8,
            height: 4,
            buffer: vec![(n % 2) as u8; 32].into(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// A picture without sharp edges, which JPEG keeps nearly as it is. Its sides are no multiples of a block.
fn smooth() -> Picture {
    let (width, height) = (67, 45);
    let rgba = (0..width * height).flat_map(|i| [(i % width * 3) as u8, (i / width * 5) as u8, 90, 255]);
    Picture { width, height, rgba: rgba.collect() }
}

/// A JPEG of [`smooth`], written as cameras and other programs do.
fn jpeg(color: ColorType, written: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let picture = smooth();
    let pixels: Vec<u8> = match color {
        ColorType::Luma => picture.rgba.as_chunks::<4>().0.iter().map(|[r, ..]| *r).collect(),
        ColorType::Rgba => picture.rgba.clone(),
        // Ink is what light is not; this one has no black.
        _ => picture
            .rgba
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, _]| [255 - r, 255 - g, 255 - b, 0])
            .collect(),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 92);
    written(&mut encoder);
    encoder.encode(&pixels, picture.width as u16, picture.height as u16, color).unwrap();
    bytes
}

#[test]
fn every_form_of_jpeg_comes_out_as_rgba() {
    let near = |picture: &Picture, channels: usize| {
        let wanted = smooth();
        assert_eq!((picture.width, picture.height), (wanted.width, wanted.height));
        let pairs = picture.rgba.as_chunks::<4>().0.iter().zip(wanted.rgba.as_chunks::<4>().0);
        let off = pairs.map(|(a, b)| (0..channels).map(|c| u32::from(a[c].abs_diff(b[c]))).sum::<u32>());
        off.sum::<u32>() as f32 / (wanted.width * wanted.height * channels as u32) as f32
    };
    for (name, bytes) in [
        ("baseline", jpeg(ColorType::Rgba, |_| ())),
        ("quarter colours", jpeg(ColorType::Rgba, |to| to.set_sampling_factor(SamplingFactor::F_2_2))),
        ("half colours", jpeg(ColorType::Rgba, |to| to.set_sampling_factor(SamplingFactor::F_2_1))),
        ("progressive", jpeg(ColorType::Rgba, |to| to.set_progressive(true))),
        ("restarts", jpeg(ColorType::Rgba, |to| to.set_restart_interval(3))),
        ("print inks", jpeg(ColorType::Cmyk, |_| ())),
        ("print inks as differences", jpeg(ColorType::CmykAsYcck, |_| ())),
    ] {
        let off = near(&decode(&bytes).unwrap(), 3);
        assert!(off < 4.0, "{name} is {off} off");
    }
    let grey = decode(&jpeg(ColorType::Luma, |_| ())).unwrap();
    assert!(
        near(&grey, 1) < 4.0
            && grey.rgba.as_chunks::<4>().0.iter().all(|[r, g, b, a]| r == g && g == b && *a == 255)
    );
}

#[test]
fn every_form_of_png_comes_out_as_rgba() {
    use png::{BitDepth, ColorType};
    let grey = decode(&png(ColorType::Grayscale, BitDepth::Eight, 2, 1, &[0, 200])).unwrap();
    assert_eq!(grey.rgba, [0, 0, 0, 255, 200, 200, 200, 255]);
    let deep = decode(&png(ColorType::Rgb, BitDepth::Sixteen, 1, 1, &[255, 255, 128, 0, 0, 0])).unwrap();
    assert_eq!(deep.rgba, [255, 128, 0, 255]);
    let one_bit = decode(&png(ColorType::Grayscale, BitDepth::One, 8, 1, &[0b1010_0000])).unwrap();
    assert_eq!(&one_bit.rgba[..8], [255, 255, 255, 255, 0, 0, 0, 255]);
    let palette = decode(&png(ColorType::Indexed, BitDepth::Eight, 2, 1, &[0, 1])).unwrap();
    assert_eq!(palette.rgba, [10, 20, 30, 255, 200, 100, 50, 0]);
}

#[test]
fn an_animation_is_its_first_frame() {
    let first = decode(&gif(3)).unwrap();
    assert_eq!((first.width, first.height, &first.rgba[..4]), (8, 4, &[255, 0, 0, 255][..]));
    assert!(decode(&gif(0)).is_err());
}

#[test]
fn a_header_that_claims_too_much_is_refused_before_memory_is_taken() {
    let header = |w: u32, h: u32| {
        let data = [&w.to_be_bytes()[..], &h.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &data), &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])]
            .concat()
    };
    assert_eq!(decode(&header(60_000, 60_000)).unwrap_err().kind, Kind::TooLarge);
    assert_eq!(decode(&header(16_000, 16_000)).unwrap_err().kind, Kind::TooLarge);
    let mut gif = gif(1);
    gif[6..10].copy_from_slice(&[255, 255, 255, 255]);
    assert_eq!(decode(&gif).unwrap_err().kind, Kind::TooLarge);
    let mut webp = encode_webp(&picture(16, 16), Quality::FULL).unwrap();
    let at = webp.windows(3).position(|w| w == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    webp[at..at + 4].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(decode(&webp).unwrap_err().kind, Kind::TooLarge);
}

#[test]
fn a_huge_colour_profile_is_passed_over() {
    // 64 MiB of zeros in a few kilobytes of deflate, as an iCCP chunk.
    let mut stream = flate(&vec![0; 64 << 20]);
    let mut profile = b"x\0\0".to_vec();
    profile.append(&mut stream);
    let mut bytes = encode_png(&picture(4, 4)).unwrap();
    let after_header = 8 + 25;
    bytes.splice(after_header..after_header, chunk(b"iCCP", &profile));
    assert_eq!(decode(&bytes).unwrap(), picture(4, 4));
}

fn flate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn metadata_does_not_travel() {
    let mut bytes = encode_png(&picture(40, 30)).unwrap();
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0GPSLatitude-CANARY";
    bytes.splice(33..33, [chunk(b"eXIf", exif), chunk(b"tEXt", b"Comment\0CANARY")].concat());
    let photo = jpeg(ColorType::Rgba, |to| {
        to.add_exif_metadata(exif).unwrap();
        to.add_icc_profile(b"CANARY").unwrap();
        to.add_app_segment(13, b"Photoshop 3.0 CANARY".to_vec()).unwrap();
    });
    for (bytes, size) in [(bytes, (30, 40)), (photo, (45, 67))] {
        assert!(bytes.windows(6).any(|window| window == b"CANARY"));
        let upright = decode(&bytes).unwrap();
        assert_eq!((upright.width, upright.height), size, "orientation 6 turns the picture");
        for out in [encode_png(&upright).unwrap(), encode_webp(&upright, Quality::FULL).unwrap()] {
            for mark in [&b"CANARY"[..], b"eXIf", b"EXIF", b"tEXt"] {
                assert!(!out.windows(mark.len()).any(|window| window == mark));
            }
        }
    }
}

#[test]
fn names_and_claims_do_not_matter_but_content_does() {
    for (bytes, kind) in [
        (&b""[..], Kind::Unsupported),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Kind::Unsupported),
        (b"\x89PNG\r\n\x1a\n", Kind::Invalid),
        (b"\xff\xd8\xff", Kind::Invalid),
        (b"GIF89a", Kind::Invalid),
        (b"RIFF\0\0\0\0WEBP", Kind::Invalid),
    ] {
        assert_eq!(decode(bytes).unwrap_err().kind, kind);
    }
}

#[test]
fn what_is_cut_off_is_refused_and_never_panics() {
    let picture = picture(64, 48);
    let photo = jpeg(ColorType::Rgba, |_| ());
    for bytes in [encode_png(&picture).unwrap(), encode_webp(&picture, Quality::FULL).unwrap(), gif(1), photo]
    {
        for sixteenth in 0..16 {
            let cut = bytes.len() * sixteenth / 16;
            assert!(decode(&bytes[..cut]).is_err(), "cut at {sixteenth}/16");
        }
    }
}

#[test]
fn thumbnails_have_their_widths_and_are_never_enlarged() {
    let sizes = |w, h| {
        thumbnails(&picture(w, h))
            .unwrap()
            .iter()
            .map(|t| (t.width_class, t.width, t.height))
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(1024, 512), [(720, 720, 360), (480, 480, 240), (360, 360, 180), (240, 240, 120)]);
    assert_eq!(sizes(300, 3), [(720, 300, 3), (480, 300, 3), (360, 300, 3), (240, 240, 2)]);
    assert!(thumbnails(&picture(1, 4000)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn mutated_files_never_panic(which in 0_usize..5, at in 0_usize..10_000, value: u8, more in prop::collection::vec(any::<u8>(), 0..16)) {
        let picture = picture(32, 24);
        let mut bytes = match which {
            0 => encode_png(&picture).unwrap(),
            1 => encode_webp(&picture, Quality::THUMBNAIL).unwrap(),
            2 => gif(2),
            3 => jpeg(ColorType::Rgba, |_| ()),
            _ => jpeg(ColorType::Rgba, |to| to.set_progressive(true)),
        };
        let at = at % bytes.len();
        bytes[at] = value;
        bytes.splice(at..at, more);
        let _ = decode(&bytes);
    }

    #[test]
    fn random_bytes_behind_a_true_beginning_never_panic(which in 0_usize..4, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let start: &[u8] = [&b"\xff\xd8\xff\xe0"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 ", b"GIF89a"][which];
        let _ = decode(&[start, &tail].concat());
    }
}
