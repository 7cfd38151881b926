//! This owns looks of the operator at an account: each is recorded before anything is shown, told to the account, and goes
//! with it. It owns the count of disclosures, which leads to nobody. It does not know what is shown.

mod section;

use kernel::{EmailAddress, Error, Id, Result};
use platform::db::{Db, Writing, sql};
use serde::{Deserialize, Serialize};

pub(crate) use section::LooksSection;

use crate::Accounts;

/// What the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookKind {
    /// A summary, in counts.
    Inquiry,
    /// Everything that is held, in full.
    Disclosure,
}

impl LookKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Disclosure => "disclosure",
        }
    }
}

/// Why the operator looks: the whole list.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookReason {
    /// The owner of the address asked.
    OwnRequest,
    /// The owner of the address needs help.
    Support,
    /// A court demands it.
    CourtOrder,
    /// An authority demands it, as a law lets it.
    AuthorityOrder,
}

impl LookReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OwnRequest, Self::Support, Self::CourtOrder, Self::AuthorityOrder];

    /// Its name, in rows and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnRequest => "own-request",
            Self::Support => "support",
            Self::CourtOrder => "court-order",
            Self::AuthorityOrder => "authority-order",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A look, as the account sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Look {
    pub(crate) kind: String,
    pub(crate) reason: String,
    pub(crate) day: i64,
}

/// Disclosures of a year, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Disclosures {
    /// The year, UTC.
    pub year: i16,
    /// Name of the reason.
    pub reason: String,
    /// How many.
    pub count: u32,
}

impl Accounts {
    /// The account of an address for the operator to look at, if there is one. The look is recorded by then, and a
    /// disclosure counted in the same transaction: there is no other way from an address to what is held on it.
    ///
    /// # Errors
    /// As every write; nothing may be shown then.
    pub async fn look(
        &self,
        address: &EmailAddress,
        kind: LookKind,
        reason: LookReason,
    ) -> Result<Option<Id>> {
        let Some(account) = self.find(address).await else { return Ok(None) };
        let day = self.clock.today();
        let mut writing = self.db.write().await?;
        let recorded = sqlx::query(
            "INSERT INTO look (id, account, kind, reason, day) SELECT ?, id, ?, ?, ? FROM account WHERE id = ?",
        )
        .bind(Id::random().as_bytes().as_slice())
        .bind(kind.name())
        .bind(reason.name())
        .bind(day)
        .bind(account.as_bytes().as_slice())
        .execute(&mut *writing)
        .await
        .map_err(sql)?;
        // It may have been closed since it was found.
        if recorded.rows_affected() == 0 {
            return Ok(None);
        }
        if kind == LookKind::Disclosure {
            count_disclosure(&mut writing, year_of(day)?, reason).await?;
        }
        platform::db::commit(writing).await?;
        Ok(Some(account))
    }

    /// The looks at an account, the newest first.
    async fn looks(&self, account: Id, limit: u32) -> Result<Vec<Look>> {
        sqlx::query_as(
            "SELECT kind, reason, day FROM look WHERE account = ? ORDER BY day DESC, kind, reason LIMIT ?",
        )
        .bind(account.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(self.db.read())
        .await
        .map_err(sql)
    }

    /// How often accounts were disclosed, the newest year first.
    ///
    /// # Errors
    /// As every read.
    pub async fn disclosures(&self) -> Result<Vec<Disclosures>> {
        sqlx::query_as("SELECT year, reason, count FROM disclosure_count ORDER BY year DESC, reason")
            .fetch_all(self.db.read())
            .await
            .map_err(sql)
    }

    /// Looks at accounts that there are not.
    ///
    /// # Errors
    /// As every read.
    pub async fn count_stray_looks(&self) -> Result<i64> {
        sqlx::query_scalar("SELECT count(*) FROM look WHERE account NOT IN (SELECT id FROM account)")
            .fetch_one(self.db.read())
            .await
            .map_err(sql)
    }
}

async fn count_disclosure(writing: &mut Writing, year: i16, reason: LookReason) -> Result<()> {
    sqlx::query(
        "INSERT INTO disclosure_count (year, reason, count) VALUES (?, ?, 1) \
         ON CONFLICT DO UPDATE SET count = count + 1",
    )
    .bind(year)
    .bind(reason.name())
    .execute(&mut **writing)
    .await
    .map_err(sql)?;
    Ok(())
}

fn year_of(day: i64) -> Result<i16> {
    let first = jiff::civil::date(1970, 1, 1);
    let date = first.checked_add(jiff::Span::new().days(day));
    date.map(jiff::civil::Date::year).map_err(|cause| Error::internal("today has no year").because(cause))
}

/// Id, account, kind, reason and day, as they stand in a row.
type LookRow = (Vec<u8>, Vec<u8>, String, String, i64);

/// Brings looks and counts from newer rows: what has been seen cannot be taken back.
pub(crate) async fn carry_over(writing: &mut Writing, newer: &Db) -> Result<()> {
    let looks: Vec<LookRow> = sqlx::query_as("SELECT id, account, kind, reason, day FROM look")
        .fetch_all(newer.read())
        .await
        .map_err(sql)?;
    for (id, account, kind, reason, day) in looks {
        sqlx::query(
            "INSERT INTO look (id, account, kind, reason, day) SELECT ?, id, ?, ?, ? FROM account WHERE id = ? \
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(kind)
        .bind(reason)
        .bind(day)
        .bind(account)
        .execute(&mut **writing)
        .await
        .map_err(sql)?;
    }
    sqlx::query("DELETE FROM disclosure_count").execute(&mut **writing).await.map_err(sql)?;
    let counts: Vec<Disclosures> = sqlx::query_as("SELECT year, reason, count FROM disclosure_count")
        .fetch_all(newer.read())
        .await
        .map_err(sql)?;
    for Disclosures { year, reason, count } in counts {
        sqlx::query("INSERT INTO disclosure_count (year, reason, count) VALUES (?, ?, ?)")
            .bind(year)
            .bind(reason)
            .bind(count)
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
    }
    Ok(())
}
