//! This owns the command line: its words, its progress bars, its exit status.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use data_encoding::BASE64;
use gallery::source::{Folder, NoFiles, SharedFiles};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Error, Result};
use platform::config::{self, Settings};
use platform::folder::{DataFolder, Taken};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::audit::{self, Audit};
use crate::backup::{self, Backup};
use crate::desk::{self, Asked, Voucher};
use crate::house::House;
use crate::operator::{self, Asker, Request};
use crate::restore::{self, Restore};
use crate::serve::{self, LockedIn};
use crate::{doctor, runtime};

/// A self-hosted AI picture gallery and studio that does not watch its visitors.
#[derive(Parser)]
#[command(name = "safelight", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site until SIGTERM.
    Serve,
    /// Import artwork: X API v2 answers, the trending-prompts list, or JSON lines.
    Import {
        /// Files to import, one after another.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Search the gallery.
    Search {
        /// Words in any language.
        #[arg(required = true)]
        words: Vec<String>,
        /// Artworks at most.
        #[arg(long, default_value_t = 10)]
        limit: usize,
        /// Print what the API answers.
        #[arg(long)]
        json: bool,
    },
    /// Draw a picture into a file; it is kept nowhere else.
    Generate(Generate),
    /// Work with accounts.
    #[command(subcommand)]
    Account(Account),
    /// Say what is held on an address, in counts; its account is told of it.
    Inquiry(Asked),
    /// Print everything that is held on an address, to hand it over; its account is told of it, and the site counts it.
    Disclose(Asked),
    /// Work with vouchers.
    #[command(subcommand)]
    Voucher(Voucher),
    /// Work with artworks.
    #[command(subcommand)]
    Artwork(Artwork),
    /// Work with the ledger.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Show a purchase, for whoever wrote its number and its code.
    Purchase {
        /// Its number.
        number: String,
        /// Its code.
        #[arg(long)]
        code: String,
    },
    /// Work with purchases.
    #[command(subcommand)]
    Purchases(Purchases),
    /// Look at disk, memory, keys, files and ledger; exit 1 where something is wrong.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Hold the promises against the data folder and the running server; exit 1 where one is broken.
    Audit(Audit),
    /// Check a receipt of a deletion; exit 1 where it is wrong. With --key no data folder is needed.
    Verify {
        /// The receipt, as saved.
        receipt: PathBuf,
        /// Public key of the site, from its page for checking receipts.
        #[arg(long)]
        key: Option<String>,
    },
    /// Back everything up into a folder; its key is split into shares.
    Backup(Backup),
    /// Make a new data folder from a backup and its shares.
    Restore(Restore),
    /// Give every node of the key tree a new key, as after a copy of the root may have been taken.
    Rotate,
    /// Print generated documentation.
    #[command(subcommand, hide = true)]
    Docs(Docs),
}

#[derive(Args)]
struct Generate {
    /// What the picture shows.
    prompt: String,
    /// Where to write the PNG.
    #[arg(short, long)]
    output: PathBuf,
    /// Model id.
    #[arg(long, default_value = "")]
    model: String,
    /// Aspect ratio, such as 16:9.
    #[arg(long, default_value = "")]
    ratio: String,
    /// Resolution, such as 2K.
    #[arg(long, default_value = "")]
    resolution: String,
    /// Technique, such as linocut.
    #[arg(long, default_value = "")]
    technique: String,
    /// Seed; the same seed gives the same picture.
    #[arg(long, default_value = "")]
    seed: String,
}

