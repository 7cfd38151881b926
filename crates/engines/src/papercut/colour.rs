//! This owns colours and the palettes that hold a picture together.

use super::reading::{Hour, Mood, Reading, Season, Setting, Weather};

/// sRGB, 0 to 1.
pub(super) type Rgb = [f32; 3];

pub(super) const fn hex(rgb: u32) -> Rgb {
    [((rgb >> 16) & 255) as f32 / 255.0, ((rgb >> 8) & 255) as f32 / 255.0, (rgb & 255) as f32 / 255.0]
}

pub(super) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

pub(super) fn luma(c: Rgb) -> f32 {
    0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]
}

/// The colour with its lightness moved to `light`, hue and most of its chroma kept.
pub(super) fn at_luma(c: Rgb, light: f32) -> Rgb {
    let now = luma(c).max(0.001);
    if light < now {
        c.map(|v| v * light / now)
    } else {
        mix(c, [1.0; 3], ((light - now) / (1.0 - now).max(0.001)).clamp(0.0, 1.0))
    }
}

/// The inks of a scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    pub sky_top: Rgb,
    pub sky_low: Rgb,
    pub far: Rgb,
    pub mid: Rgb,
    pub near: Rgb,
    pub fore: Rgb,
    pub light: Rgb,
    pub dark: Rgb,
    pub accent: Rgb,
    pub water: Rgb,
}

const fn palette(c: [u32; 10]) -> Palette {
    Palette {
        sky_top: hex(c[0]),
        sky_low: hex(c[1]),
        far: hex(c[2]),
        mid: hex(c[3]),
        near: hex(c[4]),
        fore: hex(c[5]),
        light: hex(c[6]),
        dark: hex(c[7]),
        accent: hex(c[8]),
        water: hex(c[9]),
    }
}

