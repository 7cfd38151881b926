//! This owns connections: how many there may be, how long a request may take to arrive, how long its head may be, and how they
//! end when the server stops. It does not know what is asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use platform::http::{Proxies, client_network};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Bytes of a request's line and headers; browsers send about one thousand.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Headers of a request; browsers send about twenty.
const HEADERS_MAX: usize = 64;
/// How long is waited when the system has no connection to give, as when it has no file left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until the head of a request is there, from when it is waited for; an idle connection ends by it too.
    pub head: Duration,
    /// Until an answer begins, with the body of the request before it.
    pub answer: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Those of one network, trusted proxies aside.
    pub connections_of_one: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            answer: Duration::from_secs(60),
            connections: 1024,
            connections_of_one: 128,
        }
    }
}

/// Answers connections until `stop`; then each ends after the request that is under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    proxies: Arc<Proxies>,
    stop: CancellationToken,
) {
    let room = Room { all: Arc::new(Semaphore::new(bounds.connections)), taken: Arc::default() };
    let connections = TaskTracker::new();
    while let Some(Some(place)) = stop.run_until_cancelled(room.wait()).await {
        let (stream, peer) = match stop.run_until_cancelled(listener.accept()).await {
            Some(Ok(accepted)) => accepted,
            Some(Err(_)) => {
                let _ = stop.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await;
                continue;
            }
            None => break,
        };
        let shared = proxies.trust(peer.ip());
        let most = if shared { bounds.connections } else { bounds.connections_of_one };
        // Who has too many is hung up on, and the others go on.
        if let Some(place) = room.seat(place, client_network(peer.ip()), most) {
            let (router, stop) = (router.clone(), stop.clone());
            connections.spawn(async move {
                connection(stream, peer, router, bounds, stop).await;
                drop(place);
            });
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    builder.max_buf_size(HEAD_BYTES_MAX).max_header_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    // Small answers leave at once, as the pages' events have to.
    let _ = stream.set_nodelay(true);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    // How it ends is the other side's affair: it hung up, was too slow, or did not speak HTTP.
    if stop.run_until_cancelled(connection.as_mut()).await.is_none() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

type Taken = Arc<Mutex<HashMap<[u8; 16], usize>>>;

/// Room for connections.
struct Room {
    all: Arc<Semaphore>,
    /// Places by network, for as long as it has one.
    taken: Taken,
}

/// A connection's place; it is free again when this is dropped.
struct Place {
    network: [u8; 16],
    taken: Taken,
    _one: OwnedSemaphorePermit,
}

impl Room {
    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// A place for a network, unless it has as many as it may.
    fn seat(&self, one: OwnedSemaphorePermit, network: [u8; 16], most: usize) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let count = taken.entry(network).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { network, taken: Arc::clone(&self.taken), _one: one })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        let left = taken.get_mut(&self.network).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        if left == 0 {
            taken.remove(&self.network);
        }
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, HashMap<[u8; 16], usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
