//! This owns opening the keys: the root and the tree have to fit each other, and a first start makes both.

use std::path::Path;

use kernel::{Error, Kind, Result};
use vault::{Root, RootFile, SiteKey, Tree, random_key};

use super::{NewLeaf, SITE, insert, store};
use crate::db::{Db, Writing, commit, sql};

/// The root file with the root that lives; what a crash has left of a turn is cleared.
pub(super) async fn root(db: &Db, path: &Path) -> Result<(RootFile, Root)> {
    let mut writing = db.write().await?;
    let epoch = store::find_epoch(&mut writing).await?;
    let file = open_file(path, epoch)?;
    let epoch = match epoch {
        Some(epoch) => epoch,
        None => plant(&mut writing, &file).await?,
    };
    commit(writing).await?;
    let root = file.recover(epoch)?;
    Ok((file, root))
}

fn open_file(path: &Path, epoch: Option<u64>) -> Result<RootFile> {
    match (RootFile::open(path)?, epoch) {
        (Some(file), _) => Ok(file),
        (None, None) => RootFile::create(path, 1, &random_key()),
        (None, Some(_)) => Err(Error::new(
            Kind::Internal,
            "The root of the keys is missing, and without it no picture can be opened. Put the root file back, or restore a backup with its shares: safelight restore.",
        )),
    }
}

/// Starts a tree under the root that is there, with the site's own key as its first leaf.
async fn plant(writing: &mut Writing, file: &RootFile) -> Result<u64> {
    let epochs = file.epochs()?;
    let [epoch] = epochs.as_slice() else {
        return Err(Error::new(
            Kind::Internal,
            "There is a root of keys, but the database that belongs to it is missing. Put the database back, or restore a backup: safelight restore. To start over, move the root file away.",
        ));
    };
    store::set_epoch(writing, *epoch).await?;
    let root = file.recover(*epoch)?;
    let new = NewLeaf { record: SITE, leaf: &random_key(), owner: None };
    insert(writing, &root, new, None).await?;
    Ok(*epoch)
}

pub(super) async fn site_key(db: &Db, root: &Root) -> Result<SiteKey> {
    let mut connection = db.read().acquire().await.map_err(sql)?;
    let missing = || Error::internal("the site's own key is missing");
    let place = store::leaves(&mut connection, &[SITE]).await?.pop().ok_or_else(missing)?.place;
    let tree = Tree::open(root.key.bytes(), store::nodes(&mut connection, &[place]).await?)?;
    SiteKey::of(&tree.get(place).ok_or_else(missing)?)
}
