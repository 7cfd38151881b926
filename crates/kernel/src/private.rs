//! This owns the wrappers of what must not get out: personal values, which are read for a named purpose or not at all,
//! and the operator's credentials. It does not encrypt; that is the vault's work.

use std::fmt;
use std::marker::PhantomData;

use zeroize::{Zeroize, Zeroizing};

/// Why a personal value is read. Each purpose is a type, so that the compiler knows which value is for what.
pub mod purpose {
    /// To send the one mail that exists: the sign-in code.
    pub struct SendSignInCode;
    /// To find the account by its keyed fingerprint.
    pub struct FindAccount;
    /// To hand a prompt to the engine that draws it.
    pub struct Develop;
    /// To give a credential to its owner, once.
    pub struct ShowOnce;
    /// To tell whether something was seen before, by a keyed fingerprint or in constant time.
    pub struct Recognise;
    /// To turn what was typed into what it should be.
    pub struct Parse;
}

/// What kinds of personal values there are.
pub mod kind {
    /// What a member asks for.
    pub enum Prompt {}
    /// Where a sign-in code is sent.
    pub enum EmailAddress {}
    /// What the mail says.
    pub enum SignInCode {}
    /// What a program shows.
    pub enum ApiKey {}
    /// What a browser shows.
    pub enum Token {}
    /// What is typed for credits that were paid elsewhere.
    pub enum VoucherCode {}
    /// What came in and is not looked at yet.
    pub enum Typed {}
}

/// That values of this kind may be read for the purpose `P`. This list is the whole of it.
pub trait ReadFor<P> {}

impl ReadFor<purpose::Develop> for kind::Prompt {}
impl ReadFor<purpose::Recognise> for kind::Prompt {}
impl ReadFor<purpose::SendSignInCode> for kind::EmailAddress {}
impl ReadFor<purpose::FindAccount> for kind::EmailAddress {}
impl ReadFor<purpose::SendSignInCode> for kind::SignInCode {}
impl ReadFor<purpose::Recognise> for kind::SignInCode {}
impl ReadFor<purpose::ShowOnce> for kind::ApiKey {}
impl ReadFor<purpose::Recognise> for kind::ApiKey {}
impl ReadFor<purpose::ShowOnce> for kind::Token {}
impl ReadFor<purpose::Recognise> for kind::Token {}
impl ReadFor<purpose::ShowOnce> for kind::VoucherCode {}
impl ReadFor<purpose::Recognise> for kind::VoucherCode {}
impl ReadFor<purpose::Parse> for kind::Typed {}

/// Personal text in memory. It cannot be printed, serialised, cloned, compared or put in a row, and is wiped when
/// dropped; `tests/ways_out` holds the compiler to that.
pub struct Private<K> {
    text: Zeroizing<String>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Private<K> {
    pub(crate) fn new(text: String) -> Self {
        Self { text: Zeroizing::new(text), kind: PhantomData }
    }

    /// The text, for a purpose that this kind of value has.
    pub fn reveal<P>(&self, _: P) -> &str
    where
        K: ReadFor<P>,
    {
        &self.text
    }
}

/// A credential of the operator's: not printable, not serialisable, wiped when dropped.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a credential.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The credential itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
