//! This owns opening and closing the house: every slice, built over one data folder.

use std::sync::Arc;

use accounts::{Accounts, Gifts, Reconciled, Till};
use axum::extract::FromRef;
use engines::openai::OpenAi;
use engines::papercut::Papercut;
use gallery::{Fetcher, Gallery};
use kernel::{Clock, Error, Result, SystemClock};
use platform::blobs::Blobs;
use platform::config::{RemoteApi, Settings, Stance};
use platform::db::Db;
use platform::folder::DataFolder;
use platform::http::{Proxies, RateLimits};
use platform::keys::Keys;
use platform::log::{Event, Log, Notice};
use platform::mail::Mailer;
use platform::outgoing::{self, Outgoing, Purpose};
use platform::payments::Payments;
use platform::sandbox::Sandbox;
use platform::statistics::Counters;
use platform::ui::Site;
use search::Index;
use search::meaning::Encoder;
use studio::{Models, Offer, Studio};
use trust::audit::LastAudit;
use trust::export::Exports;
use vault::guard::Finding;
use vault::swap::Lock;

use crate::audit::Facts;

/// Models that were built in.
mod built_in {
    include!(concat!(env!("OUT_DIR"), "/models.rs"));
}

/// Remote pictures that are asked for at the same time.
const REMOTE_WIDTH: usize = 4;

/// Every slice of a running program; handlers take from it what they need.
#[derive(Clone, FromRef)]
pub struct House {
    /// The database.
    pub db: Db,
    /// Members.
    pub accounts: Arc<Accounts>,
    /// Public artwork.
    pub gallery: Gallery,
    /// Members' pictures.
    pub studio: Studio,
    /// What the operator set.
    pub site: Arc<Site>,
    /// Keys, and the log of what was erased.
    pub keys: Keys,
    /// Sealed files.
    pub blobs: Blobs,
    /// What happens, without who did it.
    pub counters: Counters,
    /// Exports that are under way.
    pub exports: Exports,
    /// Counts of what is limited.
    #[from_ref(skip)]
    pub limits: Arc<RateLimits>,
    /// Whose word of another's address is taken.
    #[from_ref(skip)]
    pub proxies: Arc<Proxies>,
    /// The log.
    #[from_ref(skip)]
    pub log: Log,
    /// What an audit asks of the settings.
    #[from_ref(skip)]
    pub(crate) facts: Arc<Facts>,
    /// The last audit.
    pub last_audit: LastAudit,
    /// What the disk under the root does.
    #[from_ref(skip)]
    pub anchor: Arc<Finding>,
    /// What keeps memory out of swap.
    pub memory: Lock,
    /// What holds this process, where it is a server.
    #[from_ref(skip)]
    pub sandbox: Option<Sandbox>,
    #[from_ref(skip)]
    _folder: Arc<DataFolder>,
}

