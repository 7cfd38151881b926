//! This owns the threads that everything runs on, and that they forget: a thread that rests wipes its stack, where
//! functions that have returned left copies of what they parsed. It does not own the threads of libraries.

use std::time::Duration;

use kernel::{Error, Kind, Result};
use tokio::runtime::{Builder, Runtime};
use zeroize::zeroize_stack;

/// The stack of each thread.
const STACK_BYTES: usize = 2 * 1024 * 1024;
/// How far down a worker wipes whenever it rests. Workers answer requests, which reach 116 KiB in a release build; what
/// draws and searches has threads of its own. A request rests its worker many times, so that more would cost more.
const WORKER_BYTES: usize = 128 * 1024;
/// How far down a thread wipes when it ends: all but what its own start and end take.
const THREAD_BYTES: usize = STACK_BYTES - 64 * 1024;
/// How long a thread that draws or searches waits for more work before it ends.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// The runtime; its threads start here, and no earlier. A server builds it only once it has locked itself in.
///
/// # Errors
/// `Unavailable` where the system gives no threads.
pub(crate) fn build() -> Result<Runtime> {
    let words =
        "The system gives this program no threads. Raise its limit of tasks, such as TasksMax= of systemd.";
    Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .thread_keep_alive(IDLE_MAX)
        .on_thread_park(zeroize_stack::<WORKER_BYTES>)
        .on_thread_stop(zeroize_stack::<THREAD_BYTES>)
        .build()
        .map_err(|cause| Error::new(Kind::Unavailable, words).because(cause))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs::File;
    use std::hint::black_box;
    use std::os::unix::fs::FileExt;
    use std::sync::{Mutex, mpsc};
    use std::time::Instant;

    use super::*;

    const PATTERN: u8 = 0xB3;
    const PLANTED: usize = 4096;
    /// When a worker that does not rest is given up on.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Leaves the pattern so far down the stack; returns where.
    #[inline(never)]
    fn plant<const DOWN: usize>() -> usize {
        let mut frame = [0_u8; DOWN];
        frame[..PLANTED].fill(PATTERN);
        black_box(&mut frame).as_ptr() as usize
    }

    /// Bytes of the pattern at an address; memory that the system has taken back holds none.
    fn left_at(address: usize) -> usize {
        let mut seen = vec![0; PLANTED];
        match File::open("/proc/self/mem").unwrap().read_exact_at(&mut seen, address as u64) {
            Ok(()) => seen.iter().filter(|byte| **byte == PATTERN).count(),
            Err(_) => 0,
        }
    }

    const WORKER_DOWN: usize = WORKER_BYTES - 32 * 1024;
    const THREAD_DOWN: usize = THREAD_BYTES - 64 * 1024;

    #[test]
    fn a_worker_that_rests_holds_nothing() {
        let runtime = build().unwrap();
        let address =
            runtime.block_on(async { tokio::spawn(async { plant::<WORKER_DOWN>() }).await.unwrap() });
        let started = Instant::now();
        while left_at(address) > 0 {
            assert!(started.elapsed() < PATIENCE, "{} bytes are left", left_at(address));
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_worker_that_does_not_wipe_is_noticed() {
        let (rested, rests) = mpsc::channel();
        let rests = Mutex::new(rests);
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_stack_size(STACK_BYTES);
        let runtime = builder.on_thread_park(move || rested.send(()).unwrap_or_default()).build().unwrap();
        let planted = runtime.spawn(async move {
            let address = plant::<WORKER_DOWN>();
            // Rests from before the pattern was there say nothing.
            while rests.lock().unwrap().try_recv().is_ok() {}
            (address, rests)
        });
        let (address, rests) = runtime.block_on(planted).unwrap();
        rests.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        assert!(left_at(address) > PLANTED / 2);
    }

    /// Looks once its thread has ended but for its own variables: a moment later the library of C gives the pages of
    /// the stack back, unwiped, to where no test can look.
    struct LastLook(usize, mpsc::Sender<usize>);

    impl Drop for LastLook {
        fn drop(&mut self) {
            self.1.send(left_at(self.0)).unwrap();
        }
    }

    thread_local! {
        static LAST_LOOK: RefCell<Option<LastLook>> = const { RefCell::new(None) };
    }

    /// Bytes of the pattern that a thread of a blocking task has on its stack when it ends.
    fn left_by_a_thread(runtime: Runtime) -> usize {
        let (sender, found) = mpsc::channel();
        let work = runtime.spawn_blocking(move || {
            let look = LastLook(plant::<THREAD_DOWN>(), sender);
            LAST_LOOK.with(|last| *last.borrow_mut() = Some(look));
        });
        runtime.block_on(work).unwrap();
        drop(runtime);
        found.recv_timeout(PATIENCE).unwrap()
    }

    #[test]
    fn a_thread_that_ends_holds_nothing() {
        assert_eq!(left_by_a_thread(build().unwrap()), 0);
        let mut builder = Builder::new_multi_thread();
        let unwiped = left_by_a_thread(builder.thread_stack_size(STACK_BYTES).build().unwrap());
        assert!(unwiped > PLANTED / 2, "a thread that does not wipe is not noticed");
    }
}
