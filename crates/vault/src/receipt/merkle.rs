//! This owns the tree of hashes over the log of deletions, as RFC 6962 has it, in bundles of 256 entries, and its tiles, as
//! c2sp.org/tlog-tiles has them. The log grows by whole bundles, so it is a tree over their heads.

use aws_lc_rs::digest;

/// Entries of a bundle, and hashes of a tile.
pub const BUNDLE_ENTRIES: usize = 256;
/// Levels of tiles that are served.
const LEVELS: u8 = 3;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// The head of the tree over these hashes, which are of leaves or of whole subtrees of one size.
#[must_use]
pub fn head(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => sha256(&[]),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len()));
            node_hash(&head(left), &head(right))
        }
    }
}

/// The hashes that lead from one of these to their head, the nearest first.
#[must_use]
pub fn path(hashes: &[Hash], index: usize) -> Vec<Hash> {
    if hashes.len() < 2 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    let (mut path, sibling) = if index < left.len() {
        (path(left, index), head(right))
    } else {
        (self::path(right, index - left.len()), head(left))
    };
    path.push(sibling);
    path
}

/// The largest power of two below a length.
const fn split(length: usize) -> usize {
    1 << (length - 1).ilog2()
}

/// The head that a leaf and its path lead to, in a log of this size; nothing when the path does not fit.
#[must_use]
pub fn head_from_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last) = (index, size.checked_sub(1).filter(|last| index <= *last)?);
    let mut head = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index % 2 == 1 || index == last {
            head = node_hash(sibling, &head);
            while index % 2 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            head = node_hash(&head, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    (last == 0).then_some(head)
}

/// A tile: hashes of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 for hashes of entries, 1 for heads of bundles, 2 for heads of 256 bundles.
    pub level: u8,
    /// Its number on this level.
    pub number: u64,
    /// How many hashes it has, up to 256.
    pub width: usize,
}

impl Tile {
    /// Reads the path of a tile behind `tile/`: `1/x001/234.p/56`.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let level =
            level.parse().ok().filter(|parsed: &u8| *parsed < LEVELS && parsed.to_string() == level)?;
        let (number, width) = number_and_width(rest)?;
        Some(Self { level, number, width })
    }
}

/// Reads the path of a bundle of entries behind `tile/entries/`; bundles are always whole.
#[must_use]
pub fn bundle_from_path(path: &str) -> Option<u64> {
    number_and_width(path).filter(|(_, width)| *width == BUNDLE_ENTRIES).map(|(number, _)| number)
}

fn number_and_width(path: &str) -> Option<(u64, usize)> {
    let (number, width) = match path.split_once(".p/") {
        None => (path, BUNDLE_ENTRIES),
        Some((number, text)) => {
            let width = text.parse().ok().filter(|width: &usize| (1..BUNDLE_ENTRIES).contains(width))?;
            (number, Some(width).filter(|width| width.to_string() == text)?)
        }
    };
    let parts: Vec<&str> = number.split('/').collect();
    let (last, leading) = parts.split_last()?;
    let groups = leading.iter().map(|part| part.strip_prefix('x')).chain([Some(*last)]);
    let mut found: u64 = 0;
    for group in groups {
        let group =
            group.filter(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))?;
        found = found.checked_mul(1000)?.checked_add(group.parse().ok()?)?;
    }
    // One way to write a number: no leading group of zeros.
    (leading.first().is_none_or(|first| *first != "x000")).then_some((found, width))
}

/// A bundle in the form in which it is served: each entry behind its length.
#[must_use]
pub fn bundle_bytes(entries: &[u8]) -> Vec<u8> {
    entries.chunks_exact(size_of::<Hash>()).flat_map(|entry| [[0, 32].as_slice(), entry].concat()).collect()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    /// The test tree of Certificate Transparency: its entries, and the heads of its first 1 to 8.
    #[test]
    fn published_heads_are_found() {
        let entries = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let heads = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let hashes: Vec<Hash> =
            entries.iter().map(|entry| leaf_hash(&HEXLOWER.decode(entry.as_bytes()).unwrap())).collect();
        for (count, expected) in (1..=8).zip(heads) {
            assert_eq!(HEXLOWER.encode(&head(&hashes[..count])), expected);
        }
        assert_eq!(
            HEXLOWER.encode(&head(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_path_leads_to_the_head_and_another_one_does_not(count in 1_usize..300, at in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
            let (hashes, index) = (leaves(count), at.index(count));
            let path = path(&hashes, index);
            let (size, place) = (count as u64, index as u64);
            prop_assert_eq!(head_from_path(hashes[index], place, size, &path), Some(head(&hashes)));
            prop_assert_ne!(head_from_path(leaf_hash(b"other"), place, size, &path), Some(head(&hashes)));
            prop_assert_eq!(head_from_path(hashes[index], size, size, &path), None);
            if !path.is_empty() {
                let mut broken = path.clone();
                let bit = bit.index(path.len() * 256);
                broken[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
                prop_assert_ne!(head_from_path(hashes[index], place, size, &broken), Some(head(&hashes)));
                prop_assert_eq!(head_from_path(hashes[index], place, size, &path[1..]).filter(|found| *found == head(&hashes)), None);
            }
        }

        #[test]
        fn bundles_of_entries_make_the_same_tree(bundles in 1_usize..9) {
            let hashes = leaves(bundles * BUNDLE_ENTRIES);
            let heads: Vec<Hash> = hashes.chunks(BUNDLE_ENTRIES).map(head).collect();
            prop_assert_eq!(head(&heads), head(&hashes));
            let index = bundles * BUNDLE_ENTRIES - 3;
            let bundle = index / BUNDLE_ENTRIES;
            let mut joined = path(&hashes[bundle * BUNDLE_ENTRIES..][..BUNDLE_ENTRIES], index % BUNDLE_ENTRIES);
            joined.extend(path(&heads, bundle));
            prop_assert_eq!(joined, path(&hashes, index));
        }
    }

    #[test]
    fn paths_of_tiles_are_read_strictly() {
        let tile = |level, number, width| Some(Tile { level, number, width });
        assert_eq!(Tile::from_path("0/000"), tile(0, 0, 256));
        assert_eq!(Tile::from_path("1/x001/x234/067"), tile(1, 1_234_067, 256));
        assert_eq!(Tile::from_path("2/012.p/3"), tile(2, 12, 3));
        for wrong in [
            "",
            "0",
            "0/",
            "0/1",
            "0/0000",
            "3/000",
            "00/000",
            "0/x000/001",
            "0/001/002",
            "0/x001",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/03",
            "0/000.p",
            "-1/000",
            "0/../000",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::from_path(wrong), None, "{wrong}");
        }
        assert_eq!(bundle_from_path("x001/000"), Some(1000));
        assert_eq!(bundle_from_path("001.p/7"), None);
    }

    #[test]
    fn entries_stand_behind_their_length() {
        let bytes = bundle_bytes(&[[1; 32], [2; 32]].concat());
        assert_eq!(bytes.len(), 68);
        assert_eq!((&bytes[..3], &bytes[34..37]), ([0, 32, 1].as_slice(), [0, 32, 2].as_slice()));
    }
}
