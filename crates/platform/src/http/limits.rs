//! This owns the table of limits: what may be tried how often, and why. Whoever offers the thing counts it.

use super::rate::RateLimit;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

const fn limit(scope: &'static str, most: u32, window_seconds: i64, why: &'static str) -> RateLimit {
    RateLimit { scope, most, window_seconds, why }
}

/// Sign-in mails to one address.
pub const MAILS_TO_ADDRESS: RateLimit =
    limit("mail to an address", 5, HOUR, "nobody's mailbox is flooded from here");
/// Sign-in mails that one network asks for.
pub const MAILS_BY_NETWORK: RateLimit =
    limit("mail from a network", 30, HOUR, "an office behind one address can sign in; a flood cannot leave");
/// Codes that one network types in.
pub const CODES_BY_NETWORK: RateLimit = limit(
    "code from a network",
    60,
    HOUR,
    "with five tries for a code of eight digits, guessing takes longer than a lifetime",
);
/// Questions for an authenticator.
pub const QUESTIONS: RateLimit = limit(
    "question for a passkey",
    120,
    10 * MINUTE,
    "each waits in memory for five minutes; a page of signing in asks one",
);
/// Searches, sheets and readings of the JSON door.
pub const READS: RateLimit =
    limit("read", 1200, MINUTE, "twenty a second, far above scrolling; a search costs up to 5 ms of a core");
/// Orders of pictures, right or wrong.
pub const ORDERS: RateLimit = limit(
    "order",
    240,
    MINUTE,
    "credits bound what is drawn; this bounds what is read and decoded on the way",
);
/// Wrong tokens, session cookies, signed addresses and proofs of passkeys.
pub const GUESSES: RateLimit = limit(
    "guess",
    300,
    10 * MINUTE,
    "a key of 160 bits is not guessed; wrong ones become silent, while a neighbour's right one still opens",
);
/// Receipts to check.
pub const CHECKS: RateLimit =
    limit("check of a receipt", 60, MINUTE, "each costs a signature and reads of the log");
/// Erasures of everything, and of the account.
pub const CLOSURES: RateLimit =
    limit("closing of an account", 20, HOUR, "each erases in a turn of its own, which others wait for");
/// Purchases begun.
pub const PURCHASES: RateLimit =
    limit("purchase", 60, HOUR, "each asks the payment processor, which limits what one site may ask");
/// Codes of purchases that one network types in.
pub const PURCHASE_CODES: RateLimit = limit(
    "code of a purchase",
    30,
    10 * MINUTE,
    "a code of 50 bits, for an id of 128 that has to be known as well, is not guessed",
);

/// Downloads of everything that is held about an account, resumed ones among them.
pub const EXPORTS: RateLimit = limit(
    "export",
    240,
    HOUR,
    "each looks at every picture of an account; a line that breaks each minute still gets all",
);

/// All of them.
pub const LIMITS: [&RateLimit; 12] = [
    &MAILS_TO_ADDRESS,
    &MAILS_BY_NETWORK,
    &CODES_BY_NETWORK,
    &QUESTIONS,
    &READS,
    &ORDERS,
    &GUESSES,
    &CHECKS,
    &CLOSURES,
    &EXPORTS,
    &PURCHASES,
    &PURCHASE_CODES,
];
