//! This owns handing over a mail: by SMTP, into a folder, or on the operator's terminal.
//! It does not write the mail; there is one, and sign-in owns its words.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use kernel::{EmailAddress, Error, Id, Result, purpose};
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use outgoing::Outgoing;

use crate::folder::create_private_dir;
use crate::log::Log;
use queue::Queue;

mod letter;
mod queue;
mod smtp;

pub use letter::{Letter, Part};
pub use queue::{Progress, Ticket};
pub use smtp::Server;

/// How mail leaves, as set by `mail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`.
    Smtp(Server),
    /// `dir:PATH`: one file a mail, for machines without mail and for tests.
    Folder(PathBuf),
    /// `terminal`: on standard error of the server, for trying things out.
    Terminal,
}

impl Route {
    /// Makes the folder that mails are written into, if that is how they leave.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn create_folder(&self) -> Result<()> {
        match self {
            Self::Folder(dir) => Ok(create_private_dir(dir)?),
            Self::Smtp(_) | Self::Terminal => Ok(()),
        }
    }
}

impl FromStr for Route {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("smtp" | "smtps", _)) => text.parse().map(Self::Smtp),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            None if text == "terminal" => Ok(Self::Terminal),
            _ => Err(Error::invalid("mail", "mail is smtp://USER:PASSWORD@HOST, dir:PATH or terminal.")),
        }
    }
}

/// Why a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nobody answers, or the server says to come again.
    Later,
    /// The server does not take it for this address.
    Refused,
    /// The server is not whom it should be, or does not let this program in.
    Setup,
}

/// Hands mails over.
pub struct Mailer {
    transport: Arc<Transport>,
    from: Mailbox,
    queue: Queue,
}

enum Transport {
    Smtp(Server, Outgoing),
    Folder(PathBuf),
    Terminal,
}

impl Mailer {
    /// A mailer for this route; `from` is the address in the From line.
    ///
    /// # Errors
    /// `Invalid` when the address cannot be read, or the folder cannot be made.
    pub fn new(route: &Route, from: &str, outgoing: &Outgoing, log: Log) -> Result<Self> {
        let from = from.parse().map_err(|cause| {
            Error::invalid("mail-from", "mail-from is an address such as Safelight <no-reply@example.org>.")
                .because(cause)
        })?;
        route.create_folder()?;
        let transport = match route {
            Route::Smtp(server) => Transport::Smtp(server.clone(), outgoing.clone()),
            Route::Folder(dir) => Transport::Folder(dir.clone()),
            Route::Terminal => Transport::Terminal,
        };
        Ok(Self { transport: Arc::new(transport), from, queue: Queue::new(log) })
    }

    /// Posts a letter, which waits in memory and is tried again while its ticket is held, for as long as `life`.
    ///
    /// # Errors
    /// `Invalid` for an address that no mail can have, `Unavailable` when too many letters wait.
    pub fn post(&self, to: &EmailAddress, letter: &Letter, life: Duration) -> Result<Ticket> {
        let mail = Arc::new((self.message(to, letter)?, letter.text()));
        let transport = Arc::clone(&self.transport);
        self.queue.post(life, move || {
            let (transport, mail) = (Arc::clone(&transport), Arc::clone(&mail));
            async move { transport.hand_over(&mail.0, &mail.1).await }
        })
    }

    fn message(&self, to: &EmailAddress, letter: &Letter) -> Result<Message> {
        let to: Mailbox = to.reveal(purpose::SendSignInCode).parse().map_err(|cause| {
            Error::invalid("address", "Mail cannot be sent to this address. Please check it.").because(cause)
        })?;
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()?))
            .map_err(|cause| Error::internal("a mail could not be put together").because(cause))
    }

    /// Drops what waits, and lets conversations that have begun end.
    pub async fn drain(&self) {
        self.queue.drain().await;
    }
}

impl Transport {
    async fn hand_over(&self, message: &Message, text: &str) -> Result<(), Fault> {
        match self {
            Self::Smtp(server, outgoing) => server.hand_over(outgoing, message).await,
            Self::Folder(dir) => keep(dir, &message.formatted()).await.map_err(|_| Fault::Later),
            // The address is left out: the person at the terminal knows whom they typed in.
            Self::Terminal => writeln!(std::io::stderr().lock(), "\n  {}", text.replace('\n', "\n  "))
                .map_err(|_| Fault::Later),
        }
    }
}

/// Writes a mail whole or not at all, under a name that sorts by time.
async fn keep(dir: &Path, message: &[u8]) -> std::io::Result<()> {
    let name = format!("{:015}-{}", jiff::Timestamp::now().as_millisecond(), Id::random());
    let part = dir.join(format!("{name}.part"));
    tokio::fs::write(&part, message).await?;
    tokio::fs::rename(part, dir.join(format!("{name}.eml"))).await
}

#[cfg(test)]
mod tests;
