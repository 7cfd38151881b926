//! This owns the queue. Jobs wait in memory only, prompts with them; a crash loses them and gives their credits back.
//! One line per engine, first come first served.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accounts::ledger::LEASE_SECONDS;
use engines::{Progress, State as Drawing};
use imaging::Picture;
use kernel::clock::UnixSeconds;
use kernel::{Error, Id, Kind, Result};
use platform::log::{Event, Outcome};
use platform::statistics::{Counter, Who};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vault::RecordKey;

use crate::Studio;
use crate::generation::{Details, Generation, State};
use crate::models::Models;
use crate::order::{Door, Order};
use crate::store;

/// Jobs of one account that wait or run.
const JOBS_PER_ACCOUNT_MAX: usize = 8;
/// Jobs that wait or run in all.
const JOBS_MAX: usize = 256;
/// How long one picture may take to be drawn.
const DRAWING_TIMEOUT: Duration = Duration::from_secs(600);
/// Seconds after which a hold is renewed before the drawing begins: what is left of its lease outlasts every drawing.
const RENEWED_AFTER: UnixSeconds = LEASE_SECONDS / 2;
/// How long a stopping server waits for pictures that are being drawn.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In line.
    Queued,
    /// Being drawn.
    Drawing,
    /// Its picture is kept.
    Completed,
    /// It ended without a picture, for this reason; its credits were given back.
    Failed(String),
}

/// A job that waits or runs, for those who watch it.
#[derive(Clone)]
pub struct Live {
    /// Where it is.
    pub phase: watch::Receiver<Phase>,
    /// What the engine reports.
    pub drawing: watch::Receiver<Drawing>,
}

struct Job {
    account: Id,
    engine: usize,
    cancel: CancellationToken,
    live: Live,
}

struct Line {
    permits: Arc<Semaphore>,
    waiting: Mutex<VecDeque<Id>>,
}

/// Every job that waits or runs.
pub(crate) struct Jobs {
    lines: Vec<Line>,
    running: Mutex<HashMap<Id, Job>>,
    tasks: TaskTracker,
}

/// The parts of a job that its task owns.
struct Task {
    generation: Generation,
    engine: usize,
    request: engines::Request,
    phase: watch::Sender<Phase>,
    progress: Progress,
}

