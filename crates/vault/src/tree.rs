//! This owns the key tree: 64 ways at each of 4 levels, each node sealed under a key that its parent holds, the first
//! under the root. Erasing a leaf gives every node on its path a new key, so that what the old root opens stays behind.
//! It does not know where nodes are kept.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::{Error, Kind, Result};
use zeroize::Zeroizing;

use crate::{KEY_BYTES, Key, random_key};

/// Bits of a place that each level decides.
const FANOUT_BITS: u32 = 6;
/// Keys in a node.
const FANOUT: usize = 1 << FANOUT_BITS;
/// Levels of nodes.
pub const DEPTH: usize = 4;
/// Leaves that the tree can hold.
pub const PLACES_MAX: u32 = 1 << (FANOUT_BITS * DEPTH as u32);
const MAP_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// Bytes of a sealed node: nonce, which keys are there, the keys, tag.
pub const NODE_BYTES: usize = NONCE_LEN + MAP_BYTES + FANOUT * KEY_BYTES + TAG_BYTES;

/// Where a leaf stands, below [`PLACES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

/// Which node: its level in the high byte, its number on that level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl Place {
    /// The place with this number.
    ///
    /// # Errors
    /// `StorageFull` behind the last one.
    pub fn new(number: u32) -> Result<Self> {
        if number < PLACES_MAX {
            return Ok(Self(number));
        }
        let words =
            "The key tree is full: 16.7 million records. Delete what is not needed, or open a second site.";
        Err(Error::new(Kind::StorageFull, words))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The nodes from the first one down to this place.
    #[must_use]
    pub fn path(self) -> [NodeId; DEPTH] {
        std::array::from_fn(|level| self.node(level))
    }

    fn node(self, level: usize) -> NodeId {
        let below = FANOUT_BITS * (DEPTH - level) as u32;
        NodeId((level as u32) << 24 | (u64::from(self.0) >> below) as u32)
    }

    fn slot(self, level: usize) -> usize {
        (self.0 >> (FANOUT_BITS * (DEPTH - 1 - level) as u32)) as usize % FANOUT
    }
}

impl NodeId {
    /// The one that the root seals.
    pub const FIRST: Self = Self(0);
    /// The number of the first node of the lowest level.
    pub const LOWEST_FIRST: u32 = ((DEPTH - 1) as u32) << 24;

    /// The first place below a node of the lowest level.
    #[must_use]
    pub const fn first_place(self) -> Place {
        Place((self.0 & 0x00ff_ffff) << FANOUT_BITS & (PLACES_MAX - 1))
    }

    /// As it is kept.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The node that was kept under this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    const fn level(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// The node above, and the slot in it.
    const fn parent(self) -> Option<(Self, usize)> {
        let index = self.0 & 0x00ff_ffff;
        match self.level() {
            0 => None,
            level => Some((Self(((level - 1) as u32) << 24 | index >> FANOUT_BITS), index as usize % FANOUT)),
        }
    }
}

/// An open node: up to 64 keys.
struct Node {
    present: u64,
    keys: Zeroizing<[u8; FANOUT * KEY_BYTES]>,
}

impl Node {
    fn empty() -> Self {
        Self { present: 0, keys: Zeroizing::new([0; FANOUT * KEY_BYTES]) }
    }

    fn get(&self, slot: usize) -> Option<Key> {
        let key = self.keys.chunks_exact(KEY_BYTES).nth(slot)?.first_chunk()?;
        (self.present >> slot & 1 == 1).then(|| Zeroizing::new(*key))
    }

    fn set(&mut self, slot: usize, key: Option<&Key>) {
        if let Some(kept) = self.keys.chunks_exact_mut(KEY_BYTES).nth(slot) {
            kept.copy_from_slice(key.map_or(&[0; KEY_BYTES], |key| &**key));
            self.present &= !(1 << slot);
            self.present |= u64::from(key.is_some()) << slot;
        }
    }

