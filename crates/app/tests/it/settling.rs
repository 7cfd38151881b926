//! What the payment processor's events make of the books, through the door and on a real database.

use accounts::Terms;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use crate::purchases::Shop;
use crate::stripe::stories::{STORIES, Step};
use crate::stripe::{SECRET, signature};

/// Orders of each story that go through the door; all of them go through the books alone, in their own tests.
const ORDERS: u64 = 12;

impl Shop {
    /// The events of a story in an order of its own, some of them twice.
    fn shuffled(&self, page: &str, steps: &[Step], seed: u64) -> Vec<Value> {
        use kernel::Clock;
        let mut events: Vec<Value> =
            steps.iter().map(|step| self.stripe.happen(page, *step, self.clock.now())).collect();
        let mut chance = SmallRng::seed_from_u64(seed);
        let again = events[seed as usize % events.len()].clone();
        events.push(again);
        // As it happened first, then backwards, then anyhow.
        match seed {
            0 => {}
            1 => events.reverse(),
            _ => events.shuffle(&mut chance),
        }
        events
    }

    async fn post(&self, body: Vec<u8>, signature: Option<String>) -> u16 {
        let request = self.app.browser().post(self.app.url("/webhooks/stripe")).body(body);
        let request = match signature {
            Some(signature) => request.header("stripe-signature", signature),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn every_story_comes_to_the_same_in_any_order_through_the_door() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let mut expected = 0;
    for (name, steps, due) in STORIES {
        for seed in 0..ORDERS {
            let (_, page) = shop.begin_anew(&member).await;
            for event in shop.shuffled(&page, steps, seed) {
                assert_eq!(shop.send(&event).await, 200, "{name}");
            }
            expected += i64::from(*due);
            assert_eq!(shop.bought(account).await, expected, "{name}, order {seed}");
        }
    }
    assert!(shop.adds_up().await);
}

#[tokio::test]
async fn events_that_come_at_once_and_twice_count_once() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let mut expected = 0;
    for (name, steps, due) in STORIES {
        let (_, page) = shop.begin(&member).await;
        let events = shop.shuffled(&page, steps, 7);
        let doubled = events.iter().chain(&events);
        let answers = futures_util::future::join_all(doubled.map(|event| shop.send(event))).await;
        assert!(answers.iter().all(|status| *status == 200), "{name}: {answers:?}");
        expected += i64::from(*due);
        assert_eq!(shop.bought(account).await, expected, "{name}");
    }
    let events: usize = STORIES.iter().map(|(_, steps, _)| steps.len()).sum();
    assert_eq!(shop.count("payment_event").await, i64::try_from(events).unwrap());
    assert!(shop.adds_up().await);
}

/// A failure in the middle of a transaction, as a crash would be: neither the event nor its move may stay.
#[tokio::test]
async fn an_event_and_its_move_stay_together_or_not_at_all() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let (_, page) = shop.begin(&member).await;
    for (at, breaks) in [
        ("AFTER INSERT ON payment_event", "CREATE TRIGGER breaks AFTER INSERT ON payment_event"),
        ("the move", "CREATE TRIGGER breaks BEFORE INSERT ON transfer"),
        ("the note", "CREATE TRIGGER breaks BEFORE UPDATE ON purchase WHEN new.given <> old.given"),
    ] {
        let trigger = format!("{breaks} BEGIN SELECT raise(ABORT, 'a crash'); END");
        shop.change(&trigger).await;
        assert_eq!(shop.tell(&page, Step::Completed).await, 500, "{at}");
        assert_eq!((shop.count("payment_event").await, shop.bought(account).await), (0, 0), "{at}");
        shop.change("DROP TRIGGER breaks").await;
    }
    let event = shop.stripe.happen(&page, Step::Completed, 0);
    assert_eq!((shop.send(&event).await, shop.send(&event).await), (200, 200));
    assert_eq!((shop.count("payment_event").await, shop.bought(account).await), (1, 100));
    assert!(shop.adds_up().await);
}