impl Jobs {
    pub(crate) fn new(models: &Models) -> Self {
        let line = |width| Line { permits: Arc::new(Semaphore::new(width)), waiting: Mutex::default() };
        Self {
            lines: models.offers().iter().map(|offer| line(offer.width)).collect(),
            running: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Id, Job>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self, engine: usize) -> Option<MutexGuard<'_, VecDeque<Id>>> {
        Some(self.lines.get(engine)?.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn check_room(&self, account: Id) -> Result<()> {
        let running = self.running();
        if self.tasks.is_closed() {
            return Err(Error::new(
                Kind::Unavailable,
                "The server is stopping. Please try again in a minute.",
            ));
        }
        if running.values().filter(|job| job.account == account).count() >= JOBS_PER_ACCOUNT_MAX {
            let words =
                format!("You have {JOBS_PER_ACCOUNT_MAX} pictures developing. Please wait for one of them.");
            return Err(Error::new(Kind::RateLimited, words));
        }
        if running.len() >= JOBS_MAX {
            return Err(Error::new(
                Kind::Unavailable,
                "Too many pictures are waiting. Please try again in a minute.",
            ));
        }
        Ok(())
    }
}

impl Studio {
    /// Accepts an order: holds its price, writes its row and puts it in line. Hanging up changes nothing from here on.
    ///
    /// # Errors
    /// `InsufficientCredits`, `RateLimited`, `Unavailable`; nothing is held or written then.
    pub async fn submit(&self, account: Id, door: Door, order: Order) -> Result<Generation> {
        self.submit_request(account, door, order, None).await
    }

    /// As [`Studio::submit`], remembering the request id and the inputs as fingerprints.
    pub(crate) async fn submit_request(
        &self,
        account: Id,
        door: Door,
        order: Order,
        request: Option<store::NewRequest>,
    ) -> Result<Generation> {
        self.jobs.check_room(account)?;
        let details = Details {
            failure: String::new(),
            model: order.request.model.clone(),
            ratio: order.ratio.to_string(),
            width: order.request.size_px.0,
            height: order.request.size_px.1,
            credits: order.credits,
        };
        let (studio, terms, created_at) = (self.clone(), door.terms(order.basic), self.clock.now());
        let accepted = self.db.together(move |writing| {
            Box::pin(async move {
                let hold = studio.accounts.ledger().hold(writing, account, details.credits, terms).await?;
                let state = State::Processing;
                let generation = Generation { id: Id::random(), account, hold, state, created_at, details };
                let key = studio.blobs.keys().create(writing, generation.id, Some(account)).await?;
                store::insert(writing, &key, &generation, request.as_ref()).await?;
                Ok(generation)
            })
        });
        let generation = accepted.await?;
        self.start(&generation, order);
        Ok(generation)
    }

    fn start(&self, generation: &Generation, order: Order) {
        let (phase, phase_seen) = watch::channel(Phase::Queued);
        let (drawing, drawing_seen) = watch::channel(Drawing::default());
        let cancel = CancellationToken::new();
        let live = Live { phase: phase_seen, drawing: drawing_seen };
        let job = Job { account: generation.account, engine: order.engine, cancel: cancel.clone(), live };
        self.jobs.running().insert(generation.id, job);
        if let Some(mut waiting) = self.jobs.waiting(order.engine) {
            waiting.push_back(generation.id);
        }
        let task = Task {
            generation: generation.clone(),
            engine: order.engine,
            request: order.request,
            phase,
            progress: Progress::new(drawing, cancel),
        };
        let studio = self.clone();
        self.jobs.tasks.spawn(async move { studio.run(task).await });
    }

    async fn run(self, task: Task) {
        let started = Instant::now();
        let Task { generation, engine, request, phase, progress } = task;
        let drawn = self.draw(&generation, engine, request, &phase, &progress).await;
        let ended = match drawn {
            Ok(picture) => self.complete(generation.clone(), picture).await,
            Err(error) => Err(error),
        };
        let (outcome, counter, last) = match ended {
            Ok(()) => (Outcome::Completed, self.models.counter(engine), Phase::Completed),
            Err(error) => {
                self.log.failure(&error);
                let outcome =
                    if error.kind == Kind::Cancelled { Outcome::Cancelled } else { Outcome::Failed };
                let last = Phase::Failed(self.fail(generation.clone(), &error).await);
                (outcome, Counter::NotMade, last)
            }
        };
        self.counters.count(counter, Who::Account(generation.account));
        self.leave_line(engine, generation.id);
        self.jobs.running().remove(&generation.id);
        phase.send_replace(last);
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.log.write(Event::Generation { outcome, millis });
    }

    async fn draw(
        &self,
        generation: &Generation,
        engine: usize,
        request: engines::Request,
        phase: &watch::Sender<Phase>,
        progress: &Progress,
    ) -> Result<Picture> {
        let gone = || Error::internal("an engine is missing from the list");
        let line = self.jobs.lines.get(engine).ok_or_else(gone)?;
        let offer = self.models.offers().get(engine).ok_or_else(gone)?;
        let permit = tokio::select! {
            permit = Arc::clone(&line.permits).acquire_owned() => permit.map_err(|_| gone())?,
            () = progress.cancelled() => return Err(cancelled()),
        };
        self.leave_line(engine, generation.id);
        // Its hold is as old as itself, and mostly young enough for the drawing.
        let waited = self.clock.now() - generation.created_at;
        if waited >= RENEWED_AFTER && !self.accounts.ledger().renew(generation.hold).await? {
            let words = "This picture waited too long in line. Nothing was charged. Please try again.";
            return Err(Error::new(Kind::Unavailable, words));
        }
        phase.send_replace(Phase::Drawing);
        let drawn =
            tokio::time::timeout(DRAWING_TIMEOUT, offer.engine.develop(request, progress.clone())).await;
        drop(permit);
        drawn.map_err(|_| {
            Error::new(Kind::Upstream, "The engine took longer than ten minutes and was stopped.")
        })?
    }

    fn leave_line(&self, engine: usize, id: Id) {
        if let Some(mut waiting) = self.jobs.waiting(engine) {
            waiting.retain(|other| *other != id);
        }
    }

    /// Keeps the picture, then marks the generation and takes its price in one transaction.
    async fn complete(&self, mut generation: Generation, picture: Picture) -> Result<()> {
        // Erased while it was drawn: there is no key any more, and nothing to keep.
        let key = self.blobs.keys().get(generation.id).await.map_err(|_| cancelled())?;
        (generation.details.width, generation.details.height) = (picture.width, picture.height);
        let key = self.seal(&generation, key, picture).await?;
        generation.state = State::Completed;
        let (studio, id) = (self.clone(), generation.id);
        let paid = self.db.together(move |writing| {
            Box::pin(async move {
                let ended = store::end(writing, &key, &generation).await?;
                // Deleted meanwhile, or its hold has lapsed: there is no picture without its price.
                if !ended || !studio.accounts.ledger().capture(writing, generation.hold).await? {
                    return Err(cancelled());
                }
                Ok(())
            })
        });
        paid.await?;
        // It is kept from here on; what hinders moving its files is mended at the next start.
        if let Err(error) = self.blobs.settle(&[id]) {
            self.log.failure(&error);
        }
        Ok(())
    }

    async fn seal(&self, generation: &Generation, key: RecordKey, picture: Picture) -> Result<RecordKey> {
        let (record, blobs) = (generation.id, self.blobs.clone());
        let credit = self.credit(&generation.details.model);
        tokio::task::spawn_blocking(move || {
            let original = imaging::encode_png_credited(&picture, &credit)?;
            blobs.write_picture(record, &key, &picture, original).map(|()| key)
        })
        .await
        .map_err(|_| Error::internal("sealing a picture stopped"))?
    }

    /// Gives the price back and discards what was written; returns the reason in words for the owner.
    async fn fail(&self, generation: Generation, error: &Error) -> String {
        let failure = error.public.to_string();
        // A hold that could not be given back now is given back at the next start.
        if let Err(error) = self.end_failed(vec![generation], &failure).await {
            self.log.failure(&error);
        }
        failure
    }

    /// Marks generations that were running as failed, gives their price back, and discards what was written.
    async fn end_failed(&self, generations: Vec<Generation>, failure: &str) -> Result<()> {
        let ids: Vec<Id> = generations.iter().map(|generation| generation.id).collect();
        let keys = self.blobs.keys().get_all(&ids).await?;
        let mut writing = self.db.write().await?;
        for mut generation in generations {
            generation.state = State::Failed;
            failure.clone_into(&mut generation.details.failure);
            if let Some(key) = keys.get(&generation.id) {
                store::end(&mut writing, key, &generation).await?;
            }
            self.accounts.ledger().release(&mut writing, generation.hold).await?;
        }
        platform::db::commit(writing).await?;
        ids.iter().try_for_each(|id| self.blobs.discard(*id))
    }

    /// Draws at once for the operator's command line: no account, no credits, nothing kept.
    ///
    /// # Errors
    /// As the engine.
    pub async fn draw_now(&self, order: Order, progress: Progress) -> Result<Picture> {
        let offer = self.models.offers().get(order.engine);
        let offer = offer.ok_or_else(|| Error::internal("an engine is missing from the list"))?;
        offer.engine.develop(order.request, progress).await
    }

    /// Who is to be credited in pictures of a model.
    #[must_use]
    pub fn credit(&self, model: &str) -> String {
        self.models.get(model).map(|(_, model)| model.credit.clone()).unwrap_or_default()
    }

    /// A job that waits or runs, for those who watch it.
    #[must_use]
    pub fn live(&self, id: Id) -> Option<Live> {
        self.jobs.running().get(&id).map(|job| job.live.clone())
    }

    /// How many jobs are before this one; 0 when it is being drawn or has ended.
    #[must_use]
    pub fn position(&self, id: Id) -> usize {
        let Some(engine) = self.jobs.running().get(&id).map(|job| job.engine) else { return 0 };
        let Some(waiting) = self.jobs.waiting(engine) else { return 0 };
        waiting.iter().position(|other| *other == id).map_or(0, |place| place + 1)
    }

    /// Stops a job within one step of its engine; does nothing when it has ended.
    pub fn cancel(&self, id: Id) {
        if let Some(job) = self.jobs.running().get(&id) {
            job.cancel.cancel();
        }
    }

    /// Stops every job of an account.
    pub fn cancel_all(&self, account: Id) {
        for job in self.jobs.running().values().filter(|job| job.account == account) {
            job.cancel.cancel();
        }
    }

    /// Waits for jobs that are drawn, then cancels the rest and waits until their credits are back.
    pub async fn drain(&self) {
        self.jobs.tasks.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, self.jobs.tasks.wait()).await.is_err() {
            for job in self.jobs.running().values() {
                job.cancel.cancel();
            }
            self.jobs.tasks.wait().await;
        }
    }

    /// After a crash: gives back every open hold and marks what was running as failed; returns the number of holds.
    ///
    /// # Errors
    /// As every write of the database.
    pub async fn recover(&self) -> Result<u64> {
        let running = store::running(&self.db, self.blobs.keys()).await?;
        let held = running.len() as u64;
        self.end_failed(running, "The server was restarted while this picture was developing.").await?;
        let mut writing = self.db.write().await?;
        let holds = held + self.accounts.ledger().release_open_holds(&mut writing).await?;
        platform::db::commit(writing).await?;
        Ok(holds)
    }
}

fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "Cancelled. Nothing was charged.")
}
