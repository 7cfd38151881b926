//! This owns the threads that everything runs on. A server builds them only once it has locked itself in.

use kernel::{Error, Kind, Result};
use tokio::runtime::{Builder, Runtime};

/// The runtime; its threads start here, and no earlier.
///
/// # Errors
/// `Unavailable` where the system gives no threads.
pub(crate) fn build() -> Result<Runtime> {
    let words =
        "The system gives this program no threads. Raise its limit of tasks, such as TasksMax= of systemd.";
    let refused = |cause| Error::new(Kind::Unavailable, words).because(cause);
    Builder::new_multi_thread().enable_all().build().map_err(refused)
}
