//! This owns purchases on pages: what is for sale, the way to the page for paying, how far it is, and receipts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use kernel::{Error, Id, Kind, Result};
use platform::http::{Html, Reply, Visitor};
use platform::payments::Pack;
use platform::ui::{Nav, Page, Said, Site, say, say_failure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::receipt::Receipt;
use super::webhook::Selling;
use super::{Begun, store};
use crate::{Accounts, MaybeMember, Member};

/// Purchases on the account page.
const PURCHASES_MAX: u32 = 60;

/// What is for sale and what was bought, as the account page shows it.
pub(crate) struct PurchasesSection {
    pub(crate) offers: Vec<Offer>,
    pub(crate) bought: Vec<Bought>,
}

/// A pack, with the id that buying it here will have: the same form sent twice is one purchase.
pub(crate) struct Offer {
    pub(crate) id: Id,
    pub(crate) pack: Pack,
}

/// A purchase, with the code that its receipt asks for.
pub(crate) struct Bought {
    pub(crate) receipt: Receipt,
    pub(crate) code: String,
}

impl Accounts {
    pub(crate) async fn purchases_section(&self, account: Id) -> Result<Option<PurchasesSection>> {
        let Some(till) = &self.till else { return Ok(None) };
        let offer = |pack: &Pack| Offer { id: Id::random(), pack: *pack };
        let mut bought = Vec::new();
        for purchase in store::list(self.db.read(), account, PURCHASES_MAX).await? {
            let (purchase, books) = self.with_books(purchase).await?;
            let code = self.purchase_code(purchase.id);
            bought.push(Bought { receipt: Receipt::of(&purchase, &books), code });
        }
        Ok(Some(PurchasesSection { offers: till.packs.iter().map(offer).collect(), bought }))
    }
}

/// Which pack, and under which id.
#[derive(Deserialize)]
pub struct BuyForm {
    purchase: Id,
    pack: String,
}

/// Leads to the page for paying: what is told there and what is not, before anything is.
#[derive(askama::Template)]
#[template(path = "purchases/checkout.html")]
struct CheckoutPage {
    page: Page,
    pack: Pack,
    /// Who takes the payment.
    host: String,
    address: String,
}

/// `POST /account/purchases`.
pub async fn buy(
    _: Selling,
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Form(form): Form<BuyForm>,
) -> Reply<Response> {
    let pack = accounts.till()?.packs.iter().find(|pack| pack.to_string() == form.pack).copied();
    let pack = pack.ok_or_else(|| {
        Error::new(
            Kind::Conflict,
            "This pack is not for sale any more, or not at this price. Please choose again on your account page.",
        )
    })?;
    match accounts.begin_purchase(member.account(), form.purchase, pack, visitor.locale).await? {
        Begun::Over => Ok(Redirect::to(&format!("/account/purchases/{}", form.purchase)).into_response()),
        Begun::PayAt(address) => {
            let page = Page::new(&site, &visitor, Nav::Account, say(visitor.locale, "checkout-title"));
            let page = page.for_member(Some(&member));
            let host = address.host_str().unwrap_or_default().to_owned();
            Ok(Html(CheckoutPage { page, pack, host, address: address.into() }).into_response())
        }
    }
}

/// How far a purchase is.
#[derive(askama::Template)]
#[template(path = "purchases/purchase.html")]
struct PurchasePage {
    page: Page,
    receipt: Receipt,
    code: String,
    pack: Pack,
}

/// `GET /account/purchases/{id}`: the page for paying leads back here.
pub async fn purchase(
    _: Selling,
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<impl IntoResponse> {
    let (purchase, books) = accounts.purchase(member.account(), id).await?;
    let page = Page::new(&site, &visitor, Nav::Account, say(visitor.locale, "purchase-title"));
    Ok(Html(PurchasePage {
        page: page.for_member(Some(&member)),
        receipt: Receipt::of(&purchase, &books),
        code: accounts.purchase_code(id),
        pack: purchase.pack,
    }))
}

/// `GET /account/purchases/{id}/state`, for the script of that page.
pub async fn purchase_state(
    _: Selling,
    State(accounts): State<Arc<Accounts>>,
    member: Member,
    Path(id): Path<Id>,
) -> Reply<Json<Value>> {
    let (purchase, books) = accounts.purchase(member.account(), id).await?;
    Ok(Json(json!({ "state": Receipt::of(&purchase, &books).state })))
}

/// The form for a receipt, and the receipt.
#[derive(askama::Template)]
#[template(path = "purchases/receipt.html")]
struct ReceiptPage {
    page: Page,
    receipt: Option<Receipt>,
    wrong: Option<Said>,
}

impl ReceiptPage {
    fn of(site: &Arc<Site>, visitor: &Visitor, member: &MaybeMember) -> Self {
        let page = Page::new(site, visitor, Nav::Other, say(visitor.locale, "receipt-title"));
        Self { page: page.for_member(member.0.as_ref()), receipt: None, wrong: None }
    }
}

/// `GET /receipt`.
pub async fn receipt_form(
    _: Selling,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
) -> impl IntoResponse {
    Html(ReceiptPage::of(&site, &visitor, &member))
}

/// A number and its code. They are sent, so that they stand in no address.
#[derive(Deserialize)]
pub struct CodeForm {
    purchase: String,
    code: String,
}

/// `POST /receipt`.
pub async fn receipt(
    _: Selling,
    State(accounts): State<Arc<Accounts>>,
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    member: MaybeMember,
    Form(form): Form<CodeForm>,
) -> Reply<Response> {
    let mut page = ReceiptPage::of(&site, &visitor, &member);
    match accounts.receipt(&form.purchase, &form.code).await {
        Ok(receipt) => page.receipt = Some(receipt),
        Err(error) if error.kind == Kind::NotFound => {
            page.wrong = Some(say_failure(visitor.locale, &error.public));
            return Ok((axum::http::StatusCode::NOT_FOUND, Html(page)).into_response());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Html(page).into_response())
}
