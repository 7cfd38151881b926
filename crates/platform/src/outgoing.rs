//! This owns the one HTTP client with which the program speaks to other machines.
//! Who may be spoken to is decided by the settings: only engines that the operator configured.

use std::time::Duration;

use kernel::{Error, Result};

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that follows no redirects, keeps no cookies and names no product.
///
/// # Errors
/// `Internal` when the TLS library cannot be set up.
pub fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(|cause| Error::internal("the HTTP client cannot be set up").because(cause))
}
