//! This owns the operator's commands: the same function runs them in the server, reached through a socket in the data
//! folder, or in the command's own process where no server holds the folder.

mod desk;
mod socket;

use std::path::PathBuf;
use std::sync::Arc;

use accounts::KeyWish;
use data_encoding::BASE64;
use engines::{Progress, State};
use gallery::Tick;
use gallery::api::SearchQuery;
use gallery::source::{NoFiles, SharedFiles};
use kernel::{EmailAddress, Error, Kind, Prompt, Result, purpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use studio::{Asked, Order};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::backup;
use crate::house::House;
pub use desk::Desk;
pub use socket::{ask, listen};

/// Name of the API key that the command line makes.
const COMMAND_LINE_KEY: &str = "command line";

/// What an operator can ask for.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Import a file, which whoever asks reads.
    Import {
        /// Its name in the folder that they read.
        file: PathBuf,
    },
    /// Search the gallery.
    Search {
        /// What for.
        words: String,
        /// Artworks at most.
        limit: usize,
    },
    /// Draw a picture without an account; it is kept nowhere.
    Generate {
        /// What it shows.
        prompt: String,
        /// Model id; empty for the default.
        model: String,
        /// Aspect ratio; empty for the default.
        ratio: String,
        /// Resolution; empty for the default.
        resolution: String,
        /// Technique; empty for what the prompt says.
        technique: String,
        /// Seed; empty for a random one.
        seed: String,
    },
    /// Make an account, or find it, with a new API key.
    CreateAccount {
        /// Address; not stored.
        address: String,
        /// Credits to grant.
        credits: u32,
    },
    /// What is asked about one address, and vouchers.
    Desk(Desk),
    /// Remove an artwork.
    RemoveArtwork {
        /// Its public id.
        id: String,
    },
    /// Add up the ledger.
    CheckLedger,
    /// Show what was bought, as its buyer's receipt does.
    ShowPurchase {
        /// Its number.
        number: String,
        /// Its code, which its buyer knows.
        code: String,
    },
    /// Hold the books against the payment processor's list of events, and apply what did not arrive.
    ReconcilePurchases,
    /// The public key that receipts are checked with.
    VerifierKey,
    /// Look at everything.
    Doctor,
    /// Hold the promises against what is there.
    Audit,
    /// Seal the first node of the key tree for a backup.
    Reseal {
        /// The epoch that the backup read.
        epoch: u64,
        /// The node that it read, in base64.
        first: String,
        /// The root of the backup, in base64.
        under: String,
    },
    /// Give every node of the key tree a new key.
    Rotate,
}

/// Steps of a request, for a progress bar.
pub type Steps = mpsc::UnboundedSender<(u64, u64)>;

/// Who asks for something.
#[derive(Clone)]
pub struct Asker {
    /// Hears how far it is; once nobody hears it, the work is cancelled.
    pub steps: Steps,
    /// Reads what an import names.
    pub files: SharedFiles,
}

impl Asker {
    /// One without files.
    #[must_use]
    pub fn new(steps: Steps) -> Self {
        Self { steps, files: Arc::new(NoFiles) }
    }
}

