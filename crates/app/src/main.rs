//! The binary.

use std::process::ExitCode;
use std::time::Instant;

#[tokio::main]
async fn main() -> ExitCode {
    // Until the settings are read and the server takes over, for which form a line has.
    platform::log::Log::default().catch_panics();
    // Where the system refuses, the page of the root stays out of a dump still.
    let _ = vault::deny_core_dumps();
    ExitCode::from(u8::try_from(app::command::run(Instant::now()).await).unwrap_or(1))
}