#[derive(Subcommand)]
enum Account {
    /// Make an account with an API key, or give one made here another key; never one that somebody signed in to first.
    Create {
        /// Email address; not stored.
        email: String,
        /// Credits to grant.
        #[arg(long, default_value_t = 0)]
        credits: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Grant credits to an account; its address is asked for, or read from standard input.
    Grant {
        /// How many.
        #[arg(long, allow_negative_numbers = true)]
        credits: i64,
    },
}

#[derive(Subcommand)]
enum Artwork {
    /// Remove an artwork for good, everywhere.
    Remove {
        /// Its public id.
        id: String,
    },
}

#[derive(Subcommand)]
enum Ledger {
    /// Add everything up; exit 1 when it does not add up.
    Check,
}

#[derive(Subcommand)]
enum Purchases {
    /// Apply what the payment processor has told and did not arrive, as each day.
    Reconcile,
}

#[derive(Subcommand)]
enum Docs {
    /// The table of settings.
    Settings,
    /// The data map.
    DataMap,
    /// The events of the log, and the metrics.
    Logging,
}

/// Runs the program; the value is its exit status.
#[must_use]
pub fn run(started: Instant) -> i32 {
    match dispatch(started) {
        Ok(status) => status,
        Err(error) => {
            let place = error.place.map(|place| format!(" ({place})")).unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "safelight: {error}{place}");
            1
        }
    }
}

/// Each command builds the runtime where it is ready for threads; a server is only when it has locked itself in.
fn dispatch(started: Instant) -> Result<i32> {
    let matches = Cli::command().args(config::arguments()).get_matches();
    let cli = Cli::from_arg_matches(&matches)
        .map_err(|cause| Error::invalid("command", "This command cannot be read.").because(cause))?;
    let settings = || Settings::resolve(&matches);
    match cli.command {
        Command::Docs(docs) => print(&document(&docs)?).map(|()| 0),
        Command::Verify { receipt, key: Some(key) } => print(&verify(&receipt, &key)?).map(|()| 0),
        Command::Serve => {
            let locked_in = LockedIn::enter(settings()?)?;
            runtime::build()?.block_on(serve::serve(locked_in, started)).map(|()| 0)
        }
        Command::Audit(asked) => runtime::build()?.block_on(audit::run(settings()?, asked)),
        Command::Backup(asked) => runtime::build()?.block_on(backup::run(settings()?, asked)),
        Command::Restore(asked) => runtime::build()?.block_on(restore::run(settings()?, asked)),
        Command::Inquiry(asked) => runtime::build()?.block_on(desk::inquire(settings()?, asked)),
        Command::Disclose(asked) => runtime::build()?.block_on(desk::disclose(settings()?, asked)),
        Command::Voucher(asked) => runtime::build()?.block_on(desk::vouchers(settings()?, asked)),
        Command::Account(Account::Grant { credits }) => {
            runtime::build()?.block_on(desk::grant(settings()?, credits))
        }
        other => runtime::build()?.block_on(operate(settings()?, other)),
    }
}

fn document(docs: &Docs) -> Result<String> {
    match docs {
        Docs::Settings => Ok(config::markdown()),
        Docs::DataMap => trust::data_map::markdown(),
        Docs::Logging => Ok(platform::log::markdown()),
    }
}

pub(crate) fn print(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", text.trim_end())?)
}

async fn operate(settings: Settings, command: Command) -> Result<i32> {
    let place = Place::find(settings).await?;
    let status = carry_out(&place, command).await;
    place.leave().await;
    status
}