const DAY: [Palette; 8] = [
    palette([
        0x6fb0c4, 0xf6e4bf, 0xa8c3b4, 0x6d9f83, 0x3d7560, 0x1d4a45, 0xfff4d8, 0x14302f, 0xe2552d, 0x4f97a8,
    ]),
    palette([
        0xf0cf9c, 0xfbefd6, 0xc9c2a0, 0x8fa87e, 0x567f63, 0x2a5348, 0xfff6e0, 0x1c3733, 0xd8482f, 0x6ea9a4,
    ]),
    palette([
        0x4f8fc0, 0xe8efe4, 0x9fbfd0, 0x6aa3a0, 0x4d8a5e, 0x245a45, 0xfffbe8, 0x15323a, 0xf2a33a, 0x3f85ae,
    ]),
    palette([
        0xf3b294, 0xfff0d9, 0xe3b6a4, 0x83a89d, 0x33747a, 0x17434f, 0xfff8e6, 0x0d2730, 0xdd4f2c, 0x7fb7b5,
    ]),
    palette([
        0xedc25c, 0xfaeabf, 0xcdb97f, 0x7d9a8c, 0x3c6478, 0x1f3a54, 0xfff7de, 0x12233a, 0xd9442f, 0x6f9aa6,
    ]),
    palette([
        0xa3d2c6, 0xfdeadf, 0xeeb9ad, 0x8fb59b, 0x4a8578, 0x22504f, 0xfffaf0, 0x173638, 0xe85f5f, 0x86bfc0,
    ]),
    palette([
        0xa9b8e4, 0xfbeee0, 0xc3badb, 0x8f9cc4, 0x5a6f9e, 0x2e3f6b, 0xfffaf0, 0x1b2748, 0xee7f42, 0x8fb0d8,
    ]),
    palette([
        0xd3d9ba, 0xf8f1da, 0xc3c29b, 0x98a274, 0x647850, 0x384b39, 0xfdf8e6, 0x222f26, 0xc4492b, 0x8fb0a8,
    ]),
];
const DAWN: [Palette; 4] = [
    palette([
        0x7590bd, 0xf8cbb2, 0xb9a0b6, 0x7f7ca3, 0x4d517d, 0x282b50, 0xffe8cc, 0x1a1b3a, 0xf1745a, 0x8f9cc0,
    ]),
    palette([
        0xa5b8c4, 0xfbdcc0, 0xc5b3ae, 0x94968f, 0x5f7270, 0x324a4e, 0xfff0dc, 0x1f3136, 0xe8825c, 0x9fb5ba,
    ]),
    palette([
        0xf2a99a, 0xfde3c4, 0xd9a7a4, 0xa98a9c, 0x6f6788, 0x3d3b5f, 0xfff1da, 0x24233f, 0xe5563f, 0xc79fab,
    ]),
    palette([
        0x8cc0bd, 0xfde0bd, 0xb3bfa9, 0x7fa08f, 0x4a7672, 0x234b52, 0xfff4dc, 0x15323b, 0xf0805a, 0x8fbdb6,
    ]),
];
const GOLDEN: [Palette; 4] = [
    palette([
        0xe39a5a, 0xfcdf9f, 0xd29263, 0xa86147, 0x703a41, 0x3d2034, 0xfff2c8, 0x27142b, 0xf6b73c, 0xc98a5a,
    ]),
    palette([
        0xd9b36c, 0xfbe8b8, 0xb9a06a, 0x85824f, 0x52623f, 0x2c4034, 0xfff6d4, 0x1b2b25, 0xe0662c, 0xa9a574,
    ]),
    palette([
        0xf0a53c, 0xfbe3a6, 0xd8a860, 0x9c8a58, 0x4f6b62, 0x263f4b, 0xfff4cc, 0x172a35, 0xd8432c, 0xa8a488,
    ]),
    palette([
        0xdd8a66, 0xfbdcae, 0xc88c78, 0x8f6a72, 0x5b4a66, 0x332c4c, 0xfff0cf, 0x201a36, 0xf3ae3d, 0xb98a80,
    ]),
];
const SUNSET: [Palette; 4] = [
    palette([
        0x5a3b75, 0xf67c5b, 0xa24d6d, 0x6e3466, 0x412353, 0x24163b, 0xffd888, 0x180e2d, 0xffb545, 0x8d4a78,
    ]),
    palette([
        0x2f4f74, 0xf5a05a, 0x9a6a6f, 0x5f4d68, 0x3a3b58, 0x20263f, 0xffe2a0, 0x141a2e, 0xf2553c, 0x6d6480,
    ]),
    palette([
        0xc9403a, 0xf9b45c, 0xb5483f, 0x8a3140, 0x58243c, 0x301630, 0xffe3a3, 0x200e24, 0xffcf5c, 0xa84a4a,
    ]),
    palette([
        0x3c6a78, 0xf7b48a, 0xb98378, 0x7a6a72, 0x465a66, 0x22394a, 0xffe9c0, 0x14252f, 0xef5f3c, 0x6f8a8c,
    ]),
];
const DUSK: [Palette; 3] = [
    palette([
        0x273a62, 0xba8fab, 0x606893, 0x404d7a, 0x2a375d, 0x172240, 0xf8e0c6, 0x0e162d, 0xf2a660, 0x55628f,
    ]),
    palette([
        0x1f4654, 0xd9a38a, 0x587b80, 0x3a5f68, 0x254752, 0x132e3a, 0xfae3c8, 0x0b1f2a, 0xf08a4b, 0x4b7480,
    ]),
    palette([
        0x4a3a6e, 0xe3a9a0, 0x836a94, 0x5f4f80, 0x413a66, 0x241f45, 0xfbe4cc, 0x161230, 0xf4b45a, 0x6d5f92,
    ]),
];
const NIGHT: [Palette; 5] = [
    palette([
        0x101d42, 0x35528a, 0x2b4775, 0x1f375f, 0x15284a, 0x0b1833, 0xf6eac6, 0x070f25, 0xf3ba4d, 0x28477c,
    ]),
    palette([
        0x0c2432, 0x2f6664, 0x25504f, 0x1a3d40, 0x122d33, 0x091d24, 0xf5edcf, 0x061319, 0xef8354, 0x245a60,
    ]),
    palette([
        0x1f1540, 0x6a3f7d, 0x4a3270, 0x35265a, 0x241a45, 0x140f2d, 0xfbe6d0, 0x0d0920, 0xff7a59, 0x4b367c,
    ]),
    palette([
        0x0b2a45, 0x3f7f94, 0x2c5f78, 0x1d4760, 0x12334a, 0x0a2033, 0xf8efd2, 0x061524, 0xf6c453, 0x2f6a84,
    ]),
    palette([
        0x17203a, 0x5d6a8c, 0x434f72, 0x313b5b, 0x222a46, 0x131930, 0xfbf0d4, 0x0b0f20, 0xe9604a, 0x46547c,
    ]),
];

