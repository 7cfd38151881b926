//! This owns aspect ratios and the picture sizes made from them.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// Width to height, in lowest terms, each between 1 and 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Width term.
    pub width: u32,
    /// Height term.
    pub height: u32,
}

impl Ratio {
    /// A square.
    pub const SQUARE: Self = Self { width: 1, height: 1 };

    /// Pixel size whose longer side is `long_side_px`; the other is rounded to a multiple of 8.
    #[must_use]
    pub fn size_px(self, long_side_px: u32) -> (u32, u32) {
        let short = |a: u32, b: u32| ((long_side_px * a / b + 4) / 8 * 8).max(8);
        if self.width >= self.height {
            (long_side_px, short(self.height, self.width))
        } else {
            (short(self.width, self.height), long_side_px)
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.width, self.height)
    }
}

impl FromStr for Ratio {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let term = |part: &str| part.parse::<u32>().ok().filter(|term| (1..=32).contains(term));
        text.split_once(':')
            .and_then(|(width, height)| Some(Self { width: term(width)?, height: term(height)? }))
            .ok_or_else(|| Error::invalid("aspectRatio", "An aspect ratio looks like 16:9."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_the_long_side() {
        assert_eq!(Ratio::SQUARE.size_px(1024), (1024, 1024));
        assert_eq!("16:9".parse::<Ratio>().unwrap().size_px(1024), (1024, 576));
        assert_eq!("2:3".parse::<Ratio>().unwrap().size_px(1536), (1024, 1536));
        assert!("0:9".parse::<Ratio>().is_err());
        assert!("9".parse::<Ratio>().is_err());
    }
}