impl House {
    /// Opens everything over a data folder that this process holds, and mends what a crash has left.
    ///
    /// # Errors
    /// What the first part that cannot be opened says.
    pub async fn open(settings: Settings, folder: DataFolder) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self::open_at(settings, folder, clock).await
    }

    /// As [`House::open`], with a clock of the caller's.
    ///
    /// # Errors
    /// As [`House::open`].
    pub async fn open_at(settings: Settings, folder: DataFolder, clock: Arc<dyn Clock>) -> Result<Self> {
        let log = Log::new(settings.log, crate::routes::table().into_routes());
        let (memory, anchor) = prepare_machine(&settings, &log)?;
        let root = settings.root_file();
        let facts = Arc::new(Facts::of(&settings));
        let last_audit = LastAudit::of(folder.path());
        let db = Db::open(&folder.database()).await?;
        let keys = Keys::open(db.clone(), &root, &log_name(&settings.public_url), Arc::clone(&clock)).await?;
        let blobs = Blobs::open(folder.blobs(), keys.clone(), db.clone(), log.clone())?;
        let encoder = encoder(&log)?;
        let index = open_index(&folder, encoder.clone())?;
        let outgoing = Outgoing::new(outgoing::peers(&settings));
        let gallery = Gallery::new(gallery::Parts {
            db: db.clone(),
            blobs: blobs.clone(),
            index,
            fetcher: Fetcher::new(outgoing.client(Purpose::PictureSource)?),
            clock: Arc::clone(&clock),
            public_url: settings.public_url.clone(),
        });
        let counters = Counters::new(Arc::clone(&clock));
        let limits = Arc::new(RateLimits::new(Arc::clone(&clock)));
        let accounts = Accounts::open(accounts::Parts {
            db: db.clone(),
            keys: keys.clone(),
            clock: Arc::clone(&clock),
            mailer: Mailer::new(&settings.mail, &settings.mail_from, &outgoing, log.clone())?,
            limits: Arc::clone(&limits),
            counters: counters.clone(),
            gifts: Gifts { daily: settings.daily_credits, welcome: settings.welcome_credits },
            site_name: settings.site_name.clone(),
            public_url: settings.public_url.clone(),
            till: till(settings.payments, &outgoing)?,
        });
        let accounts = Arc::new(accounts.await?);
        let studio = Studio::new(studio::Parts {
            db: db.clone(),
            blobs: blobs.clone(),
            accounts: Arc::clone(&accounts),
            gallery: gallery.clone(),
            models: models(settings.remote, settings.drawing_threads, encoder, &outgoing, &log)?,
            clock: Arc::clone(&clock),
            log: log.clone(),
            counters: counters.clone(),
            public_url: settings.public_url,
        });
        let house = Self {
            anchor: Arc::new(anchor),
            facts,
            last_audit,
            memory,
            sandbox: None,
            db,
            accounts,
            gallery,
            studio,
            site: Arc::new(Site { name: settings.site_name, contact: settings.contact }),
            keys,
            blobs,
            counters,
            exports: Exports::new(clock, log.clone()),
            limits,
            proxies: Arc::new(settings.trusted_proxies),
            log,
            _folder: Arc::new(folder),
        };
        house.recover().await?;
        Ok(house)
    }

    /// The house of a server that this holds.
    #[must_use]
    pub fn within(self, sandbox: Sandbox) -> Self {
        Self { sandbox: Some(sandbox), ..self }
    }

    /// Gives back the holds of a dead process, settles or discards files that a crash has cut off, and mends the index.
    async fn recover(&self) -> Result<()> {
        let holds = self.studio.recover().await?;
        if holds > 0 {
            self.log.write(Event::HoldsReleased { holds });
        }
        // A file that cannot be unlinked is said at every start, and stops nobody.
        if let Err(error) = self.blobs.recover().await {
            self.log.failure(&error);
        }
        self.keys.publish_log().await?;
        let entries = self.gallery.reconcile_index().await? as u64;
        if entries > 0 {
            self.log.write(Event::Reindexed { entries });
        }
        self.accounts.ledger().prove_days(self.keys.site()).await?;
        self.studio.expire().await
    }

    /// Publishes the days of counting that are over.
    ///
    /// # Errors
    /// As every write.
    pub async fn publish_statistics(&self) -> Result<()> {
        trust::statistics::publish(&self.db, &self.counters).await
    }

    /// Proves the days of the ledger that are over, and gives back what is held for nothing.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn keep_books(&self) -> Result<()> {
        let holds = self.accounts.ledger().release_lapsed_holds().await?;
        if holds > 0 {
            self.log.write(Event::HoldsReleased { holds });
        }
        self.accounts.ledger().prove_days(self.keys.site()).await.map(drop)
    }

    /// Holds files against keys, both ways; returns the records swept and the pictures missing.
    ///
    /// # Errors
    /// As every read and write.
    pub async fn reconcile_files(&self) -> Result<(u64, u64)> {
        let swept = self.blobs.sweep_strays().await?;
        let pictures = [self.gallery.records().await?, Studio::records_with_files(&self.db).await?].concat();
        let blobs = self.blobs.clone();
        let missing = tokio::task::spawn_blocking(move || blobs.find_missing(&pictures).len() as u64)
            .await
            .map_err(|_| Error::internal("looking for files stopped"))?;
        if swept + missing > 0 {
            self.log.write(Event::Reconciled { swept, missing });
        }
        Ok((swept, missing))
    }

    /// Holds the books against the payment processor's list of events; nothing where nothing is for sale.
    ///
    /// # Errors
    /// As `Accounts::reconcile_purchases`.
    pub async fn reconcile_purchases(&self) -> Result<Option<Reconciled>> {
        let done = self.accounts.reconcile_purchases().await?;
        if let Some(Reconciled { seen, missed }) = done {
            self.log.write(Event::Payments { seen, missed });
        }
        Ok(done)
    }

    /// Ends what goes on beside, and closes the database.
    pub async fn close(&self) {
        self.accounts.drain_mails().await;
        for done in [self.blobs.sweep().await, self.publish_statistics().await] {
            if let Err(error) = done {
                self.log.failure(&error);
            }
        }
        self.db.close().await;
    }
}

