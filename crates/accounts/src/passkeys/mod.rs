//! This owns passkeys: what is kept of them is sealed, and they are found by a keyed fingerprint of their credential's id.
//! It does not know how a proof is checked; that is the ceremony's.

mod ceremony;
pub(crate) mod pages;
mod questions;

use kernel::{Error, Id, Kind, Result, Token, purpose};
use platform::db::{Writing, sql};
use platform::http::Client;
use platform::http::limits::GUESSES;
use platform::statistics::{Counter, Who};
use serde_json::Value;
use vault::RecordKey;

use self::ceremony::{Ceremony, Kept, NewCredential, Proof, Question, stale, unknown};
use self::questions::Questions;
pub(crate) use pages::PasskeysSection;

use crate::Accounts;
use crate::sessions::Began;

/// How long an authenticator may take to answer.
pub(crate) const ANSWER_SECONDS: u32 = 300;
/// Passkeys of one account.
const PASSKEYS_MAX: usize = 10;
/// Characters of a passkey's name.
const NAME_CHARS_MAX: usize = 60;
/// Name of the sealed name of a passkey.
pub(crate) const NAME_FIELD: &str = "passkey name";
/// Name of what else is kept of a passkey, sealed.
pub(crate) const KEY_FIELD: &str = "passkey";

/// Passkeys of a site whose address allows them.
pub(crate) struct Passkeys {
    ceremony: Ceremony,
    questions: Questions,
}

impl Passkeys {
    /// For the site at this address, if it can have any.
    pub(crate) fn at(public_url: &str, site: &str) -> Option<Self> {
        Some(Self { ceremony: Ceremony::at(public_url, site)?, questions: Questions::default() })
    }
}

/// A passkey as its owner sees it.
#[derive(Debug)]
pub struct ListedPasskey {
    /// Its id, to remove it by.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Day on which it was made.
    pub created_day: i64,
    /// Day on which it last signed in.
    pub used_day: Option<i64>,
}

/// A question for an authenticator, and the token that binds it to a browser.
pub(crate) struct Asked {
    pub(crate) question: Value,
    pub(crate) browser: Token,
}

impl Accounts {
    /// Passkeys, where this site's address allows them.
    ///
    /// # Errors
    /// `NotFound` where it does not.
    pub(crate) fn passkeys(&self) -> Result<&Passkeys> {
        self.passkeys.as_ref().ok_or_else(|| Error::not_found("There is nothing at this address."))
    }

    /// Asks for a new passkey. `member` is what the authenticator shows beside the site's name.
    ///
    /// # Errors
    /// `Conflict` when the account has ten passkeys.
    pub(crate) async fn ask_for_new_passkey(&self, account: Id, member: &str) -> Result<Asked> {
        let passkeys = self.passkeys()?;
        let key = self.keys.get(account).await?;
        let sealed: Vec<(Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT id, key_sealed FROM passkey WHERE account = ?")
                .bind(account.as_bytes().as_slice())
                .fetch_all(self.db.read())
                .await
                .map_err(sql)?;
        require_room(sealed.len())?;
        let have = sealed.iter().map(|(id, sealed)| opened(&key, Id::from_column(id)?, sealed)?.id());
        let (question, waiting) =
            passkeys.ceremony.ask_for_new(account, have.collect::<Result<_>>()?, member)?;
        Ok(self.wait_for_answer(passkeys, question, waiting))
    }

    /// Asks whoever it is for the proof of a passkey.
    pub(crate) fn ask_for_proof(&self) -> Result<Asked> {
        let passkeys = self.passkeys()?;
        let (question, waiting) = passkeys.ceremony.ask_for_proof()?;
        Ok(self.wait_for_answer(passkeys, question, waiting))
    }

    fn wait_for_answer(&self, passkeys: &Passkeys, question: Value, waiting: Question) -> Asked {
        let (browser, now) = (Token::random(), self.clock.now());
        let print = self.asked_print(browser.reveal(purpose::Recognise));
        passkeys.questions.keep(print, waiting, now, now + i64::from(ANSWER_SECONDS));
        Asked { question, browser }
    }

    /// Keeps a new passkey that answers the question this browser was asked.
    ///
    /// # Errors
    /// `Invalid` for a name that is empty or too long, and for an answer that is late, foreign or unreadable; `Forbidden`
    /// for one from another site; `Conflict` when the passkey is known or the account has ten.
    pub(crate) async fn add_passkey(
        &self,
        account: Id,
        browser: &str,
        name: &str,
        answer: &NewCredential,
    ) -> Result<()> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(Error::invalid(
                "name",
                format!("Give the passkey a name of 1 to {NAME_CHARS_MAX} characters."),
            ));
        }
        let passkeys = self.passkeys()?;
        let state = match passkeys.questions.take(&self.asked_print(browser), self.clock.now()) {
            Some(Question::New { account: asked, state }) if asked == account => state,
            _ => return Err(stale()),
        };
        let kept = passkeys.ceremony.check_new(answer, &state)?;
        let (id, key) = (Id::random(), self.keys.get(account).await?);
        let mut writing = self.db.write().await?;
        self.require_new(&mut writing, account, &kept.id()?).await?;
        sqlx::query("INSERT INTO passkey (id, account, credential_print, key_sealed, name_sealed, created_day) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(id.as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .bind(self.credential_print(&kept.id()?).as_slice())
            .bind(sealed(&key, id, &kept)?)
            .bind(vault::seal_field(&key, id, NAME_FIELD, name.as_bytes())?)
            .bind(self.clock.today())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await
    }

