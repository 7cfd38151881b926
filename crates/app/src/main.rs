//! The binary.

use std::process::ExitCode;
use std::time::Instant;

/// Everything that is freed is overwritten; only a measurement leaves that out.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static MEMORY: wipe::Wiping<std::alloc::System> = wipe::Wiping(std::alloc::System);

/// A panic says where it happened and nothing of what it was handling.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let _ = writeln!(std::io::stderr(), "panic at {}", place.unwrap_or_default());
    }));
}

fn main() -> ExitCode {
    let started = Instant::now();
    quiet_panics();
    // Where the system refuses, the page of the root stays out of a dump still.
    let _ = vault::deny_core_dumps();
    let status = app::runtime::run(app::command::run(started));
    ExitCode::from(u8::try_from(status).unwrap_or(1))
}
