//! This owns reading the payment processor's events: a few fields of the types that are listed, each of a closed form. What
//! else an event says is never held. It does not check who sent it.

use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use super::books::{Dispute, Payment, Refund, State, Told};
use crate::ledger::Reason;

/// Characters of a name that the payment processor gives.
const NAME_CHARS_MAX: usize = 255;

/// The types of events that are read, as they are entered there.
pub(crate) const TYPES: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// An event, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// One of [`TYPES`].
    pub(crate) kind: &'static str,
    /// The payment that it is about, where it says one.
    pub(crate) intent: Option<String>,
    pub(crate) told: Told,
}

impl Event {
    /// What the ledger says of credits that move for it.
    pub(crate) const fn reason(&self) -> Reason {
        match self.told.state {
            State::Payment(_) => Reason::Purchase,
            State::Refund(_) | State::RefundedInAll => Reason::Refund,
            State::Dispute(_) => Reason::Dispute,
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// The fields that are read, of whichever object an event is about.
#[derive(Deserialize)]
struct Object {
    id: String,
    payment_intent: Option<String>,
    payment_status: Option<String>,
    status: Option<String>,
    amount_total: Option<i64>,
    amount_refunded: Option<i64>,
    amount: Option<i64>,
    currency: Option<String>,
}

/// An event in its wire format; nothing where it is of a type that is not read.
///
/// # Errors
/// `Invalid` where it is not what its type should be.
pub(crate) fn read(body: &[u8]) -> Result<Option<Event>> {
    of(serde_json::from_slice(body).map_err(|_| unreadable())?)
}

/// As [`read`], for an event of a list.
///
/// # Errors
/// As [`read`].
pub(crate) fn of(event: Value) -> Result<Option<Event>> {
    let envelope: Envelope = serde_json::from_value(event).map_err(|_| unreadable())?;
    let Some(kind) = TYPES.into_iter().find(|kind| *kind == envelope.kind) else { return Ok(None) };
    let object: Object = serde_json::from_value(envelope.data.object).map_err(|_| unreadable())?;
    let (state, amount) = state(kind, &object).ok_or_else(unreadable)?;
    Ok(Some(Event {
        id: name(envelope.id)?,
        kind,
        intent: object.payment_intent.map(name).transpose()?,
        told: Told {
            object: name(object.id)?,
            state,
            amount,
            currency: currency(object.currency.as_deref().unwrap_or_default())?,
        },
    }))
}

/// What the object of an event of this type says of itself, and the amount it says it of.
fn state(kind: &str, object: &Object) -> Option<(State, i64)> {
    let status = object.status.as_deref().unwrap_or_default();
    Some(match kind {
        "charge.refunded" => (State::RefundedInAll, object.amount_refunded?),
        _ if kind.starts_with("checkout.session.") => {
            let payment = match (kind, object.payment_status.as_deref()) {
                ("checkout.session.async_payment_succeeded", _) => Payment::Paid,
                ("checkout.session.async_payment_failed", _) => Payment::Failed,
                ("checkout.session.expired", _) => Payment::Expired,
                (_, Some("paid" | "no_payment_required")) => Payment::Paid,
                _ => Payment::Pending,
            };
            (State::Payment(payment), object.amount_total?)
        }
        _ if kind.starts_with("charge.dispute.") => {
            let dispute = match status {
                "won" => Dispute::Won,
                "lost" => Dispute::Lost,
                "needs_response" | "under_review" => Dispute::Open,
                // `warning_*`, and `prevented`: no money has moved.
                _ => Dispute::Inquiry,
            };
            (State::Dispute(dispute), object.amount?)
        }
        _ => {
            let refund = match status {
                "failed" | "canceled" => Refund::Undone,
                "succeeded" => Refund::Made,
                _ => Refund::Pending,
            };
            (State::Refund(refund), object.amount?)
        }
    })
}

/// A name that the payment processor gives: letters, digits and underscores, so that it can hold nothing else.
pub(crate) fn name(text: String) -> Result<String> {
    let proper = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if proper && (1..=NAME_CHARS_MAX).contains(&text.len()) { Ok(text) } else { Err(unreadable()) }
}

fn currency(text: &str) -> Result<String> {
    text.parse().map(|currency: platform::payments::Currency| currency.to_string()).map_err(|_| unreadable())
}

fn unreadable() -> Error {
    Error::invalid("body", "This event is not what its type should be.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(kind: &str, object: Value) -> Result<Option<Event>> {
        of(json!({ "id": "evt_1", "type": kind, "data": { "object": object } }))
    }

    #[test]
    fn each_type_tells_its_state() {
        let session = |status: &str| json!({ "id": "cs_1", "payment_status": status, "payment_intent": null, "amount_total": 500, "currency": "eur" });
        let other = |status: &str| json!({ "id": "x_1", "status": status, "payment_intent": "pi_1", "amount": 500, "currency": "eur" });
        for (kind, object, state) in [
            ("checkout.session.completed", session("paid"), State::Payment(Payment::Paid)),
            ("checkout.session.completed", session("unpaid"), State::Payment(Payment::Pending)),
            ("checkout.session.async_payment_succeeded", session("paid"), State::Payment(Payment::Paid)),
            ("checkout.session.async_payment_failed", session("unpaid"), State::Payment(Payment::Failed)),
            ("checkout.session.expired", session("unpaid"), State::Payment(Payment::Expired)),
            ("refund.created", other("pending"), State::Refund(Refund::Pending)),
            ("refund.updated", other("requires_action"), State::Refund(Refund::Pending)),
            ("charge.refund.updated", other("succeeded"), State::Refund(Refund::Made)),
            ("refund.failed", other("failed"), State::Refund(Refund::Undone)),
            ("refund.updated", other("canceled"), State::Refund(Refund::Undone)),
            ("charge.dispute.created", other("warning_needs_response"), State::Dispute(Dispute::Inquiry)),
            ("charge.dispute.created", other("needs_response"), State::Dispute(Dispute::Open)),
            ("charge.dispute.funds_withdrawn", other("under_review"), State::Dispute(Dispute::Open)),
            ("charge.dispute.closed", other("lost"), State::Dispute(Dispute::Lost)),
            ("charge.dispute.funds_reinstated", other("won"), State::Dispute(Dispute::Won)),
        ] {
            let event = event(kind, object).unwrap().unwrap();
            assert_eq!(
                (event.told.state, event.told.amount, event.told.currency.as_str()),
                (state, 500, "EUR"),
                "{kind}"
            );
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        let charge = json!({ "id": "ch_1", "amount": 500, "amount_refunded": 200, "payment_intent": "pi_1", "currency": "jpy" });
        let refunded = event("charge.refunded", charge).unwrap().unwrap();
        assert_eq!((refunded.told.amount, refunded.intent.as_deref()), (200, Some("pi_1")));
        assert_eq!(event("customer.created", json!({ "anything": [1] })).unwrap(), None);
    }

    proptest! {
        #[test]
        fn nothing_but_names_amounts_and_a_currency_passes(id in ".*", currency in ".*", intent in proptest::option::of(".*")) {
            let object = json!({ "id": id, "status": "succeeded", "payment_intent": intent, "amount": 5, "currency": currency });
            if let Ok(Some(event)) = event("refund.created", object) {
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                prop_assert!(plain(&event.told.object) && event.told.currency.len() == 3);
                prop_assert!(event.intent.as_deref().is_none_or(plain));
            }
        }

        #[test]
        fn garbage_is_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&body).is_err());
        }
    }
}