    fn seal(&self, key: &Key, id: NodeId) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("a node of the key tree could not be sealed");
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut body = Zeroizing::new(Vec::with_capacity(NODE_BYTES));
        body.extend_from_slice(&self.present.to_be_bytes());
        body.extend_from_slice(&*self.keys);
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &**key).map_err(failed)?);
        let tag = cipher
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound(id), &mut body)
            .map_err(failed)?;
        Ok([nonce.as_slice(), &body, tag.as_ref()].concat())
    }

    fn open(key: &Key, id: NodeId, sealed: &[u8]) -> Result<Self> {
        let broken =
            || Error::internal("a node of the key tree is broken, or the root of another tree was given");
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &**key).map_err(|_| broken())?);
        let mut body = Zeroizing::new(body.to_vec());
        let plain = cipher
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound(id), &mut body)
            .map_err(|_| broken())?;
        let (present, keys) = plain.split_first_chunk::<MAP_BYTES>().ok_or_else(broken)?;
        let keys = keys.first_chunk().ok_or_else(broken)?;
        Ok(Self { present: u64::from_be_bytes(*present), keys: Zeroizing::new(*keys) })
    }
}

fn bound(id: NodeId) -> Aad<Vec<u8>> {
    Aad::from([b"safelight node ".as_slice(), &id.0.to_be_bytes()].concat())
}

/// The nodes that some reading or change needs, opened from the root down.
pub struct Tree {
    root: Key,
    nodes: BTreeMap<NodeId, Node>,
    keys: HashMap<NodeId, Key>,
    changed: HashMap<NodeId, Change>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Written,
    Removed,
}

/// What is to be kept of a node: its sealed form, or nothing.
pub type Written = (NodeId, Option<Vec<u8>>);

impl Tree {
    /// Opens nodes under the root. Each needs those above it; a tree without nodes is empty.
    ///
    /// # Errors
    /// `Internal` when a node is broken, misplaced, or of another root.
    pub fn open(root: &[u8; KEY_BYTES], sealed: impl IntoIterator<Item = (NodeId, Vec<u8>)>) -> Result<Self> {
        let sealed: BTreeMap<NodeId, Vec<u8>> = sealed.into_iter().collect();
        let mut tree = Self {
            root: Zeroizing::new(*root),
            nodes: BTreeMap::new(),
            keys: HashMap::new(),
            changed: HashMap::new(),
        };
        // Ids are ordered by level, so parents come before their children.
        for (id, sealed) in sealed {
            let stray = || Error::internal("a node of the key tree hangs in the air");
            let key = tree.key_of(id).ok_or_else(stray)?;
            tree.nodes.insert(id, Node::open(&key, id, &sealed)?);
            tree.keys.insert(id, key);
        }
        Ok(tree)
    }

    fn key_of(&self, id: NodeId) -> Option<Key> {
        match id.parent() {
            None => Some(self.root.clone()),
            Some((parent, slot)) => self.nodes.get(&parent)?.get(slot),
        }
    }

    /// The key at a place, whose path has been opened.
    #[must_use]
    pub fn get(&self, place: Place) -> Option<Key> {
        self.nodes.get(&place.node(DEPTH - 1))?.get(place.slot(DEPTH - 1))
    }

    /// Puts a key at a place, whose path has been opened as far as it exists. The root stays.
    ///
    /// # Errors
    /// `Internal` when there is a key at this place.
    pub fn insert(&mut self, place: Place, key: &Key) -> Result<()> {
        if self.get(place).is_some() {
            return Err(Error::internal("a place of the key tree is taken twice"));
        }
        for (level, id) in place.path().into_iter().enumerate() {
            if !self.nodes.contains_key(&id) {
                let fresh = if level == 0 { self.root.clone() } else { random_key() };
                self.set_in_parent(id, Some(&fresh));
                self.nodes.insert(id, Node::empty());
                self.keys.insert(id, fresh);
                self.changed.insert(id, Change::Written);
            }
        }
        self.set(place.node(DEPTH - 1), place.slot(DEPTH - 1), Some(key));
        Ok(())
    }

