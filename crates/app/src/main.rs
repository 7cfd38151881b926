//! The binary.

use std::process::ExitCode;
use std::time::Instant;

/// Everything that is freed is overwritten; only a measurement leaves that out.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static MEMORY: wipe::Wiping<std::alloc::System> = wipe::Wiping(std::alloc::System);

fn main() -> ExitCode {
    let started = Instant::now();
    // Until the settings are read and the server takes over, for which form a line has.
    platform::log::Log::default().catch_panics();
    platform::folder::make_all_private();
    // Where the system refuses, the page of the root stays out of a dump still.
    let _ = vault::deny_core_dumps();
    ExitCode::from(u8::try_from(app::command::run(started)).unwrap_or(1))
}
