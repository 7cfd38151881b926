//! This owns `safelight restore`: a new data folder from a backup and its shares, made beside its place and moved there
//! when it is whole. It does not know which rows a slice has to drop; each slice does.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accounts::Accounts;
use clap::Args;
use gallery::Gallery;
use kernel::{Clock, Error, Id, Kind, Result, SystemClock};
use platform::backup::{self, BackupFolder, Kept, Manifest};
use platform::config::Settings;
use platform::db::{Db, commit};
use platform::folder::{DataFolder, Taken, create_private_dir};
use platform::keys::Keys;
use studio::Studio;
use vault::{Key, SetId, Share};
use zeroize::Zeroizing;

use crate::command::{bar, print, show};
use crate::house::{self, House};

/// What marks a folder that is not whole.
const MARK: &str = "restore-unfinished";
/// Keys erased in one turn.
const ERASED_AT_ONCE: usize = 500;

/// Which backup to bring back.
#[derive(Args)]
pub(crate) struct Restore {
    /// Folder of the backup.
    folder: PathBuf,
    /// File with a share; once for each.
    #[arg(long = "share", value_name = "FILE")]
    shares: Vec<PathBuf>,
    /// An older snapshot of rows, by the name of its file; the newest unless given. What was deleted since stays deleted.
    #[arg(long, value_name = "NAME")]
    rows: Option<String>,
}

/// Where the new folder grows, and where it goes.
struct Site {
    new: PathBuf,
    part: PathBuf,
}

/// What came back.
#[derive(Default)]
struct Report {
    records: u64,
    dropped: u64,
    broken_files: u64,
    missing: u64,
}

/// Brings a backup back; the value is the exit status.
pub(crate) async fn run(mut settings: Settings, asked: Restore) -> Result<i32> {
    let site = Site::new(&settings.data, &asked.folder)?;
    let folder = BackupFolder::open(&asked.folder)?;
    let none = || Error::invalid("folder", "There is no backup in this folder: it has no manifest.json.");
    let manifest = folder.manifest()?.ok_or_else(none)?;
    let rows = chosen(&manifest, asked.rows.as_deref())?;
    let root = vault::join(&shares(&asked.shares, &manifest)?)?;
    manifest.check_keys(&folder.keys(manifest.set()))?;
    rows.check(&folder.rows(rows.name()))?;

    // Before anything is made: the new root has to lie where overwriting erases it, and on no other.
    house::find_anchor(&settings)?;
    if settings.anchor.is_some() && settings.root_file().exists() {
        let words = "There is a root of keys in the folder that --anchor names, of another site or of one that is not restored. Give an empty folder.";
        return Err(Error::new(Kind::Conflict, words));
    }
    let data = site.begin()?;
    settings.data.clone_from(&site.part);
    let anchored = settings.anchor.is_some().then(|| settings.root_file());
    let done = tokio::select! {
        done = Box::pin(bring_back(settings, data, &folder, &manifest, (rows, &root))) => done,
        _ = tokio::signal::ctrl_c() => Err(Error::new(Kind::Cancelled, "Stopped. Nothing was restored; run it again to begin anew.")),
    };
    if done.is_err() {
        // What the disk refuses to remove, the next run does.
        let _ = fs::remove_dir_all(&site.part);
        let _ = anchored.map(fs::remove_file);
    }
    let report = done?;
    site.finish()?;
    print(&report.text(&manifest, rows, &site.new))?;
    Ok(i32::from(report.broken_files + report.missing > 0))
}

impl Site {
    fn new(data: &Path, folder: &Path) -> Result<Self> {
        let (new, folder) = (backup::resolve(data)?, backup::resolve(folder)?);
        let invalid = |words: &'static str| Err(Error::invalid("data", words));
        if DataFolder::is_held(&new) {
            return invalid("A Safelight holds this data folder. Choose a new folder with --data.");
        }
        if fs::read_dir(&new).is_ok_and(|mut entries| entries.next().is_some()) {
            return invalid("The data folder is not empty. Choose a new folder with --data.");
        }
        if new.starts_with(&folder) || folder.starts_with(&new) {
            return invalid(
                "The data folder and the backup cannot lie in each other. Choose another folder with --data.",
            );
        }
        let Some(name) = new.file_name() else { return invalid("The data folder needs a name.") };
        let mut part = name.to_owned();
        part.push(".part");
        Ok(Self { part: new.with_file_name(part), new })
    }

