//! This owns the noise: the discrete Laplace distribution, drawn exactly, with integers alone.
//! The algorithm is that of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020), sections
//! 5.1 and 5.2. Floating point would leave gaps between the values that can come out, which tell what went in.

use std::num::NonZeroU32;

use rand::TryRng;

/// A number of which `n` comes with a chance in proportion to `exp(-|n| / scale)`.
///
/// It draws until it accepts, so it has no bound on its time, only on its chance: one more turn is taken in less than
/// half of all cases.
///
/// # Errors
/// When the generator fails.
pub(super) fn discrete_laplace<R: TryRng>(scale: NonZeroU32, rng: &mut R) -> Result<i64, R::Error> {
    let scale = u64::from(scale.get());
    loop {
        let rest = below(scale, rng)?;
        if !decays(rest, scale, rng)? {
            continue;
        }
        let mut turns = 0;
        while decays(1, 1, rng)? {
            turns += 1;
        }
        let size = (rest + scale * turns).cast_signed();
        let negative = below(2, rng)? == 1;
        // Zero has one sign only, else it would come twice as often as it should.
        if !(negative && size == 0) {
            return Ok(if negative { -size } else { size });
        }
    }
}

/// True with a chance of `exp(-part / whole)`, where `part` is at most `whole`: the series of the exponential, term by term.
fn decays<R: TryRng>(part: u64, whole: u64, rng: &mut R) -> Result<bool, R::Error> {
    let mut term = 1;
    while below(whole * term, rng)? < part {
        term += 1;
    }
    Ok(term % 2 == 1)
}

/// A number below `bound`, each with the same chance: as many bits as it has, drawn again where they are too many.
/// The ranges of the library trade a little of that for speed.
fn below<R: TryRng>(bound: u64, rng: &mut R) -> Result<u64, R::Error> {
    let mask = bound.next_power_of_two() - 1;
    loop {
        let drawn = rng.try_next_u64()? & mask;
        if drawn < bound {
            return Ok(drawn);
        }
    }
}
