//! This owns the checks of the counters: how far one person reaches, and that the noise is what it is said to be.

use std::num::NonZeroU32;
use std::sync::Arc;

use kernel::clock::{DAY_SECONDS, SetClock};
use kernel::{Clock, Id};
use rand::distr::{Bernoulli, Distribution};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::day::Day;
use super::noise::discrete_laplace;
use super::*;

/// Draws of a sample.
const DRAWS: usize = 100_000;
/// Numbers from here on count as one cell of a histogram, on either side.
const FAR: i64 = 30;
const CELLS: usize = 2 * FAR as usize + 1;
/// With a chance of one in 10,000 a standard normal number is larger.
const RARE: f64 = 3.719;
/// A million draws of OpenDP 0.16.0, in cells: `make_laplace` over vectors of `i64` with the L1 distance and scale 8, of
/// which its own privacy map says that inputs 8 apart cost 1.
#[rustfmt::skip]
const OPENDP: [u64; CELLS] = [
    12_411, 1618, 1945, 2185, 2415, 2800, 3055, 3527, 4073, 4483, 5162, 5686, 6541, 7459, 8495, 9378, 10_869,
    12_410, 13_869, 15_714, 17_696, 20_075, 22_737, 25_849, 29_490, 33_763, 37_934, 43_237, 49_043, 54_879,
    62_074, 55_462, 48_787, 43_137, 37_811, 33_499, 29_250, 25_797, 23_386, 20_755, 17_802, 15_688, 13_869,
    12_211, 10_836, 9387, 8300, 7381, 6578, 5727, 5083, 4470, 4002, 3502, 3062, 2760, 2443, 2141, 1800, 1706,
    12_496,
];

type Histogram = [u64; CELLS];

fn histogram(mut draw: impl FnMut() -> i64) -> Histogram {
    let mut cells = [0; CELLS];
    for _ in 0..DRAWS {
        cells[usize::try_from(draw().clamp(-FAR, FAR) + FAR).unwrap()] += 1;
    }
    cells
}

fn of(scale: u32) -> NonZeroU32 {
    NonZeroU32::new(scale).unwrap()
}

/// Our sampler.
fn ours(scale: u32, seed: u64) -> Histogram {
    let mut rng = StdRng::seed_from_u64(seed);
    histogram(|| discrete_laplace(of(scale), &mut rng).unwrap())
}

/// Geometric numbers by their meaning: how often the library's trial goes on.
fn geometric(scale: u32, seed: u64) -> impl FnMut() -> i64 {
    let mut rng = StdRng::seed_from_u64(seed);
    let goes_on = Bernoulli::new((-1.0 / f64::from(scale)).exp()).unwrap();
    move || std::iter::repeat_with(|| goes_on.sample(&mut rng)).take_while(|on| *on).count() as i64
}

/// The same distribution by another way: the difference of two geometric numbers.
fn theirs(scale: u32, seed: u64) -> Histogram {
    let mut one = geometric(scale, seed);
    histogram(|| one() - one())
}

/// What the formula says of each cell: `tanh(1 / 2b) exp(-|n| / b)`, summed up for the cells at the ends.
fn formula(scale: u32) -> [f64; CELLS] {
    let b = f64::from(scale);
    let far = (-FAR as f64 / b).exp() / (1.0 + (-1.0 / b).exp());
    std::array::from_fn(|cell| match cell as i64 - FAR {
        n if n.abs() == FAR => far,
        n => (0.5 / b).tanh() * (-n.abs() as f64 / b).exp(),
    })
}

/// Whether a sum of squares over so many cells is larger than chance allows (Wilson and Hilferty's approximation).
fn strays(squares: f64, cells: usize) -> bool {
    let freedom = (cells - 1) as f64;
    let part = 2.0 / (9.0 * freedom);
    squares > freedom * (1.0 - part + RARE * part.sqrt()).powi(3)
}

