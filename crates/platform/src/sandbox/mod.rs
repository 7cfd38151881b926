//! This owns how the server locks itself in: which files, ports and system calls are left to it, and since when.
//! It does not know what the server does with them.
//!
//! Landlock and seccomp hold the thread that asks for them and every thread that it starts later, and nobody can take
//! them off again. So [`enter`] comes before the first thread, and refuses where that moment has passed.

mod calls;
mod files;
mod reach;

use std::os::fd::IntoRawFd;
use std::str::FromStr;

use kernel::{Error, Kind, Result};

use crate::config::Settings;
use crate::log::{Notice, Word};
pub use reach::Reach;

/// What is wanted, as set by `sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whatever the kernel offers.
    Try,
    /// All of it, or no server.
    Require,
    /// Nothing.
    Off,
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "try" => Ok(Self::Try),
            "require" => Ok(Self::Require),
            "off" => Ok(Self::Off),
            _ => Err(Error::new(Kind::Invalid, "try, require or off")),
        }
    }
}

/// What holds this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// The version of Landlock that keeps it to its files, ports and signals.
    pub landlock: Option<u8>,
    /// How many system calls are refused, wholly or with some arguments.
    pub calls: Option<u16>,
}

/// What a kernel leaves open, by the version of Landlock that closes it.
const GAPS: [(u8, Notice); 5] = [
    (2, Notice::FilesAreOpen),
    (3, Notice::FilesCanBeCut),
    (4, Notice::PortsAreOpen),
    (5, Notice::DevicesAreOpen),
    (6, Notice::SignalsAreOpen),
];

impl Sandbox {
    /// What is left open.
    #[must_use]
    pub fn gaps(self) -> Vec<Notice> {
        let held = self.landlock.unwrap_or(0);
        let files = GAPS.iter().filter(|(version, _)| *version > held).map(|(_, gap)| *gap);
        files.chain(self.calls.is_none().then_some(Notice::CallsAreOpen)).collect()
    }

    /// Whether both parts hold, in whatever version.
    #[must_use]
    pub const fn holds(self) -> bool {
        self.landlock.is_some() && self.calls.is_some()
    }
}

/// Locks this process in, for good, as far as the kernel can.
///
/// # Errors
/// `Internal` where other threads have been started already, since they would stay outside; `Invalid` where all of it is
/// required and the kernel cannot.
pub fn enter(settings: &Settings) -> Result<Sandbox> {
    if settings.sandbox == Mode::Off {
        return Ok(Sandbox::default());
    }
    require_one_thread()?;
    keep_own_entry_of_proc();
    let sandbox = restrict(&Reach::of(settings));
    match (settings.sandbox, sandbox.gaps().first()) {
        (Mode::Require, Some(gap)) => Err(Error::invalid(
            "sandbox",
            format!(
                "The sandbox is required and not whole: {}. To go on with what there is, set sandbox to try.",
                gap.word()
            ),
        )),
        _ => Ok(sandbox),
    }
}

/// Does something in a thread of its own that is held as a server would be, and tells it what holds. The sandbox ends with
/// the thread.
///
/// # Errors
/// `Internal` where the work panics.
pub fn try_out<T: Send>(reach: &Reach, work: impl FnOnce(Sandbox) -> T + Send) -> Result<T> {
    std::thread::scope(|scope| scope.spawn(|| work(restrict(reach))).join())
        .map_err(|_| Error::internal("trying the sandbox out stopped"))
}

/// Holds the calling thread, and those that it starts from here on.
fn restrict(reach: &Reach) -> Sandbox {
    Sandbox { landlock: files::restrict(reach), calls: calls::refuse() }
}

/// The kernel forgets entries of /proc that nobody has open, and makes them anew; the rule that lets this process read
/// its own would not know the new one. So it stays open for good.
fn keep_own_entry_of_proc() {
    let _ = std::fs::File::open("/proc/self").map(IntoRawFd::into_raw_fd);
}

fn require_one_thread() -> Result<()> {
    match std::fs::read_dir("/proc/self/task")?.count() {
        1 => Ok(()),
        _ => Err(Error::new(
            Kind::Internal,
            "The sandbox was asked for too late: other threads run already, and would stay outside. This is a defect of the program; please report it. To go on without, set sandbox to off.",
        )),
    }
}

#[cfg(test)]
mod tests;
