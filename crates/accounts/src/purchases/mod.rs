//! This owns purchases: what is begun, what the payment processor's events make of it, and what is kept of it and how long.
//! It knows neither card nor name. How much is due is decided in `books`, from the events alone.

mod books;
mod event;
pub(crate) mod pages;
mod receipt;
mod reconcile;
mod signature;
mod store;
mod stripe;
pub(crate) mod webhook;

use aws_lc_rs::hmac;
use kernel::{Error, Id, Kind, Locale, Result};
use outgoing::{Client, Url};
use platform::db::Writing;
use platform::payments::{Pack, Payments};
use tokio::sync::Mutex;

use crate::{Accounts, unauthenticated};
use books::{Books, State};
use event::Event;
pub(crate) use pages::PurchasesSection;
pub use receipt::Receipt;
pub use reconcile::Reconciled;
use store::Purchase;
use stripe::Stripe;

/// Purchases that can be begun at the same time; the same one never is.
const TURNS: usize = 16;

/// What sells credits, where the operator has set it up.
pub struct Till {
    packs: Vec<Pack>,
    stripe: Stripe,
    secrets: Vec<hmac::Key>,
    /// Whoever begins a purchase has the turn of its id, so that a form sent twice is answered one after the other.
    turns: [Mutex<()>; TURNS],
}

impl Till {
    /// A till with these settings, and a client that reaches those who take payments and nobody else.
    #[must_use]
    pub fn new(payments: Payments, client: Client) -> Self {
        let secrets = payments.secrets.iter();
        Self {
            packs: payments.packs,
            secrets: secrets
                .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
                .collect(),
            stripe: Stripe::new(client, payments.url, payments.key),
            turns: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    fn turn(&self, purchase: Id) -> &Mutex<()> {
        let [first, ..] = *purchase.as_bytes();
        let [fallback, ..] = &self.turns;
        self.turns.get(usize::from(first) % TURNS).unwrap_or(fallback)
    }
}

/// How a purchase goes on once it is begun.
pub(crate) enum Begun {
    /// It is paid at this address.
    PayAt(Url),
    /// Its page for paying is closed, paid or not.
    Over,
}

/// What an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is in the books now.
    New,
    /// It was before.
    Known,
    /// It is of a page for paying that is not ours.
    Foreign,
}

impl Accounts {
    /// What sells credits.
    ///
    /// # Errors
    /// `NotFound` where nothing is for sale.
    pub(crate) fn till(&self) -> Result<&Till> {
        self.till.as_ref().ok_or_else(|| Error::not_found("There is nothing at this address."))
    }

    /// Begins a purchase under an id of the form that asks for it. Sent again, the form leads to the same page for paying.
    ///
    /// # Errors
    /// `Upstream`; nothing is written then. `NotFound` for an id of somebody else's, `Conflict` for one of another pack.
    pub(crate) async fn begin_purchase(
        &self,
        account: Id,
        id: Id,
        pack: Pack,
        locale: Locale,
    ) -> Result<Begun> {
        let till = self.till()?;
        let _turn = till.turn(id).lock().await;
        let session = match store::find(self.db.read(), id).await? {
            Some(begun) if begun.account != Some(account) => return Err(no_such_purchase()),
            Some(begun) if begun.pack != pack => {
                return Err(Error::new(
                    Kind::Conflict,
                    "This purchase was begun with another pack. Please begin again from your account page.",
                ));
            }
            Some(begun) => till.stripe.session(&begun.session).await?,
            None => {
                let back = format!("{}/account/purchases/{id}", self.public_url);
                let session = till.stripe.create_session(id, &pack, &back, locale).await?;
                // Before its address is known to anybody: an event of a page that was never shown cannot come.
                let purchase = Purchase {
                    id,
                    account: Some(account),
                    pack,
                    session: event::name(session.id.clone())?,
                    intent: None,
                    given: 0,
                    day: self.clock.today(),
                };
                let mut writing = self.db.write().await?;
                if !store::insert(&mut writing, &purchase).await? {
                    return Err(unauthenticated());
                }
                platform::db::commit(writing).await?;
                session
            }
        };
        let address = session.url.as_deref().and_then(|url| Url::parse(url).ok());
        let address = address.filter(|url| matches!(url.scheme(), "http" | "https"));
        Ok(address.map_or(Begun::Over, Begun::PayAt))
    }

    /// Puts an event into the books: it is noted, and credits move, in one transaction or not at all.
    ///
    /// # Errors
    /// As every write; then it is as if the event had not come, and it will come again.
    pub(crate) async fn settle(&self, event: &Event) -> Result<Settled> {
        let mut writing = self.db.write().await?;
        let of_a_page = matches!(event.told.state, State::Payment(_));
        let found = store::find_of(&mut writing, event).await?;
        if found.is_none() && of_a_page {
            return Ok(Settled::Foreign);
        }
        if !store::keep(&mut writing, event, self.clock.today()).await? {
            return Ok(Settled::Known);
        }
        // Others may come before the event that tells whose they are. They are kept, and count from then on.
        if let Some(mut purchase) = found {
            if of_a_page && purchase.intent.is_none() {
                purchase.intent.clone_from(&event.intent);
                store::link(&mut writing, &purchase).await?;
            }
            self.even_out(&mut writing, &purchase, event).await?;
        }
        platform::db::commit(writing).await?;
        Ok(Settled::New)
    }

    /// Moves what the books say is due and was not given yet, or was given and is not due any more.
    async fn even_out(&self, writing: &mut Writing, purchase: &Purchase, event: &Event) -> Result<()> {
        let told = store::told_of(&mut **writing, purchase).await?;
        let due = Books::of(purchase.pack.credits, purchase.pack.price, &told).due;
        let change = i64::from(due) - i64::from(purchase.given);
        if change == 0 {
            return Ok(());
        }
        self.ledger.adjust(writing, purchase.account, change, event.reason()).await?;
        store::set_given(writing, purchase.id, due).await
    }

    /// A purchase of an account, with its books.
    pub(crate) async fn purchase(&self, account: Id, id: Id) -> Result<(Purchase, Books)> {
        let purchase = store::find(self.db.read(), id).await?;
        let purchase = purchase.filter(|purchase| purchase.account == Some(account));
        self.with_books(purchase.ok_or_else(no_such_purchase)?).await
    }

    async fn with_books(&self, purchase: Purchase) -> Result<(Purchase, Books)> {
        let told = store::told_of(self.db.read(), &purchase).await?;
        let books = Books::of(purchase.pack.credits, purchase.pack.price, &told);
        Ok((purchase, books))
    }
}

fn no_such_purchase() -> Error {
    Error::not_found("There is no such purchase.")
}