    /// That an account has room for a passkey, and nobody has this one.
    async fn require_new(&self, writing: &mut Writing, account: Id, credential: &[u8]) -> Result<()> {
        let (count, known): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM passkey WHERE account = ?), (SELECT count(*) FROM passkey WHERE credential_print = ?)",
        )
        .bind(account.as_bytes().as_slice())
        .bind(self.credential_print(credential).as_slice())
        .fetch_one(&mut **writing)
        .await
        .map_err(sql)?;
        if known > 0 {
            return Err(Error::new(Kind::Conflict, "This passkey is here already."));
        }
        require_room(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Signs in with the proof of a passkey, if it answers the question this browser was asked; returns the token of a new
    /// session. What is refused counts as a guess.
    ///
    /// # Errors
    /// `Invalid` for an answer that is late, foreign or unreadable, `Unauthenticated` for a passkey that opens nothing,
    /// `Forbidden` for one from another site or with copies, `RateLimited`.
    pub(crate) async fn sign_in_with_passkey(
        &self,
        browser: &str,
        proof: &Proof,
        client: &Client,
    ) -> Result<Token> {
        let token = self.redeem_proof(browser, proof).await;
        if let Err(Error { kind: Kind::Invalid | Kind::Unauthenticated | Kind::Forbidden, .. }) = token {
            client.count(&GUESSES)?;
        }
        token
    }

    async fn redeem_proof(&self, browser: &str, proof: &Proof) -> Result<Token> {
        let passkeys = self.passkeys()?;
        let question = passkeys.questions.take(&self.asked_print(browser), self.clock.now());
        let Some(Question::Proof { state }) = question else { return Err(stale()) };
        let row: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT id, account, key_sealed FROM passkey WHERE credential_print = ?")
                .bind(self.credential_print(proof.get_credential_id()).as_slice())
                .fetch_optional(self.db.read())
                .await
                .map_err(sql)?;
        let (id, account, before) = row.ok_or_else(unknown)?;
        let (id, account) = (Id::from_column(&id)?, Id::from_column(&account)?);
        if proof.get_user_unique_id() != Some(account.as_bytes().as_slice()) {
            return Err(unknown());
        }
        let key = self.keys.get(account).await?;
        let kept = passkeys.ceremony.check_proof(proof, &state, opened(&key, id, &before)?)?;
        let mut writing = self.db.write().await?;
        // Two proofs at once were checked against the same count: only the first may raise it.
        let raised =
            sqlx::query("UPDATE passkey SET key_sealed = ?, used_day = ? WHERE id = ? AND key_sealed = ?")
                .bind(sealed(&key, id, &kept)?)
                .bind(self.clock.today())
                .bind(id.as_bytes().as_slice())
                .bind(before)
                .execute(&mut *writing)
                .await
                .map_err(sql)?;
        if raised.rows_affected() == 0 {
            return Err(stale());
        }
        let token = self.begin_session(&mut writing, account, Began::Passkey).await?;
        platform::db::commit(writing).await?;
        self.counters.count(Counter::SignedIn, Who::Account(account));
        Ok(token)
    }

    /// The passkeys of an account, the oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn list_passkeys(&self, account: Id) -> Result<Vec<ListedPasskey>> {
        let rows = sqlx::query_as::<_, (Vec<u8>, Vec<u8>, i64, Option<i64>)>(
            "SELECT id, name_sealed, created_day, used_day FROM passkey WHERE account = ? ORDER BY created_day, id",
        )
        .bind(account.as_bytes().as_slice())
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        let key = self.keys.get(account).await?;
        rows.into_iter()
            .map(|(id, sealed, created_day, used_day)| {
                let id = Id::from_column(&id)?;
                let name = vault::open_field(&key, id, NAME_FIELD, &sealed)?;
                let name = String::from_utf8_lossy(&name).into_owned();
                Ok(ListedPasskey { id, name, created_day, used_day })
            })
            .collect()
    }

    /// Removes a passkey at once.
    ///
    /// # Errors
    /// `NotFound` when the account has no such passkey.
    pub async fn remove_passkey(&self, account: Id, id: Id) -> Result<()> {
        let mut writing = self.db.write().await?;
        let done = sqlx::query("DELETE FROM passkey WHERE account = ? AND id = ?")
            .bind(account.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::not_found("There is no such passkey.")) }
    }

    fn asked_print(&self, browser: &str) -> [u8; 32] {
        self.keys.site().fingerprint("passkey browser", browser.as_bytes())
    }

    fn credential_print(&self, credential: &[u8]) -> [u8; 32] {
        self.keys.site().fingerprint("passkey", credential)
    }
}

fn require_room(count: usize) -> Result<()> {
    if count < PASSKEYS_MAX {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, "You have ten passkeys already. Remove one to add another."))
}

fn sealed(key: &RecordKey, id: Id, kept: &Kept) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(kept)
        .map_err(|cause| Error::internal("a passkey cannot be written").because(cause))?;
    vault::seal_field(key, id, KEY_FIELD, &plain)
}

fn opened(key: &RecordKey, id: Id, sealed: &[u8]) -> Result<Kept> {
    serde_json::from_slice(&vault::open_field(key, id, KEY_FIELD, sealed)?)
        .map_err(|cause| Error::internal("a passkey cannot be read").because(cause))
}
