//! This owns the keys of one data folder: the root in its file, the tree under it in rows, and the turns that erase.
//! It does not own files of pictures, and knows of a record only its id and its owner's.

pub mod log;
mod open;
mod store;
mod turn;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use kernel::{Clock, Error, Id, Kind, Result};
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, mpsc};
use vault::receipt::{self, Signer};
use vault::{Key, RecordKey, Root, RootFile, SiteKey, Tree, random_key};

use crate::db::{Db, Writing};
use crate::export::Tables;
use crate::shelf::Shelf;

pub use turn::{Deed, Erased};

/// The record whose leaf is the site's own key.
const SITE: Id = Id::from_bytes([0; 16]);

/// The keys of one data folder.
#[derive(Clone)]
pub struct Keys {
    core: Arc<Core>,
    turns: mpsc::UnboundedSender<turn::Waiting>,
}

/// What reading keys and taking turns share.
struct Core {
    db: Db,
    file: Arc<RootFile>,
    /// Held for writing while a turn commits, so that nobody reads a tree under a root that it does not fit.
    state: RwLock<State>,
    /// Held through a whole turn: deletions and a rotation would clear each other's roots out of the two slots.
    turning: Mutex<()>,
    site: SiteKey,
    signer: Signer,
    clock: Arc<dyn Clock>,
    shelf: Shelf,
}

struct State {
    root: Root,
    /// A turn has failed in a way that leaves open which root lives. The next one decides it before anything else.
    torn: bool,
}

/// The key of a record that is not in the tree yet.
pub struct NewKey {
    record: Id,
    leaf: Key,
}

impl NewKey {
    /// A key for a new record of nobody's.
    #[must_use]
    pub fn random() -> Self {
        Self { record: Id::random(), leaf: random_key() }
    }

    /// Its record.
    #[must_use]
    pub const fn record(&self) -> Id {
        self.record
    }

    /// What seals the record.
    ///
    /// # Errors
    /// `Internal` when a key cannot be derived.
    pub fn key(&self) -> Result<RecordKey> {
        RecordKey::of(&self.leaf, None)
    }
}

impl Keys {
    /// Opens the keys of a database with the root in `path`, which is made where there is neither tree nor root. What a
    /// crash has left of a turn is decided and cleared. Receipts are signed under `log_name`.
    ///
    /// # Errors
    /// `Internal` when root and tree do not fit each other, `StorageFull` on a full disk.
    pub async fn open(db: Db, path: &Path, log_name: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let (file, root) = open::root(&db, path).await?;
        let site = open::site_key(&db, &root).await?;
        let state = RwLock::new(State { root, torn: false });
        let signer = receipt::signer(&site, log_name)?;
        let core = Arc::new(Core {
            db,
            file: Arc::new(file),
            state,
            turning: Mutex::default(),
            site,
            signer,
            clock,
            shelf: Shelf::default(),
        });
        Ok(Self { turns: turn::start(Arc::clone(&core)), core })
    }

    /// What the site fingerprints and signs with.
    #[must_use]
    pub fn site(&self) -> &SiteKey {
        &self.core.site
    }

    /// Public pictures that are kept open; those of a record go in the turn that erases it.
    #[must_use]
    pub fn shelf(&self) -> &Shelf {
        &self.core.shelf
    }

    /// Makes the key of a new record, in the caller's transaction.
    ///
    /// # Errors
    /// `Internal` when the record has a key, `Gone` when its owner has none, `StorageFull` when the tree is full.
    pub async fn create(&self, writing: &mut Writing, record: Id, owner: Option<Id>) -> Result<RecordKey> {
        let state = self.core.state().await;
        let owner_place = match owner {
            Some(owner) => Some(store::leaves(&mut *writing, &[owner]).await?.pop().ok_or_else(gone)?.place),
            None => None,
        };
        let leaf = random_key();
        let tree = insert(writing, &state.root, NewLeaf { record, leaf: &leaf, owner }, owner_place).await?;
        RecordKey::of(&leaf, owner_place.and_then(|place| tree.get(place)).as_ref())
    }

