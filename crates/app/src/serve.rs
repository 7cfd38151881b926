//! This owns the running server: start, ready, drain, stop.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kernel::{Error, Kind, Result};
use platform::config::{Settings, Switch};
use platform::folder::{DataFolder, Taken};
use platform::log::Event;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::house::House;
use crate::{operator, routes, starter};

/// How often what has expired is erased.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(3600);
const HOURS_PER_DAY: u32 = 24;
/// How long open connections may take to end once the server stops.
const CONNECTIONS_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, then ends what is under way.
///
/// # Errors
/// What could not be opened, in words for the operator.
pub async fn serve(settings: Settings, started: Instant) -> Result<()> {
    let (listen, starter_gallery, data) = (settings.listen, settings.starter_gallery, settings.data.clone());
    let Taken::Here(folder) = DataFolder::take(&data)? else {
        let words =
            "Another Safelight serves this data folder. Stop it first, or choose another with --data.";
        return Err(Error::new(Kind::Conflict, words));
    };
    let house = House::open(settings, folder).await?;
    let listener = TcpListener::bind(listen).await.map_err(|cause| {
        Error::invalid(
            "listen",
            "This address is in use or not of this machine. Choose another with --listen.",
        )
        .because(cause)
    })?;
    let stop = CancellationToken::new();
    let operator =
        tokio::spawn(operator::listen(house.clone(), DataFolder::operator_socket(&data), stop.clone()));
    let chores = tokio::spawn(chores(house.clone(), starter_gallery, stop.clone()));
    let start_millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    house.log.write(Event::Ready { start_millis, artworks: house.gallery.len().await? });

    let app = routes::router(house.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let draining = {
        let (house, stop) = (house.clone(), stop.clone());
        async move {
            wait_for_signal().await;
            house.log.write(Event::Draining);
            stop.cancel();
            house.studio.drain().await;
        }
    };
    let serving =
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(draining).await });
    stop.cancelled().await;
    house.studio.drain().await;
    // Streams to pages that are still open end with the process.
    let _ = tokio::time::timeout(CONNECTIONS_TIMEOUT, serving).await;
    let _ = tokio::join!(operator, chores);
    house.close().await;
    house.log.write(Event::Stopped);
    Ok(())
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
        if hours % HOURS_PER_DAY == 0
            && let Err(error) = house.reconcile_files().await
        {
            house.log.failure(&error);
        }
        let done = [
            house.studio.expire().await,
            house.blobs.sweep().await,
            house.keys.publish_log().await,
            house.publish_statistics().await,
        ];
        for done in done {
            if let Err(error) = done {
                house.log.failure(&error);
            }
        }
    }
}