/// Carries out a request.
///
/// # Errors
/// As the slice that does the work.
pub async fn execute(house: &House, request: Request, asker: Asker) -> Result<Value> {
    let Asker { steps, files } = asker;
    match request {
        Request::Import { file } => {
            let tick = |tick: Tick| {
                steps.send((tick.done, tick.all)).map_err(|_| {
                    Error::new(Kind::Cancelled, "The import was stopped. Run it again to go on.")
                })
            };
            let report = house.gallery.import(&file, files, tick).await?;
            serde_json::to_value(report)
                .map_err(|cause| Error::internal("a report cannot be written").because(cause))
        }
        Request::Search { words, limit } => house.gallery.search_json(SearchQuery::words(words, limit)).await,
        Request::Generate { prompt, model, ratio, resolution, technique, seed } => {
            let asked = Asked { model, ratio, resolution, technique, seed, references: Vec::new() };
            let order = Order::parse(Arc::new(Prompt::parse(prompt)?), asked, house.studio.models())?;
            let credit = house.studio.credit(order.model());
            let picture = draw(house, order, steps).await?;
            Ok(json!({ "png": BASE64.encode(&imaging::encode_png_credited(&picture, &credit)?) }))
        }
        Request::CreateAccount { address, credits } => {
            create_account(house, &EmailAddress::parse(&address.into())?, credits).await
        }
        Request::Desk(asked) => desk::carry_out(house, asked).await,
        Request::RemoveArtwork { id } => {
            let id = gallery::artwork::ArtworkId::parse(&id)?;
            house.gallery.get(&id).await?;
            let erased = house.gallery.erase(&id).await?;
            Ok(json!({ "removed": true, "receipts": erased.receipts }))
        }
        Request::VerifierKey => Ok(house.keys.verifier().to_string().into()),
        Request::Doctor => crate::doctor::examine(house).await,
        Request::Audit => serde_json::to_value(crate::audit::inside(house).await)
            .map_err(|cause| Error::internal("an audit cannot be written").because(cause)),
        Request::CheckLedger => {
            let proof = house.accounts.ledger().check(house.keys.site()).await?;
            let faults: serde_json::Map<_, _> =
                proof.faults().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
            Ok(
                json!({ "adds_up": proof.holds(), "transfers": proof.transfers, "days": proof.days, "wrong": faults }),
            )
        }
        Request::ShowPurchase { number, code } => {
            serde_json::to_value(house.accounts.receipt(&number, &code).await?)
                .map_err(|cause| Error::internal("a receipt cannot be written").because(cause))
        }
        Request::ReconcilePurchases => {
            let words = "Nothing is for sale here: docs/payments.md says what to set.";
            let done = house.reconcile_purchases().await?.ok_or_else(|| Error::not_found(words))?;
            Ok(json!({ "seen": done.seen, "missed": done.missed }))
        }
        Request::Reseal { epoch, first, under } => backup::reseal(house, epoch, &first, &under).await,
        Request::Rotate => {
            let step = |done, all| {
                steps.send((done, all)).map_err(|_| Error::new(Kind::Cancelled, "The rotation was stopped."))
            };
            house.blobs.keys().rotate(step).await?;
            Ok(json!({ "epoch": house.blobs.keys().epoch().await }))
        }
    }
}

/// Makes an account with a key, or gives one that the command line has made another key. Somebody else's is not touched:
/// a key opens all that an account has.
async fn create_account(house: &House, address: &EmailAddress, credits: u32) -> Result<Value> {
    let accounts = &house.accounts;
    let known = accounts.find(address).await;
    let account = accounts.find_or_create(address).await?;
    let keys = accounts.keys(account).await?;
    let own: Vec<_> = keys.iter().filter(|key| key.name == COMMAND_LINE_KEY).collect();
    if known.is_some() && own.is_empty() {
        let words = "This account was not made here. Its owner makes keys on the account page; credits: safelight account grant.";
        return Err(Error::new(Kind::Conflict, words));
    }
    accounts.ledger().grant(account, credits).await?;
    // One key of the command line per account: the one before it ends, so that the five are not used up.
    for key in own {
        accounts.revoke_key(account, key.id).await?;
    }
    let key = accounts.create_key(account, KeyWish::named(COMMAND_LINE_KEY)).await?;
    Ok(json!({ "account_id": account, "api_key": key.token.reveal(purpose::ShowOnce) }))
}

async fn draw(house: &House, order: Order, steps: Steps) -> Result<imaging::Picture> {
    let (state, mut seen) = watch::channel(State::default());
    let progress = Progress::new(state, CancellationToken::new());
    let telling = async {
        while seen.changed().await.is_ok() {
            let state = seen.borrow_and_update().clone();
            let _ = steps.send((state.step.into(), state.steps.into()));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        picture = house.studio.draw_now(order, progress) => picture,
        () = telling => Err(Error::internal("drawing stopped")),
    }
}
