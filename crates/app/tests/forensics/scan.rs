//! This owns searching bytes for marks in every form in which they could have been written.

use std::collections::HashMap;
use std::io::Read;

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, HEXLOWER, HEXUPPER};

/// What stands in every canary, once in 17 bytes.
pub(crate) const MARK: &[u8; 12] = b"zq7Xw-canary";
/// Digits behind it.
const NUMBER_DIGITS: usize = 5;
/// Bytes that decide whether a place is looked at closely.
const PREFIX: usize = 8;
/// Bytes that are unpacked of what looks packed.
const UNPACKED_MAX: u64 = 4096;
/// How packed bytes begin: gzip, and zlib at its levels.
const PACKED_STARTS: [[u8; 2]; 5] = [[0x1f, 0x8b], [0x78, 0x01], [0x78, 0x5e], [0x78, 0x9c], [0x78, 0xda]];
/// What two bytes may begin.
const PATTERN: u8 = 1;
const PACKED: u8 = 2;
/// Bytes that are looked at together, and unpacked at most from there.
const BLOCK: usize = 4096;
static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// Text in which the mark comes back every 17 bytes, with a number of its own each time.
pub(crate) fn canary(bytes: usize, salt: u64) -> Vec<u8> {
    let marks = (0..).flat_map(|n: u64| {
        let number = format!("{:05}", (salt.wrapping_mul(31).wrapping_add(n)) % 100_000);
        [MARK.to_vec(), number.into_bytes()].concat()
    });
    marks.take(bytes).collect()
}

/// Patterns that are looked for together.
pub(crate) struct Scanner {
    patterns: Vec<(String, Vec<u8>)>,
    by_prefix: HashMap<[u8; PREFIX], Vec<usize>>,
    /// What two bytes may begin; answers most places at once.
    begins: Vec<u8>,
    longest: usize,
}

impl Scanner {
    /// The mark in every form, and these secrets as they are and in hex.
    pub(crate) fn new(secrets: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut patterns = forms("canary", MARK);
        for (name, secret) in secrets {
            patterns.push((format!("{name} in hex"), HEXLOWER.encode(&secret).into_bytes()));
            patterns.push((name, secret));
        }
        let longest = BLOCK.max(patterns.iter().map(|(_, pattern)| pattern.len()).max().unwrap_or(0));
        let mut scanner = Self { patterns, by_prefix: HashMap::new(), begins: vec![0; 1 << 16], longest };
        for [first, second] in PACKED_STARTS {
            scanner.begins[usize::from(first) << 8 | usize::from(second)] |= PACKED;
        }
        for (n, (_, pattern)) in scanner.patterns.iter().enumerate() {
            let prefix = *pattern.first_chunk::<PREFIX>().unwrap();
            scanner.by_prefix.entry(prefix).or_default().push(n);
            scanner.begins[usize::from(pattern[0]) << 8 | usize::from(pattern[1])] |= PATTERN;
        }
        scanner
    }

    /// Names of what is found, each once. Blocks of zeros, most of a disk, are passed over.
    pub(crate) fn find(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for start in (0..bytes.len()).step_by(BLOCK) {
            let block = &bytes[start..bytes.len().min(start + BLOCK)];
            if *block != ZEROS[..block.len()] {
                // What crosses into the next block belongs to this one.
                let reach = &bytes[start..bytes.len().min(start + BLOCK + self.longest)];
                self.find_in_block(reach, block.len(), &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn find_in_block(&self, bytes: &[u8], length: usize, found: &mut Vec<String>) {
        for (at, pair) in bytes.windows(2).take(length).enumerate() {
            let begins = self.begins[usize::from(pair[0]) << 8 | usize::from(pair[1])];
            if begins & PATTERN != 0 {
                found.extend(self.pattern_at(&bytes[at..]));
            }
            if begins & PACKED != 0 {
                let unpacked = unpack(&bytes[at..]);
                let inside = (0..unpacked.len()).filter_map(|at| self.pattern_at(&unpacked[at..]));
                found.extend(inside.map(|name| format!("packed {name}")));
            }
        }
    }

    fn pattern_at(&self, bytes: &[u8]) -> Option<String> {
        let candidates = self.by_prefix.get(bytes.first_chunk::<PREFIX>()?)?;
        let found = candidates.iter().find(|n| bytes.starts_with(&self.patterns[**n].1))?;
        let (name, pattern) = &self.patterns[*found];
        // Behind a mark that is not encoded stands the number of its canary.
        let behind = &bytes[pattern.len()..];
        let digits = behind.iter().take(NUMBER_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
        Some(format!("{name} {}", String::from_utf8_lossy(&behind[..digits])).trim_end().to_owned())
    }
}

pub(crate) fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let done = if bytes[0] == 0x1f {
        flate2::read::GzDecoder::new(bytes).take(UNPACKED_MAX).read_to_end(&mut out)
    } else {
        flate2::read::ZlibDecoder::new(bytes).take(UNPACKED_MAX).read_to_end(&mut out)
    };
    // What was unpacked before it turned out not to be packed is looked at as well.
    drop(done);
    out
}

/// A text as it is, and as logs, encoders and other programs would write it.
fn forms(name: &str, text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let each =
        |form: &dyn Fn(u8) -> String| text.iter().map(|byte| form(*byte)).collect::<String>().into_bytes();
    let mut forms = vec![
        ("plain", text.to_vec()),
        ("lower", text.to_ascii_lowercase()),
        ("upper", text.to_ascii_uppercase()),
        ("UTF-16", text.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("UTF-16 the other way round", text.iter().flat_map(|byte| [0, *byte]).collect()),
        ("UTF-32", text.iter().flat_map(|byte| [*byte, 0, 0, 0]).collect()),
        ("rot13", text.iter().map(|byte| rot13(*byte)).collect()),
        ("hex", HEXLOWER.encode(text).into_bytes()),
        ("HEX", HEXUPPER.encode(text).into_bytes()),
        ("reversed", text.iter().rev().copied().collect()),
        ("percent", each(&|byte| format!("%{byte:02X}"))),
        ("list", each(&|byte| format!("{byte}, "))),
        ("packed list", each(&|byte| format!("{byte},"))),
        ("HTML", each(&|byte| format!("&#{byte};"))),
        ("JSON", each(&|byte| format!("\\u{byte:04x}"))),
        ("escapes", each(&|byte| format!("\\x{byte:02x}"))),
        ("octal", each(&|byte| format!("\\{byte:03o}"))),
        ("quoted-printable", each(&|byte| format!("={byte:02X}"))),
    ];
    for skipped in 0..5 {
        // As below, in base 32.
        let encoded = BASE32_NOPAD.encode(&[&vec![0; skipped], text].concat()).into_bytes();
        let (start, end) = ((skipped * 8).div_ceil(5), (skipped + text.len()) * 8 / 5);
        let names = ["base32", "base32 +1", "base32 +2", "base32 +3", "base32 +4"];
        forms.push((names[skipped], encoded[start..end].to_vec()));
    }
    for skipped in 0..3 {
        // What stands before the mark shifts it; the characters that mix with it are left out.
        let shifted = [&vec![0; skipped], text].concat();
        let encoded = BASE64_NOPAD.encode(&shifted).into_bytes();
        let start = (skipped * 8).div_ceil(6);
        let end = shifted.len() * 8 / 6;
        forms.push((["base64", "base64 +1", "base64 +2"][skipped], encoded[start..end].to_vec()));
    }
    forms.into_iter().map(|(form, bytes)| (format!("{name} {form}"), bytes)).collect()
}