    /// Takes keys out, and gives every opened node a new key under a new root, which is returned: what the old root
    /// opened cannot be opened by it. Places without a key are passed over; nodes without keys are given up.
    pub fn erase(&mut self, places: &[Place]) -> Key {
        for place in places {
            self.set(place.node(DEPTH - 1), place.slot(DEPTH - 1), None);
        }
        let ids: Vec<NodeId> = self.nodes.keys().rev().copied().collect();
        // Children first: a node's own new key is told to its parent before the parent is sealed.
        for id in ids {
            let empty = self.nodes.get(&id).is_some_and(|node| node.present == 0);
            if empty && id.level() > 0 {
                self.set_in_parent(id, None);
                self.nodes.remove(&id);
                self.keys.remove(&id);
                self.changed.insert(id, Change::Removed);
                continue;
            }
            let fresh = random_key();
            self.set_in_parent(id, Some(&fresh));
            self.keys.insert(id, fresh.clone());
            self.changed.insert(id, Change::Written);
            if id.level() == 0 {
                self.root = fresh;
            }
        }
        self.root.clone()
    }

    /// What has changed, to be kept in one transaction.
    ///
    /// # Errors
    /// `Internal` when the cipher fails.
    pub fn writes(&self) -> Result<Vec<Written>> {
        let seal = |(id, change): (&NodeId, &Change)| match (change, self.nodes.get(id), self.keys.get(id)) {
            (Change::Written, Some(node), Some(key)) => Ok((*id, Some(node.seal(key, *id)?))),
            _ => Ok((*id, None)),
        };
        self.changed.iter().map(seal).collect()
    }

    fn set(&mut self, id: NodeId, slot: usize, key: Option<&Key>) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.set(slot, key);
            self.changed.insert(id, Change::Written);
        }
    }

    fn set_in_parent(&mut self, id: NodeId, key: Option<&Key>) {
        if let Some((parent, slot)) = id.parent() {
            self.set(parent, slot, key);
        }
    }
}

