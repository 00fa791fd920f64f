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
    /// What it is used with, in words.
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<String>,
    /// Its place in the status lists; a session that was ended has none.
    pub(crate) status_idx: Option<i64>,
    /// The session on whose strength it began; `None` where a password was shown, or nobody was signed in.
    pub(crate) begun_by: Option<String>,
}

/// The part of a session's row that decides what becomes of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct Counter {
    pub(crate) n: i64,
    pub(crate) rotated_at: i64,
    pub(crate) grace_n: i64,
    pub(crate) grace_at: i64,
    /// The grace window before that one, which may still be open.
    pub(crate) before_n: i64,
    pub(crate) before_at: i64,
    /// The latest time at which it began or was used; later than now where the clock was set back since.
    pub(crate) latest_at: i64,
    pub(crate) late_count: i64,
    pub(crate) late_since: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "id, user_id, client_id, v, secret, created_at, n, rotated_at, grace_n, grace_at, late_count, late_since, \
         idle_expires_at, expires_at, revoked_at, user_agent, address, status_idx, begun_by, before_n, before_at, latest_at"
    };
}

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE id = $1");
// Only for a user whose password is still the one that was proven and who may log in; their roles are those of this
// moment. Where another session stands for the password, only while that one has not been ended.
const START: &str = concat!(
    "INSERT INTO sessions (",
    columns!(),
    ") SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22 FROM users \
     WHERE id = $2 AND password_hash = $23 AND NOT disabled AND ($19 IS NULL OR EXISTS \
     (SELECT 1 FROM sessions AS b WHERE b.id = $19 AND b.user_id = users.id AND b.revoked_at IS NULL)) \
     RETURNING (SELECT roles FROM users WHERE users.id = user_id)"
);
// Leaves the $3 that were used last. Those that are over and not yet forgotten are among them: a clock that is wrong for
// a moment ends nothing here.
const LIMIT: &str = "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND client_id = $4 AND revoked_at IS NULL AND id NOT IN \
     (SELECT id FROM sessions WHERE user_id = $1 AND client_id = $4 AND revoked_at IS NULL \
     ORDER BY rotated_at DESC, id DESC LIMIT $3)";
// The one statement by which a refresh writes. It does so where nothing that was decided on has changed, so of several
// that decided on the same row one writes, and the others decide again.
const MOVE: &str = concat!(
    "UPDATE sessions SET n = $2, rotated_at = $3, grace_n = $4, grace_at = $5, late_count = $6, late_since = $7, \
     idle_expires_at = $8, expires_at = $13, created_at = $14, before_n = $15, before_at = $16, latest_at = $17 \
     WHERE id = $1 AND n = $9 AND grace_at = $10 AND late_count = $11 AND late_since = $12 AND revoked_at IS NULL AND expires_at > $3 \
     RETURNING ",
    columns!()
);
const LIVING_OF_USER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND idle_expires_at > $2 \
     ORDER BY rotated_at DESC, id DESC"
);
const COUNT_LIVING: &str = "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL AND expires_at > $1 AND idle_expires_at > $1";
const REVOKE_AT: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND n = $2 AND revoked_at IS NULL";
const REVOKE_OF_USER: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL";
// Those that this transaction has ended have their places still, and an index of their own.
const REVOKE_BEGUN_BY_ENDED: &str = "UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL \
     AND user_id IN (SELECT user_id FROM sessions WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL) \
     AND begun_by IN (SELECT id FROM sessions WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL)";
const REVOKE_ALL_OF_USER: &str =
    "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
const REVOKE_OTHERS_OF_USER: &str =
    "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL";
const REVOKE_EVERY: &str = "UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL";
const SWEEP: &str = "DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $2";

