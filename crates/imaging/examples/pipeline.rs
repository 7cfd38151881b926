//! Runs the import pipeline over the pictures of a folder, on all cores; for `cargo x bench`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[allow(clippy::print_stdout)] // It is a measuring program.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: pipeline FOLDER")?;
    let files =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let (started, next, done) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Ok(Ok(picture)) = std::fs::read(file).map(|bytes| imaging::decode(&bytes)) else {
                        continue;
                    };
                    let (thumbnails, print) = (imaging::thumbnails(&picture), imaging::fingerprint(&picture));
                    let kept = thumbnails.is_ok() && !imaging::placeholder(&picture).is_empty();
                    done.fetch_add(usize::from(kept && print.pdq_quality <= 100), Ordering::Relaxed);
                }
            });
        }
    });
    let done = done.into_inner();
    println!("pictures {done}");
    println!("pictures_per_second {:.2}", done as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
