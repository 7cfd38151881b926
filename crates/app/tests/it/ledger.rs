//! The books: whatever happens, they add up.

use accounts::Terms;
use proptest::prelude::*;

use crate::TestApp;

#[tokio::test]
async fn one_credit_is_spent_once_however_many_ask() {
    let app = TestApp::start().await;
    let account = app
        .house
        .accounts
        .find_or_create(&kernel::EmailAddress::parse(&"a@example.org".into()).unwrap())
        .await
        .unwrap();
    app.house.accounts.ledger().grant(account, 1).await.unwrap();
    let spenders = (0..40).map(|_| {
        let house = app.house.clone();
        tokio::spawn(async move {
            let mut writing = house.db.write().await.unwrap();
            let held = house.accounts.ledger().hold(&mut writing, account, 1, Terms::PurchasedOnly).await;
            platform::db::commit(writing).await.unwrap();
            held.is_ok()
        })
    });
    let mut winners = 0;
    for spender in spenders.collect::<Vec<_>>() {
        winners += u32::from(spender.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn open_holds_come_back_after_a_crash() {
    let app = TestApp::start().await;
    let account = app
        .house
        .accounts
        .find_or_create(&kernel::EmailAddress::parse(&"a@example.org".into()).unwrap())
        .await
        .unwrap();
    app.house.accounts.ledger().grant(account, 5).await.unwrap();
    let mut writing = app.house.db.write().await.unwrap();
    app.house.accounts.ledger().hold(&mut writing, account, 3, Terms::PurchasedOnly).await.unwrap();
    platform::db::commit(writing).await.unwrap();
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, 2);
    assert_eq!(app.house.studio.recover().await.unwrap(), 1);
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, 5);
}

#[derive(Clone, Debug)]
enum Step {
    Grant(u32),
    Hold(u32, bool),
    Capture(usize),
    Release(usize),
    Lost(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u32..9).prop_map(Step::Grant),
        (1_u32..9, any::<bool>()).prop_map(|(credits, daily)| Step::Hold(credits, daily)),
        (0_usize..9).prop_map(Step::Capture),
        (0_usize..9).prop_map(Step::Release),
        (1_u32..9).prop_map(Step::Lost),
    ]
}

#[test]
fn any_order_of_holds_captures_and_releases_adds_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    proptest!(ProptestConfig::with_cases(12), |(steps in prop::collection::vec(step(), 1..40))| {
        runtime.block_on(walk(&app, &steps));
    });
}

/// Walks a new account through the steps, beside a model that only counts.
async fn walk(app: &TestApp, steps: &[Step]) {
    let accounts = &app.house.accounts;
    let address = format!("{}@example.org", kernel::Id::random());
    let account =
        accounts.find_or_create(&kernel::EmailAddress::parse(&address.into()).unwrap()).await.unwrap();
    let start = accounts.ledger().balance(account).await.unwrap();
    let (mut total, mut holds) = (start.daily + start.purchased, Vec::new());
    for step in steps {
        let mut writing = app.house.db.write().await.unwrap();
        match *step {
            Step::Grant(credits) => {
                drop(writing);
                accounts.ledger().grant(account, credits).await.unwrap();
                total += credits;
                continue;
            }
            Step::Hold(credits, daily) => {
                let terms = if daily { Terms::DailyFirst } else { Terms::PurchasedOnly };
                if let Ok(hold) = accounts.ledger().hold(&mut writing, account, credits, terms).await {
                    holds.push((hold, credits, true));
                    total -= credits;
                }
            }
            Step::Capture(n) if n < holds.len() => {
                accounts.ledger().capture(&mut writing, holds[n].0).await.unwrap();
                holds[n].2 = false;
            }
            Step::Release(n) if n < holds.len() => {
                accounts.ledger().release(&mut writing, holds[n].0).await.unwrap();
                if std::mem::take(&mut holds[n].2) {
                    total += holds[n].1;
                }
            }
            Step::Lost(credits) => {
                // A crash before the commit: nothing of it may stay.
                let _ = accounts.ledger().hold(&mut writing, account, credits, Terms::DailyFirst).await;
                drop(writing);
                continue;
            }
            _ => {}
        }
        platform::db::commit(writing).await.unwrap();
    }
    let end = accounts.ledger().balance(account).await.unwrap();
    assert_eq!(end.daily + end.purchased, total);
    let lines = accounts.ledger().lines(account, u32::MAX).await.unwrap();
    let seen: i64 = lines.iter().map(|line| line.amount).sum();
    assert_eq!(seen, i64::from(total), "what the owner sees adds up to what can be spent");
    let pictures = lines.iter().filter(|line| ["hold", "capture", "release"].contains(&line.reason.as_str()));
    assert_eq!(pictures.count(), holds.len(), "a picture is one line");
    assert!(accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}
