//! This owns members: sign-in, sessions, passkeys, API keys, credits, vouchers, and who looked at an account. It does not
//! know what credits are spent on.

mod account;
mod export;
mod extract;
mod grants;
mod keys;
pub mod ledger;
mod looks;
mod passkeys;
mod purchases;
mod restore;
mod sessions;
mod sign_in;
mod vouchers;

/// The handlers of the pages, for the routing table.
pub mod pages {
    pub use crate::account::account;
    pub use crate::keys::pages::{create_key, revoke_key};
    pub use crate::passkeys::pages::{
        add_passkey, ask_for_new_passkey, ask_for_proof, remove_passkey, sign_in_with_passkey,
    };
    pub use crate::purchases::pages::{buy, purchase, purchase_state};
    pub use crate::purchases::pages::{receipt, receipt_form};
    pub use crate::purchases::webhook::payment_event;
    pub use crate::sessions::pages::{dismiss_notice, revoke_all, revoke_session};
    pub use crate::sign_in::live::mail;
    pub use crate::sign_in::pages::{ask_for_code, forgetting, redeem_code, send_code, sign_in, sign_out};
    pub use crate::vouchers::pages::redeem_voucher;
}

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Clock, EmailAddress, Error, Id, Result, purpose};
use platform::db::{Db, Writing, sql};
use platform::http::RateLimits;
use platform::keys::Keys;
use platform::mail::Mailer;
use platform::statistics::{Counter, Counters, Who};
use tokio::sync::Mutex;

pub use extract::{ApiCaller, MaybeMember, Member};
pub use kernel::clock::day_text;
pub use keys::api::{tokens_create, tokens_delete, tokens_list};
pub use keys::{KeyWish, NewKey, Scope, Scopes};
pub use ledger::{Balance, DayUse, Gifts, Ledger, Line, Terms};
pub use looks::{Disclosures, LookKind, LookReason};
pub use purchases::{Receipt, Reconciled, Till};
pub use vouchers::code::read as read_voucher;
pub use vouchers::{NewVouchers, VoucherCount};

/// Name of the sealed fingerprint of an address.
const ADDRESS_FIELD: &str = "address";
/// Accounts whose keys are opened at a time.
const OPENED_AT_ONCE: usize = 4096;

/// Keyed fingerprint of an address.
type AddressPrint = [u8; 32];

/// Members of this site, with what they stand on.
pub struct Accounts {
    db: Db,
    keys: Keys,
    /// Accounts by the fingerprint of their address: in rows it is sealed, so that nothing on the disk can be looked up.
    addresses: Mutex<HashMap<AddressPrint, Id>>,
    clock: Arc<dyn Clock>,
    mailer: Mailer,
    limits: Arc<RateLimits>,
    codes: sign_in::Codes,
    /// Where the address of this site allows them.
    passkeys: Option<passkeys::Passkeys>,
    counters: Counters,
    ledger: Ledger,
    site_name: String,
    public_url: String,
    till: Option<Till>,
}

/// What accounts stand on.
#[allow(missing_docs)] // Each is named by its type, or stands in the settings.
pub struct Parts {
    pub db: Db,
    pub keys: Keys,
    pub clock: Arc<dyn Clock>,
    pub mailer: Mailer,
    pub limits: Arc<RateLimits>,
    pub counters: Counters,
    pub gifts: Gifts,
    pub site_name: String,
    pub public_url: String,
    pub till: Option<Till>,
}

impl Accounts {
    /// Accounts over these parts.
    ///
    /// # Errors
    /// As every read; `Internal` when a sealed address is broken.
    pub async fn open(parts: Parts) -> Result<Self> {
        let addresses = Mutex::new(addresses(&parts.db, &parts.keys).await?);
        let ledger = Ledger::open(parts.db.clone(), Arc::clone(&parts.clock), parts.gifts).await?;
        Ok(Self {
            db: parts.db,
            keys: parts.keys,
            addresses,
            clock: parts.clock,
            mailer: parts.mailer,
            limits: parts.limits,
            codes: sign_in::Codes::default(),
            passkeys: passkeys::Passkeys::at(&parts.public_url, &parts.site_name),
            counters: parts.counters,
            ledger,
            site_name: parts.site_name,
            public_url: parts.public_url,
            till: parts.till,
        })
    }

