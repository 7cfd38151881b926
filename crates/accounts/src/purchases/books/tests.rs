//! The books are a function of the set of events: every order of up to six of them, with any of them twice, comes to the same.

use proptest::prelude::*;

use super::*;

const CREDITS: u32 = 100;

fn price() -> Money {
    "5.00 EUR".parse().unwrap()
}

fn told(object: &str, state: State, amount: i64) -> Told {
    Told { object: object.to_owned(), state, amount, currency: "EUR".to_owned() }
}

fn payment(state: Payment) -> Told {
    told("cs_1", State::Payment(state), 500)
}

fn refund(object: &str, state: Refund, amount: i64) -> Told {
    told(object, State::Refund(state), amount)
}

fn in_all(amount: i64) -> Told {
    told("ch_1", State::RefundedInAll, amount)
}

fn dispute(object: &str, state: Dispute) -> Told {
    told(object, State::Dispute(state), 500)
}

fn books(told: &[Told]) -> Books {
    Books::of(CREDITS, price(), told)
}

/// What happens to purchases, in the order in which it happens, and the credits that are due in the end.
#[allow(clippy::too_many_lines)] // It is a table.
fn stories() -> Vec<(&'static str, Vec<Told>, u32)> {
    use Dispute::{Inquiry, Lost, Open, Won};
    use Payment::{Expired, Failed, Paid, Pending};
    use Refund::{Made, Undone};
    let paid = || payment(Paid);
    let on_its_way = |object, amount| refund(object, Refund::Pending, amount);
    vec![
        ("nothing happened", vec![], 0),
        ("paid at once", vec![paid()], 100),
        ("left", vec![payment(Expired)], 0),
        ("paid by transfer", vec![payment(Pending), paid()], 100),
        ("a transfer that failed", vec![payment(Pending), payment(Failed)], 0),
        ("paid after it had failed", vec![payment(Pending), payment(Failed), paid()], 100),
        ("paid, though it was told to have expired", vec![payment(Expired), paid()], 100),
        (
            "refunded in part",
            vec![paid(), on_its_way("re_1", 250), refund("re_1", Made, 250), in_all(250)],
            50,
        ),
        (
            "refunded in part, then whole",
            vec![
                paid(),
                refund("re_1", Made, 200),
                in_all(200),
                on_its_way("re_2", 300),
                refund("re_2", Made, 300),
                in_all(500),
            ],
            0,
        ),
        ("a refund of which only the charge tells", vec![paid(), in_all(100), in_all(400)], 20),
        (
            "a refund that came back",
            vec![paid(), refund("re_1", Made, 500), in_all(500), refund("re_1", Undone, 500)],
            100,
        ),
        (
            "a refund that came back, and another",
            vec![
                paid(),
                refund("re_1", Made, 300),
                in_all(300),
                refund("re_1", Undone, 300),
                refund("re_2", Made, 100),
            ],
            80,
        ),
        ("a refund that never left", vec![paid(), on_its_way("re_1", 500), refund("re_1", Undone, 500)], 100),
        ("refunded before it was paid", vec![payment(Pending), on_its_way("re_1", 500), payment(Failed)], 0),
        (
            "a bank asked, and that was all",
            vec![paid(), dispute("dp_1", Inquiry), dispute("dp_1", Inquiry)],
            100,
        ),
        ("disputed", vec![paid(), dispute("dp_1", Inquiry), dispute("dp_1", Open)], 0),
        (
            "disputed and won",
            vec![paid(), dispute("dp_1", Open), dispute("dp_1", Open), dispute("dp_1", Won)],
            100,
        ),
        ("disputed and lost", vec![paid(), dispute("dp_1", Open), dispute("dp_1", Lost)], 0),
        (
            "won once and disputed again",
            vec![paid(), dispute("dp_1", Open), dispute("dp_1", Won), dispute("dp_2", Open)],
            0,
        ),
        (
            "all of it",
            vec![
                payment(Pending),
                paid(),
                refund("re_1", Made, 100),
                in_all(100),
                dispute("dp_1", Open),
                dispute("dp_1", Won),
            ],
            80,
        ),
        (
            "refunds that come and go",
            vec![
                paid(),
                refund("re_1", Made, 200),
                in_all(200),
                refund("re_1", Undone, 200),
                refund("re_2", Made, 50),
                in_all(250),
            ],
            90,
        ),
        (
            "refunded in part and disputed in vain",
            vec![paid(), refund("re_1", Made, 100), dispute("dp_1", Open), dispute("dp_1", Won)],
            80,
        ),
    ]
}

