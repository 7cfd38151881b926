//! Buying credits, through the pages of this site and the page for paying of a stand-in.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::connections::Bounds;
use app::operator::Request;
use kernel::clock::{DAY_SECONDS, SetClock, UnixSeconds};
use kernel::{Clock, SystemClock};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::TestApp;
use crate::stripe::stories::Step;
use crate::stripe::{BUYER, KEY, SECRET, Stripe, send};

/// A program that sells, a stand-in for who takes the money, and a clock.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    pub(crate) stripe: Stripe,
    pub(crate) clock: Arc<SetClock>,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_at(SystemClock.now()).await
    }

    pub(crate) async fn open_at(now: UnixSeconds) -> Self {
        let (stripe, clock) = (Stripe::start().await, Arc::new(SetClock::at(now)));
        let settings = stripe.settings();
        let more = settings.iter().map(String::as_str).chain(["--public-url", "http://localhost"]);
        let more: Vec<&str> = more.collect();
        let app = TestApp::start_with(Arc::clone(&clock) as Arc<dyn Clock>, Bounds::default(), &more).await;
        stripe.tell(&app.url("/webhooks/stripe"));
        Self { app, stripe, clock }
    }

    /// The fields of the form for the pack of a hundred, as the account page has them now.
    pub(crate) async fn offer(&self, member: &Client) -> [(&'static str, String); 2] {
        let page = member.get(self.app.url("/account")).send().await.unwrap().text().await.unwrap();
        let id = page.split("name=\"purchase\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        [("purchase", id.to_owned()), ("pack", "100=5.00 EUR".to_owned())]
    }

    pub(crate) async fn buy(
        &self,
        member: &Client,
        offer: &[(&'static str, String); 2],
    ) -> (StatusCode, String) {
        let fields = offer.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = self.app.form(member, "/account/purchases", &fields).await;
        (answer.status(), answer.text().await.unwrap())
    }

    /// Begins a purchase; its id and its page for paying.
    pub(crate) async fn begin(&self, member: &Client) -> (String, String) {
        let offer = self.offer(member).await;
        assert_eq!(self.buy(member, &offer).await.0, 200);
        let [(_, purchase), _] = offer;
        let page = self.stripe.page_of(&purchase);
        (purchase, page)
    }

    /// Lets something happen to a payment, and tells of it.
    pub(crate) async fn tell(&self, page: &str, step: Step) -> u16 {
        let event = self.stripe.happen(page, step, self.clock.now());
        self.send(&event).await
    }

    pub(crate) async fn send(&self, event: &Value) -> u16 {
        send(&self.app.url("/webhooks/stripe"), event, self.clock.now()).await
    }

    pub(crate) async fn state(&self, member: &Client, purchase: &str) -> String {
        let state = member.get(self.app.url(&format!("/account/purchases/{purchase}/state")));
        let state: Value = state.send().await.unwrap().json().await.unwrap();
        state["state"].as_str().unwrap().to_owned()
    }

    /// What can be spent of what was bought, less what is owed.
    pub(crate) async fn bought(&self, account: kernel::Id) -> i64 {
        let balance = self.app.house.accounts.ledger().balance(account).await.unwrap();
        i64::from(balance.purchased) - i64::from(balance.owed)
    }

    pub(crate) async fn adds_up(&self) -> bool {
        let house = &self.app.house;
        house.accounts.ledger().check(house.keys.site()).await.unwrap().holds()
    }

    pub(crate) async fn only_account(&self) -> kernel::Id {
        self.app.house.accounts.records().await[0]
    }

    /// Begins a purchase as often as it likes; who buys is asked to wait at some point.
    pub(crate) async fn begin_anew(&self, member: &Client) -> (String, String) {
        use kernel::clock::UnixSeconds;
        const HOUR: UnixSeconds = 3600;
        if self.stripe.pages() % 50 == 49 {
            self.clock.advance(HOUR);
        }
        self.begin(member).await
    }

    /// A statement that only a test carries out.
    pub(crate) async fn change(&self, statement: &str) {
        let mut writing = self.app.house.db.write().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut *writing).await.unwrap();
        platform::db::commit(writing).await.unwrap();
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(statement).fetch_one(self.app.house.db.read()).await.unwrap()
    }
}

#[tokio::test]
async fn credits_are_bought_elsewhere_and_only_a_number_and_a_price_are_told_there() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let offer = shop.offer(&member).await;
    let (status, page) = shop.buy(&member, &offer).await;
    assert_eq!(status, 200);
    let [(_, purchase), _] = &offer;
    let session = shop.stripe.page_of(purchase);
    let link = page.split("<a class=\"button lamp\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(link, format!("{}/c/pay/{session}", shop.stripe.base));
    assert!(page.contains("rel=\"noreferrer\"") && page.contains("127.0.0.1") && page.contains("5.00 EUR"));
    assert!(!page.contains("http-equiv"), "nobody is led away");

    let heard = &shop.stripe.heard()[0];
    let headers: BTreeSet<&str> = heard.headers.keys().map(|name| name.as_str()).collect();
    let allowed = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "stripe-version",
    ];
    assert_eq!(headers, BTreeSet::from(allowed));
    assert_eq!(heard.headers["authorization"], format!("Bearer {KEY}").as_str());
    let back = format!("http://localhost/account/purchases/{purchase}");
    let told = [
        ("adaptive_pricing[enabled]", "false"),
        ("cancel_url", &back),
        ("client_reference_id", purchase),
        ("customer_creation", "if_required"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][product_data][name]", "100 credits"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][quantity]", "1"),
        ("locale", "en"),
        ("mode", "payment"),
        ("success_url", &back),
    ];
    let heard: Vec<(&str, &str)> =
        heard.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(heard, told);
    assert!(!format!("{heard:?}").contains(&account.to_string()));

    assert_eq!(shop.state(&member, purchase).await, "purchase-is-open");
    let paid = member.post(link).form(&[("way", "transfer")]).send().await.unwrap();
    assert_eq!(paid.headers()["location"], back.as_str());
    assert_eq!(shop.state(&member, purchase).await, "purchase-is-pending");
    assert_eq!(shop.bought(account).await, 0);
    assert_eq!(shop.tell(&session, Step::PaidLater).await, 200);
    assert_eq!(shop.state(&member, purchase).await, "purchase-is-paid");
    assert_eq!(shop.bought(account).await, 100);
    let page = member.get(shop.app.url(&format!("/account/purchases/{purchase}"))).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("Paid") && !page.contains("purchase.js"), "it does not look again");
    assert!(shop.adds_up().await);
}