    /// A folder beside the place of the new one, without what a run that was cut off has left there.
    fn begin(&self) -> Result<DataFolder> {
        let shown = self.part.display();
        if self.part.exists() {
            let empty = fs::read_dir(&self.part)?.next().is_none();
            if !empty && !self.part.join(MARK).exists() {
                let words = format!("{shown} is in the way, and not of a restore. Move it away.");
                return Err(Error::new(Kind::Conflict, words));
            }
            if DataFolder::is_held(&self.part) {
                let words = format!("Another restore is at work in {shown}. Wait until it ends.");
                return Err(Error::new(Kind::Conflict, words));
            }
            fs::remove_dir_all(&self.part)?;
        }
        create_private_dir(&self.part)?;
        fs::write(self.part.join(MARK), "This folder is not whole. Run safelight restore again.\n")?;
        match DataFolder::take(&self.part)? {
            Taken::Here(folder) => Ok(folder),
            Taken::Elsewhere => {
                Err(Error::new(Kind::Conflict, format!("Another restore is at work in {shown}.")))
            }
        }
    }

    /// Moves the folder to its place. From here on it lives.
    fn finish(&self) -> Result<()> {
        fs::rename(&self.part, &self.new)?;
        fs::remove_file(self.new.join(MARK))?;
        for dir in [Some(self.new.as_path()), self.new.parent()].into_iter().flatten() {
            fs::File::open(dir)?.sync_all()?;
        }
        Ok(())
    }
}

/// The snapshot of rows with this name, or the newest.
fn chosen<'a>(manifest: &'a Manifest, name: Option<&str>) -> Result<&'a Kept> {
    let rows = manifest.rows();
    let found = match name {
        None => rows.first(),
        Some(name) => {
            let name = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".db");
            rows.iter().find(|rows| rows.name() == name)
        }
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = rows.iter().map(Kept::name).collect();
        Error::invalid("rows", format!("This backup has no such rows. It has {}.", names.join(", ")))
    })
}

/// The shares in these files that are of this backup.
fn shares(files: &[PathBuf], manifest: &Manifest) -> Result<Vec<Share>> {
    let quorum = manifest.quorum();
    if files.is_empty() {
        let words = format!(
            "{} of the {} shares of this backup are needed, and none was given. Give each with --share FILE.",
            quorum.needed(),
            quorum.of()
        );
        return Err(Error::invalid("share", words));
    }
    let mut all = Vec::new();
    for file in files {
        all.extend(shares_in(file, manifest.set())?);
    }
    Ok(all)
}

fn shares_in(file: &Path, set: SetId) -> Result<Vec<Share>> {
    let wrong = |words: &str| Error::invalid("share", format!("{}: {words}", file.display()));
    let bytes =
        Zeroizing::new(fs::read(file).map_err(|cause| wrong("This file cannot be read.").because(cause))?);
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    let (mut ours, mut others, mut broken) = (Vec::new(), Vec::new(), None);
    for share in Share::read_all(&text).map_err(|error| wrong(&error.public))? {
        match share {
            Ok(share) if share.set() == set => ours.push(share),
            Ok(share) => others.push(share),
            Err(error) => broken = broken.or(Some(error)),
        }
    }
    match (ours.is_empty(), broken, others.first()) {
        (false, ..) => Ok(ours),
        (true, Some(error), _) => Err(wrong(&error.public)),
        (true, None, Some(other)) if other.set().is_of_backup(set) => Err(wrong(
            "This share is of another run of this backup, and opens nothing here. Use the shares of its newest run.",
        )),
        (true, None, _) => Err(wrong("This share is of another backup.")),
    }
}

