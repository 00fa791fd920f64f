//! The table `sessions`: one row for each session, however often it is refreshed.

use sqlx::FromRow;

use super::users::RolesText;
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
// Only for a user whose password is still the one that was proven and who may log in; their roles are those of this
// moment.
const START: &str = "INSERT INTO sessions (id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, \
     late_since, last_used_at, idle_expires_at, expires_at, revoked_at, user_agent, address) \
     SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18 FROM users \
     WHERE id = $2 AND password_hash = $19 AND NOT disabled \
     RETURNING (SELECT roles FROM users WHERE users.id = user_id)";
// Leaves the $3 that were used last.
const LIMIT: &str = "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND id NOT IN \
     (SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND idle_expires_at > $2 \
     ORDER BY last_used_at DESC, id DESC LIMIT $3)";
// The right-hand sides see the row as it was. A rotation outside the grace window opens a new one; so does one before
// it, where the clock was set back (see `rotation::opens_window`).
const ROTATE: &str = "UPDATE sessions SET n = n + 1, rotated_at = $3, last_used_at = $3, \
     grace_n = CASE WHEN $3 - grace_at > $4 OR grace_at - $3 > $4 THEN n ELSE grace_n END, \
     grace_at = CASE WHEN $3 - grace_at > $4 OR grace_at - $3 > $4 THEN $3 ELSE grace_at END, \
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
const SWEEP: &str = "DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $2";

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

    /// Forgets sessions that ended by themselves before `now`, or were ended before `revoked`.
    pub(crate) async fn sweep_sessions(&self, now: i64, revoked: i64) -> Result<u64, Error> {
        Ok(sqlx::query(SWEEP)
            .bind(now)
            .bind(revoked)
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

    /// Adds a session of a user who has this password hash still and may log in, and reads their roles in the same
    /// statement. `None` when that is no longer so.
    pub(crate) async fn start_session(
        &mut self,
        row: &SessionRow,
        password_hash: &str,
    ) -> Result<Option<RolesText>, Error> {
        let counter = &row.counter;
        let roles = sqlx::query_scalar(START)
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
            .bind(password_hash)
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(roles.map(RolesText))
    }

    /// Ends all sessions of a user but the `most` that were used last.
    pub(crate) async fn limit_sessions(
        &mut self,
        user_id: &str,
        now: i64,
        most: i64,
    ) -> Result<u64, Error> {
        let done = sqlx::query(LIMIT)
            .bind(user_id)
            .bind(now)
            .bind(most)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rotation::{self, RotationRule};
    use crate::store::users::UserRow;

    const NOW: i64 = 1_000_000;
    const HASH: &str = "the present hash";

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        let user = UserRow::new("u".into(), "a@b.example".into(), None, HASH.into(), NOW);
        let mut write = store.begin().await.unwrap();
        write.insert_user(&user).await.unwrap();
        write.commit().await.unwrap();
        (folder, store)
    }

    fn row(id: &str, now: i64) -> SessionRow {
        SessionRow {
            id: id.to_owned(),
            user_id: "u".to_owned(),
            client_id: "first-party".to_owned(),
            v: 1,
            secret: String::new(),
            created_at: now,
            counter: rotation::fresh(now, 10_000, 100_000),
            user_agent: None,
            address: None,
        }
    }

    #[tokio::test]
    async fn the_statement_that_rotates_opens_a_window_when_the_rule_does() {
        let (_folder, store) = store().await;
        let rule = RotationRule::DEFAULT;
        let mut opened = 0;
        let apart = [0, 1, 9, 10, 11, 12, 3_600, 90 * 24 * 3_600];
        for (i, grace_at) in apart
            .iter()
            .flat_map(|secs| [NOW - secs, NOW + secs])
            .enumerate()
        {
            let mut row = row(&i.to_string(), NOW - 500);
            (row.counter.n, row.counter.grace_n, row.counter.grace_at) = (7, 4, grace_at);
            let mut write = store.begin().await.unwrap();
            write.start_session(&row, HASH).await.unwrap().unwrap();
            let rotated = write.rotate(&row.id, 7, NOW, rule.grace, 60).await.unwrap();
            write.commit().await.unwrap();
            let rotated = rotated.unwrap().counter;
            let opens = rotation::opens_window(&row.counter, NOW, &rule);
            let window = if opens { (7, NOW) } else { (4, grace_at) };
            assert_eq!((rotated.grace_n, rotated.grace_at), window, "{grace_at}");
            assert_eq!((rotated.n, rotated.rotated_at), (8, NOW));
            opened += usize::from(opens);
        }
        assert_eq!(opened, 8);
    }

    #[tokio::test]
    async fn a_session_begins_with_the_roles_of_that_moment_and_for_nobody_else() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        let roles = ["admin".to_owned()];
        write.set_roles("a@b.example", &roles).await.unwrap();
        let read = write.start_session(&row("1", NOW), HASH).await.unwrap();
        assert_eq!(read.unwrap().0, r#"["admin"]"#);
        let other = write.start_session(&row("2", NOW), "an older hash").await;
        assert!(other.unwrap().is_none());
        let mut nobody = row("3", NOW);
        nobody.user_id = "nobody".to_owned();
        assert!(write.start_session(&nobody, HASH).await.unwrap().is_none());
        write.commit().await.unwrap();
        assert!(store.session_by_id("1").await.unwrap().is_some());
        for id in ["2", "3"] {
            assert!(store.session_by_id(id).await.unwrap().is_none(), "{id}");
        }
    }

    #[tokio::test]
    async fn the_sessions_that_were_used_last_stay() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        for (id, used) in [("a", 5), ("b", 9), ("c", 1), ("d", 7)] {
            let row = row(id, NOW + used);
            write.start_session(&row, HASH).await.unwrap().unwrap();
        }
        assert_eq!(write.limit_sessions("u", NOW + 9, 4).await.unwrap(), 0);
        assert_eq!(write.limit_sessions("u", NOW + 9, 2).await.unwrap(), 2);
        write.commit().await.unwrap();
        for (id, lives) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            let row = store.session_by_id(id).await.unwrap().unwrap();
            assert_eq!(row.counter.revoked_at.is_none(), lives, "{id}");
        }
    }

    #[tokio::test]
    async fn ended_sessions_are_forgotten_once_their_access_tokens_are_over() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        for id in ["ended", "just ended", "living"] {
            let row = row(id, NOW);
            write.start_session(&row, HASH).await.unwrap().unwrap();
        }
        write.revoke_session("ended", NOW).await.unwrap();
        write.revoke_session("just ended", NOW + 1).await.unwrap();
        write.commit().await.unwrap();
        let swept = store.sweep_sessions(NOW + 601, NOW + 1).await.unwrap();
        assert_eq!(swept, 1);
        assert!(store.session_by_id("ended").await.unwrap().is_none());
        assert!(store.session_by_id("just ended").await.unwrap().is_some());
        assert_eq!(store.sweep_sessions(NOW + 100_001, 0).await.unwrap(), 2);
    }
}
