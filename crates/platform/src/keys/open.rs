//! This owns opening the keys: the root and the tree have to fit each other, and a first start makes both.

use std::path::Path;

use kernel::{Error, Kind, Result};
use vault::{Root, RootFile, SecretPage, SiteKey, Tree, random_key};

use super::{NewLeaf, SITE, insert, store};
use crate::db::{Db, Writing, commit, sql};

/// The root file with the root that lives; what a crash has left of a turn is cleared.
pub(super) async fn root(db: &Db, path: &Path) -> Result<(RootFile, Root)> {
    let mut writing = db.write().await?;
    let Some(epoch) = store::find_epoch(&mut writing).await? else { return plant(writing, path).await };
    drop(writing);
    let missing = || {
        Error::new(
            Kind::Internal,
            "The root of the keys is missing, and without it no picture can be opened. Put the root file back, or restore a backup with its shares: safelight restore.",
        )
    };
    let file = RootFile::open(path)?.ok_or_else(missing)?;
    let root = file.recover(epoch)?;
    Ok((file, root))
}

/// Starts a tree under a new root, with the site's own key as its first leaf. A root that is there already is never taken
/// over: it is of another site that has the same anchor, or of a database that has to be found again.
async fn plant(mut writing: Writing, path: &Path) -> Result<(RootFile, Root)> {
    if RootFile::open(path)?.is_some() {
        return Err(Error::new(
            Kind::Internal,
            "There is a root of keys, but the database that belongs to it is missing, or it is of another site with the same anchor. Put the database back, restore a backup with safelight restore, or choose another folder with --anchor. Only if nothing is to be kept, move the root file away.",
        ));
    }
    let key = random_key();
    let root = Root { epoch: 1, key: SecretPage::new(&key) };
    store::set_epoch(&mut writing, root.epoch).await?;
    let new = NewLeaf { record: SITE, leaf: &random_key(), owner: None };
    insert(&mut writing, &root, new, None).await?;
    let file = RootFile::create(path, root.epoch, &key)?;
    if let Err(error) = commit(writing).await {
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok((file, root))
}

pub(super) async fn site_key(db: &Db, root: &Root) -> Result<SiteKey> {
    let mut connection = db.read().acquire().await.map_err(sql)?;
    let missing = || Error::internal("the site's own key is missing");
    let place = store::leaves(&mut connection, &[SITE]).await?.pop().ok_or_else(missing)?.place;
    let tree = Tree::open(root.key.bytes(), store::nodes(&mut connection, &[place]).await?)?;
    SiteKey::of(&tree.get(place).ok_or_else(missing)?)
}
