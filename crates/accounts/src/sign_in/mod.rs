//! This owns signing in: an address, a code by mail, a session. Codes live in memory for ten minutes.
//! Known and unknown addresses take the same path; an account is made when its first code comes back.

pub(crate) mod live;
mod mail;
pub(crate) mod pages;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time;
use kernel::clock::UnixSeconds;
use kernel::{EmailAddress, Error, Id, Locale, Result, SignInCode, Token, Typed, purpose};
use platform::http::Client;
use platform::http::limits::{CODES_BY_NETWORK, MAILS_BY_NETWORK, MAILS_TO_ADDRESS};
use platform::mail::{Progress, Ticket};
use platform::statistics::{Counter, Who};
use tokio::sync::watch;

use crate::sessions::Began;
use crate::{Accounts, AddressPrint};

/// How long a code works.
pub(crate) const CODE_SECONDS: u32 = 600;
/// Tries for one code.
const TRIES_MAX: u32 = 5;
/// Codes that wait to come back; when full, the oldest make room.
const CODES_MAX: usize = 10_000;

/// The codes that wait to come back, by the fingerprint of the browser they are bound to.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<[u8; 32], Waiting>>);

struct Waiting {
    address: AddressPrint,
    code: SignInCode,
    /// The mail with it, which is not tried again without it.
    mail: Ticket,
    expires_at: UnixSeconds,
    tries: u32,
}

impl Codes {
    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a code; an address has one live code, and so has a browser.
    fn keep(&self, browser: [u8; 32], waiting: Waiting, now: UnixSeconds) {
        let mut all = self.all();
        all.retain(|_, other| other.expires_at > now && other.address != waiting.address);
        if all.len() >= CODES_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, other)| other.expires_at).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        all.insert(browser, waiting);
    }

    /// How far the mail with the code of a browser is; nothing where there is no code.
    fn mail(&self, browser: [u8; 32], now: UnixSeconds) -> Option<watch::Receiver<Progress>> {
        let all = self.all();
        all.get(&browser).filter(|waiting| waiting.expires_at > now).map(|waiting| waiting.mail.watch())
    }

    /// Takes a try; the fingerprint of the address comes out once, when the code is right.
    fn redeem(&self, browser: [u8; 32], typed: &SignInCode, now: UnixSeconds) -> Result<AddressPrint> {
        let expired =
            || Error::invalid("code", "This code has expired or was used. Please ask for a new one.");
        let mut all = self.all();
        let waiting = all.get_mut(&browser).filter(|waiting| waiting.expires_at > now).ok_or_else(expired)?;
        if waiting.mail.progress().is_failure() {
            return Err(Error::invalid(
                "code",
                "The mail with the code was not delivered. Please ask for a new one.",
            ));
        }
        waiting.tries += 1;
        let (sent, typed) = (waiting.code.reveal(purpose::Recognise), typed.reveal(purpose::Recognise));
        let right = constant_time::verify_slices_are_equal(sent.as_bytes(), typed.as_bytes()).is_ok();
        if right && waiting.tries <= TRIES_MAX {
            return all.remove(&browser).map(|waiting| waiting.address).ok_or_else(expired);
        }
        if waiting.tries >= TRIES_MAX {
            all.remove(&browser);
            return Err(Error::invalid("code", "Five wrong codes. Please ask for a new one."));
        }
        Err(Error::invalid("code", "This is not the code from the mail. Please check its eight digits."))
    }
}

impl Accounts {
    /// Sends a code to an address and binds it to a browser. The answer says nothing about the address.
    ///
    /// # Errors
    /// `Invalid` for what cannot be an address, `RateLimited`, `Unavailable` where too many mails wait.
    pub(crate) fn send_code(&self, typed: &Typed, client: &Client, locale: Locale) -> Result<Token> {
        let to = EmailAddress::parse(typed)?;
        let address = self.print(&to);
        client.count(&MAILS_BY_NETWORK)?;
        self.limits.count(&MAILS_TO_ADDRESS, &address)?;
        let (code, browser) = (SignInCode::random(), Token::random());
        let letter = mail::code_letter(&self.site_name, &code, locale);
        // It leaves after the answer, so that this takes as long for every address.
        let mail = self.mailer.post(&to, &letter, Duration::from_secs(CODE_SECONDS.into()))?;
        let expires_at = self.clock.now() + i64::from(CODE_SECONDS);
        let waiting = Waiting { address, code, mail, expires_at, tries: 0 };
        self.codes.keep(self.browser_print(browser.reveal(purpose::Recognise)), waiting, self.clock.now());
        Ok(browser)
    }

    /// Takes a code from the browser it is bound to; returns the token of a new session.
    ///
    /// # Errors
    /// `Invalid` for a wrong, expired or used code, `RateLimited`.
    pub(crate) async fn redeem_code(
        &self,
        browser: &str,
        typed: &Typed,
        client: &Client,
    ) -> Result<(Id, Token)> {
        client.count(&CODES_BY_NETWORK)?;
        let code = SignInCode::read(typed);
        let address = self.codes.redeem(self.browser_print(browser), &code, self.clock.now())?;
        let account = self.find_or_create_by(address).await?;
        let session = self.start_session(account, Began::Code).await?;
        self.counters.count(Counter::SignedIn, Who::Account(account));
        Ok((account, session))
    }

    /// How far the mail with the code of a browser is, from now on; nothing where there is no code.
    pub(crate) fn mail_to(&self, browser: &str) -> Option<watch::Receiver<Progress>> {
        self.codes.mail(self.browser_print(browser), self.clock.now())
    }

    /// Drops the mails that wait, and lets those that are being handed over leave.
    pub async fn drain_mails(&self) {
        self.mailer.drain().await;
    }

    fn browser_print(&self, browser: &str) -> [u8; 32] {
        self.keys.site().fingerprint("sign-in browser", browser.as_bytes())
    }
}
