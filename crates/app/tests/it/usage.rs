//! What was used day by day: the same as the ledger, whatever happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts::{DayUse, Terms};
use kernel::clock::{DAY_SECONDS, SetClock};
use kernel::{Clock, EmailAddress, Id};
use proptest::prelude::*;

use crate::TestApp;

#[derive(Clone, Debug)]
enum Step {
    Hold(u32),
    Capture(usize),
    Release(usize),
    Sleep(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..9).prop_map(Step::Hold),
        4 => (0_usize..4).prop_map(Step::Capture),
        1 => (0_usize..4).prop_map(Step::Release),
        2 => (1_i64..20).prop_map(Step::Sleep),
    ]
}

/// Takes the steps and returns what they have spent, day by day, as pairs of pictures and credits.
async fn walk(app: &TestApp, clock: &SetClock, account: Id, steps: &[Step]) -> BTreeMap<i64, (u32, u32)> {
    let accounts = &app.house.accounts;
    let mut spent = BTreeMap::new();
    let mut open: Vec<(Id, u32)> = Vec::new();
    for step in steps {
        let mut writing = app.house.db.write().await.unwrap();
        match step {
            Step::Hold(credits) => {
                let hold =
                    accounts.ledger().hold(&mut writing, account, *credits, Terms::DailyFirst).await.unwrap();
                open.push((hold, *credits));
            }
            Step::Capture(place) if *place < open.len() => {
                let (hold, credits) = open.remove(*place);
                accounts.ledger().capture(&mut writing, hold).await.unwrap();
                let day = spent.entry(clock.today()).or_insert((0, 0));
                *day = (day.0 + 1, day.1 + credits);
            }
            Step::Release(place) if *place < open.len() => {
                accounts.ledger().release(&mut writing, open.remove(*place).0).await.unwrap();
            }
            Step::Sleep(days) => clock.advance(days * DAY_SECONDS),
            Step::Capture(_) | Step::Release(_) => {}
        }
        platform::db::commit(writing).await.unwrap();
    }
    spent
}

#[test]
fn usage_is_what_the_ledger_has_taken_day_by_day() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clock = Arc::new(SetClock::at(1_764_000_000));
    let app = runtime.block_on(TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>));
    let accounts = &app.house.accounts;
    proptest!(ProptestConfig::with_cases(16), |(steps in prop::collection::vec(step(), 1..30))| {
        runtime.block_on(async {
            let address = EmailAddress::parse(&format!("{}@example.org", Id::random()).into()).unwrap();
            let account = accounts.find_or_create(&address).await.unwrap();
            accounts.ledger().grant(account, 1_000).await.unwrap();
            let spent = walk(&app, &clock, account, &steps).await;
            let wanted: Vec<DayUse> = spent
                .iter()
                .rev()
                .map(|(day, (pictures, credits))| DayUse { day: *day, pictures: *pictures, credits: *credits })
                .collect();
            let usage = accounts.usage(account, i64::MIN).await.unwrap();
            assert_eq!(usage, wanted);
            let lines = accounts.ledger().lines(account, u32::MAX).await.unwrap();
            let captured: i64 = lines.iter().filter(|line| line.reason == "capture").map(|line| line.amount).sum();
            assert_eq!(usage.iter().map(|day| i64::from(day.credits)).sum::<i64>(), -captured);
            let first = clock.today() - 29;
            let last = accounts.usage(account, first).await.unwrap();
            assert_eq!(last, wanted.iter().copied().filter(|spent| spent.day >= first).collect::<Vec<_>>());
        });
    });
}

#[tokio::test]
async fn the_account_page_shows_what_was_used_and_only_ones_own() {
    let shop = crate::purchases::Shop::open().await;
    let app = &shop.app;
    let (member, other) = (crate::export::lived_in(&shop).await, app.sign_in("bob@example.org").await);
    let today = accounts::day_text(kernel::SystemClock.today());
    let page = member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    let row = format!(
        "<time datetime=\"{today}\">{today}</time></th><td class=\"number\">1</td><td class=\"number\">1</td>"
    );
    assert!(page.contains(&row), "{page}");
    let page = other.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Nothing used."));
}
