//! Speed of sealed blobs beside the bare cipher over the same bytes, as `name value` lines; for `cargo x bench`.

use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use kernel::Id;
use vault::{Kind, RecordKey, random_key};

/// A large picture.
const BLOB_BYTES: usize = 16 * 1024 * 1024;
/// Rounds of each side, taken in turns; the median counts.
const ROUNDS: usize = 15;

#[allow(clippy::print_stdout)] // It is a measuring program.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (key, record) = (RecordKey::of(&random_key(), None)?, Id::random());
    let plain: Vec<u8> = (0..BLOB_BYTES).map(|place| (place % 251) as u8).collect();
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32])?);
    let nonce = |round: usize| {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&(round as u64).to_be_bytes());
        Nonce::assume_unique_for_key(bytes)
    };
    let (mut seals, mut opens, mut bare_seals, mut bare_opens) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let sealed = timed(&mut seals, || vault::seal(&key, record, Kind::Original, &plain))?;
        timed(&mut opens, || vault::open(&key, record, Kind::Original, &sealed))?;
        let mut copy = timed(&mut bare_seals, || {
            let mut copy = plain.clone();
            bare.seal_in_place_append_tag(nonce(round), Aad::empty(), &mut copy).map(|()| copy)
        })?;
        timed(&mut bare_opens, || {
            bare.open_in_place(nonce(round), Aad::empty(), &mut copy).map(|plain| plain.to_vec())
        })?;
    }
    for (name, times) in
        [("seal", seals), ("open", opens), ("bare_seal", bare_seals), ("bare_open", bare_opens)]
    {
        println!("{name}_mib_per_second {:.0}", (BLOB_BYTES >> 20) as f64 / median(times).as_secs_f64());
    }
    Ok(())
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    times.push(started.elapsed());
    result
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
