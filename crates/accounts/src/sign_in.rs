//! This owns signing in: an address, a code by mail, a session. Codes live in memory for ten minutes.
//! Known and unknown addresses take the same path; an account is made when its first code comes back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time;
use data_encoding::BASE64URL_NOPAD;
use kernel::clock::UnixSeconds;
use kernel::{EmailAddress, Error, Id, Locale, Result, Secret};
use platform::http::Client;
use platform::http::limits::{CODES_BY_NETWORK, MAILS_BY_NETWORK, MAILS_TO_ADDRESS};
use platform::log::{Delivery, Event};
use std::sync::Arc;

use crate::{Accounts, mail};

/// How long a code works.
pub(crate) const CODE_SECONDS: i64 = 600;
/// Tries for one code.
const TRIES_MAX: u32 = 5;
/// Codes that wait to come back; when full, the oldest make room.
const CODES_MAX: usize = 10_000;
/// Digits of a code.
const CODE_DIGITS: usize = 8;

/// The codes that wait to come back, by the fingerprint of the browser they are bound to.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<[u8; 32], Waiting>>);

struct Waiting {
    address: EmailAddress,
    address_print: [u8; 32],
    code: Secret<String>,
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
        all.retain(|_, other| other.expires_at > now && other.address_print != waiting.address_print);
        if all.len() >= CODES_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, other)| other.expires_at).map(|(key, _)| *key)
        {
            all.remove(&oldest);
        }
        all.insert(browser, waiting);
    }

    /// Takes a try; the address comes out once, when the code is right.
    fn redeem(&self, browser: [u8; 32], typed: &str, now: UnixSeconds) -> Result<EmailAddress> {
        let expired =
            || Error::invalid("code", "This code has expired or was used. Please ask for a new one.");
        let mut all = self.all();
        let waiting = all.get_mut(&browser).filter(|waiting| waiting.expires_at > now).ok_or_else(expired)?;
        waiting.tries += 1;
        let right =
            constant_time::verify_slices_are_equal(waiting.code.expose().as_bytes(), typed.as_bytes())
                .is_ok();
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
    /// `Invalid` for what cannot be an address, `RateLimited`.
    pub(crate) async fn send_code(
        self: &Arc<Self>,
        typed: &str,
        client: &Client,
        locale: Locale,
    ) -> Result<Secret<String>> {
        let address = EmailAddress::parse(typed)?;
        let address_print = self.print(&address);
        client.count(&MAILS_BY_NETWORK)?;
        self.limits.count(&MAILS_TO_ADDRESS, &address_print)?;
        let number = rand::random_range(0..10_u64.pow(8));
        let code = Secret::new(format!("{number:0CODE_DIGITS$}"));
        let browser = Secret::new(BASE64URL_NOPAD.encode(&rand::random::<[u8; 32]>()));
        let mail = mail::code_mail(&self.site_name, code.expose(), locale);
        // Sent from a task, so that the answer takes as long for every address; the sender has its own copy.
        let (accounts, to) = (Arc::clone(self), EmailAddress::parse(typed)?);
        tokio::spawn(async move {
            let sent = accounts.mailer.send(&to, mail).await;
            let delivery = if sent.is_ok() { Delivery::Accepted } else { Delivery::Refused };
            accounts.log.write(Event::Mail { delivery });
            if sent.is_err() {
                accounts.codes.all().retain(|_, waiting| waiting.address_print != address_print);
            }
        });
        let expires_at = self.clock.now() + CODE_SECONDS;
        let waiting = Waiting { address, address_print, code, expires_at, tries: 0 };
        self.codes.keep(self.browser_print(browser.expose()), waiting, self.clock.now());
        Ok(browser)
    }

    /// Takes a code from the browser it is bound to; returns the token of a new session.
    ///
    /// # Errors
    /// `Invalid` for a wrong, expired or used code, `RateLimited`.
    pub(crate) async fn redeem_code(
        &self,
        browser: &str,
        typed: &str,
        client: &Client,
    ) -> Result<(Id, Secret<String>)> {
        client.count(&CODES_BY_NETWORK)?;
        let digits =
            Secret::new(typed.chars().filter(char::is_ascii_digit).take(CODE_DIGITS + 1).collect::<String>());
        let address = self.codes.redeem(self.browser_print(browser), digits.expose(), self.clock.now())?;
        let account = self.find_or_create(&address).await?;
        Ok((account, self.start_session(account).await?))
    }

    fn browser_print(&self, browser: &str) -> [u8; 32] {
        self.keys.site().fingerprint("sign-in browser", browser.as_bytes())
    }
}