/// Whether a sample is not of the distribution: cells of which fewer than ten are expected are left to the others.
fn strays_from_formula(sample: &Histogram, scale: u32) -> bool {
    let all: u64 = sample.iter().sum();
    let expected = formula(scale).map(|chance| chance * all as f64);
    let cells = || sample.iter().zip(&expected).filter(|(_, expected)| **expected >= 10.0);
    let squares = cells().map(|(seen, expected)| (*seen as f64 - expected).powi(2) / expected);
    strays(squares.sum(), cells().count())
}

/// Whether two samples are not of one distribution.
fn differ(one: &Histogram, other: &Histogram) -> bool {
    let [all, of_other] = [one, other].map(|cells| cells.iter().sum::<u64>() as f64);
    let (up, down) = ((of_other / all).sqrt(), (all / of_other).sqrt());
    let cells = || one.iter().zip(other).filter(|(one, other)| **one + **other >= 10);
    let squares = cells()
        .map(|(one, other)| (up * *one as f64 - down * *other as f64).powi(2) / (*one + *other) as f64);
    strays(squares.sum(), cells().count())
}

#[test]
fn the_noise_is_that_of_the_reference() {
    for scale in [1, 2, SCALE.get(), 11] {
        let (ours, theirs) = (ours(scale, 1), theirs(scale, 2));
        assert!(!strays_from_formula(&theirs, scale), "the reference strays at scale {scale}");
        assert!(!strays_from_formula(&ours, scale), "it strays from the formula at scale {scale}");
        assert!(!differ(&ours, &theirs), "it strays from the reference at scale {scale}");
    }
    assert!(!strays_from_formula(&OPENDP, SCALE.get()));
    assert!(!differ(&ours(SCALE.get(), 3), &OPENDP), "it strays from OpenDP");
}

/// Each wrong noise is noticed by the checks that the right one passes.
#[test]
fn noise_that_is_a_little_wrong_is_noticed() {
    let mut rng = StdRng::seed_from_u64(4);
    let scale = 2;
    let rounded = histogram(|| {
        let uniform: f64 = rng.random_range(-0.5..0.5);
        (-f64::from(scale) * uniform.signum() * (1.0 - 2.0 * uniform.abs()).ln()).round() as i64
    });
    let one_sided = histogram(|| discrete_laplace(of(scale), &mut rng).unwrap().abs());
    let mut size = geometric(scale, 5);
    let two_zeros = histogram(|| if rng.random() { size() } else { -size() });
    for (name, wrong) in [("rounded", rounded), ("one-sided", one_sided), ("two zeros", two_zeros)] {
        assert!(strays_from_formula(&wrong, scale) && differ(&wrong, &theirs(scale, 5)), "{name}");
    }
    for wrong in [SCALE.get() - 1, SCALE.get() + 1] {
        let wrong = ours(wrong, 6);
        assert!(strays_from_formula(&wrong, SCALE.get()) && differ(&wrong, &OPENDP));
    }
}

/// What a day holds before its noise.
fn sums(day: &Day) -> u32 {
    day.sums().iter().sum()
}

#[test]
fn nobody_adds_more_than_their_share_however_much_they_do() {
    let mut day = Day::new(1, true);
    let me = Who::Account(Id::random());
    for _ in 0..10_000 {
        day.count(Counter::Search, me);
    }
    assert_eq!(sums(&day), u32::from(EVENT_MAX));
    for counter in Counter::ALL.into_iter().cycle().take(10_000) {
        day.count(counter, me);
    }
    assert_eq!(sums(&day), u32::from(PERSON_MAX));
    day.count(Counter::Search, Who::Account(Id::random()));
    assert_eq!(sums(&day), u32::from(PERSON_MAX) + 1);
}

