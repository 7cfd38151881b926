//! The binary.

use std::process::ExitCode;
use std::time::Instant;

/// A panic says where it happened and nothing of what it was handling.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let _ = writeln!(std::io::stderr(), "panic at {}", place.unwrap_or_default());
    }));
}

#[tokio::main]
async fn main() -> ExitCode {
    quiet_panics();
    platform::folder::make_all_private();
    // Where the system refuses, the page of the root stays out of a dump still.
    let _ = vault::deny_core_dumps();
    ExitCode::from(u8::try_from(app::command::run(Instant::now()).await).unwrap_or(1))
}