async fn carry_out(place: &Place, command: Command) -> Result<i32> {
    match command {
        Command::Import { files, json } => import(place, files, json).await?,
        Command::Search { words, limit, json } => {
            let found = place.get(Request::Search { words: words.join(" "), limit }).await?;
            print(&if json { pretty(&found) } else { search_text(&found) })?;
        }
        Command::Generate(wish) => generate(place, wish).await?,
        Command::Account(Account::Create { email, credits, json }) => {
            let made = place.get(Request::CreateAccount { address: email, credits }).await?;
            print(&if json { made.to_string() } else { account_text(&made) })?;
        }
        Command::Artwork(Artwork::Remove { id }) => {
            let erased = place.get(Request::RemoveArtwork { id }).await?;
            print("Removed for good.")?;
            let receipts = erased.get("receipts").and_then(Value::as_array).into_iter().flatten();
            receipts.filter_map(Value::as_str).try_for_each(|receipt| print(&format!("\n{receipt}")))?;
        }
        Command::Ledger(Ledger::Check) => {
            let proof = place.get(Request::CheckLedger).await?;
            print(&proof.to_string())?;
            return Ok(i32::from(proof.get("adds_up") != Some(&Value::Bool(true))));
        }
        Command::Purchase { number, code } => {
            print(&pretty(&place.get(Request::ShowPurchase { number, code }).await?))?;
        }
        Command::Purchases(Purchases::Reconcile) => {
            print(&place.get(Request::ReconcilePurchases).await?.to_string())?;
        }
        Command::Doctor { json } => {
            let found = place.get(Request::Doctor).await?;
            print(&if json { pretty(&found) } else { doctor::text(&found) })?;
            return Ok(i32::from(found.get("good") != Some(&Value::Bool(true))));
        }
        Command::Verify { receipt, .. } => {
            let key = place.get(Request::VerifierKey).await?;
            print(&verify(&receipt, key.as_str().unwrap_or_default())?)?;
        }
        Command::Rotate => {
            let bar = bar("parts of the key tree");
            place.ask(Request::Rotate, &bar).await?;
            bar.finish_and_clear();
            print("Every key of the tree is new.")?;
        }
        // These have an end of their own in `dispatch`.
        Command::Account(Account::Grant { .. })
        | Command::Inquiry(_)
        | Command::Disclose(_)
        | Command::Voucher(_)
        | Command::Serve
        | Command::Docs(_)
        | Command::Audit(_)
        | Command::Backup(_)
        | Command::Restore(_) => {}
    }
    Ok(0)
}

async fn import(place: &Place, files: Vec<PathBuf>, json: bool) -> Result<()> {
    for file in files {
        let shown = file.display().to_string();
        let missing = || Error::invalid("file", format!("There is no file {shown}."));
        let file = std::fs::canonicalize(&file).map_err(|cause| missing().because(cause))?;
        let (folder, file) = Folder::of(&file).ok_or_else(missing)?;
        let bar = bar("imported");
        let report = place.ask_with(Request::Import { file }, Arc::new(folder), &bar).await?;
        bar.finish_and_clear();
        print(&if json { pretty(&report) } else { import_text(&shown, &report) })?;
    }
    Ok(())
}

async fn generate(place: &Place, wish: Generate) -> Result<()> {
    let bar = bar("steps");
    let Generate { prompt, output, model, ratio, resolution, technique, seed } = wish;
    // Before anything is drawn, since a remote engine is paid for.
    let output = Output::create(&output)?;
    let request = Request::Generate { prompt, model, ratio, resolution, technique, seed };
    let drawn = place.ask(request, &bar).await?;
    bar.finish_and_clear();
    let png = drawn.get("png").and_then(Value::as_str).and_then(|text| BASE64.decode(text.as_bytes()).ok());
    output.keep(&png.ok_or_else(|| Error::internal("a drawn picture did not arrive"))?)
}

fn account_text(made: &Value) -> String {
    let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("account  {}\nAPI key  {}\n(The key is shown this once.)", text("account_id"), text("api_key"))
}

/// Checks a receipt with the site's public key alone; returns what it shows.
fn verify(receipt: &Path, key: &str) -> Result<String> {
    let unreadable = |cause| {
        Error::invalid("receipt", "The receipt cannot be read. Give the file it was saved in.").because(cause)
    };
    let text = std::fs::read_to_string(receipt).map_err(unreadable)?;
    let found = vault::receipt::verify(&text, &key.parse()?)?;
    let when = kernel::clock::utc_text(found.deletion.time);
    let place = match found.inclusion {
        Some(place) => format!("The public log has it as entry {} of {}.", place.index, place.size),
        None => {
            "It carries no proof of the public log; the site's page for checking receipts adds it.".to_owned()
        }
    };
    Ok(format!(
        "Genuine. {} records erased at {when} in turn {}.\n{place}",
        found.deletion.records.len(),
        found.deletion.epoch
    ))
}

/// Where requests are carried out: in this process, or in the server that holds the data folder.
pub(crate) enum Place {
    /// Nobody held the folder.
    Here(Box<House>),
    /// A server answers on this socket.
    Beside(PathBuf),
}

