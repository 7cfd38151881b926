//! Vouchers and the operator's grants, through their doors: what gives credits, once, and what is said where it does not.

use std::sync::Arc;

use accounts::NewVouchers;
use app::operator::{Desk, Request};
use kernel::clock::{DAY_SECONDS, SetClock};
use kernel::{Clock, Kind, SystemClock};
use reqwest::Client;
use serde_json::{Value, json};

use crate::TestApp;

const ADDRESS: &str = "ada@example.org";

async fn create(app: &TestApp, credits: u32, count: u32, days: u32) -> Vec<String> {
    let made =
        app.operate(Request::Desk(Desk::CreateVouchers(NewVouchers { credits, count, days }))).await.unwrap();
    made.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// The status and the page that a code is answered with.
async fn redeem(app: &TestApp, member: &Client, code: &str) -> (u16, String) {
    let answer = app.form(member, "/account/vouchers", &[("code", code)]).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn states(app: &TestApp) -> Value {
    app.operate(Request::Desk(Desk::CountVouchers)).await.unwrap()
}

/// Credits that an account has for good.
async fn purchased(app: &TestApp) -> u32 {
    let mut all = 0;
    for account in app.house.accounts.records().await {
        all += app.house.accounts.ledger().balance(account).await.unwrap().purchased;
    }
    all
}

#[tokio::test]
async fn a_voucher_gives_its_credits_once_and_the_books_add_up() {
    let app = TestApp::start().await;
    let member = app.sign_in(ADDRESS).await;
    let page = async || member.get(app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(!page().await.contains("Voucher"), "a site without vouchers does not speak of them");
    let codes = create(&app, 50, 2, 365).await;
    assert!(page().await.contains("Code of a voucher"));
    let typed = codes[0].to_lowercase().replace('-', " ").replace('0', "o").replace('1', "i");
    let (status, seen) = redeem(&app, &member, &typed).await;
    assert_eq!(status, 200, "{seen}");
    assert!(seen.contains("The voucher gave you 50 credits."), "{seen}");
    assert!(seen.contains("+50"), "{seen}");
    assert_eq!(purchased(&app).await, 50);
    let (status, seen) = redeem(&app, &member, &codes[0]).await;
    assert!(status == 409 && seen.contains("used already"), "{seen}");
    assert_eq!(purchased(&app).await, 50);
    let wanted = json!([
        { "state": "open", "vouchers": 1, "credits": 50 }, { "state": "used", "vouchers": 1, "credits": 50 },
    ]);
    assert_eq!(states(&app).await, wanted);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
    // Neither form of the code is kept, and no row of a voucher leads to an account.
    let bare = codes[0].replace('-', "");
    assert!(!app.disk_holds(codes[0].as_bytes()) && !app.disk_holds(bare.as_bytes()));
    let columns = app.house.db.columns().await.unwrap();
    let of_voucher: Vec<&str> = columns.iter().filter_map(|column| column.strip_prefix("voucher.")).collect();
    assert_eq!(of_voucher, ["code_print", "credits", "expires_day", "state"]);
}

#[tokio::test]
async fn of_a_hundred_who_type_the_same_code_at_once_exactly_one_is_given_its_credits() {
    let app = TestApp::start().await;
    let mut members = Vec::new();
    for number in 0..4 {
        members.push(app.sign_in(&format!("member{number}@example.org")).await);
    }
    let code = create(&app, 7, 1, 30).await.remove(0);
    let asked = (0..100).map(|number| redeem(&app, &members[number % 4], &code));
    let answers = futures_util::future::join_all(asked).await;
    let with = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!((with(200), with(409)), (1, 99));
    assert_eq!(purchased(&app).await, 7);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}

#[tokio::test]
async fn what_gives_nothing_is_told_apart_in_three_languages() {
    let clock = Arc::new(SetClock::at(SystemClock.now()));
    let app = TestApp::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let member = app.sign_in(ADDRESS).await;
    let codes = create(&app, 5, 4, 1).await;
    let typo = {
        let last = if codes[0].ends_with('7') { "8" } else { "7" };
        format!("{}{last}", &codes[0][..codes[0].len() - 1])
    };
    // A code of another site.
    let foreign = create(&TestApp::start().await, 5, 1, 30).await.remove(0);
    let voided =
        app.operate(Request::Desk(Desk::VoidVouchers { codes: codes[1..3].to_vec() })).await.unwrap();
    assert_eq!(voided["voided"], 2);
    let again = app.operate(Request::Desk(Desk::VoidVouchers { codes: codes[1..4].to_vec() })).await.unwrap();
    assert_eq!(again["voided"], 1, "what is voided already is not counted again");
    clock.advance(DAY_SECONDS);
    assert_eq!(redeem(&app, &member, &create(&app, 5, 1, 1).await[0]).await.0, 200);
    clock.advance(DAY_SECONDS);
    for (code, status, words) in [
        (&typo, 400, ["a character is wrong", "有字符错误", "文字が違うか"]),
        (&String::new(), 400, ["a character is wrong", "有字符错误", "文字が違うか"]),
        (&foreign, 404, ["No voucher of this site", "本站没有这个兑换码", "このサイトにはありません"]),
        (&codes[0], 410, ["has expired", "已过期", "期限が切れています"]),
        (&codes[1], 410, ["has withdrawn", "已作废", "取り消しました"]),
    ] {
        for (tag, word) in ["en", "zh-Hans", "ja"].into_iter().zip(words) {
            let asked = member.post(app.url("/account/vouchers")).header("sec-fetch-site", "same-origin");
            let asked = asked.header("accept-language", tag).form(&[("code", code)]);
            let answer = asked.send().await.unwrap();
            let (found, seen) = (answer.status().as_u16(), answer.text().await.unwrap());
            assert!(found == status && seen.contains(word), "{word}: {found} {seen}");
        }
    }
    assert_eq!(purchased(&app).await, 5);
    // A year after they expired they are unknown, and so is that there ever were any.
    clock.advance(366 * DAY_SECONDS);
    app.house.accounts.erase_old_vouchers().await.unwrap();
    assert_eq!(states(&app).await, json!([]));
}

#[tokio::test]
async fn codes_of_no_voucher_are_limited_as_guesses() {
    let app = TestApp::start().await;
    let member = app.sign_in(ADDRESS).await;
    let foreign = create(&TestApp::start().await, 5, 1, 30).await.remove(0);
    let most = platform::http::limits::GUESSES.most;
    for _ in 0..most {
        assert_eq!(redeem(&app, &member, &foreign).await.0, 404);
    }
    assert_eq!(redeem(&app, &member, &foreign).await.0, 429);
}

#[tokio::test]
async fn numbers_out_of_their_limits_make_no_voucher_and_no_grant() {
    let app = TestApp::start().await;
    app.sign_in(ADDRESS).await;
    for (credits, count, days, word) in [
        (0, 1, 1, "credits"),
        (100_001, 1, 1, "100000"),
        (1, 0, 1, "count"),
        (1, 10_001, 1, "10000"),
        (1, 1, 0, "expires-in-days"),
        (1, 1, 3_661, "3660"),
    ] {
        let refused =
            app.operate(Request::Desk(Desk::CreateVouchers(NewVouchers { credits, count, days }))).await;
        let refused = refused.unwrap_err();
        assert!(refused.kind == Kind::Invalid && refused.public.contains(word), "{}", refused.public);
    }
    assert_eq!(states(&app).await, json!([]));
    let grant =
        |address: &str, credits| app.operate(Request::Desk(Desk::Grant { address: address.into(), credits }));
    for credits in [0, -1, 1_000_001, i64::MAX, i64::MIN] {
        let refused = grant(ADDRESS, credits).await.unwrap_err();
        assert!(refused.kind == Kind::Invalid && refused.public.contains("from 1 to 1000000"), "{credits}");
    }
    assert_eq!(grant("bob@example.org", 5).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!((purchased(&app).await, app.house.accounts.records().await.len()), (0, 1));
    grant(ADDRESS, 1_000_000).await.unwrap();
    assert_eq!(purchased(&app).await, 1_000_000);
    assert!(app.house.accounts.ledger().check(app.house.keys.site()).await.unwrap().holds());
}
