//! This owns API keys: shown once, kept as a fingerprint, for what their owner chose and until when.

pub(crate) mod api;
pub(crate) mod pages;
mod scope;
mod token;

use kernel::{ApiKey, Error, Id, Kind, Result, purpose};
use platform::db::{Writing, sql};
use sqlx::Row as _;

pub(crate) use pages::KeysSection;
pub use scope::{Scope, Scopes};
pub(crate) use token::PREFIX;

use crate::Accounts;

/// Keys of one account that work.
const KEYS_MAX: i64 = 5;
/// Characters of a key's name.
const NAME_CHARS_MAX: usize = 60;
/// Days that a key may live, to choose from; one without any lives until it is revoked.
pub(crate) const LIFETIMES_DAYS: [i64; 3] = [30, 90, 365];
/// Days for which a key that has expired is told from one that never was.
const EXPIRED_DAYS: i64 = 30;

/// What is wished of a new key.
pub struct KeyWish {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// How many days it works: 30, 90 or 365, or until it is revoked.
    pub days: Option<i64>,
}

impl KeyWish {
    /// A key of this name that may do everything until it is revoked.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), scopes: Scopes::ALL, days: None }
    }
}

/// A key that was just made; its token is shown now and never again.
pub struct NewKey {
    /// What the caller sends.
    pub token: ApiKey,
    /// What is listed of it.
    pub listed: ListedKey,
}

/// Name of the sealed name of a key.
pub(crate) const NAME_FIELD: &str = "key name";

/// A key as its owner sees it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its id, to revoke it by.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The first characters of its random part.
    pub hint: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Day on which it was made.
    pub created_day: i64,
    /// Last day on which it works, if there is one.
    pub last_day: Option<i64>,
    /// Day on which it was last used, if it was.
    pub used_day: Option<i64>,
}

impl ListedKey {
    /// Whether it works on this day.
    #[must_use]
    pub fn works_on(&self, day: i64) -> bool {
        self.last_day.is_none_or(|last| day <= last)
    }
}

/// What a token leads to.
pub(crate) enum Found {
    /// An account, and what the key may do there.
    Key(Id, Scopes),
    /// A key that worked once.
    Expired,
    /// Nothing.
    Nothing,
}

fn check(wish: &KeyWish) -> Result<()> {
    if wish.name.is_empty() || wish.name.chars().count() > NAME_CHARS_MAX {
        let words = format!("Give the key a name of 1 to {NAME_CHARS_MAX} characters.");
        return Err(Error::invalid("name", words));
    }
    if wish.days.is_some_and(|days| !LIFETIMES_DAYS.contains(&days)) {
        let words = "A key works for 30, 90 or 365 days, or until it is revoked.";
        return Err(Error::invalid("expires_in_days", words));
    }
    Ok(())
}

