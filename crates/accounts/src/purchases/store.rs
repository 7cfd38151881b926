//! This owns the rows of purchases and of the events that told of them, and when they go.

use kernel::{Error, Id, Result};
use platform::db::{Writing, sql};
use platform::payments::{Money, Pack};
use sqlx::sqlite::{SqliteExecutor, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use super::books::{State, Told};
use super::event::Event;

/// Days after which a purchase goes that was never paid; a page for paying is open for one.
const UNPAID_DAYS: i64 = 7;
/// Days after which an event goes whose purchase never turned up.
const ORPHAN_DAYS: i64 = 30;
/// Days after which a purchase goes that was paid: tax laws ask for up to ten years from the end of its own.
const PAID_DAYS: i64 = 11 * 365 + 3;

/// A purchase as it is kept.
pub(crate) struct Purchase {
    pub(crate) id: Id,
    /// Whose it is; nobody's once the account is closed.
    pub(crate) account: Option<Id>,
    pub(crate) pack: Pack,
    /// The processor's name of its page for paying.
    pub(crate) session: String,
    /// The processor's name of its payment, once an event has told it.
    pub(crate) intent: Option<String>,
    /// Credits that the ledger has moved for it so far.
    pub(crate) given: u32,
    pub(crate) day: i64,
}

fn purchase(row: &SqliteRow) -> Result<Purchase> {
    let account: Option<Vec<u8>> = row.try_get("account").map_err(sql)?;
    let currency: String = row.try_get("currency").map_err(sql)?;
    let price = Money { minor: row.try_get("amount").map_err(sql)?, currency: currency.parse()? };
    Ok(Purchase {
        id: Id::from_column(row.try_get("id").map_err(sql)?)?,
        account: account.map(|account| Id::from_column(&account)).transpose()?,
        pack: Pack { credits: row.try_get("credits").map_err(sql)?, price },
        session: row.try_get("session").map_err(sql)?,
        intent: row.try_get("intent").map_err(sql)?,
        given: row.try_get("given").map_err(sql)?,
        day: row.try_get("day").map_err(sql)?,
    })
}

/// A new purchase of an account, unless that was closed in the meantime.
pub(crate) async fn insert(writing: &mut Writing, new: &Purchase) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO purchase (id, account, credits, amount, currency, session, day) \
         SELECT ?, id, ?, ?, ?, ?, ? FROM account WHERE id = ?",
    )
    .bind(new.id.as_bytes().as_slice())
    .bind(new.pack.credits)
    .bind(new.pack.price.minor)
    .bind(new.pack.price.currency.to_string())
    .bind(&new.session)
    .bind(new.day)
    .bind(new.account.map(|account| account.as_bytes().to_vec()))
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(inserted.rows_affected() == 1)
}

pub(crate) async fn find(from: impl SqliteExecutor<'_>, id: Id) -> Result<Option<Purchase>> {
    let row = sqlx::query("SELECT * FROM purchase WHERE id = ?").bind(id.as_bytes().as_slice());
    row.fetch_optional(from).await.map_err(sql)?.as_ref().map(purchase).transpose()
}