#[tokio::test]
async fn a_form_sent_twice_is_one_purchase() {
    let shop = Shop::open().await;
    let (ada, bob) = (shop.app.sign_in("ada@example.org").await, shop.app.sign_in("bob@example.org").await);
    let offer = shop.offer(&ada).await;
    let answers = tokio::join!(shop.buy(&ada, &offer), shop.buy(&ada, &offer), shop.buy(&ada, &offer));
    for (status, page) in [&answers.0, &answers.1, &answers.2] {
        assert_eq!(*status, 200);
        assert!(page.contains(&shop.stripe.page_of(&offer[0].1)));
    }
    assert_eq!((shop.stripe.pages(), shop.count("purchase").await), (1, 1));
    // Nobody else can take it, and its price cannot change under it.
    assert_eq!(shop.buy(&bob, &offer).await.0, 404);
    let other = [offer[0].clone(), ("pack", "500=20.00 EUR".to_owned())];
    assert_eq!(shop.buy(&ada, &other).await.0, 409);
    for gone in ["100=4.00 EUR", "1000=5.00 EUR", ""] {
        let offer = [("purchase", kernel::Id::random().to_string()), ("pack", gone.to_owned())];
        assert_eq!(shop.buy(&ada, &offer).await.0, 409, "{gone}");
    }
    // Once it is paid, the form that is still in the browser leads to how it went.
    let page = shop.stripe.page_of(&offer[0].1);
    shop.stripe.close(&page);
    assert_eq!(shop.tell(&page, Step::Completed).await, 200);
    assert_eq!(shop.buy(&ada, &offer).await.0, 303);
    assert_eq!(shop.stripe.pages(), 1);
}

#[tokio::test]
async fn where_paying_is_out_of_order_it_is_said_and_nothing_is_written() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let offer = shop.offer(&member).await;
    shop.stripe.be_out_of_order(true);
    let (status, page) = shop.buy(&member, &offer).await;
    assert_eq!(status, 502);
    assert!(page.contains("Nothing was charged") && !page.contains("api_error"));
    assert_eq!(shop.count("purchase").await, 0);
    assert!(shop.app.operate(Request::ReconcilePurchases).await.is_err());
    // The same form works once it does again.
    shop.stripe.be_out_of_order(false);
    assert_eq!(shop.buy(&member, &offer).await.0, 200);
    assert_eq!((shop.stripe.pages(), shop.count("purchase").await), (1, 1));
}