#[tokio::test]
async fn only_signed_events_are_read_and_others_are_not_kept() {
    use kernel::Clock;
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let (_, page) = shop.begin(&member).await;
    let now = shop.clock.now();
    let body = shop.stripe.happen(&page, Step::Completed, now).to_string().into_bytes();
    let good = signature(SECRET, &body, now);
    for (body, signed) in [
        (body.clone(), None),
        (body.clone(), Some(String::new())),
        (body.clone(), Some(signature("whsec_other", &body, now))),
        (body.clone(), Some(signature(SECRET, &body, now - 301))),
        (body.clone(), Some(signature(SECRET, &body, now + 301))),
        (body[..body.len() - 1].to_vec(), Some(good.clone())),
        (Vec::new(), Some(good.clone())),
    ] {
        assert_eq!(shop.post(body, signed).await, 400);
    }
    // Signed, and still nothing to be kept.
    let signed = |value: &Value| {
        (value.to_string().into_bytes(), signature(SECRET, value.to_string().as_bytes(), now))
    };
    let strange = json!({ "id": "evt_2", "type": "customer.created", "data": { "object": { "id": [1] } } });
    let (strange, by) = signed(&strange);
    assert_eq!(shop.post(strange, Some(by)).await, 200, "types that are not read");
    let broken = json!({ "id": "evt 3", "type": "refund.created", "data": { "object": { "id": "a word" } } });
    let (broken, by) = signed(&broken);
    assert_eq!(shop.post(broken, Some(by)).await, 400);
    let foreign = json!({ "id": "evt_4", "type": "checkout.session.completed", "data": { "object": {
        "id": "cs_of_somebody_else", "payment_status": "paid", "amount_total": 9, "currency": "eur" } } });
    let (foreign, by) = signed(&foreign);
    assert_eq!(shop.post(foreign, Some(by)).await, 200, "another shop of the same operator");
    let large = vec![b' '; 256 * 1024 + 1];
    assert_eq!(shop.post(large.clone(), Some(signature(SECRET, &large, now))).await, 413);
    assert_eq!((shop.count("payment_event").await, shop.bought(account).await), (0, 0));
    // By the secret that will be the next one.
    let next = signature("whsec_the_next_one", &body, now);
    assert_eq!(shop.post(body, Some(next)).await, 200);
    assert_eq!(shop.bought(account).await, 100);
}

#[tokio::test]
async fn whoever_guesses_signatures_is_soon_silent_and_others_are_heard() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let (_, page) = shop.begin(&member).await;
    let mut last = 0;
    for _ in 0..301 {
        last = shop.post(b"{}".to_vec(), Some("t=1,v1=00".to_owned())).await;
    }
    assert_eq!(last, 429);
    assert_eq!(shop.tell(&page, Step::Completed).await, 200, "a right signature is not a guess");
}

/// What a member does while events come: credits are spent, kept and given back.
async fn spend(shop: &Shop, account: kernel::Id, credits: u32, captures: bool) -> i64 {
    let accounts = shop.app.house.accounts.ledger();
    let mut writing = shop.app.house.db.write().await.unwrap();
    let Ok(hold) = accounts.hold(&mut writing, account, credits, Terms::PurchasedOnly).await else {
        return 0;
    };
    if captures {
        accounts.capture(&mut writing, hold).await.unwrap();
    } else {
        accounts.release(&mut writing, hold).await.unwrap();
    }
    platform::db::commit(writing).await.unwrap();
    if captures { i64::from(credits) } else { 0 }
}

#[test]
fn any_story_in_any_order_with_spending_between_adds_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (shop, member) = runtime.block_on(async {
        let shop = Shop::open().await;
        let member = shop.app.sign_in("ada@example.org").await;
        (shop, member)
    });
    let story = (0..STORIES.len(), 0_u64..1000, prop::collection::vec((1_u32..60, any::<bool>()), 0..8));
    proptest!(ProptestConfig::with_cases(40), |((story, seed, mut spends) in story)| {
        runtime.block_on(async {
            let account = shop.only_account().await;
            let before = shop.bought(account).await;
            let (_, page) = shop.begin_anew(&member).await;
            let (_, steps, due) = STORIES[story];
            let mut spent = 0;
            for event in shop.shuffled(&page, steps, seed) {
                assert_eq!(shop.send(&event).await, 200);
                if let Some((credits, captures)) = spends.pop() {
                    spent += spend(&shop, account, credits, captures).await;
                }
            }
            assert_eq!(shop.bought(account).await, before + i64::from(due) - spent);
            assert!(shop.adds_up().await);
        });
    });
}
