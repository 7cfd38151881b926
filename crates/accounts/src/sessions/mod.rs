//! This owns sessions: a random token in a cookie, its fingerprint in the database.

pub(crate) mod pages;

use kernel::clock::DAY_SECONDS;
use kernel::{Id, Result, Token, purpose};
use platform::db::{Writing, sql};
use sqlx::Row;

pub(crate) use pages::SessionsSection;

use crate::{Accounts, Member};

/// How long a session lasts.
pub(crate) const SESSION_SECONDS: i64 = 30 * DAY_SECONDS;
/// Characters of a token in its cookie.
const TOKEN_CHARS: usize = 43;
/// Sessions that are listed.
const LISTED_MAX: u32 = 100;

/// How a session began, so that its owner knows what to mend where it was not they.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    /// With a code that was mailed.
    Code,
    /// With a passkey.
    Passkey,
}

impl Began {
    /// Its word in the rows.
    const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Passkey => "passkey",
        }
    }

    fn of(word: &str) -> Self {
        if word == Self::Passkey.word() { Self::Passkey } else { Self::Code }
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, to revoke it by.
    pub id: Id,
    /// How it began.
    pub began: Began,
    /// Day of sign-in.
    pub created_day: i64,
    /// Day of last use.
    pub used_day: i64,
}

impl Accounts {
    /// Starts a session; the token goes into a cookie and is kept nowhere else.
    pub(crate) async fn start_session(&self, account: Id, began: Began) -> Result<Token> {
        let mut writing = self.db.write().await?;
        let token = self.begin_session(&mut writing, account, began).await?;
        platform::db::commit(writing).await?;
        Ok(token)
    }

    /// As [`Accounts::start_session`], with other writes. The account's other sessions are told in the same transaction.
    pub(crate) async fn begin_session(
        &self,
        writing: &mut Writing,
        account: Id,
        began: Began,
    ) -> Result<Token> {
        let token = Token::random();
        let today = self.clock.today();
        sqlx::query("DELETE FROM session WHERE expires_at < ?")
            .bind(self.clock.now())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        sqlx::query("UPDATE session SET notice_day = ? WHERE account = ?")
            .bind(today)
            .bind(account.as_bytes().as_slice())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        sqlx::query("INSERT INTO session (id, account, token_print, created_day, used_day, expires_at, began) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(Id::random().as_bytes().as_slice())
            .bind(account.as_bytes().as_slice())
            .bind(self.token_print(token.reveal(purpose::Recognise)).as_slice())
            .bind(today)
            .bind(today)
            .bind(self.clock.now() + SESSION_SECONDS)
            .bind(began.word())
            .execute(&mut **writing)
            .await
            .map_err(sql)?;
        Ok(token)
    }

    /// Takes the notice of other sign-ins from a session, whose owner has seen it.
    ///
    /// # Errors
    /// As every write.
    pub(crate) async fn dismiss_notice(&self, session: Id) -> Result<()> {
        let mut writing = self.db.write().await?;
        sqlx::query("UPDATE session SET notice_day = NULL WHERE id = ?")
            .bind(session.as_bytes().as_slice())
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await
    }

    /// Whether a member's session goes on, for answers that last.
    ///
    /// # Errors
    /// As every read.
    pub async fn is_signed_in(&self, member: &Member) -> Result<bool> {
        sqlx::query_scalar("SELECT count(*) > 0 FROM session WHERE id = ? AND expires_at >= ?")
            .bind(member.session().as_bytes().as_slice())
            .bind(self.clock.now())
            .fetch_one(self.db.read())
            .await
            .map_err(sql)
    }

    fn token_print(&self, token: &str) -> [u8; 32] {
        self.keys.site().fingerprint("session", token.as_bytes())
    }

    /// Who is signed in with a token.
    pub(crate) async fn find_session(&self, token: &str) -> Result<Option<Member>> {
        if token.len() != TOKEN_CHARS {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT id, account, used_day, notice_day FROM session WHERE token_print = ? AND expires_at >= ?",
        )
        .bind(self.token_print(token).as_slice())
        .bind(self.clock.now())
        .fetch_optional(self.db.read())
        .await
        .map_err(sql)?;
        let Some(row) = row else { return Ok(None) };
        let id = Id::from_column(row.try_get("id").map_err(sql)?)?;
        if row.try_get::<i64, _>("used_day").map_err(sql)? != self.clock.today() {
            let mut writing = self.db.write().await?;
            sqlx::query("UPDATE session SET used_day = ? WHERE id = ?")
                .bind(self.clock.today())
                .bind(id.as_bytes().as_slice())
                .execute(&mut *writing)
                .await
                .map_err(sql)?;
            platform::db::commit(writing).await?;
        }
        let account = Id::from_column(row.try_get("account").map_err(sql)?)?;
        Ok(Some(Member::new(account, id, row.try_get("notice_day").map_err(sql)?)))
    }

    /// The sessions of an account, the newest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn sessions(&self, account: Id) -> Result<Vec<Session>> {
        let rows: Vec<(Vec<u8>, String, i64, i64)> = sqlx::query_as(
            "SELECT id, began, created_day, used_day FROM session WHERE account = ? AND expires_at >= ? \
             ORDER BY expires_at DESC LIMIT ?",
        )
        .bind(account.as_bytes().as_slice())
        .bind(self.clock.now())
        .bind(LISTED_MAX)
        .fetch_all(self.db.read())
        .await
        .map_err(sql)?;
        rows.into_iter()
            .map(|(id, began, created_day, used_day)| {
                Ok(Session { id: Id::from_column(&id)?, began: Began::of(&began), created_day, used_day })
            })
            .collect()
    }

    /// Ends one session of an account, or all of them for `None`.
    ///
    /// # Errors
    /// As every write.
    pub async fn end_sessions(&self, account: Id, session: Option<Id>) -> Result<()> {
        let mut writing = self.db.write().await?;
        sqlx::query("DELETE FROM session WHERE account = ?1 AND (?2 IS NULL OR id = ?2)")
            .bind(account.as_bytes().as_slice())
            .bind(session.map(|session| session.as_bytes().to_vec()))
            .execute(&mut *writing)
            .await
            .map_err(sql)?;
        platform::db::commit(writing).await
    }
}
