//! This owns what a purchase has come to, as a pure function of the set of events that told of it: their order and their
//! repetition cannot matter. It reads and moves nothing.

use std::collections::BTreeMap;

use platform::payments::Money;

/// How far a payment is. Every event says a lower bound; the highest holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Payment {
    /// The page for paying is open.
    Open,
    /// It was closed without a payment.
    Expired,
    /// A payment is on its way, as with a bank transfer.
    Pending,
    /// It did not arrive.
    Failed,
    /// It arrived.
    Paid,
}

/// How far a refund is; the highest holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Refund {
    /// On its way.
    Pending,
    /// Paid back.
    Made,
    /// It failed or was cancelled, also after it had been made.
    Undone,
}

/// How far a dispute is; the highest holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Dispute {
    /// A bank asks; no money has moved.
    Inquiry,
    /// The bank has taken the money back for the time being.
    Open,
    /// It keeps it.
    Lost,
    /// It came back.
    Won,
}

/// What one event says of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Of the page for paying.
    Payment(Payment),
    /// Of one refund.
    Refund(Refund),
    /// Of the charge: so much has been refunded in all.
    RefundedInAll,
    /// Of one dispute.
    Dispute(Dispute),
}

impl State {
    /// Every state, with the word that is stored for it.
    const WORDS: [(Self, &'static str); 12] = [
        (Self::Payment(Payment::Expired), "expired"),
        (Self::Payment(Payment::Pending), "pending"),
        (Self::Payment(Payment::Failed), "failed"),
        (Self::Payment(Payment::Paid), "paid"),
        (Self::Refund(Refund::Pending), "refund-pending"),
        (Self::Refund(Refund::Made), "refund-made"),
        (Self::Refund(Refund::Undone), "refund-undone"),
        (Self::RefundedInAll, "refunded-in-all"),
        (Self::Dispute(Dispute::Inquiry), "inquiry"),
        (Self::Dispute(Dispute::Open), "dispute-open"),
        (Self::Dispute(Dispute::Lost), "dispute-lost"),
        (Self::Dispute(Dispute::Won), "dispute-won"),
    ];

    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(state, _)| *state == self).map_or("open", |(_, word)| word)
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }
}

/// What the books need of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    /// The payment processor's name of the page, charge, refund or dispute.
    pub(crate) object: String,
    pub(crate) state: State,
    pub(crate) amount: i64,
    /// In capital letters.
    pub(crate) currency: String,
}

/// What a purchase has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) payment: Payment,
    /// Of the price, in its smallest unit.
    pub(crate) refunded: i64,
    /// The dispute that weighs most, if there is any beyond an inquiry.
    pub(crate) dispute: Option<Dispute>,
    /// Credits that its buyer should have of it.
    pub(crate) due: u32,
}

impl Books {
    /// The books of a purchase of so many credits at this price.
    pub(crate) fn of<'a>(credits: u32, price: Money, told: impl IntoIterator<Item = &'a Told>) -> Self {
        let mut payment = Payment::Open;
        let mut refunds = BTreeMap::<&str, (Refund, i64)>::new();
        let mut disputes = BTreeMap::<&str, Dispute>::new();
        let mut in_all = 0;
        let currency = price.currency.to_string();
        for told in told {
            // A page is paid in the currency of its price alone, so others have no share of it.
            let amount = if told.currency == currency { told.amount } else { 0 };
            match told.state {
                State::Payment(state) => payment = payment.max(state),
                State::Refund(state) => {
                    let refund = refunds.entry(&told.object).or_insert((state, amount));
                    *refund = (refund.0.max(state), refund.1.max(amount));
                }
                State::RefundedInAll => in_all = in_all.max(amount),
                State::Dispute(state) => {
                    let dispute = disputes.entry(&told.object).or_insert(state);
                    *dispute = (*dispute).max(state);
                }
            }
        }
        let refunded = refunded(&refunds, in_all).clamp(0, price.minor);
        let taken =
            disputes.values().copied().filter(|dispute| matches!(dispute, Dispute::Open | Dispute::Lost));
        let won = disputes.values().copied().filter(|dispute| *dispute == Dispute::Won);
        let dispute = taken.max().or_else(|| won.max());
        let disputed = matches!(dispute, Some(Dispute::Open | Dispute::Lost));
        let due =
            if payment == Payment::Paid && !disputed { kept(credits, price.minor, refunded) } else { 0 };
        Self { payment, refunded, dispute, due }
    }
}

/// What single refunds add up to, or what the charge says where single ones are missing; those that were undone count in neither.
fn refunded(refunds: &BTreeMap<&str, (Refund, i64)>, in_all: i64) -> i64 {
    let sum = |undone: bool| -> i64 {
        let chosen = refunds.values().filter(|(state, _)| (*state == Refund::Undone) == undone);
        chosen.map(|(_, amount)| *amount).fold(0, i64::saturating_add)
    };
    sum(false).max(in_all.saturating_sub(sum(true)))
}

/// Credits left after a refund: whole ones, rounded in favour of who bought them. A full refund leaves none.
fn kept(credits: u32, price: i64, refunded: i64) -> u32 {
    let taken = i128::from(credits) * i128::from(refunded) / i128::from(price.max(1));
    credits.saturating_sub(u32::try_from(taken).unwrap_or(credits))
}

#[cfg(test)]
mod tests;