/// The palette of a reading; `turn` picks among those that fit.
pub(super) fn choose(reading: &Reading, turn: usize, reference: &[[u8; 3]]) -> Palette {
    let pick = |of: &[Palette]| of[turn % of.len()];
    let mut palette = match reading.hour {
        Hour::Day => pick(&DAY),
        Hour::Dawn => pick(&DAWN),
        Hour::GoldenHour => pick(&GOLDEN),
        Hour::Sunset => pick(&SUNSET),
        Hour::Dusk => pick(&DUSK),
        Hour::Night => pick(&NIGHT),
    };
    let ground = match (reading.setting, reading.season) {
        (Setting::Desert | Setting::Beach, _) => Some((hex(0xe2a866), 0.62)),
        (Setting::Snowfield, _) | (_, Some(Season::Winter)) => Some((hex(0xdfe9f0), 0.62)),
        (_, Some(Season::Autumn)) => Some((hex(0xc9622c), 0.5)),
        (_, Some(Season::Spring)) => Some((hex(0x9fbf6a), 0.35)),
        (Setting::Jungle | Setting::Forest, _) => Some((hex(0x2c6b4a), 0.35)),
        _ => None,
    };
    if let Some((tint, strength)) = ground {
        palette.tint_ground(tint, strength);
    }
    let weather = match reading.weather {
        Weather::Storm => Some((hex(0x32465c), 0.55)),
        Weather::Rain => Some((hex(0x5d6f7d), 0.42)),
        Weather::Fog => Some((hex(0xc9cfcb), 0.34)),
        Weather::Cloudy => Some((hex(0x9aa6aa), 0.25)),
        _ => None,
    };
    if let Some((tint, strength)) = weather {
        palette.overcast(tint, strength);
    }
    let mood = match reading.mood {
        Some(Mood::Dreamy) => Some((hex(0xd9a4d8), 0.18)),
        Some(Mood::Mysterious | Mood::Dramatic) => Some((hex(0x1b1730), 0.22)),
        Some(Mood::Melancholy) => Some((hex(0x6f8296), 0.26)),
        Some(Mood::Joyful | Mood::Energetic) => Some((hex(0xffc84a), 0.12)),
        Some(Mood::Cosy) => Some((hex(0xd9824a), 0.16)),
        _ => None,
    };
    if let Some((tint, strength)) = mood {
        palette.sky_top = mix(palette.sky_top, tint, strength);
        palette.sky_low = mix(palette.sky_low, tint, strength * 0.6);
        palette.far = mix(palette.far, tint, strength * 0.7);
    }
    let named = reading.colours.iter().chain(reference).map(|c| c.map(|v| f32::from(v) / 255.0));
    for (place, colour) in named.take(4).enumerate() {
        palette.adopt(place, colour, if reference.is_empty() { 0.5 } else { 0.72 });
    }
    palette
}

impl Palette {
    /// Takes the colour of heavy air in; it never makes a night lighter.
    fn overcast(&mut self, tint: Rgb, strength: f32) {
        for (colour, share) in [
            (&mut self.sky_top, 1.0),
            (&mut self.sky_low, 0.72),
            (&mut self.far, 0.7),
            (&mut self.water, 0.6),
            (&mut self.mid, 0.4),
        ] {
            let light = luma(tint).min(luma(*colour) * 1.15);
            *colour = mix(*colour, at_luma(tint, light), strength * share);
        }
    }

    fn tint_ground(&mut self, tint: Rgb, strength: f32) {
        for (colour, share) in
            [(&mut self.far, 0.7), (&mut self.mid, 0.9), (&mut self.near, 1.0), (&mut self.fore, 0.7)]
        {
            // Lightness rises only part of the way, so that the depths stay apart.
            let light = luma(*colour) + (luma(tint) - luma(*colour)) * strength * share * 0.75;
            *colour = at_luma(mix(*colour, tint, (strength * share * 1.3).min(0.9)), light);
        }
    }

    /// Takes a named colour in, where its lightness already is.
    fn adopt(&mut self, place: usize, colour: Rgb, strength: f32) {
        let take = |old: Rgb, share: f32| at_luma(mix(old, colour, strength * share), luma(old));
        match place {
            0 => {
                self.sky_top = take(self.sky_top, 1.0);
                self.far = take(self.far, 0.9);
                self.mid = take(self.mid, 0.8);
                self.water = take(self.water, 1.0);
            }
            1 => {
                self.accent = colour;
                self.sky_low = take(self.sky_low, 0.9);
            }
            2 => {
                self.near = take(self.near, 1.0);
                self.fore = take(self.fore, 0.8);
            }
            _ => self.light = take(self.light, 0.6),
        }
    }

    /// The main inks, dark to light, for techniques with few of them.
    pub(super) fn inks(&self) -> [Rgb; 8] {
        [self.dark, self.fore, self.near, self.mid, self.accent, self.far, self.sky_low, self.light]
    }
}