/// The purchases of an account, the newest first.
pub(crate) async fn list(from: impl SqliteExecutor<'_>, account: Id, limit: u32) -> Result<Vec<Purchase>> {
    sqlx::query("SELECT * FROM purchase WHERE account = ? ORDER BY day DESC, id LIMIT ?")
        .bind(account.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(from)
        .await
        .map_err(sql)?
        .iter()
        .map(purchase)
        .collect()
}

/// The purchase that an event is about: a page for paying names itself, what follows names the payment.
pub(crate) async fn find_of(writing: &mut Writing, event: &Event) -> Result<Option<Purchase>> {
    let (statement, name) = match event.told.state {
        State::Payment(_) => ("SELECT * FROM purchase WHERE session = ?", Some(&event.told.object)),
        _ => ("SELECT * FROM purchase WHERE intent = ?", event.intent.as_ref()),
    };
    let row = sqlx::query(statement).bind(name).fetch_optional(&mut **writing).await.map_err(sql)?;
    row.as_ref().map(purchase).transpose()
}

/// Notes which payment a purchase has.
pub(crate) async fn link(writing: &mut Writing, purchase: &Purchase) -> Result<()> {
    sqlx::query("UPDATE purchase SET intent = ? WHERE id = ?")
        .bind(&purchase.intent)
        .bind(purchase.id.as_bytes().as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

pub(crate) async fn set_given(writing: &mut Writing, id: Id, given: u32) -> Result<()> {
    sqlx::query("UPDATE purchase SET given = ? WHERE id = ?")
        .bind(given)
        .bind(id.as_bytes().as_slice())
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    Ok(())
}

/// Keeps an event, unless it is there already.
pub(crate) async fn keep(writing: &mut Writing, event: &Event, day: i64) -> Result<bool> {
    let kept = sqlx::query(
        "INSERT INTO payment_event (id, type, object, intent, state, amount, currency, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&event.id)
    .bind(event.kind)
    .bind(&event.told.object)
    .bind(&event.intent)
    .bind(event.told.state.word())
    .bind(event.told.amount)
    .bind(&event.told.currency)
    .bind(day)
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(kept.rows_affected() == 1)
}

/// Whether an event is there already.
pub(crate) async fn knows(from: impl SqliteExecutor<'_>, event: &Event) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM payment_event WHERE id = ?)")
        .bind(&event.id)
        .fetch_one(from)
        .await
        .map_err(sql)
}

/// All that events have told of a purchase, in no order.
pub(crate) async fn told_of(from: impl SqliteExecutor<'_>, purchase: &Purchase) -> Result<Vec<Told>> {
    let rows: Vec<(String, String, i64, String)> = sqlx::query_as(
        "SELECT object, state, amount, currency FROM payment_event WHERE object = ? OR intent = ?",
    )
    .bind(&purchase.session)
    .bind(&purchase.intent)
    .fetch_all(from)
    .await
    .map_err(sql)?;
    rows.into_iter()
        .map(|(object, word, amount, currency)| {
            let state =
                State::from_word(&word).ok_or_else(|| Error::internal("a stored state is unknown"))?;
            Ok(Told { object, state, amount, currency })
        })
        .collect()
}

/// The day on which the newest event came.
pub(crate) async fn newest_day(from: impl SqliteExecutor<'_>) -> Result<Option<i64>> {
    sqlx::query_scalar("SELECT max(day) FROM payment_event").fetch_one(from).await.map_err(sql)
}

/// Deletes what has had its time: unpaid purchases, events that belong to none, and paid ones that no law asks for any more.
pub(crate) async fn prune(writing: &mut Writing, today: i64) -> Result<()> {
    const GONE: &str = "SELECT id FROM purchase WHERE day < ? OR (day < ? AND NOT EXISTS \
        (SELECT 1 FROM payment_event WHERE object = session AND state IN ('pending', 'paid')))";
    for statement in [
        format!(
            "DELETE FROM payment_event WHERE EXISTS (SELECT 1 FROM purchase p WHERE p.id IN ({GONE}) \
             AND (p.session = payment_event.object OR p.intent = payment_event.intent))"
        ),
        format!("DELETE FROM purchase WHERE id IN ({GONE})"),
    ] {
        sqlx::query(AssertSqlSafe(statement))
            .bind(today - PAID_DAYS)
            .bind(today - UNPAID_DAYS)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    sqlx::query(
        "DELETE FROM payment_event WHERE day < ? AND NOT EXISTS (SELECT 1 FROM purchase p \
         WHERE p.session = payment_event.object OR p.intent = payment_event.intent)",
    )
    .bind(today - ORPHAN_DAYS)
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(())
}
