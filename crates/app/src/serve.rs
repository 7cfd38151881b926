//! This owns the running server: locking itself in, start, ready, drain, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Error, Kind, Result};
use platform::config::{Settings, Switch};
use platform::folder::{DataFolder, Taken, create_private_dir};
use platform::log::Event;
use platform::sandbox::{self, Sandbox};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connections::Bounds;
use crate::house::{self, House};
use crate::{connections, operator, routes, starter};

/// How often what has expired is erased.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(3600);
const HOURS_PER_DAY: u32 = 24;
/// How long open connections may take to end once the server stops.
const CONNECTIONS_TIMEOUT: Duration = Duration::from_secs(5);

/// A process that is ready to serve: it holds its folders, and nothing else is left to it. To be made before any thread.
pub(crate) struct LockedIn {
    settings: Settings,
    folder: DataFolder,
    sandbox: Sandbox,
}

impl LockedIn {
    /// Makes the folders that are missing, since later no other place can be reached, and locks this process in.
    ///
    /// # Errors
    /// `Conflict` where another process holds the data folder; where the root's disk does not erase, a folder cannot be
    /// made, or the sandbox is refused, what to do.
    pub(crate) fn enter(settings: Settings) -> Result<Self> {
        let Taken::Here(folder) = DataFolder::take(&settings.data)? else {
            let words =
                "Another Safelight serves this data folder. Stop it first, or choose another with --data.";
            return Err(Error::new(Kind::Conflict, words));
        };
        // Before the folder of the root is made: it has to lie where overwriting erases.
        house::find_anchor(&settings)?;
        create_private_dir(settings.anchor())?;
        settings.mail.create_folder()?;
        let sandbox = sandbox::enter(&settings)?;
        Ok(Self { settings, folder, sandbox })
    }
}

/// Serves until SIGTERM or SIGINT, then ends what is under way.
///
/// # Errors
/// What could not be opened, in words for the operator.
pub(crate) async fn serve(locked_in: LockedIn, started: Instant) -> Result<()> {
    let LockedIn { settings, folder, sandbox } = locked_in;
    let (listen, metrics) = (settings.listen, settings.metrics);
    let (starter_gallery, data) = (settings.starter_gallery, settings.data.clone());
    let house = House::open(settings, folder).await?.within(sandbox);
    house.log.take_over();
    house.log.write(Event::LockedIn {
        landlock: sandbox.landlock.unwrap_or(0),
        calls: sandbox.calls.unwrap_or(0),
    });
    sandbox.gaps().into_iter().for_each(|text| house.log.write(Event::Notice { text }));
    let listener = bind(listen, "listen").await?;
    let metrics = match metrics {
        Some(address) => Some(bind(address, "metrics").await?),
        None => None,
    };
    let stop = CancellationToken::new();
    let operator =
        tokio::spawn(operator::listen(house.clone(), DataFolder::operator_socket(&data), stop.clone()));
    let chores = tokio::spawn(chores(house.clone(), starter_gallery, stop.clone()));
    let start_millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    house.log.write(Event::Ready { start_millis, artworks: house.gallery.len().await? });

    let (bounds, drained) = (Bounds::default(), CancellationToken::new());
    let serving = TaskTracker::new();
    let site = (listener, routes::router(house.clone(), bounds));
    let figures = metrics.map(|listener| (listener, routes::metrics(house.log.clone())));
    for (listener, router) in [site].into_iter().chain(figures) {
        let proxies = Arc::clone(&house.proxies);
        serving.spawn(connections::serve(listener, router, bounds, proxies, drained.clone()));
    }
    wait_for_signal().await;
    house.log.write(Event::Draining);
    stop.cancel();
    house.studio.drain().await;
    // Until here the ends of pictures could still be asked for.
    drained.cancel();
    serving.close();
    // Streams to pages that are still open end with the process.
    let _ = tokio::time::timeout(CONNECTIONS_TIMEOUT, serving.wait()).await;
    let _ = tokio::join!(operator, chores);
    house.close().await;
    house.log.write(Event::Stopped);
    Ok(())
}

async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|cause| {
        let words =
            "This address is in use or not of this machine. Choose another with --listen or --metrics.";
        Error::invalid(setting, words).because(cause)
    })
}

async fn wait_for_signal() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut stream) => drop(stream.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}

/// What goes on beside answering: the first gallery, and expiry.
async fn chores(house: House, starter_gallery: Switch, stop: CancellationToken) {
    if starter_gallery == Switch::On
        && let Err(error) = starter::fill(&house, &stop).await
    {
        house.log.failure(&error);
    }
    let mut hours = 0;
    while stop.run_until_cancelled(tokio::time::sleep(EXPIRY_INTERVAL)).await.is_some() {
        hours += 1;
        // Soon after the start too: one that is started every day would never come to it, and while the server was away,
        // events were sent to nobody.
        let daily = if hours % HOURS_PER_DAY == 1 {
            [house.reconcile_purchases().await.map(drop), house.reconcile_files().await.map(drop)]
        } else {
            [Ok(()), Ok(())]
        };
        let hourly = [
            house.studio.expire().await,
            house.accounts.erase_expired_keys().await,
            house.accounts.erase_old_vouchers().await,
            house.blobs.sweep().await,
            house.keys.publish_log().await,
            house.publish_statistics().await,
            house.keep_books().await,
        ];
        for done in daily.into_iter().chain(hourly) {
            if let Err(error) = done {
                house.log.failure(&error);
            }
        }
    }
}