async fn bring_back(
    settings: Settings,
    data: DataFolder,
    folder: &BackupFolder,
    manifest: &Manifest,
    (rows, root): (&Kept, &Key),
) -> Result<Report> {
    backup::restore_rows(rows, &folder.rows(rows.name()), &data.database()).await?;
    create_private_dir(settings.anchor())?;
    let (database, root_file) = (data.database(), settings.root_file());
    backup::restore_keys(manifest, &folder.keys(manifest.set()), root, &database, &root_file).await?;
    let db = Db::open(&database).await?;
    let log = house::log_name(&settings.public_url);
    let keys = Keys::open(db.clone(), &root_file, &log, Arc::new(SystemClock)).await?;
    let mut report =
        Report { dropped: drop_rows(&db, &keys, folder, manifest, rows, &data).await?, ..Report::default() };
    let records = records(&db).await?;
    erase_strays(&keys, &records).await?;

    let with_files = with_files(&db).await?;
    let all: Vec<Id> = records.iter().copied().collect();
    let (from, bar) = (folder.blobs(), bar("records"));
    create_private_dir(&data.blobs())?;
    let step = |done, all| {
        show(&bar, done, all);
        Ok(())
    };
    let broken = backup::restore_files(&keys, &all, (&from, &data.blobs()), step).await?;
    bar.finish_and_clear();
    report.records = all.len() as u64;
    report.broken_files = broken.files;
    report.missing = broken.without_files.iter().filter(|record| with_files.contains(record)).count() as u64;
    backup::copy_settings(&folder.settings(), &DataFolder::settings_in(data.path()))?;
    db.truncate_journal().await?;
    drop(keys);
    db.close().await;

    // It opens, or it is not moved to its place; the search index is made here.
    let house = Box::pin(House::open(settings, data)).await?;
    house.close().await;
    Ok(report)
}

/// Takes out of the rows what has no key any more; returns how many records.
async fn drop_rows(
    db: &Db,
    keys: &Keys,
    folder: &BackupFolder,
    manifest: &Manifest,
    rows: &Kept,
    data: &DataFolder,
) -> Result<u64> {
    let aside = data.path().join("newest");
    let newest = match manifest.rows().first() {
        Some(newest) if newest != rows => {
            create_private_dir(&aside)?;
            let path = aside.join("newest.db");
            backup::restore_rows(newest, &folder.rows(newest.name()), &path).await?;
            Some(Db::open(&path).await?)
        }
        _ => None,
    };
    let living = keys.living().await?;
    let mut writing = db.write().await?;
    let today = SystemClock.today();
    let dropped = Gallery::drop_keyless(&mut writing, &living, newest.as_ref()).await?
        + Studio::drop_keyless(&mut writing, &living, today).await?
        + Accounts::drop_keyless(&mut writing, &living, newest.as_ref(), today).await?;
    if let Some(newest) = &newest {
        // What has been published cannot be taken back.
        platform::keys::log::carry_over(&mut writing, newest).await?;
    }
    commit(writing).await?;
    if let Some(newest) = newest {
        newest.close().await;
        fs::remove_dir_all(&aside)?;
    }
    Ok(dropped)
}

/// Every record that a row of some slice owns. A slice that is missing here would lose its keys.
async fn records(db: &Db) -> Result<HashSet<Id>> {
    let mut records: HashSet<Id> = Gallery::records_of(db).await?.into_iter().collect();
    records.extend(Studio::records_of(db).await?);
    records.extend(Accounts::records_of(db).await?);
    Ok(records)
}

async fn with_files(db: &Db) -> Result<HashSet<Id>> {
    let mut records: HashSet<Id> = Gallery::records_of(db).await?.into_iter().collect();
    records.extend(Studio::records_with_files(db).await?);
    Ok(records)
}

/// Erases the keys that no row owns: of what is newer than the rows.
async fn erase_strays(keys: &Keys, records: &HashSet<Id>) -> Result<()> {
    let strays: Vec<Id> =
        keys.records().await?.into_iter().filter(|record| !records.contains(record)).collect();
    for part in strays.chunks(ERASED_AT_ONCE) {
        let part = part.to_vec();
        keys.turn(move |_| Box::pin(async move { Ok(((), part)) })).await?;
    }
    Ok(())
}

impl Report {
    fn text(&self, manifest: &Manifest, rows: &Kept, new: &Path) -> String {
        let mut text = format!(
            "restored  {} records, rows of {}, keys of {}, into {}",
            self.records,
            rows.name(),
            manifest.time(),
            new.display()
        );
        text += &format!("\ndeleted   {} records were deleted since and stay deleted", self.dropped);
        if self.broken_files > 0 {
            text += &format!("\nbroken    {} files do not open, and were left out", self.broken_files);
        }
        if self.missing > 0 {
            text += &format!("\nmissing   {} records have no picture any more", self.missing);
        }
        text + "\nMembers have to sign in again. Start the site with safelight serve, and run safelight backup again, so that its shares are new."
    }
}
