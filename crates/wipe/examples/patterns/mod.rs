//! This owns patterns of taking and freeing memory, and the time that each takes with the allocator of the program.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A word, a header, a row.
const SMALL_BYTES: usize = 200;
/// What a body or an answer grows to, piece by piece.
const GROWN_BYTES: usize = 1024 * 1024;
const PIECE_BYTES: usize = 4096;
/// A picture of 1024 × 1024 pixels.
const PICTURE_BYTES: usize = 4 * 1024 * 1024;
/// The fastest counts, since whatever else the machine does only adds.
const ROUNDS: usize = 200;

/// Prints `name nanoseconds` lines; for `cargo x bench`.
#[allow(clippy::print_stdout)] // It is a measuring program.
pub(crate) fn print() {
    println!("small_ns {:.1}", fastest(1000, || drop(black_box(vec![1_u8; SMALL_BYTES]))));
    println!("growing_ns {:.0}", fastest(4, grow));
    println!("picture_ns {:.0}", fastest(4, || drop(black_box(vec![1_u8; PICTURE_BYTES]))));
}

fn grow() {
    let mut grown = Vec::new();
    while grown.len() < GROWN_BYTES {
        grown.extend_from_slice(&[1; PIECE_BYTES]);
    }
    black_box(grown);
}

/// Nanoseconds of one, of so many that are timed together.
fn fastest(together: u32, mut work: impl FnMut()) -> f64 {
    let timed = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        (0..together).for_each(|_| work());
        started.elapsed()
    });
    timed.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e9 / f64::from(together)
}
