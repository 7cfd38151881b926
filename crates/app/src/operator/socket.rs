//! This owns the operator's socket: how a request, its steps, the files that it needs and its answer travel between a
//! command and the server. It does not know what a request does.
//!
//! Both sides say one JSON object a line. A file follows its line as it is, in as many bytes as the line says.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use gallery::source::{Files, Unread};
use kernel::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Asker, Request, execute};
use crate::house::House;

/// Bytes of a line.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Files that are waited for; an import reads as many at once as there are cores.
const WANTED_MAX: usize = 16;

/// What the server says while a request is carried out, and at its end.
#[derive(Serialize, Deserialize)]
enum Said {
    Step {
        done: u64,
        all: u64,
    },
    /// A file is needed; the command answers with [`Brought`].
    Wanted {
        name: PathBuf,
        bytes_max: u64,
    },
    Done(Value),
    Failed {
        kind: String,
        public: String,
    },
}

/// What the command says of a file: its bytes follow, in this number, or there are none.
type Brought = std::result::Result<u64, Unread>;

/// A file that an import waits for.
struct Wanted {
    name: PathBuf,
    bytes_max: u64,
    bring: oneshot::Sender<std::result::Result<Vec<u8>, Unread>>,
}

/// The files of whoever is on the other side of the socket.
struct Beyond(mpsc::Sender<Wanted>);

impl Files for Beyond {
    fn read<'a>(
        &'a self,
        name: &'a Path,
        bytes_max: u64,
    ) -> BoxFuture<'a, std::result::Result<Vec<u8>, Unread>> {
        Box::pin(async move {
            let (bring, brought) = oneshot::channel();
            let wanted = Wanted { name: name.to_owned(), bytes_max, bring };
            self.0.send(wanted).await.map_err(|_| Unread::Unreadable)?;
            brought.await.unwrap_or(Err(Unread::Unreadable))
        })
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
    let mut reading = BufReader::new(reading);
    let request = serde_json::from_str(&hear(&mut reading).await?).map_err(|_| {
        Error::new(Kind::Invalid, "This command is of another version than the running server.")
    });
    let ((steps, mut heard), (wants, mut wanted)) = (mpsc::unbounded_channel(), mpsc::channel(WANTED_MAX));
    let asker = Asker { steps, files: Arc::new(Beyond(wants)) };
    let mut work = execute_owned(house.clone(), request, asker);
    let said = loop {
        tokio::select! {
            Some((done, all)) = heard.recv() => say(&mut writing, &Said::Step { done, all }).await?,
            Some(file) = wanted.recv() => fetch(&mut reading, &mut writing, file).await?,
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
    asker: Asker,
) -> Pin<Box<dyn Future<Output = Result<Value>> + Send>> {
    Box::pin(async move { execute(&house, request?, asker).await })
}

/// Asks the command for a file. One whose bytes do not come as it says ends the request.
async fn fetch(
    reading: &mut (impl AsyncBufRead + Unpin),
    writing: &mut (impl AsyncWrite + Unpin),
    file: Wanted,
) -> std::io::Result<()> {
    let Wanted { name, bytes_max, bring } = file;
    say(writing, &Said::Wanted { name, bytes_max }).await?;
    let brought = match serde_json::from_str::<Brought>(&hear(reading).await?)? {
        Ok(count) if count > bytes_max => return Err(std::io::ErrorKind::FileTooLarge.into()),
        Ok(count) => {
            let mut bytes = Vec::new();
            if reading.take(count).read_to_end(&mut bytes).await? as u64 != count {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            Ok(bytes)
        }
        Err(why) => Err(why),
    };
    // The entry that it was for may have been given up meanwhile.
    let _ = bring.send(brought);
    Ok(())
}

/// Hears a line; it ends early where the other side has gone.
async fn hear(reading: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut line = String::new();
    reading.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    Ok(line)
}

async fn say(writing: &mut (impl AsyncWrite + Unpin), said: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    writing.write_all(&line).await
}

/// Sends a request to the server that holds the data folder, and brings it the files that it wants.
///
/// # Errors
/// What the server answered, or `Unavailable` when it does not.
pub async fn ask(
    socket: &Path,
    request: &Request,
    files: &dyn Files,
    step: impl Fn(u64, u64),
) -> Result<Value> {
    let unavailable = || {
        Error::new(
            Kind::Unavailable,
            "A server holds this data folder but does not answer on its socket. Is it starting or stopping?",
        )
    };
    let answer = async {
        let (reading, mut writing) = UnixStream::connect(socket).await?.into_split();
        say(&mut writing, request).await?;
        let mut answers = BufReader::new(reading).lines();
        while let Some(answer) = answers.next_line().await? {
            match serde_json::from_str(&answer)? {
                Said::Step { done, all } => step(done, all),
                Said::Wanted { name, bytes_max } => {
                    bring(&mut writing, files.read(&name, bytes_max).await).await?;
                }
                Said::Done(value) => return Ok(Ok(value)),
                Said::Failed { kind, public } => return Ok(Err(Error::new(kind_of(&kind), public))),
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
    };
    answer.await.unwrap_or_else(|cause| Err(unavailable().because(cause)))
}

async fn bring(
    writing: &mut (impl AsyncWrite + Unpin),
    read: std::result::Result<Vec<u8>, Unread>,
) -> std::io::Result<()> {
    let brought: Brought = read.as_ref().map(|bytes| bytes.len() as u64).map_err(|why| *why);
    say(writing, &brought).await?;
    writing.write_all(&read.unwrap_or_default()).await
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
