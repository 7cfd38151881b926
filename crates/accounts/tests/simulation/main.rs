//! The ledger against an oracle: random steps on real databases that are cut off at any write and started again.
//!
//! `SAFELIGHT_SIMULATION_STEPS` says how many, `SAFELIGHT_SIMULATION_SEED` the first life; `cargo x simulate ledger` sets
//! them. A failure names its life: with that number as the seed it is the first to be lived again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing
)]
#![allow(clippy::disallowed_methods)] // Its settings are of the test run, not of the program.

mod disk;
mod faults;
mod model;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::ledger::Gifts;
use disk::Moment;
use faults::{FAULTS, Fault};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::Id;
use world::{Step, World};

/// Steps in an ordinary test run.
const STEPS: u64 = 12_000;
/// Steps of one life: its database stays small.
const STEPS_PER_LIFE: u64 = 500;
/// Lives after which a planted fault must have been noticed.
const LIVES_PER_FAULT: u64 = 12;

type Crashes = BTreeMap<(&'static str, Moment), u64>;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Does this in a new world.
fn in_world<T>(
    seed: u64,
    fault: Option<Fault>,
    work: impl AsyncFnOnce(&mut World) -> Result<T, String>,
) -> Result<T, String> {
    let memory = Path::new("/dev/shm");
    let folder = || if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let (here, there) = (folder(), folder());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new((here.path(), there.path()), seed, fault).await;
        let done = work(&mut world).await;
        world.disk.db.close().await;
        done
    })
}

/// Lives through a life; what was cut off in it, or why the books are wrong.
fn live(seed: u64, fault: Option<Fault>, steps: u64) -> Result<Crashes, String> {
    in_world(seed, fault, async |world| {
        for step in 0..steps {
            world.step().await.map_err(|why| format!("life {seed}, step {step}: {why}"))?;
        }
        world.add_up().await.map_err(|why| format!("life {seed}, at its end: {why}"))?;
        Ok(std::mem::take(&mut world.crashes))
    })
}

#[test]
fn the_books_are_what_the_oracle_says_wherever_they_are_cut_off() {
    let steps = number("SAFELIGHT_SIMULATION_STEPS", STEPS);
    let (first, lives) = (number("SAFELIGHT_SIMULATION_SEED", 1), steps.div_ceil(STEPS_PER_LIFE));
    let bar = ProgressBar::new(lives * STEPS_PER_LIFE);
    bar.set_style(ProgressStyle::with_template("{bar:32} {pos}/{len} steps, {per_sec}, {eta} left").unwrap());
    let (next, all, wrong) = (AtomicU64::new(first), Mutex::new(Crashes::new()), Mutex::new(None));
    std::thread::scope(|scope| {
        let work = || {
            while wrong.lock().unwrap().is_none() {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= first + lives {
                    break;
                }
                match live(seed, None, STEPS_PER_LIFE) {
                    Ok(crashes) => {
                        let mut all = all.lock().unwrap();
                        crashes
                            .into_iter()
                            .for_each(|(place, count)| *all.entry(place).or_default() += count);
                        bar.inc(STEPS_PER_LIFE);
                    }
                    Err(why) => *wrong.lock().unwrap() = Some(why),
                }
            }
        };
        (0..std::thread::available_parallelism().map_or(1, usize::from))
            .for_each(|_| drop(scope.spawn(work)));
    });
    bar.finish();
    assert_eq!(wrong.into_inner().unwrap(), None);
    report(lives * STEPS_PER_LIFE, &all.into_inner().unwrap());
}

/// Says what was cut off where.
fn report(steps: u64, crashes: &Crashes) {
    println!("{steps} steps, cut off {} times, 0 wrong", crashes.values().sum::<u64>());
    let mut by_step: BTreeMap<&str, BTreeMap<Moment, u64>> = BTreeMap::new();
    for ((step, moment), count) in crashes {
        by_step.entry(step).or_default().insert(*moment, *count);
    }
    for (step, moments) in by_step {
        let writes: Vec<u32> = moments
            .keys()
            .filter_map(|moment| if let Moment::AtWrite(at) = moment { Some(*at) } else { None })
            .collect();
        let count = |moment| moments.get(&moment).copied().unwrap_or(0);
        println!(
            "  {step:<18} at writes {writes:?}, in the commit {}, unheard {}",
            count(Moment::InCommit),
            count(Moment::Unheard)
        );
    }
}

/// The longest form of each step that moves credits, with what has to go before it.
fn longest() -> Vec<Vec<Step>> {
    use accounts::Terms::DailyFirst;
    use accounts::ledger::Reason::{Dispute, Purchase, Refund, Voucher};
    let (a, day) = (Id::from_column(&[1; 16]).unwrap(), Step::Pass(kernel::clock::DAY_SECONDS));
    let rich = [Step::Open(a), Step::Read(a), Step::Adjust(Some(a), 20, Purchase)];
    // Of all three buckets, once the credits of the day before have expired.
    let all = |rest: &[Step]| [&rich[..], &[day, Step::Hold(a, 25, DailyFirst)], rest].concat();
    let owing = |rest: &[Step]| all(&[&[Step::Adjust(Some(a), -30, Refund)], rest].concat());
    vec![
        vec![Step::Open(a)],
        all(&[]),
        [&rich[..], &[day, Step::Read(a)]].concat(),
        [&rich[..], &[Step::Adjust(Some(a), -30, Refund)]].concat(),
        [&rich[..], &[Step::Adjust(Some(a), -30, Dispute), Step::Adjust(Some(a), 25, Purchase)]].concat(),
        owing(&[Step::Adjust(Some(a), 40, Voucher)]),
        owing(&[Step::Grant(a, 40)]),
        all(&[Step::Capture(0)]),
        owing(&[Step::Release(0)]),
        owing(&[day, Step::Lapse]),
        owing(&[Step::Close(a)]),
        owing(&[Step::Close(a), Step::Release(0)]),
        all(&[day, Step::Prove]),
    ]
}

#[test]
fn the_longest_steps_are_cut_off_at_each_of_their_writes() {
    let gifts = Gifts { daily: 5, welcome: 3 };
    for steps in longest() {
        let (last, before) = steps.split_last().unwrap();
        for at in 1.. {
            let moment = in_world(1, None, async |world| {
                world.give(gifts).await;
                for step in before {
                    world.step_cut_off(*step, None).await?;
                }
                let moment = world.step_cut_off(*last, Some(at)).await?;
                world.add_up().await.map(|()| moment)
            });
            if moment.unwrap() != Some(Moment::AtWrite(at)) {
                println!("  {:<18} cut off at each of {} writes", last.name(), at - 1);
                assert!(at > 1, "{last:?} wrote nothing");
                break;
            }
        }
    }
}

#[test]
fn every_planted_fault_is_noticed() {
    std::thread::scope(|scope| {
        for part in FAULTS.chunks(FAULTS.len().div_ceil(2)) {
            scope.spawn(move || {
                for fault in part {
                    let found =
                        (1..=LIVES_PER_FAULT).find_map(|seed| live(seed, Some(*fault), STEPS_PER_LIFE).err());
                    let found = found.unwrap_or_else(|| panic!("{fault:?} was not noticed"));
                    println!("{fault:?}: {}", found.chars().take(120).collect::<String>());
                }
            });
        }
    });
}
