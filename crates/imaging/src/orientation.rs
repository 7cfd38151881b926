//! This owns the one thing that is read from EXIF: which way up the picture is.

use crate::Picture;

/// EXIF tag of the orientation.
const TAG: u16 = 0x0112;
/// Entries of a directory that are looked at.
const ENTRIES_MAX: u16 = 512;

/// The orientation, 1 to 8, in a TIFF structure as EXIF carries it; 1 when there is none.
pub(crate) fn read(exif: &[u8]) -> u8 {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    find(tiff).filter(|value| (1..=8).contains(value)).unwrap_or(1)
}

fn find(tiff: &[u8]) -> Option<u8> {
    let big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let pair = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let quad = *tiff.get(4..)?.first_chunk::<4>()?;
    let directory =
        usize::try_from(if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) }).ok()?;
    let entries = u16_at(directory)?.min(ENTRIES_MAX);
    (0..usize::from(entries))
        .map(|entry| directory + 2 + entry * 12)
        .find(|at| u16_at(*at) == Some(TAG))
        .and_then(|at| u16_at(at + 8))
        .and_then(|value| u8::try_from(value).ok())
}

/// Turns and mirrors the pixels so that the picture stands upright without a tag.
pub(crate) fn apply(picture: Picture, orientation: u8) -> Picture {
    if !(2..=8).contains(&orientation) {
        return picture;
    }
    let (w, h) = (picture.width as usize, picture.height as usize);
    let swapped = orientation >= 5;
    let width = if swapped { h } else { w };
    let mut rgba = vec![0_u8; picture.rgba.len()];
    for (index, to) in rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = (index % width, index / width);
        let (from_x, from_y) = match orientation {
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (y, h - 1 - x),
            7 => (w - 1 - y, h - 1 - x),
            _ => (w - 1 - y, x),
        };
        let from = (from_y * w + from_x) * 4;
        to.copy_from_slice(picture.rgba.get(from..from + 4).unwrap_or(&[0; 4]));
    }
    let (width, height) =
        if swapped { (picture.height, picture.width) } else { (picture.width, picture.height) };
    Picture { width, height, rgba }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corner values of a 3 by 2 picture whose pixels are numbered row by row.
    fn corners(orientation: u8) -> [u8; 4] {
        let rgba = (0..6_u8).flat_map(|n| [n, 0, 0, 255]).collect();
        let turned = apply(Picture { width: 3, height: 2, rgba }, orientation);
        let at = |x: u32, y: u32| turned.rgba[((y * turned.width + x) * 4) as usize];
        [at(0, 0), at(turned.width - 1, 0), at(0, turned.height - 1), at(turned.width - 1, turned.height - 1)]
    }

    #[test]
    fn each_orientation_puts_the_corners_where_exif_says() {
        let expected = [
            [0, 2, 3, 5],
            [2, 0, 5, 3],
            [5, 3, 2, 0],
            [3, 5, 0, 2],
            [0, 3, 2, 5],
            [3, 0, 5, 2],
            [5, 2, 3, 0],
            [2, 5, 0, 3],
        ];
        for (orientation, corner) in (1..=8).zip(expected) {
            assert_eq!(corners(orientation), corner, "{orientation}");
        }
    }

    #[test]
    fn the_tag_is_found_in_both_byte_orders_and_nonsense_is_upright() {
        assert_eq!(read(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"), 6);
        assert_eq!(read(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0"), 8);
        for junk in [&b""[..], b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0"] {
            assert_eq!(read(junk), 1);
        }
    }
}
