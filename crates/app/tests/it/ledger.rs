//! The books through the doors. That they add up wherever they are cut off is shown by `crates/accounts/tests/simulation`.

use std::sync::Arc;

use accounts::Terms;
use accounts::ledger::LEASE_SECONDS;
use kernel::clock::SetClock;
use kernel::{Clock, SystemClock};
use serde_json::json;

use crate::TestApp;
use crate::engine::Engine;

const SPENDERS: usize = 1_000;

#[tokio::test]
async fn one_credit_is_spent_once_however_many_ask() {
    let app = TestApp::start().await;
    let address = kernel::EmailAddress::parse(&"a@example.org".into()).unwrap();
    let account = app.house.accounts.find_or_create(&address).await.unwrap();
    app.house.accounts.ledger().grant(account, 1).await.unwrap();
    let spenders = (0..SPENDERS).map(|_| {
        let (db, ledger) = (app.house.db.clone(), app.house.accounts.ledger().clone());
        tokio::spawn(async move {
            let hold = db.together(move |writing| {
                Box::pin(async move { ledger.hold(writing, account, 1, Terms::PurchasedOnly).await })
            });
            hold.await.is_ok()
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
    let address = kernel::EmailAddress::parse(&"a@example.org".into()).unwrap();
    let account = app.house.accounts.find_or_create(&address).await.unwrap();
    app.house.accounts.ledger().grant(account, 5).await.unwrap();
    let mut writing = app.house.db.write().await.unwrap();
    app.house.accounts.ledger().hold(&mut writing, account, 3, Terms::PurchasedOnly).await.unwrap();
    platform::db::commit(writing).await.unwrap();
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, 2);
    assert_eq!(app.house.studio.recover().await.unwrap(), 1);
    assert_eq!(app.house.accounts.ledger().balance(account).await.unwrap().purchased, 5);
}

#[tokio::test]
async fn a_picture_whose_hold_has_lapsed_is_neither_paid_nor_given() {
    let (engine, clock) = (Engine::start().await, Arc::new(SetClock::at(SystemClock.now())));
    let settings = engine.settings();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let app = TestApp::start_with(clock.clone(), crate::Bounds::default(), &settings).await;
    let key = app.account(3).await;
    let body = json!({ "prompt": "a fox in stream", "modelId": "m" });
    let accepted: serde_json::Value = app.generate(&key, body).await.json().await.unwrap();
    let id = accepted["generationId"].as_str().unwrap();
    let asked = || engine.heard().iter().any(|heard| heard.path.ends_with("/generations")).then_some(());
    crate::until("the engine was not asked", asked).await;
    clock.advance(LEASE_SECONDS);
    app.house.keep_books().await.unwrap();
    engine.go_on.notify_one();
    let ended = app.ended(id).await;
    assert_eq!((&ended["status"], &ended["creditsStatus"]), (&json!("failed"), &json!("refunded")));
    let proof = app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap();
    assert!(proof.holds() && proof.days == 1, "{proof}");
}

#[tokio::test]
async fn a_proven_day_cannot_be_rewritten_unseen() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(clock.clone()).await;
    app.account(7).await;
    clock.advance(kernel::clock::DAY_SECONDS);
    app.house.keep_books().await.unwrap();
    let change = async |statement: &'static str| {
        let mut writing = app.house.db.write().await.unwrap();
        let done = sqlx::query(statement).execute(&mut *writing).await;
        platform::db::commit(writing).await.unwrap();
        done
    };
    for forbidden in [
        "UPDATE transfer SET amount = 70",
        "DELETE FROM transfer",
        "DELETE FROM book",
        "UPDATE ledger_proof SET last = 0",
        "DELETE FROM ledger_proof",
        "INSERT INTO transfer (debit, credit, amount, reason, day) SELECT a.id, b.id, 1, 'grant', 0 \
         FROM book a, book b WHERE a.kind = 'issued' AND b.kind = 'spent'",
        "UPDATE book SET balance = -1 WHERE kind = 'purchased'",
    ] {
        assert!(change(forbidden).await.is_err(), "{forbidden}");
    }
    // Whoever owns the file can take the rules out of the schema, and make the sums fit again.
    for statement in [
        "DROP TRIGGER transfer_stays",
        "UPDATE transfer SET amount = 70 WHERE reason = 'grant'",
        "UPDATE book SET balance = 70 WHERE kind = 'purchased'",
        "UPDATE book SET balance = -70 WHERE kind = 'issued'",
    ] {
        change(statement).await.unwrap();
    }
    let proof = app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap();
    assert_eq!(proof.faults().into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(), [("days", 1)]);
}
