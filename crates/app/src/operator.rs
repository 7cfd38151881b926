//! This owns the operator's commands: the same function runs them in the server, reached through a socket in the data
//! folder, or in the command's own process where no server holds the folder.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use data_encoding::BASE64;
use engines::{Progress, State};
use gallery::Tick;
use gallery::api::SearchQuery;
use kernel::{EmailAddress, Error, Kind, Prompt, Result, purpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use studio::{Asked, Order};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::backup;
use crate::house::House;

/// Name of the API key that the command line makes.
const COMMAND_LINE_KEY: &str = "command line";

/// Bytes of a request.
const REQUEST_BYTES_MAX: u64 = 1024 * 1024;

/// What an operator can ask for.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Import a file.
    Import {
        /// Absolute path.
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
    /// Remove an artwork.
    RemoveArtwork {
        /// Its public id.
        id: String,
    },
    /// Add up the ledger.
    CheckLedger,
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

/// What is said while a request is carried out, and at its end.
#[derive(Serialize, Deserialize)]
enum Said {
    Step { done: u64, all: u64 },
    Done(Value),
    Failed { kind: String, public: String },
}

/// Steps of a request, for a progress bar.
pub type Steps = mpsc::UnboundedSender<(u64, u64)>;

/// Carries out a request; the receiver of `steps` hears how far it is. A dropped receiver cancels.
///
/// # Errors
/// As the slice that does the work.
pub async fn execute(house: &House, request: Request, steps: Steps) -> Result<Value> {
    match request {
        Request::Import { file } => {
            let tick = |tick: Tick| {
                steps.send((tick.done, tick.all)).map_err(|_| {
                    Error::new(Kind::Cancelled, "The import was stopped. Run it again to go on.")
                })
            };
            let report = house.gallery.import(&file, tick).await?;
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
            let account = house.accounts.find_or_create(&EmailAddress::parse(&address.into())?).await?;
            house.accounts.grant(account, credits).await?;
            // One key of the command line per account: the one before it ends, so that the five are not used up.
            for key in house.accounts.keys(account).await?.iter().filter(|key| key.name == COMMAND_LINE_KEY) {
                house.accounts.revoke_key(account, key.id).await?;
            }
            let key = house.accounts.create_key(account, COMMAND_LINE_KEY).await?;
            Ok(json!({ "account_id": account, "api_key": key.token.reveal(purpose::ShowOnce) }))
        }
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
            let proof = house.accounts.check_ledger().await?;
            Ok(
                json!({ "adds_up": proof.holds(), "sum": proof.sum, "wrong_books": proof.wrong_books, "wrong_holds": proof.wrong_holds, "transfers": proof.transfers }),
            )
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

/// Answers requests on the socket until the server stops.
pub async fn listen(house: House, path: PathBuf, stop: CancellationToken) {
    let _ = std::fs::remove_file(&path);
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(cause) => {
            return house
                .log
                .failure(&Error::internal("the operator's socket cannot be made").because(cause));
        }
    };
    let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600));
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        let (house, stop) = (house.clone(), stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(answer(house, stream)).await });
    }
    let _ = std::fs::remove_file(&path);
}

async fn answer(house: House, stream: UnixStream) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reading.take(REQUEST_BYTES_MAX)).read_line(&mut line).await?;
    let (steps, mut heard) = mpsc::unbounded_channel();
    let request = serde_json::from_str(&line).map_err(|_| {
        Error::new(Kind::Invalid, "This command is of another version than the running server.")
    });
    let mut work = execute_owned(house.clone(), request, steps);
    let said = loop {
        tokio::select! {
            Some((done, all)) = heard.recv() => say(&mut writing, &Said::Step { done, all }).await?,
            result = &mut work => break result,
        }
    };
    let last = match said {
        Ok(value) => Said::Done(value),
        Err(error) => {
            house.log.failure(&error);
            Said::Failed { kind: format!("{:?}", error.kind), public: error.public.to_string() }
        }
    };
    say(&mut writing, &last).await
}

/// Boxed, since the compiler cannot see through the whole chain that it may move between threads.
fn execute_owned(
    house: House,
    request: Result<Request>,
    steps: Steps,
) -> Pin<Box<dyn Future<Output = Result<Value>> + Send>> {
    Box::pin(async move { execute(&house, request?, steps).await })
}

async fn say(writing: &mut (impl AsyncWriteExt + Unpin), said: &Said) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    writing.write_all(&line).await
}

/// Sends a request to the server that holds the data folder.
///
/// # Errors
/// What the server answered, or `Unavailable` when it does not.
pub async fn ask(socket: &Path, request: &Request, step: impl Fn(u64, u64)) -> Result<Value> {
    let unavailable = || {
        Error::new(
            Kind::Unavailable,
            "A server holds this data folder but does not answer on its socket. Is it starting or stopping?",
        )
    };
    let mut stream = UnixStream::connect(socket).await.map_err(|cause| unavailable().because(cause))?;
    let mut line = serde_json::to_vec(request).map_err(|cause| unavailable().because(cause))?;
    line.push(b'\n');
    stream.write_all(&line).await.map_err(|cause| unavailable().because(cause))?;
    let mut answers = BufReader::new(stream).lines();
    while let Some(answer) = answers.next_line().await.map_err(|cause| unavailable().because(cause))? {
        match serde_json::from_str(&answer).map_err(|cause| unavailable().because(cause))? {
            Said::Step { done, all } => step(done, all),
            Said::Done(value) => return Ok(value),
            Said::Failed { kind, public } => return Err(Error::new(kind_of(&kind), public)),
        }
    }
    Err(unavailable())
}

fn kind_of(name: &str) -> Kind {
    let kinds = [
        Kind::Invalid,
        Kind::NotFound,
        Kind::Conflict,
        Kind::TooLarge,
        Kind::StorageFull,
        Kind::Upstream,
        Kind::Cancelled,
    ];
    kinds.into_iter().find(|kind| format!("{kind:?}") == name).unwrap_or(Kind::Internal)
}