/// Before anything is opened: memory is kept out of swap, and the folder of the root lies where overwriting erases.
fn prepare_machine(settings: &Settings, log: &Log) -> Result<(Lock, Finding)> {
    let memory = lock_memory(settings.swap_check, log)?;
    let anchor = find_anchor(settings)?;
    if anchor.objection.is_some() {
        log.write(Event::Notice { text: Notice::RootDoesNotErase });
    }
    platform::folder::create_private_dir(settings.anchor())?;
    Ok((memory, anchor))
}

fn open_index(folder: &DataFolder, encoder: Option<Arc<Encoder>>) -> Result<Arc<Index>> {
    std::fs::create_dir_all(folder.index())?;
    Ok(Arc::new(Index::open(&folder.index(), encoder)?))
}

/// Keeps memory out of swap; refused where nothing does, unless the operator accepts it.
fn lock_memory(stance: Stance, log: &Log) -> Result<Lock> {
    let lock = Lock::take();
    match stance {
        Stance::Refuse => lock.require()?,
        Stance::Accept if lock == Lock::Swappable => {
            log.write(Event::Notice { text: Notice::MemoryCanBeSwapped })
        }
        Stance::Accept => {}
    }
    Ok(lock)
}

/// What the disk under the root does; refused where overwriting does not erase, unless the operator accepts it.
pub(crate) fn find_anchor(settings: &Settings) -> Result<Finding> {
    let folder = vault::guard::inspect(settings.anchor())?;
    // The file itself may be a link, a mount of its own, or marked for the journal.
    let finding =
        if folder.objection.is_none() { vault::guard::inspect(&settings.root_file())? } else { folder };
    match settings.anchor_check {
        Stance::Refuse => finding.require_erasing()?,
        Stance::Accept => {}
    }
    Ok(finding)
}

/// The log of deletions is named by where it is read, as c2sp.org/tlog-tiles asks.
pub(crate) fn log_name(public_url: &str) -> String {
    public_url.split_once("://").map_or(public_url, |(_, rest)| rest).to_owned() + "/log"
}

fn encoder(log: &Log) -> Result<Option<Arc<Encoder>>> {
    match built_in::ENCODER {
        Some(bytes) => Ok(Some(Arc::new(Encoder::from_bytes(bytes)?))),
        None => {
            log.write(Event::Notice { text: Notice::EncoderMissing });
            Ok(None)
        }
    }
}

fn till(payments: Option<Payments>, outgoing: &Outgoing) -> Result<Option<Till>> {
    payments.map(|payments| Ok(Till::new(payments, outgoing.client(Purpose::Payment)?))).transpose()
}

fn models(
    remote: Option<RemoteApi>,
    drawing_threads: usize,
    encoder: Option<Arc<Encoder>>,
    outgoing: &Outgoing,
    log: &Log,
) -> Result<Models> {
    if built_in::LIBRARY.is_none() {
        log.write(Event::Notice { text: Notice::FiguresMissing });
    }
    let papercut = Papercut::new(built_in::LIBRARY, encoder)?;
    let mut offers = vec![Offer { engine: Arc::new(papercut), width: drawing_threads }];
    if let Some(api) = remote {
        let models = api.models.into_iter().map(|model| (model.id, model.credits)).collect();
        offers.push(Offer {
            engine: Arc::new(OpenAi::new(outgoing.client(Purpose::Engine)?, api.url, api.key, models)),
            width: REMOTE_WIDTH,
        });
    }
    Ok(Models::new(offers))
}