#[tokio::test]
async fn where_nothing_is_for_sale_no_page_mentions_it() {
    let app = TestApp::start().await;
    let member = app.sign_in("ada@example.org").await;
    for path in ["/", "/account", "/studio", "/sign-in"] {
        let page = member.get(app.url(path)).send().await.unwrap().text().await.unwrap().to_lowercase();
        for word in ["purchase", "stripe", "/receipt"] {
            assert!(!page.contains(word), "{path} mentions {word}");
        }
    }
    let refused = app.operate(Request::ReconcilePurchases).await.unwrap_err();
    assert_eq!(refused.kind, kernel::Kind::NotFound);
}

#[tokio::test]
async fn where_something_is_for_sale_the_doors_open_to_those_they_are_for() {
    let shop = Shop::open().await;
    let (member, key) = (shop.app.sign_in("ada@example.org").await, shop.app.account(1).await);
    let (purchase, _) = shop.begin(&member).await;
    let own = format!("/account/purchases/{purchase}");
    let none = format!("/account/purchases/{}", kernel::Id::random());
    for (method, path, expected) in [
        ("POST", "/account/purchases", [401, 400, 401]),
        ("GET", &own, [401, 200, 401]),
        ("GET", &none, [401, 404, 401]),
        ("GET", &format!("{own}/state"), [401, 200, 401]),
        ("GET", "/receipt", [200, 200, 200]),
        ("POST", "/receipt", [400, 400, 400]),
        ("POST", "/webhooks/stripe", [400, 400, 400]),
    ] {
        let ask = |client: &Client| {
            let request = client.request(method.parse().unwrap(), shop.app.url(path));
            request
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
        };
        let visitor = ask(&shop.app.browser()).send().await.unwrap().status().as_u16();
        let signed_in = ask(&member).send().await.unwrap().status().as_u16();
        let program = ask(&shop.app.browser()).bearer_auth(&key).send().await.unwrap().status().as_u16();
        assert_eq!([visitor, signed_in, program], expected, "{method} {path}");
    }
    let other = shop.app.sign_in("bob@example.org").await;
    assert_eq!(other.get(shop.app.url(&own)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_receipt_is_for_whoever_knows_number_and_code_also_when_the_account_is_closed() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let (purchase, page) = shop.begin(&member).await;
    shop.tell(&page, Step::Completed).await;
    shop.tell(&page, Step::Refunded(25)).await;
    let shown = member.get(shop.app.url(&format!("/account/purchases/{purchase}"))).send().await.unwrap();
    let shown = shown.text().await.unwrap();
    let code = shown.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(code.len(), 11);
    let account_page = member.get(shop.app.url("/account")).send().await.unwrap().text().await.unwrap();
    assert!(account_page.contains(&code));

    assert_eq!(shop.app.form(&member, "/account/close", &[("sure", "yes")]).await.status(), 200);
    let left: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT account FROM purchase").fetch_one(shop.app.house.db.read()).await.unwrap();
    assert_eq!(
        (shop.count("purchase").await, left),
        (1, None),
        "tax law asks for it, and not for whose it was"
    );
    assert!(!shop.app.disk_holds(account.to_string().as_bytes()));
    // What happens to it from now on is noted as well.
    assert_eq!(shop.tell(&page, Step::Refunded(50)).await, 200);

    let ask = |number: String, code: String| {
        let visitor = shop.app.browser();
        let app = &shop.app;
        async move {
            let answer = app.form(&visitor, "/receipt", &[("purchase", &number), ("code", &code)]).await;
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    let sloppy = format!(" {} ", code.to_lowercase().replace('-', "").replace('0', "o").replace('1', "l"));
    for code in [code.clone(), sloppy] {
        let (status, page) = ask(purchase.to_uppercase(), code).await;
        assert_eq!(status, 200);
        assert!(page.contains("5.00 EUR") && page.contains("2.50 EUR") && page.contains("Partly refunded"));
    }
    for (number, code) in [
        (purchase.clone(), "00000-00000".to_owned()),
        (purchase.clone(), String::new()),
        (purchase.clone(), code[..10].to_owned()),
        (purchase.clone(), format!("{code}0")),
        (kernel::Id::random().to_string(), code.clone()),
        ("x".to_owned(), code.clone()),
    ] {
        let (status, page) = ask(number, code).await;
        assert!(status == 404 && page.contains("No purchase has this number and this code"));
    }
    let shown = shop
        .app
        .operate(Request::ShowPurchase { number: purchase.clone(), code: code.clone() })
        .await
        .unwrap();
    assert_eq!(shown["refunded"], "2.50 EUR");
    assert_eq!(shown["credits"], 100);
    assert!(
        shop.app.operate(Request::ShowPurchase { number: purchase.clone(), code: "x".into() }).await.is_err()
    );
    // Whoever guesses is soon silent.
    let mut last = 0;
    for _ in 0..30 {
        last = ask(purchase.clone(), "guess".to_owned()).await.0;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn what_did_not_arrive_is_applied_from_the_list_once() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let account = shop.only_account().await;
    let (_, page) = shop.begin(&member).await;
    let (_, unpaid) = shop.begin(&member).await;
    let now = shop.clock.now();
    shop.stripe.happen(&page, Step::Completed, now);
    // The list has more than one part, and most of it is about nothing new.
    for _ in 0..120 {
        shop.stripe.happen(&unpaid, Step::Expired, now);
    }
    shop.stripe.happen(&page, Step::Refunded(10), now);
    let done = shop.app.operate(Request::ReconcilePurchases).await.unwrap();
    assert_eq!(done, json!({ "seen": 122, "missed": 122 }));
    assert_eq!(shop.bought(account).await, 90);
    let done = shop.app.operate(Request::ReconcilePurchases).await.unwrap();
    assert_eq!(done, json!({ "seen": 122, "missed": 0 }));
    // However long nobody listened.
    shop.clock.advance(20 * DAY_SECONDS);
    shop.stripe.happen(&page, Step::Refunded(20), shop.clock.now() - 10 * DAY_SECONDS);
    assert_eq!(shop.app.operate(Request::ReconcilePurchases).await.unwrap()["missed"], 1);
    assert_eq!(shop.bought(account).await, 80);
}

#[tokio::test]
async fn purchases_go_when_nothing_asks_for_them_any_more() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    let [paid, left, waiting, untold] = [
        shop.begin(&member).await,
        shop.begin(&member).await,
        shop.begin(&member).await,
        shop.begin(&member).await,
    ];
    shop.tell(&paid.1, Step::Completed).await;
    shop.tell(&left.1, Step::Expired).await;
    shop.tell(&waiting.1, Step::CompletedUnpaid).await;
    shop.tell(&untold.1, Step::Refunded(100)).await;
    assert_eq!((shop.count("purchase").await, shop.count("payment_event").await), (4, 4));
    shop.clock.advance(6 * DAY_SECONDS);
    shop.app.house.accounts.prune_purchases().await.unwrap();
    assert_eq!(shop.count("purchase").await, 4);
    shop.clock.advance(2 * DAY_SECONDS);
    shop.app.house.accounts.prune_purchases().await.unwrap();
    assert_eq!((shop.count("purchase").await, shop.count("payment_event").await), (2, 3));
    shop.clock.advance(30 * DAY_SECONDS);
    shop.app.house.accounts.prune_purchases().await.unwrap();
    assert_eq!((shop.count("purchase").await, shop.count("payment_event").await), (2, 2));
    shop.clock.advance(12 * 365 * DAY_SECONDS);
    shop.app.house.accounts.prune_purchases().await.unwrap();
    assert_eq!((shop.count("purchase").await, shop.count("payment_event").await), (0, 0));
}

#[tokio::test]
async fn what_a_buyer_typed_elsewhere_is_nowhere_on_the_disk() {
    let shop = Shop::open().await;
    let member = shop.app.sign_in("ada@example.org").await;
    for (_, steps, _) in crate::stripe::stories::STORIES {
        let (_, page) = shop.begin(&member).await;
        for step in *steps {
            let event = shop.stripe.happen(&page, *step, shop.clock.now());
            assert!(!event.to_string().contains("customer_details") || event.to_string().contains(BUYER));
            assert_eq!(shop.send(&event).await, 200);
        }
    }
    for word in [BUYER, "quokka", "fraudulent", "billing_details", "evidence", "success_url", SECRET, KEY] {
        assert!(!shop.app.disk_holds(word.as_bytes()), "{word} is on the disk");
    }
    assert!(shop.app.disk_holds(b"re_test"), "the search finds what is there");
}