/// The derivation of the noise stands on this: with and without a person, the sums are at most so far apart.
#[test]
fn with_and_without_a_person_the_sums_are_at_most_their_share_apart() {
    let mut rng = StdRng::seed_from_u64(7);
    let people: Vec<Who> = (0..20).map(|_| Who::Account(Id::random())).collect();
    let events: Vec<(usize, Counter)> = (0..2_000)
        .map(|_| (rng.random_range(0..people.len()), Counter::ALL[rng.random_range(0..COUNTERS)]))
        .collect();
    let counted = |without: Option<usize>| {
        let mut day = Day::new(1, true);
        for (who, counter) in events.iter().filter(|(who, _)| Some(*who) != without) {
            day.count(*counter, people[*who]);
        }
        *day.sums()
    };
    let all = counted(None);
    for person in 0..people.len() {
        let apart: u32 = all.iter().zip(counted(Some(person))).map(|(a, b)| a.abs_diff(b)).sum();
        assert_eq!(apart, u32::from(PERSON_MAX));
    }
}

#[test]
fn a_network_is_one_person_and_not_known_again_the_next_day() {
    let clock = Arc::new(SetClock::at(DAY_SECONDS));
    let counters = Counters::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let search = |address: &str| counters.count(Counter::Search, Who::Network(address.parse().unwrap()));
    let counted = || sums(&counters.at_present().day);
    for _ in 0..100 {
        search("2001:db8::1");
        search("2001:db8::2");
    }
    assert_eq!(counted(), u32::from(EVENT_MAX));
    search("192.0.2.1");
    assert_eq!(counted(), u32::from(EVENT_MAX) + 1);
    clock.advance(DAY_SECONDS);
    search("2001:db8::1");
    assert_eq!(counted(), 1);
}

#[test]
fn a_day_leaves_once_with_the_same_noise_until_it_is_published() {
    let clock = Arc::new(SetClock::at(10 * DAY_SECONDS + 5));
    let counters = Counters::new(Arc::clone(&clock) as Arc<dyn Clock>);
    for n in 0..1_000_u32 {
        counters.count(Counter::GalleryPage, Who::Network(IpAddr::V4(n.into())));
    }
    assert!(counters.ended().is_empty(), "the day is not over");
    clock.advance(DAY_SECONDS);
    let ended = counters.ended();
    assert_eq!(ended, counters.ended());
    assert_eq!((ended[0].day, ended[0].whole), (10, false));
    assert!(ended[0].counts[Counter::GalleryPage.place()].unwrap().abs_diff(1_000) < 300);
    counters.forget(10);
    clock.advance(-2 * DAY_SECONDS);
    assert!(counters.ended().is_empty(), "a clock that is set back ends no day");
    clock.advance(3 * DAY_SECONDS);
    let ended = || counters.ended().iter().map(|day| (day.day, day.whole)).collect::<Vec<_>>();
    assert_eq!(ended(), [(11, true)]);
    clock.advance(2 * DAY_SECONDS);
    assert_eq!(ended(), [(11, true), (12, true)], "nothing is said of a day that nobody looked at");
    clock.advance(DAY_SECONDS);
    assert_eq!(ended(), [(11, true), (12, true), (14, false)]);
}

#[test]
fn small_counts_are_left_out_and_what_is_remembered_is_bounded() {
    let mut rng = StdRng::seed_from_u64(8);
    let shown: usize =
        (0..1_000).map(|_| Day::new(1, true).end(&mut rng).unwrap().counts.iter().flatten().count()).sum();
    let expected = 1_000.0 * COUNTERS as f64 * (-f64::from(SHOWN_MIN) / f64::from(SCALE.get())).exp()
        / (1.0 + (-1.0 / f64::from(SCALE.get())).exp());
    assert!((shown as f64 / expected - 1.0).abs() < 0.15, "{shown} empty counts are shown, not {expected}");
    let mut day = Day::new(1, true);
    for n in 0..u32::try_from(PEOPLE_MAX).unwrap() + 10 {
        day.count(Counter::Search, Who::Network(IpAddr::V4(n.into())));
    }
    assert_eq!(sums(&day) as usize, PEOPLE_MAX);
}

#[test]
fn every_counter_stands_at_its_place_under_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = Counter::ALL.iter().map(|counter| counter.name()).collect();
    assert_eq!(names.len(), COUNTERS);
    assert!(Counter::ALL.iter().enumerate().all(|(place, counter)| counter.place() == place));
}