impl Store {
    /// The session with this identifier.
    pub(crate) async fn session_by_id(&self, id: &str) -> Result<Option<SessionRow>, Error> {
        Ok(sqlx::query_as(BY_ID)
            .bind(id)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// The sessions of a user that live, the one used last first.
    pub(crate) async fn living_sessions(
        &self,
        user_id: &str,
        now: i64,
    ) -> Result<Vec<SessionRow>, Error> {
        Ok(sqlx::query_as(LIVING_OF_USER)
            .bind(user_id)
            .bind(now)
            .fetch_all(&self.reader)
            .await?)
    }

    /// How many sessions live.
    pub(crate) async fn count_living_sessions(&self, now: i64) -> Result<i64, Error> {
        Ok(sqlx::query_scalar(COUNT_LIVING)
            .bind(now)
            .fetch_one(&self.reader)
            .await?)
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
    /// Adds a session of a user who has this password hash still and may log in, begun by none or by one of theirs that was
    /// not ended, and reads their roles in the same statement. `None` when that is no longer so.
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
            .bind(counter.idle_expires_at)
            .bind(counter.expires_at)
            .bind(counter.revoked_at)
            .bind(&row.user_agent)
            .bind(&row.address)
            .bind(row.status_idx)
            .bind(&row.begun_by)
            .bind(counter.before_n)
            .bind(counter.before_at)
            .bind(counter.latest_at)
            .bind(password_hash)
            .fetch_optional(&mut *self.0)
            .await?;
        Ok(roles.map(RolesText))
    }

    /// Ends all sessions that a user has with a client but the `most` that were used last.
    pub(crate) async fn limit_sessions(
        &mut self,
        user_id: &str,
        client_id: &str,
        now: i64,
        most: i64,
    ) -> Result<u64, Error> {
        let done = sqlx::query(LIMIT)
            .bind(user_id)
            .bind(now)
            .bind(most)
            .bind(client_id)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
    }

    /// Moves a session on from the counter that was decided on, and says when it began. `None` when it is another by now.
    pub(crate) async fn move_session(
        &mut self,
        id: &str,
        from: &Counter,
        to: &Counter,
        created_at: i64,
    ) -> Result<Option<SessionRow>, Error> {
        let row = sqlx::query_as(MOVE)
            .bind(id)
            .bind(to.n)
            .bind(to.rotated_at)
            .bind(to.grace_n)
            .bind(to.grace_at)
            .bind(to.late_count)
            .bind(to.late_since)
            .bind(to.idle_expires_at)
            .bind(from.n)
            .bind(from.grace_at)
            .bind(from.late_count)
            .bind(from.late_since)
            .bind(to.expires_at)
            .bind(created_at)
            .bind(to.before_n)
            .bind(to.before_at)
            .bind(to.latest_at);
        Ok(row.fetch_optional(&mut *self.0).await?)
    }

    /// Ends a session that stands at generation `n` still. False when it does not, or is over.
    pub(crate) async fn revoke_session_at(
        &mut self,
        id: &str,
        n: i64,
        now: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(REVOKE_AT)
            .bind(id)
            .bind(n)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends one session of a user. False when it is over, or another's.
    pub(crate) async fn revoke_session_of(
        &mut self,
        user_id: &str,
        id: &str,
        now: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(REVOKE_OF_USER)
            .bind(user_id)
            .bind(id)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends every session that was begun on the strength of one that this transaction has ended.
    pub(crate) async fn revoke_sessions_begun_by_ended(&mut self, now: i64) -> Result<u64, Error> {
        let done = sqlx::query(REVOKE_BEGUN_BY_ENDED)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
    }

    /// Ends every session of a user.
    pub(crate) async fn revoke_sessions_of(
        &mut self,
        user_id: &str,
        now: i64,
    ) -> Result<u64, Error> {
        let done = sqlx::query(REVOKE_ALL_OF_USER)
            .bind(user_id)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
    }

    /// Ends every session of a user but the one given.
    pub(crate) async fn revoke_other_sessions_of(
        &mut self,
        user_id: &str,
        id: &str,
        now: i64,
    ) -> Result<u64, Error> {
        let done = sqlx::query(REVOKE_OTHERS_OF_USER)
            .bind(user_id)
            .bind(id)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
    }

    /// Ends every session that there is.
    pub(crate) async fn revoke_every_session(&mut self, now: i64) -> Result<u64, Error> {
        let done = sqlx::query(REVOKE_EVERY)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{HASH, session as row, with_user};
    use crate::store::users::UserRow;

    const NOW: i64 = 1_000_000;

    async fn store() -> (tempfile::TempDir, Store) {
        with_user(NOW).await
    }

    #[tokio::test]
    async fn a_session_moves_on_from_what_was_decided_on_and_from_nothing_else() {
        let (_folder, store) = store().await;
        let begun = row("a", NOW);
        let mut write = store.begin().await.unwrap();
        write.start_session(&begun, HASH).await.unwrap().unwrap();
        let from = begun.counter;
        let to = Counter {
            n: 2,
            rotated_at: NOW + 1,
            grace_n: 3,
            grace_at: NOW + 2,
            before_n: 1,
            before_at: NOW + 6,
            latest_at: NOW + 7,
            late_count: 4,
            late_since: NOW + 3,
            idle_expires_at: NOW + 4,
            expires_at: NOW + 5,
            ..from
        };
        let others = [
            Counter { n: 2, ..from },
            Counter {
                grace_at: 1,
                ..from
            },
            Counter {
                late_count: 1,
                ..from
            },
            Counter {
                late_since: 1,
                ..from
            },
        ];
        for other in others {
            let moved = write.move_session("a", &other, &to, NOW).await.unwrap();
            assert!(moved.is_none(), "{other:?}");
        }
        let moved = write.move_session("a", &from, &to, NOW - 1).await;
        let moved = moved.unwrap().unwrap();
        assert_eq!((moved.counter, moved.created_at), (to, NOW - 1));
        let again = write.move_session("a", &from, &to, NOW).await;
        assert!(again.unwrap().is_none());
        assert!(!write.revoke_session_at("a", 1, NOW).await.unwrap());
        assert!(write.revoke_session_at("a", 2, NOW).await.unwrap());
        let over = write.move_session("a", &to, &from, NOW).await;
        assert!(over.unwrap().is_none());
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_session_begins_with_the_roles_of_that_moment_and_for_nobody_else() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        let user = write.user_by_id("u").await.unwrap().unwrap();
        let user = user.with_roles(&["admin".to_owned()]);
        write.set_user(&user).await.unwrap();
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
    async fn a_session_begins_on_the_strength_of_one_of_the_same_user_that_was_not_ended() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        for id in ["living", "ended"] {
            let row = row(id, NOW);
            write.start_session(&row, HASH).await.unwrap().unwrap();
        }
        assert!(write.revoke_session_of("u", "ended", NOW).await.unwrap());
        let other = UserRow::new("v".into(), "v@b.example".into(), None, HASH.into(), NOW);
        write.insert_user(&other).await.unwrap();
        for (user, by, is_begun) in [
            ("u", "living", true),
            ("u", "ended", false),
            ("u", "forgotten", false),
            ("v", "living", false),
        ] {
            let row = SessionRow {
                user_id: user.to_owned(),
                begun_by: Some(by.to_owned()),
                ..row(&format!("{user} by {by}"), NOW)
            };
            let begun = write.start_session(&row, HASH).await.unwrap();
            assert_eq!(begun.is_some(), is_begun, "{user} by {by}");
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
        let own = "first-party";
        assert_eq!(write.limit_sessions("u", own, NOW + 9, 4).await.unwrap(), 0);
        assert_eq!(write.limit_sessions("u", own, NOW + 9, 2).await.unwrap(), 2);
        let other = write.limit_sessions("u", "another", NOW + 9, 0).await;
        assert_eq!(other.unwrap(), 0);
        write.commit().await.unwrap();
        for (id, lives) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            let row = store.session_by_id(id).await.unwrap().unwrap();
            assert_eq!(row.counter.revoked_at.is_none(), lives, "{id}");
        }
    }

    #[tokio::test]
    async fn ended_sessions_have_no_user_and_are_forgotten_once_their_access_tokens_are_over() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        for id in ["ended", "just ended", "living"] {
            let row = row(id, NOW);
            write.start_session(&row, HASH).await.unwrap().unwrap();
        }
        assert!(write.revoke_session_at("ended", 1, NOW).await.unwrap());
        let just = write.revoke_session_at("just ended", 1, NOW + 1).await;
        assert!(just.unwrap());
        write.commit().await.unwrap();
        // Whoever moved on just before it ended finds nobody to sign for.
        for (id, lives) in [("ended", false), ("living", true)] {
            assert_eq!(store.user_of_session(id).await.unwrap().is_some(), lives);
        }
        let swept = store.sweep_sessions(NOW + 601, NOW + 1).await.unwrap();
        assert_eq!(swept, 1);
        assert!(store.session_by_id("ended").await.unwrap().is_none());
        assert!(store.session_by_id("just ended").await.unwrap().is_some());
        assert_eq!(store.sweep_sessions(NOW + 100_001, 0).await.unwrap(), 2);
    }
}
