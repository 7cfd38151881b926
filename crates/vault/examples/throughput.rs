//! Speed of sealed blobs beside the bare cipher over the same bytes, as `name value` lines; for `cargo x bench`. Both sides
//! end with a buffer of their own: the bare side copies the text and seals or opens the copy in place, in one piece, and
//! does not wipe it as ours does.

use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use kernel::Id;
use vault::{Kind, RecordKey, random_key};

/// A picture.
const BLOB_BYTES: usize = 1024 * 1024;
/// Blobs that are timed together.
const BLOBS: usize = 32;
/// Rounds of each side, taken in turns; the median counts.
const ROUNDS: usize = 31;

type Failed = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // It is a measuring program.
fn main() -> Result<(), Failed> {
    let (key, record) = (RecordKey::of(&random_key(), None)?, Id::random());
    let plain: Vec<u8> = (0..BLOB_BYTES).map(|place| (place % 251) as u8).collect();
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32])?);
    let nonce = || Nonce::assume_unique_for_key([7; 12]);
    let sealed = vault::seal(&key, record, Kind::Original, &plain)?;
    let mut bare_sealed = plain.clone();
    bare.seal_in_place_append_tag(nonce(), Aad::empty(), &mut bare_sealed)?;
    let (mut seals, mut opens, mut bare_seals, mut bare_opens) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        seals.push(timed(|| {
            vault::seal(&key, record, Kind::Original, &plain)?;
            Ok(())
        })?);
        bare_seals.push(timed(|| {
            let mut copy = Vec::with_capacity(plain.len() + 16);
            copy.extend_from_slice(&plain);
            bare.seal_in_place_append_tag(nonce(), Aad::empty(), &mut copy)?;
            std::hint::black_box(copy);
            Ok(())
        })?);
        opens.push(timed(|| {
            vault::open(&key, record, Kind::Original, &sealed)?;
            Ok(())
        })?);
        bare_opens.push(timed(|| {
            let mut copy = bare_sealed.clone();
            std::hint::black_box(bare.open_in_place(nonce(), Aad::empty(), &mut copy)?);
            Ok(())
        })?);
    }
    for (name, times) in
        [("seal", seals), ("open", opens), ("bare_seal", bare_seals), ("bare_open", bare_opens)]
    {
        let mebibytes = ((BLOBS * BLOB_BYTES) >> 20) as f64;
        println!("{name}_mib_per_second {:.0}", mebibytes / median(times).as_secs_f64());
    }
    Ok(())
}

fn timed(mut work: impl FnMut() -> Result<(), Failed>) -> Result<Duration, Failed> {
    let started = Instant::now();
    (0..BLOBS).try_for_each(|_| work())?;
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