/// Every order of these.
fn orders(told: &[Told]) -> Vec<Vec<Told>> {
    if told.is_empty() {
        return vec![Vec::new()];
    }
    let begun = (0..told.len()).flat_map(|first| {
        let (mut rest, head) = (told.to_vec(), told[first].clone());
        rest.remove(first);
        orders(&rest).into_iter().map(move |order| [vec![head.clone()], order].concat())
    });
    begun.collect()
}

#[test]
fn every_story_ends_as_it_should() {
    for (name, story, due) in stories() {
        assert_eq!(books(&story).due, due, "{name}");
    }
}

#[test]
fn every_order_of_every_story_with_each_event_twice_comes_to_the_same() {
    for (name, story, due) in stories() {
        let (expected, orders) = (books(&story), orders(&story));
        assert!(story.len() <= 6 && orders.len() == (1..=story.len()).product::<usize>(), "{name}");
        for order in &orders {
            assert_eq!(books(order), expected, "{name}");
            for (place, again) in order.iter().enumerate() {
                for later in place..=order.len() {
                    let mut doubled = order.clone();
                    doubled.insert(later, again.clone());
                    assert_eq!(books(&doubled), expected, "{name}");
                }
            }
        }
        assert_eq!(expected.due, due, "{name}");
    }
}

/// All events that there can be of one purchase, with two refunds and two disputes.
fn any_told() -> impl Strategy<Value = Told> {
    let amount = prop_oneof![Just(0_i64), Just(1), Just(499), Just(500), Just(i64::MAX), -5..600_i64];
    prop_oneof![
        prop::sample::select(vec![Payment::Expired, Payment::Pending, Payment::Failed, Payment::Paid])
            .prop_map(payment),
        (
            prop::sample::select(vec!["re_1", "re_2"]),
            prop::sample::select(vec![Refund::Pending, Refund::Made, Refund::Undone]),
            amount.clone()
        )
            .prop_map(|(object, state, amount)| refund(object, state, amount)),
        amount.prop_map(in_all),
        (
            prop::sample::select(vec!["dp_1", "dp_2"]),
            prop::sample::select(vec![Dispute::Inquiry, Dispute::Open, Dispute::Lost, Dispute::Won])
        )
            .prop_map(|(object, state)| dispute(object, state)),
    ]
}

proptest! {
    #[test]
    fn any_events_in_any_order_come_to_the_same(
        (story, shuffled) in prop::collection::vec(any_told(), 0..7).prop_flat_map(|story| {
            let doubled = [story.clone(), story.clone()].concat();
            (Just(story), Just(doubled).prop_shuffle())
        })
    ) {
        let (once, twice) = (books(&story), books(&shuffled));
        prop_assert_eq!(once, twice);
        prop_assert!(once.due <= CREDITS && (0..=500).contains(&once.refunded));
    }

    #[test]
    fn what_is_kept_is_rounded_in_favour_of_the_buyer(credits in 1_u32..100_000, price in 1_i64..100_000, refunded in 0_i64..100_000) {
        let refunded = refunded.min(price);
        let left = kept(credits, price, refunded);
        let (taken, share) = (i128::from(credits - left) * i128::from(price), i128::from(credits) * i128::from(refunded));
        prop_assert!(taken <= share && share < taken + i128::from(price), "by less than one credit");
        prop_assert_eq!(left == 0, refunded == price);
    }
}

#[test]
fn other_currencies_have_no_share() {
    let strange = Told { currency: "USD".to_owned(), ..refund("re_1", Refund::Made, 500) };
    assert_eq!(books(&[payment(Payment::Paid), strange]).due, 100);
}
