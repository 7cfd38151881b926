//! This owns trying again: mails wait in memory until they are taken, refused, or nobody waits for them any more.
//! It does not know what a mail is or whom it goes to, so it can keep neither.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, Kind, Result};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::Fault;
use crate::log::{Delivery, Event, Log};

/// Mails that wait or are being handed over.
const MAILS_MAX: usize = 1_000;
/// Conversations with the mail server at a time.
const CONVERSATIONS_MAX: usize = 4;
/// How long to wait before the second try; each wait is twice the one before, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long conversations may take to end once the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has said anything yet.
    Waiting,
    /// It was not taken for now, and is tried again.
    Delayed,
    /// The receiving side has it.
    Accepted,
    /// The receiving side does not take it for this address.
    Refused,
    /// This program and the mail server do not get along; the operator has to look.
    Setup,
    /// It was not taken while there was time.
    GivenUp,
}

impl Progress {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Waiting | Self::Delayed)
    }

    /// Whether the mail will never come.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Refused | Self::Setup | Self::GivenUp)
    }

    const fn delivery(self) -> Option<Delivery> {
        match self {
            Self::Waiting => None,
            Self::Delayed => Some(Delivery::Delayed),
            Self::Accepted => Some(Delivery::Accepted),
            Self::Refused => Some(Delivery::Refused),
            Self::Setup => Some(Delivery::Setup),
            Self::GivenUp => Some(Delivery::GivenUp),
        }
    }
}

impl From<Result<(), Fault>> for Progress {
    fn from(tried: Result<(), Fault>) -> Self {
        match tried {
            Ok(()) => Self::Accepted,
            Err(Fault::Later) => Self::Delayed,
            Err(Fault::Refused) => Self::Refused,
            Err(Fault::Setup) => Self::Setup,
        }
    }
}

/// Held by whoever waits for a mail. Once it is dropped, the mail is not tried again.
pub struct Ticket {
    progress: watch::Receiver<Progress>,
    _wanted: DropGuard,
}

impl Ticket {
    /// How far the mail is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// How far it is from now on; this keeps nobody waiting.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }
}

/// The mails that wait. Each is a task, so that nothing but its task holds it.
#[derive(Clone)]
pub(super) struct Queue {
    places: Arc<Semaphore>,
    conversations: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    log: Log,
}

impl Queue {
    pub(super) fn new(log: Log) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAILS_MAX)),
            conversations: Arc::new(Semaphore::new(CONVERSATIONS_MAX)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            log,
        }
    }

    /// Hands a mail over, again and again while its ticket is held, for as long as `life`.
    ///
    /// # Errors
    /// `Unavailable` when too many wait.
    pub(super) fn post<F>(
        &self,
        life: Duration,
        hand_over: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Ticket>
    where
        F: Future<Output = Result<(), Fault>> + Send,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|cause| {
            let words = "Too many mails wait to be sent. Please try again in a minute.";
            Error::new(Kind::Unavailable, words).because(cause)
        })?;
        let (progress, watch) = watch::channel(Progress::Waiting);
        let wanted = self.stop.child_token();
        let ticket = Ticket { progress: watch, _wanted: wanted.clone().drop_guard() };
        let (queue, until) = (self.clone(), Instant::now() + life);
        self.tasks.spawn(async move {
            if queue.deliver(until, &wanted, &progress, hand_over).await.is_none() {
                queue.tell(&progress, Progress::GivenUp);
            }
            drop(place);
        });
        Ok(ticket)
    }

    /// Tries until there is an end; `None` if time is over before, or nobody waits for it. A conversation that has begun ends.
    async fn deliver<F: Future<Output = Result<(), Fault>>>(
        &self,
        until: Instant,
        wanted: &CancellationToken,
        progress: &watch::Sender<Progress>,
        hand_over: impl Fn() -> F,
    ) -> Option<()> {
        let mut wait = FIRST_WAIT;
        loop {
            let turn = wanted.run_until_cancelled(self.conversations.acquire());
            let turn = timeout_at(until, turn).await.ok()??;
            let now = Progress::from(hand_over().await);
            drop(turn);
            self.tell(progress, now);
            if now.is_end() {
                return Some(());
            }
            timeout_at(until, wanted.run_until_cancelled(sleep(wait))).await.ok()??;
            wait = LONGEST_WAIT.min(wait * 2);
        }
    }

    fn tell(&self, progress: &watch::Sender<Progress>, now: Progress) {
        if let Some(delivery) = now.delivery() {
            self.log.write(Event::Mail { delivery });
        }
        progress.send_replace(now);
    }

    /// Drops what waits, and lets conversations that have begun end.
    pub(super) async fn drain(&self) {
        self.stop.cancel();
        self.tasks.close();
        let _ = timeout(DRAIN_TIMEOUT, self.tasks.wait()).await;
    }
}

#[cfg(test)]
mod tests;