impl Accounts {
    /// Makes a key.
    ///
    /// # Errors
    /// `Invalid` for a name or a lifetime that no key has, `Conflict` when the account has five keys that work.
    pub async fn create_key(&self, account: Id, wish: KeyWish) -> Result<NewKey> {
        let wish = KeyWish { name: wish.name.trim().to_owned(), ..wish };
        check(&wish)?;
        let (token, hint) = token::random();
        let (id, today) = (Id::random(), self.clock.today());
        let last_day = wish.days.map(|days| today + days);
        let name_sealed =
            vault::seal_field(&self.keys.get(account).await?, id, NAME_FIELD, wish.name.as_bytes())?;
        let mut writing = self.db.write().await?;
        check_room(&mut writing, account, today).await?;
        sqlx::query(
            "INSERT INTO api_key (id, account, name_sealed, token_print, hint, scopes, created_day, last_day) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_bytes().as_slice())
        .bind(account.as_bytes().as_slice())
        .bind(name_sealed)
        .bind(self.token_fingerprint(token.reveal(purpose::Recognise)).as_slice())
        .bind(&hint)
        .bind(wish.scopes.column())
        .bind(today)
        .bind(last_day)
        .execute(&mut *writing)
        .await
        .map_err(sql)?;
        platform::db::commit(writing).await?;
        let KeyWish { name, scopes, .. } = wish;
        let listed = ListedKey { id, name, hint, scopes, created_day: today, last_day, used_day: None };
        Ok(NewKey { token, listed })
    }

    fn token_fingerprint(&self, token: &str) -> [u8; 32] {
        self.keys.site().fingerprint("api-key", token.as_bytes())
    }

    /// What a token leads to; the day is noted if it is the first time today.
    pub(crate) async fn find_key(&self, token: &str) -> Result<Found> {
        if !token::well_formed(token) {
            return Ok(Found::Nothing);
        }
        let today = self.clock.today();
        let row =
            sqlx::query("SELECT id, account, scopes, last_day, used_day FROM api_key WHERE token_print = ?")
                .bind(self.token_fingerprint(token).as_slice())
                .fetch_optional(self.db.read())
                .await
                .map_err(sql)?;
        let Some(row) = row else { return Ok(Found::Nothing) };
        let day = |column| row.try_get::<Option<i64>, _>(column).map_err(sql);
        if day("last_day")?.is_some_and(|last| last < today) {
            return Ok(Found::Expired);
        }
        if day("used_day")? != Some(today) {
            let mut writing = self.db.write().await?;
            sqlx::query("UPDATE api_key SET used_day = ? WHERE id = ?")
                .bind(today)
                .bind(row.try_get::<Vec<u8>, _>("id").map_err(sql)?)
                .execute(&mut *writing)
                .await
                .map_err(sql)?;
            platform::db::commit(writing).await?;
        }
        let account = Id::from_column(row.try_get("account").map_err(sql)?)?;
        Ok(Found::Key(account, Scopes::from_column(row.try_get("scopes").map_err(sql)?)?))
    }

    /// The keys of an account, the oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn keys(&self, account: Id) -> Result<Vec<ListedKey>> {
        let rows = sqlx::query(
            "SELECT id, name_sealed, hint, scopes, created_day, last_day, used_day \
             FROM api_key WHERE account = ? ORDER BY created_day, id",
        )
        .bind(account.as_bytes().as_slice())
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        let key = self.keys.get(account).await?;
        let listed = |row: &sqlx::sqlite::SqliteRow| {
            let id = Id::from_column(row.try_get("id").map_err(sql)?)?;
            let name = vault::open_field(&key, id, NAME_FIELD, row.try_get("name_sealed").map_err(sql)?)?;
            Ok(ListedKey {
                id,
                name: String::from_utf8_lossy(&name).into_owned(),
                hint: row.try_get("hint").map_err(sql)?,
                scopes: Scopes::from_column(row.try_get("scopes").map_err(sql)?)?,
                created_day: row.try_get("created_day").map_err(sql)?,
                last_day: row.try_get("last_day").map_err(sql)?,
                used_day: row.try_get("used_day").map_err(sql)?,
            })
        };
        rows.iter().map(listed).collect()
    }

    /// Revokes a key at once.
    ///
    /// # Errors
    /// `NotFound` when the account has no such key.
    pub async fn revoke_key(&self, account: Id, id: Id) -> Result<()> {
        let mut writing = self.db.write().await?;
        let done = sqlx::query("DELETE FROM api_key WHERE account = ? AND id = ?")
            .bind(account.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::not_found("There is no such key.")) }
    }

    /// Erases the keys that expired so long ago that nobody asks why they do not work.
    ///
    /// # Errors
    /// As every write.
    pub async fn erase_expired_keys(&self) -> Result<()> {
        let mut writing = self.db.write().await?;
        sqlx::query("DELETE FROM api_key WHERE last_day < ?")
            .bind(self.clock.today() - EXPIRED_DAYS)
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await
    }
}

/// Keys that have expired take no room.
async fn check_room(writing: &mut Writing, account: Id, today: i64) -> Result<()> {
    let statement = "SELECT count(*) FROM api_key WHERE account = ? AND (last_day IS NULL OR last_day >= ?)";
    let count: i64 = sqlx::query_scalar(statement)
        .bind(account.as_bytes().as_slice())
        .bind(today)
        .fetch_one(&mut **writing)
        .await
        .map_err(sql)?;
    if count < KEYS_MAX {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, "You have five keys already. Revoke one to make another."))
}
