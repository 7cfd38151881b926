//! This owns `safelight backup`: in which order rows, keys, files and shares are written, so that whenever it is cut off
//! some shares open some backup. It owns neither the folder's form (see `platform::backup`) nor the shares' (see `vault`).
//!
//! All of it runs in the command's own process. A server beside it does one thing: it seals the first node of the key
//! tree for the backup's root, since the live root stays where it is.

use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::BASE64;
use indicatif::ProgressBar;
use kernel::{Clock, Error, Kind, Result, SystemClock};
use platform::backup::{self, BackupFolder, Copied, Kept, Manifest};
use platform::config::Settings;
use platform::folder::DataFolder;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use vault::{Key, Quorum, SetId, Share};
use zeroize::Zeroizing;

use crate::command::{Place, bar, print, show};
use crate::escrow::Keeper;
use crate::house::House;
use crate::operator::Request;

/// Shares that are made, and needed, unless said otherwise.
const SHARES: u8 = 3;
const NEEDED: u8 = 2;

/// What to back up where, and who keeps the shares.
#[derive(Args)]
pub(crate) struct Backup {
    /// Folder of the backup, best on another machine or disk.
    folder: PathBuf,
    /// Shares that open the backup together [default: 2].
    #[arg(long)]
    needed: Option<u8>,
    /// Shares in all [default: one for each --escrow, or 3].
    #[arg(long)]
    shares: Option<u8>,
    /// Folder of whoever keeps a share, such as a mounted USB stick; once for each share. Without it, the shares are
    /// printed.
    #[arg(long, value_name = "DIR")]
    escrow: Vec<PathBuf>,
}

/// What was asked for, and holds.
struct Plan {
    folder: PathBuf,
    data: PathBuf,
    quorum: Quorum,
    keepers: Vec<Keeper>,
}

/// A backup that is on the disk and does not count yet.
struct Made {
    root: Key,
    quorum: Quorum,
    set: SetId,
    manifest: Manifest,
    copied: Copied,
    pruned: u64,
}

/// Makes a backup; the value is the exit status.
pub(crate) async fn run(settings: Settings, asked: Backup) -> Result<i32> {
    let plan = Plan::new(&asked, &settings.data)?;
    let folder = BackupFolder::take(&plan.folder)?;
    let before = folder.manifest()?;
    let counts = before.as_ref().map(Manifest::set);
    // Where no backup counts yet, a first run that was cut off has left its keys.
    let family = counts.or(folder.sets()?.first().copied());
    for keeper in &plan.keepers {
        keeper.check(family)?;
    }
    let set = family.map_or_else(SetId::random, SetId::next);
    let place = Place::find(settings).await?;
    let made = tokio::select! {
        made = make(&plan, &folder, before.as_ref(), set, &place) => made,
        _ = tokio::signal::ctrl_c() => Err(Error::new(Kind::Cancelled, "Stopped. What was copied stays; run it again to go on. The backup before this one and its shares count on.")),
    };
    place.leave().await;
    hand_out(&plan, &folder, &made?, counts)
}

impl Plan {
    fn new(asked: &Backup, data: &Path) -> Result<Self> {
        let (folder, data) = (backup::resolve(&asked.folder)?, backup::resolve(data)?);
        if !DataFolder::database_in(&data).exists() {
            let words = "There is nothing to back up: the data folder has no database. Is --data right?";
            return Err(Error::invalid("data", words));
        }
        if folder.starts_with(&data) || data.starts_with(&folder) {
            let words = "The folder of the backup and the data folder cannot lie in each other. Choose a folder elsewhere, best on another disk.";
            return Err(Error::invalid("folder", words));
        }
        let count = u8::try_from(asked.escrow.len()).unwrap_or(u8::MAX);
        let shares = asked.shares.unwrap_or(if count == 0 { SHARES } else { count });
        let quorum = Quorum::new(asked.needed.unwrap_or(NEEDED.min(shares)), shares)?;
        if count > 0 && count != shares {
            let words = format!("{shares} shares need {shares} folders: give --escrow DIR once for each.");
            return Err(Error::invalid("escrow", words));
        }
        let keepers = keepers(&asked.escrow, &folder, &data)?;
        Ok(Self { folder, data, quorum, keepers })
    }
}

fn keepers(dirs: &[PathBuf], folder: &Path, data: &Path) -> Result<Vec<Keeper>> {
    let mut keepers: Vec<Keeper> = Vec::new();
    for dir in dirs {
        let keeper = Keeper::new(dir)?;
        let shown = keeper.dir().display();
        let inside = |other: &Path| keeper.dir().starts_with(other) || other.starts_with(keeper.dir());
        if inside(folder) || inside(data) {
            let words = format!(
                "The share in {shown} would lie with the backup or the data. Keep each share somewhere else."
            );
            return Err(Error::invalid("escrow", words));
        }
        if keepers.iter().any(|other| other.dir() == keeper.dir()) {
            let words = format!("{shown} is given twice. Each share needs a folder of its own.");
            return Err(Error::invalid("escrow", words));
        }
        keepers.push(keeper);
    }
    Ok(keepers)
}