    /// The keyed fingerprint under which an address is found.
    fn print(&self, address: &EmailAddress) -> AddressPrint {
        self.keys.site().fingerprint("address", address.canonical().reveal(purpose::FindAccount).as_bytes())
    }

    /// The account of an address, if there is one.
    pub async fn find(&self, address: &EmailAddress) -> Option<Id> {
        self.addresses.lock().await.get(&self.print(address)).copied()
    }

    /// The account of an address, made if there is none.
    ///
    /// # Errors
    /// As every write.
    pub async fn find_or_create(&self, address: &EmailAddress) -> Result<Id> {
        self.find_or_create_by(self.print(address)).await
    }

    /// The account whose address has this keyed fingerprint, made if there is none.
    pub(crate) async fn find_or_create_by(&self, print: AddressPrint) -> Result<Id> {
        let mut addresses = self.addresses.lock().await;
        if let Some(account) = addresses.get(&print) {
            return Ok(*account);
        }
        let account = Id::random();
        let mut writing = self.db.write().await?;
        let key = self.keys.create(&mut writing, account, None).await?;
        sqlx::query("INSERT INTO account (id, address_sealed, created_day) VALUES (?, ?, ?)")
            .bind(account.as_bytes().as_slice())
            .bind(vault::seal_field(&key, account, ADDRESS_FIELD, &print)?)
            .bind(self.clock.today())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        self.ledger.open_books(&mut writing, account).await?;
        platform::db::commit(writing).await?;
        addresses.insert(print, account);
        self.counters.count(Counter::AccountMade, Who::Account(account));
        Ok(account)
    }

    /// The credits of all members.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Deletes the rows of an account: sessions, API keys, passkeys and fingerprint go; its books stay without an owner, since
    /// sums must not change, and what was in them is lost. Its key has to go in the same turn, and [`Accounts::forget`] has to
    /// follow.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete(&self, writing: &mut Writing, account: Id) -> Result<()> {
        delete_rows(writing, account, self.clock.today()).await
    }

    /// Every account.
    pub async fn records(&self) -> Vec<Id> {
        self.addresses.lock().await.values().copied().collect()
    }

    /// Forgets the address of an account that has been erased.
    pub async fn forget(&self, account: Id) {
        self.addresses.lock().await.retain(|_, other| *other != account);
        self.counters.count(Counter::AccountClosed, Who::Account(account));
    }

    /// Address of this site, for cookies.
    pub(crate) fn public_url(&self) -> &str {
        &self.public_url
    }
}

async fn delete_rows(writing: &mut Writing, account: Id, today: i64) -> Result<()> {
    ledger::close_books(writing, account, today).await?;
    for statement in [
        // Tax law asks for the purchase, not for whose it was.
        "UPDATE purchase SET account = NULL WHERE account = ?",
        "DELETE FROM account WHERE id = ?",
    ] {
        let rows = sqlx::query(statement).bind(account.as_bytes().as_slice());
        rows.execute(&mut **writing).await.map_err(sql)?;
    }
    Ok(())
}

/// Opens the fingerprint of every address.
async fn addresses(db: &Db, keys: &Keys) -> Result<HashMap<AddressPrint, Id>> {
    let broken = || Error::internal("a sealed address is broken");
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT id, address_sealed FROM account").fetch_all(db.read()).await.map_err(sql)?;
    let mut addresses = HashMap::with_capacity(rows.len());
    for part in rows.chunks(OPENED_AT_ONCE) {
        let ids = part.iter().map(|(id, _)| Id::from_column(id)).collect::<Result<Vec<_>>>()?;
        let opened = keys.get_all(&ids).await?;
        for (id, (_, sealed)) in ids.into_iter().zip(part) {
            let print = vault::open_field(opened.get(&id).ok_or_else(broken)?, id, ADDRESS_FIELD, sealed)?;
            addresses.insert(*print.first_chunk().ok_or_else(broken)?, id);
        }
    }
    Ok(addresses)
}

fn unauthenticated() -> Error {
    Error::new(kernel::Kind::Unauthenticated, "Please sign in.")
}
