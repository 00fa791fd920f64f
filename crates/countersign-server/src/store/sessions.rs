//! The table `sessions`: one row for each session, however often it is refreshed.

use sqlx::FromRow;

use super::{Store, Write};
use crate::error::Error;

/// A session as its row says it.
#[derive(Clone, FromRow)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) client_id: String,
    pub(crate) v: i64,
    pub(crate) secret: String,
    pub(crate) created_at: i64,
    #[sqlx(flatten)]
    pub(crate) counter: Counter,
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<String>,
}

/// The part of a session's row that decides what becomes of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Counter {
    pub(crate) n: i64,
    pub(crate) rotated_at: i64,
    pub(crate) grace_n: i64,
    pub(crate) grace_at: i64,
    pub(crate) late_count: i64,
    pub(crate) late_since: i64,
    pub(crate) last_used_at: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

const BY_ID: &str = "SELECT id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, late_since, \
     last_used_at, idle_expires_at, expires_at, revoked_at, user_agent, address FROM sessions WHERE id = $1";
const INSERT: &str = "INSERT INTO sessions (id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, \
     late_since, last_used_at, idle_expires_at, expires_at, revoked_at, user_agent, address) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
// The right-hand sides see the row as it was. A rotation after the grace window opens a new one.
const ROTATE: &str = "UPDATE sessions SET n = n + 1, rotated_at = $3, last_used_at = $3, \
     grace_n = CASE WHEN $3 - grace_at > $4 THEN n ELSE grace_n END, \
     grace_at = CASE WHEN $3 - grace_at > $4 THEN $3 ELSE grace_at END, \
     idle_expires_at = $3 + $5 \
     WHERE id = $1 AND n = $2 AND revoked_at IS NULL AND expires_at > $3 AND idle_expires_at > $3 \
     RETURNING id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, late_since, \
     last_used_at, idle_expires_at, expires_at, revoked_at, user_agent, address";
const FAST_FORWARD: &str = "UPDATE sessions SET n = $3 + 1, rotated_at = $4, last_used_at = $4, grace_n = $3, grace_at = $4, \
     idle_expires_at = $4 + $5 \
     WHERE id = $1 AND n = $2 AND n < $3 AND revoked_at IS NULL AND expires_at > $4 \
     RETURNING id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, late_since, \
     last_used_at, idle_expires_at, expires_at, revoked_at, user_agent, address";
const SPEND_LATE: &str = "UPDATE sessions SET late_count = $4, late_since = $5 WHERE id = $1 AND n = $2 AND late_count = $3 AND revoked_at IS NULL";
const REVOKE: &str = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
const REVOKE_ALL: &str =
    "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
const REVOKE_OTHERS: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL";
const SWEEP: &str = "DELETE FROM sessions WHERE expires_at < $1";

impl Store {
    /// The session with this identifier.
    pub(crate) async fn session_by_id(&self, id: &str) -> Result<Option<SessionRow>, Error> {
        Ok(sqlx::query_as(BY_ID)
            .bind(id)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// Ends one session. True when it was not over yet.
    pub(crate) async fn revoke_session(&self, id: &str, now: i64) -> Result<bool, Error> {
        let done = sqlx::query(REVOKE)
            .bind(id)
            .bind(now)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every session of a user.
    pub(crate) async fn revoke_sessions(&self, user_id: &str, now: i64) -> Result<(), Error> {
        sqlx::query(REVOKE_ALL)
            .bind(user_id)
            .bind(now)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Ends every session of a user but the one given.
    pub(crate) async fn revoke_other_sessions(
        &self,
        user_id: &str,
        id: &str,
        now: i64,
    ) -> Result<(), Error> {
        sqlx::query(REVOKE_OTHERS)
            .bind(user_id)
            .bind(id)
            .bind(now)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets sessions that were over before `before`.
    pub(crate) async fn sweep_sessions(&self, before: i64) -> Result<u64, Error> {
        Ok(sqlx::query(SWEEP)
            .bind(before)
            .execute(&self.writer)
            .await?
            .rows_affected())
    }
}

impl Write {
    /// The session with this identifier, as this transaction sees it.
    pub(crate) async fn session_by_id(&mut self, id: &str) -> Result<Option<SessionRow>, Error> {
        Ok(sqlx::query_as(BY_ID)
            .bind(id)
            .fetch_optional(&mut *self.0)
            .await?)
    }

    /// Adds a session.
    pub(crate) async fn insert_session(&mut self, row: &SessionRow) -> Result<(), Error> {
        let counter = &row.counter;
        sqlx::query(INSERT)
            .bind(&row.id)
            .bind(&row.user_id)
            .bind(&row.client_id)
            .bind(row.v)
            .bind(&row.secret)
            .bind(row.created_at)
            .bind(counter.n)
            .bind(counter.rotated_at)
            .bind(counter.grace_n)
            .bind(counter.grace_at)
            .bind(counter.late_count)
            .bind(counter.late_since)
            .bind(counter.last_used_at)
            .bind(counter.idle_expires_at)
            .bind(counter.expires_at)
            .bind(counter.revoked_at)
            .bind(&row.user_agent)
            .bind(&row.address)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// The one statement that rotates: generation `n` becomes `n + 1` where the row still stands at `n` and lives.
    pub(crate) async fn rotate(
        &mut self,
        id: &str,
        n: i64,
        now: i64,
        grace: i64,
        idle: i64,
    ) -> Result<Option<SessionRow>, Error> {
        let row = sqlx::query_as(ROTATE)
            .bind(id)
            .bind(n)
            .bind(now)
            .bind(grace)
            .bind(idle);
        Ok(row.fetch_optional(&mut *self.0).await?)
    }

    /// Moves a row that stands at `from` to where generation `n`, which is ahead of it, has been used.
    pub(crate) async fn fast_forward(
        &mut self,
        id: &str,
        from: i64,
        n: i64,
        now: i64,
        idle: i64,
    ) -> Result<Option<SessionRow>, Error> {
        let row = sqlx::query_as(FAST_FORWARD)
            .bind(id)
            .bind(from)
            .bind(n)
            .bind(now)
            .bind(idle);
        Ok(row.fetch_optional(&mut *self.0).await?)
    }

    /// Writes the budget of late retries, where nothing has changed since `row` was read.
    pub(crate) async fn spend_late_retry(
        &mut self,
        row: &SessionRow,
        count: i64,
        since: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(SPEND_LATE)
            .bind(&row.id)
            .bind(row.counter.n)
            .bind(row.counter.late_count)
            .bind(count)
            .bind(since)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends one session.
    pub(crate) async fn revoke_session(&mut self, id: &str, now: i64) -> Result<(), Error> {
        sqlx::query(REVOKE)
            .bind(id)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