/// Copies everything. The backup before counts on.
async fn make(
    plan: &Plan,
    folder: &BackupFolder,
    before: Option<&Manifest>,
    set: SetId,
    place: &Place,
) -> Result<Made> {
    // Most files before the snapshots, so that the second round, which has to come after them, is short.
    let mut copied = copy_files(plan, folder, &bar("records")).await?;
    let time = backup::time_text(SystemClock.now());
    let live = DataFolder::database_in(&plan.data);
    let name = folder.name_for(&time);
    backup::snapshot_rows(&live, &folder.rows(&name)).await?;
    let (root, keys) = (vault::random_key(), folder.keys(set));
    let sealed = async |epoch, first: Vec<u8>| {
        let under = BASE64.encode(&*root);
        let request = Request::Reseal { epoch, first: BASE64.encode(&first), under };
        let answer = place.ask(request, &ProgressBar::hidden()).await?;
        answer.get("first").and_then(Value::as_str).map(bytes).transpose()
    };
    let taken = backup::snapshot_keys(&live, &keys, sealed).await?;
    let later = copy_files(plan, folder, &ProgressBar::hidden()).await?;
    copied.files += later.files;
    copied.kept = (later.files + later.kept).saturating_sub(copied.files);
    let (blobs, records) = (folder.blobs(), taken.records);
    let pruned = tokio::task::spawn_blocking(move || backup::prune(&blobs, &records));
    let pruned = pruned.await.map_err(|_| Error::internal("removing files stopped"))??;
    backup::copy_settings(&DataFolder::settings_in(&plan.data), &folder.settings())?;
    let rows = Kept::of(name.clone(), &folder.rows(&name))?;
    let manifest = Manifest::new((time, taken.epoch), (plan.quorum, set), &keys, rows, before)?;
    Ok(Made { root, quorum: plan.quorum, set, manifest, copied, pruned })
}

async fn copy_files(plan: &Plan, folder: &BackupFolder, bar: &ProgressBar) -> Result<Copied> {
    let (from, to) = (DataFolder::blobs_in(&plan.data), folder.blobs());
    let (steps, mut heard) = mpsc::unbounded_channel();
    let mut work = tokio::task::spawn_blocking(move || {
        backup::copy_new(&from, &to, |done, all| {
            steps.send((done, all)).map_err(|_| Error::new(Kind::Cancelled, "The backup was stopped."))
        })
    });
    let copied = loop {
        tokio::select! {
            Some((done, all)) = heard.recv() => show(bar, done, all),
            copied = &mut work => break copied,
        }
    };
    bar.finish_and_clear();
    copied.map_err(|_| Error::internal("copying files stopped"))?
}

/// Gives the shares to their keepers, makes the backup count, and only then destroys the older shares.
fn hand_out(plan: &Plan, folder: &BackupFolder, made: &Made, counts: Option<SetId>) -> Result<i32> {
    let shares = vault::split(&made.root, made.quorum, made.set)?;
    for (keeper, share) in plan.keepers.iter().zip(&shares) {
        keeper.stage(share, counts)?;
    }
    if plan.keepers.is_empty() {
        print(&on_paper(&shares, counts))?;
    }
    folder.commit(&made.manifest)?;
    let mut status = 0;
    for (keeper, share) in plan.keepers.iter().zip(&shares) {
        if keeper.settle(share).is_err() {
            status = 1;
            print(&format!(
                "The older share in {} could not be overwritten. It still opens older copies of this backup: destroy it, or run this again with that folder.",
                keeper.dir().display()
            ))?;
        }
    }
    // The keys that the older shares open go last: until here they were the only ones that could count.
    folder.tidy(&made.manifest)?;
    print(&report(plan, made))?;
    Ok(status)
}

fn on_paper(shares: &[Share], counts: Option<SetId>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for share in shares {
        *text += &share.text();
        text.push('\n');
    }
    let [first, ..] = shares else { return text };
    let needed = first.quorum().needed();
    *text += &format!(
        "These {} shares are shown this once. Give each to another person or place, on paper or in a file, and keep none with the backup: any {needed} of them open it.\n",
        shares.len()
    );
    if counts.is_some() {
        *text += "Destroy the shares of the backup before: they open older copies of it, and what was deleted since.\n";
    }
    text
}

fn report(plan: &Plan, made: &Made) -> String {
    let places = match plan.keepers.len() {
        0 => "printed above".to_owned(),
        count => format!("in {count} folders, and the older ones overwritten"),
    };
    format!(
        "backup of {} in {}\nfiles     {} new, {} were there; those of {} deleted records removed\nrows      {} snapshots\nshares    any {} of {} open it; {places}",
        made.manifest.time(),
        plan.folder.display(),
        made.copied.files,
        made.copied.kept,
        made.pruned,
        made.manifest.rows().len(),
        made.quorum.needed(),
        made.quorum.of(),
    )
}

/// Seals the first node of the tree for a backup, where the live root is.
pub(crate) async fn reseal(house: &House, epoch: u64, first: &str, under: &str) -> Result<Value> {
    let under = Zeroizing::new(bytes(under)?);
    let under: Key = Zeroizing::new(under.as_slice().try_into().map_err(|_| unreadable())?);
    let sealed = house.blobs.keys().reseal(epoch, &bytes(first)?, &under).await?;
    Ok(json!({ "first": sealed.map(|sealed| BASE64.encode(&sealed)) }))
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    BASE64.decode(text.as_bytes()).map_err(|_| unreadable())
}

fn unreadable() -> Error {
    Error::invalid("first", "This request for a backup cannot be read.")
}