/// The first node, sealed under another root. The nodes below it stay as they are.
///
/// # Errors
/// `Internal` when the node is broken or of another root.
pub fn reseal_first(from: &[u8; KEY_BYTES], to: &Key, sealed: &[u8]) -> Result<Vec<u8>> {
    Node::open(&Zeroizing::new(*from), NodeId::FIRST, sealed)?.seal(to, NodeId::FIRST)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Sealed nodes as a database keeps them.
    #[derive(Clone, Default)]
    struct Kept(BTreeMap<NodeId, Vec<u8>>);

    impl Kept {
        fn open(&self, root: &Key, places: &[Place]) -> Result<Tree> {
            let ids = places.iter().flat_map(|place| place.path());
            let ids: std::collections::BTreeSet<NodeId> = ids.collect();
            Tree::open(root, ids.into_iter().filter_map(|id| Some((id, self.0.get(&id)?.clone()))))
        }

        fn keep(&mut self, tree: &Tree) -> usize {
            let writes = tree.writes().unwrap();
            let bytes = writes.iter().map(|(_, sealed)| sealed.as_ref().map_or(0, Vec::len)).sum();
            for (id, sealed) in writes {
                match sealed {
                    Some(sealed) => self.0.insert(id, sealed),
                    None => self.0.remove(&id),
                };
            }
            bytes
        }
    }

    fn place() -> impl Strategy<Value = Place> {
        // Near ones share nodes, far ones do not.
        prop_oneof![0..200_u32, 0..PLACES_MAX].prop_map(Place)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_was_erased_is_gone_for_the_new_root_and_all_else_stays(
            places in prop::collection::btree_set(place(), 1..60),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        ) {
            let mut kept = Kept::default();
            let mut root = random_key();
            let mut model: BTreeMap<Place, Key> = BTreeMap::new();
            for place in &places {
                let key = random_key();
                let mut tree = kept.open(&root, &[*place]).unwrap();
                tree.insert(*place, &key).unwrap();
                prop_assert!(tree.insert(*place, &key).is_err());
                kept.keep(&tree);
                model.insert(*place, key);
            }
            for pick in picks {
                let Some(place) = model.keys().nth(pick.index(model.len().max(1))).copied() else { break };
                let (before, old_root) = (kept.clone(), root.clone());
                let mut tree = kept.open(&root, &[place]).unwrap();
                root = tree.erase(&[place]);
                let bytes = kept.keep(&tree);
                prop_assert!(bytes <= 16 * 1024, "{bytes}");
                model.remove(&place);
                // The new root opens nothing of the past, and the old root nothing of what was written.
                prop_assert!(before.open(&root, &[place]).is_err());
                for (id, sealed) in &kept.0 {
                    if before.0.get(id) != Some(sealed) {
                        let mixed = Kept(before.0.clone().into_iter().chain([(*id, sealed.clone())]).collect());
                        prop_assert!(mixed.open(&old_root, &[place]).is_err());
                    }
                }
                for (place, key) in &model {
                    let found = kept.open(&root, &[*place]).unwrap().get(*place);
                    prop_assert_eq!(found.as_ref(), Some(key));
                }
                prop_assert_eq!(kept.open(&root, &[place]).unwrap().get(place), None);
            }
        }
    }

    #[test]
    fn nodes_cannot_be_changed_swapped_or_left_out() {
        let (mut kept, root) = (Kept::default(), random_key());
        let places = [Place(1), Place(65), Place(5_000_000)];
        let mut tree = kept.open(&root, &[]).unwrap();
        for place in places {
            tree.insert(place, &random_key()).unwrap();
        }
        kept.keep(&tree);
        for (id, sealed) in &kept.0 {
            assert_eq!(sealed.len(), NODE_BYTES);
            for change in [0, NONCE_LEN, NODE_BYTES - 1] {
                let mut broken = kept.clone();
                broken.0.get_mut(id).unwrap()[change] ^= 1;
                assert!(broken.open(&root, &places).is_err());
            }
            let mut cut = kept.clone();
            cut.0.get_mut(id).unwrap().pop();
            assert!(cut.open(&root, &places).is_err());
            for other in kept.0.keys().filter(|other| *other != id) {
                let mut swapped = kept.clone();
                swapped.0.insert(*other, sealed.clone());
                assert!(swapped.open(&root, &places).is_err());
            }
        }
        let mut holed = kept.clone();
        holed.0.remove(&places[0].path()[1]);
        assert!(holed.open(&root, &places).is_err(), "its children hang in the air");
        assert!(kept.open(&random_key(), &places).is_err());
    }

    #[test]
    fn an_emptied_tree_takes_no_room_and_can_be_filled_again() {
        let (mut kept, root, place) = (Kept::default(), random_key(), Place(77));
        let mut tree = kept.open(&root, &[place]).unwrap();
        tree.insert(place, &random_key()).unwrap();
        kept.keep(&tree);
        assert_eq!(kept.0.len(), DEPTH);
        let mut tree = kept.open(&root, &[place]).unwrap();
        let root = tree.erase(&[place]);
        kept.keep(&tree);
        assert_eq!(kept.0.len(), 1, "the first node stays, since the root has to fit something");
        let (mut tree, key) = (kept.open(&root, &[place]).unwrap(), random_key());
        tree.insert(place, &key).unwrap();
        kept.keep(&tree);
        assert_eq!(kept.open(&root, &[place]).unwrap().get(place), Some(key));
    }

    #[test]
    fn the_first_node_alone_is_sealed_for_another_root() {
        let (mut kept, root, other, place) = (Kept::default(), random_key(), random_key(), Place(9));
        let mut tree = kept.open(&root, &[place]).unwrap();
        tree.insert(place, &random_key()).unwrap();
        kept.keep(&tree);
        let first = &kept.0[&NodeId::FIRST];
        assert!(reseal_first(&other, &root, first).is_err());
        let mut moved = kept.clone();
        moved.0.insert(NodeId::FIRST, reseal_first(&root, &other, first).unwrap());
        assert!(moved.open(&root, &[place]).is_err() && kept.open(&other, &[place]).is_err());
        assert_eq!(moved.open(&other, &[place]).unwrap().get(place), tree.get(place));
    }

    #[test]
    fn places_end_where_the_tree_does() {
        assert!(Place::new(PLACES_MAX - 1).is_ok());
        assert_eq!(Place::new(PLACES_MAX).unwrap_err().kind, Kind::StorageFull);
        let path = Place(PLACES_MAX - 1).path().map(NodeId::number);
        assert_eq!(path, [0, 0x0100_003f, 0x0200_0fff, 0x0303_ffff]);
    }
}