    /// Puts the key of a new record, which has sealed something already, into the tree, in the caller's transaction.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn insert(&self, writing: &mut Writing, new: &NewKey) -> Result<()> {
        let state = self.core.state().await;
        let leaf = NewLeaf { record: new.record, leaf: &new.leaf, owner: None };
        insert(writing, &state.root, leaf, None).await.map(drop)
    }

    /// The key of a record.
    ///
    /// # Errors
    /// `Gone` when it, or its owner's, was erased or never made.
    pub async fn get(&self, record: Id) -> Result<RecordKey> {
        self.get_all(&[record]).await?.remove(&record).ok_or_else(gone)
    }

    /// The keys of those records that have one.
    ///
    /// # Errors
    /// `Internal` when a node is broken.
    pub async fn get_all(&self, records: &[Id]) -> Result<HashMap<Id, RecordKey>> {
        let state = self.core.state().await;
        let mut connection = self.core.db.read().acquire().await.map_err(crate::db::sql)?;
        let leaves = store::leaves(&mut connection, records).await?;
        let places: Vec<_> =
            leaves.iter().flat_map(|leaf| [Some(leaf.place), leaf.owner]).flatten().collect();
        let tree = Tree::open(state.root.key.bytes(), store::nodes(&mut connection, &places).await?)?;
        let missing = || Error::internal("a leaf of the key tree is missing");
        leaves
            .iter()
            .map(|leaf| {
                let own = tree.get(leaf.place).ok_or_else(missing)?;
                let owner = leaf.owner.map(|place| tree.get(place).ok_or_else(missing)).transpose()?;
                Ok((leaf.record, RecordKey::of(&own, owner.as_ref())?))
            })
            .collect()
    }

    /// Every record that belongs to an owner.
    ///
    /// # Errors
    /// As every read.
    pub async fn owned(writing: &mut Writing, owner: Id) -> Result<Vec<Id>> {
        store::owned(writing, owner).await
    }

    /// Every row that leads to an owner.
    ///
    /// # Errors
    /// As every read.
    pub async fn export(&self, owner: Id) -> Result<Tables> {
        Ok(Tables::from([("key_leaf", store::rows_of(&self.core.db, owner).await?)]))
    }

    /// Every record that has a key.
    ///
    /// # Errors
    /// As every read.
    pub async fn records(&self) -> Result<Vec<Id>> {
        Ok(store::records(&self.core.db).await?.into_iter().filter(|record| *record != SITE).collect())
    }

    /// Whether the root is kept out of swap and core dumps.
    pub async fn root_is_locked(&self) -> bool {
        self.core.state().await.root.key.is_locked()
    }

    /// Every record whose key can still be had: it has a leaf, and so has its owner.
    ///
    /// # Errors
    /// As every read.
    pub async fn living(&self) -> Result<HashSet<Id>> {
        store::living(&self.core.db).await
    }

    /// The first node of the tree, sealed for a backup; nothing where the live root is of another epoch by now. The live
    /// root itself stays here.
    ///
    /// # Errors
    /// `Internal` when the node is not the one that the live root seals.
    pub async fn reseal(&self, epoch: u64, first: &[u8], under: &Key) -> Result<Option<Vec<u8>>> {
        let state = self.core.state().await;
        if state.root.epoch != epoch {
            return Ok(None);
        }
        vault::reseal_first(state.root.key.bytes(), under, first).map(Some)
    }

    /// The number of turns so far.
    pub async fn epoch(&self) -> u64 {
        self.core.state().await.root.epoch
    }
}

impl Core {
    async fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().await
    }
}

struct NewLeaf<'a> {
    record: Id,
    leaf: &'a Key,
    owner: Option<Id>,
}

/// Puts a leaf into the tree; returns what was opened of it, the path of `also` included.
async fn insert(
    writing: &mut Writing,
    root: &Root,
    new: NewLeaf<'_>,
    also: Option<vault::Place>,
) -> Result<Tree> {
    let place = store::take_place(writing).await?;
    store::insert_leaf(writing, new.record, place, new.owner).await?;
    let places: Vec<_> = [Some(place), also].into_iter().flatten().collect();
    let nodes = store::nodes(writing, &places).await?;
    let mut tree = Tree::open(root.key.bytes(), nodes)?;
    tree.insert(place, new.leaf)?;
    store::write_nodes(writing, tree.writes()?).await?;
    Ok(tree)
}

fn gone() -> Error {
    Error::new(Kind::Gone, "This picture was deleted for good.")
}

#[cfg(test)]
mod tests;
