//! What can happen to a payment, as the objects that Stripe documents for it, and the stories that are made of it, as data.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::BUYER;

/// Something that happens to the payment of a page; amounts are hundredths of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Opened,
    Completed,
    CompletedUnpaid,
    PaidLater,
    FailedLater,
    Expired,
    /// Name of the refund, its share of the price, its status, and the type of event.
    Refund(&'static str, i64, &'static str, &'static str),
    /// The share that was refunded in all.
    Refunded(i64),
    /// Name of the dispute, its status, and what happened to it.
    Dispute(&'static str, &'static str, &'static str),
}
use Step::{Completed, CompletedUnpaid, Dispute, Expired, FailedLater, PaidLater, Refund, Refunded};

/// A story: what it tells, in the order in which it happens, and the credits of a hundred that it leaves to the buyer.
pub(crate) type Story = (&'static str, &'static [Step], u32);

pub(crate) const STORIES: &[Story] = &[
    ("paid at once", &[Completed], 100),
    ("left", &[Expired], 0),
    ("a transfer that arrives", &[CompletedUnpaid, PaidLater], 100),
    ("a transfer that does not", &[CompletedUnpaid, FailedLater], 0),
    ("completed after it was told to have expired", &[Expired, Completed], 100),
    (
        "refunded in part, then whole",
        &[
            Completed,
            Refund("1", 40, "succeeded", "refund.created"),
            Refunded(40),
            Refund("2", 60, "pending", "refund.created"),
            Refund("2", 60, "succeeded", "refund.updated"),
            Refunded(100),
        ],
        0,
    ),
    ("refunded in part, told by the charge alone", &[Completed, Refunded(25)], 75),
    (
        "a refund that fails",
        &[
            Completed,
            Refund("1", 100, "succeeded", "charge.refund.updated"),
            Refunded(100),
            Refund("1", 100, "failed", "refund.failed"),
        ],
        100,
    ),
    (
        "a refund that is cancelled",
        &[
            Completed,
            Refund("1", 50, "requires_action", "refund.created"),
            Refund("1", 50, "canceled", "refund.updated"),
        ],
        100,
    ),
    (
        "an inquiry that is closed",
        &[
            Completed,
            Dispute("1", "warning_needs_response", "created"),
            Dispute("1", "warning_closed", "closed"),
        ],
        100,
    ),
    (
        "a dispute that is won",
        &[
            Completed,
            Dispute("1", "needs_response", "created"),
            Dispute("1", "needs_response", "funds_withdrawn"),
            Dispute("1", "under_review", "updated"),
            Dispute("1", "won", "closed"),
            Dispute("1", "won", "funds_reinstated"),
        ],
        100,
    ),
    (
        "a dispute that is lost",
        &[
            Completed,
            Dispute("1", "needs_response", "created"),
            Dispute("1", "needs_response", "funds_withdrawn"),
            Dispute("1", "lost", "closed"),
        ],
        0,
    ),
    (
        "a transfer, a refund in part, and a dispute that is won",
        &[
            CompletedUnpaid,
            PaidLater,
            Refund("1", 20, "succeeded", "refund.created"),
            Refunded(20),
            Dispute("1", "needs_response", "created"),
            Dispute("1", "won", "closed"),
        ],
        80,
    ),
];

impl Step {
    pub(crate) fn kind(self) -> String {
        match self {
            Self::Opened => "checkout.session.opened".to_owned(),
            Self::Completed | Self::CompletedUnpaid => "checkout.session.completed".to_owned(),
            Self::PaidLater => "checkout.session.async_payment_succeeded".to_owned(),
            Self::FailedLater => "checkout.session.async_payment_failed".to_owned(),
            Self::Expired => "checkout.session.expired".to_owned(),
            Self::Refund(_, _, _, kind) => kind.to_owned(),
            Self::Refunded(_) => "charge.refunded".to_owned(),
            Self::Dispute(_, _, what) => format!("charge.dispute.{what}"),
        }
    }

    /// The object of its event, with what the buyer typed there.
    pub(crate) fn object(self, page: &str, number: usize, form: &BTreeMap<String, String>) -> Value {
        let amount: i64 = form["line_items[0][price_data][unit_amount]"].parse().unwrap();
        let currency = &form["line_items[0][price_data][currency]"];
        let (intent, charge) = (format!("pi_test{number}"), format!("ch_test{number}"));
        let typed = json!({ "email": BUYER, "name": BUYER, "phone": null, "address": { "city": BUYER, "country": "NZ" } });
        let page = |status: &str, paid: &str, intent: Value| {
            json!({
                "id": page, "object": "checkout.session", "amount_subtotal": amount, "amount_total": amount, "currency": currency,
                "client_reference_id": form["client_reference_id"], "customer": null, "customer_details": typed, "customer_email": null,
                "livemode": false, "metadata": {}, "mode": "payment", "payment_intent": intent, "payment_status": paid,
                "status": status, "success_url": form.get("success_url"), "url": null,
            })
        };
        match self {
            Self::Opened => page("open", "unpaid", Value::Null),
            Self::Expired => page("expired", "unpaid", Value::Null),
            Self::Completed | Self::PaidLater => page("complete", "paid", intent.into()),
            Self::CompletedUnpaid | Self::FailedLater => page("complete", "unpaid", intent.into()),
            Self::Refund(name, share, status, _) => json!({
                "id": format!("re_test{number}x{name}"), "object": "refund", "amount": amount * share / 100, "charge": charge,
                "currency": currency, "metadata": {}, "payment_intent": intent, "reason": BUYER, "status": status,
            }),
            Self::Refunded(share) => json!({
                "id": charge, "object": "charge", "amount": amount, "amount_captured": amount, "amount_refunded": amount * share / 100,
                "billing_details": typed, "currency": currency, "disputed": false, "paid": true, "payment_intent": intent,
                "receipt_email": BUYER, "refunded": share == 100, "status": "succeeded",
            }),
            Self::Dispute(name, status, _) => json!({
                "id": format!("dp_test{number}x{name}"), "object": "dispute", "amount": amount, "balance_transactions": [],
                "charge": charge, "currency": currency, "evidence": { "customer_email_address": BUYER, "customer_name": BUYER },
                "payment_intent": intent, "reason": "fraudulent", "status": status,
            }),
        }
    }
}