impl Place {
    pub(crate) async fn find(settings: Settings) -> Result<Self> {
        let socket = DataFolder::operator_socket(&settings.data);
        Ok(match DataFolder::take(&settings.data)? {
            Taken::Here(folder) => Self::Here(Box::new(Box::pin(House::open(settings, folder)).await?)),
            Taken::Elsewhere => Self::Beside(socket),
        })
    }

    pub(crate) async fn ask(&self, request: Request, bar: &ProgressBar) -> Result<Value> {
        self.ask_with(request, Arc::new(NoFiles), bar).await
    }

    /// Asks for what needs files, which this process reads.
    async fn ask_with(&self, request: Request, files: SharedFiles, bar: &ProgressBar) -> Result<Value> {
        match self {
            Self::Here(house) => here(house, request, files, bar).await,
            Self::Beside(socket) => {
                operator::ask(socket, &request, &*files, |done, all| show(bar, done, all)).await
            }
        }
    }

    /// Asks for what takes no time to speak of.
    pub(crate) async fn get(&self, request: Request) -> Result<Value> {
        self.ask(request, &ProgressBar::hidden()).await
    }

    pub(crate) async fn leave(self) {
        if let Self::Here(house) = self {
            house.close().await;
        }
    }
}

async fn here(house: &House, request: Request, files: SharedFiles, bar: &ProgressBar) -> Result<Value> {
    let (steps, mut heard) = mpsc::unbounded_channel();
    let mut work = std::pin::pin!(operator::execute(house, request, Asker { steps, files }));
    loop {
        tokio::select! {
            Some((done, all)) = heard.recv() => show(bar, done, all),
            result = &mut work => return result,
            _ = tokio::signal::ctrl_c() => {
                return Err(Error::new(kernel::Kind::Cancelled, "Stopped. What was done stays; run it again to go on."));
            }
        }
    }
}

pub(crate) fn bar(unit: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg} {elapsed} (about {eta} left)");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(unit)
}

pub(crate) fn show(bar: &ProgressBar, done: u64, all: u64) {
    bar.set_length(all);
    bar.set_position(done);
}

pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A file that is written whole or not at all.
struct Output {
    path: PathBuf,
    unfinished: PathBuf,
}

impl Output {
    fn create(path: &Path) -> Result<Self> {
        let output = Self { path: path.to_owned(), unfinished: path.with_extension("part") };
        std::fs::write(&output.unfinished, []).map_err(Self::failed)?;
        Ok(output)
    }

    fn keep(self, bytes: &[u8]) -> Result<()> {
        std::fs::write(&self.unfinished, bytes).map_err(Self::failed)?;
        std::fs::rename(&self.unfinished, &self.path).map_err(Self::failed)
    }

    fn failed(cause: std::io::Error) -> Error {
        let words = "The output file cannot be written. Check its folder and the room on its disk.";
        Error::invalid("output", words).because(cause)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

fn import_text(file: &str, report: &Value) -> String {
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut text = format!(
        "{file}: {} entries, {} new, {} updated, {} unchanged",
        number("entries"),
        number("added"),
        number("updated"),
        number("unchanged")
    );
    for (name, heading) in [("skipped", "skipped"), ("without_picture", "kept without picture")] {
        for (reason, tally) in report.get(name).and_then(Value::as_object).into_iter().flatten() {
            let examples: Vec<&str> = tally
                .get("examples")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let count = tally.get("count").and_then(Value::as_u64).unwrap_or(0);
            text += &format!("\n  {count} {heading}: {reason} (such as {})", examples.join(", "));
        }
    }
    text
}

fn search_text(found: &Value) -> String {
    let rows = found.get("data").and_then(Value::as_array).into_iter().flatten().map(|row| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let prompt: String =
            text("text").split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect();
        format!("{}  {prompt}", text("id"))
    });
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() { "Nothing found. Try fewer words.".to_owned() } else { rows.join("\n") }
}
