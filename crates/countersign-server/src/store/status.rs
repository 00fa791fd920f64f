//! The tables `revocations` and `revocation_epoch`, and the places of sessions in the status lists.

use sqlx::FromRow;

use super::{Store, Write};
use crate::error::Error;

/// How far the lists have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub(crate) struct StatusState {
    /// Grows by one with every transaction that took something back.
    pub(crate) epoch: i64,
    /// The highest place that a session has or had.
    pub(crate) highest: i64,
    /// Every place below this one was taken back at once,
    pub(crate) floor: i64,
    /// and its tokens are over by this time.
    pub(crate) floor_until: i64,
}

const STATE: &str = "SELECT epoch, CASE WHEN s > r THEN s ELSE r END AS highest, floor, floor_until FROM (SELECT epoch, floor, floor_until, \
     COALESCE((SELECT MAX(status_idx) FROM sessions), 0) AS s, COALESCE((SELECT MAX(idx) FROM revocations), 0) AS r \
     FROM revocation_epoch WHERE id = 1) AS state";
const SINCE: &str = "SELECT idx FROM revocations WHERE epoch > $1";
const ALL: &str = "SELECT idx FROM revocations WHERE until > $1";
const SWEEP: &str = "DELETE FROM revocations WHERE until < $1";
const IS_TAKEN: &str = "SELECT (SELECT COUNT(*) FROM sessions WHERE status_idx = $1) + (SELECT COUNT(*) FROM revocations WHERE idx = $1)";
const WITHOUT_PLACE: &str =
    "SELECT id FROM sessions WHERE status_idx IS NULL AND revoked_at IS NULL ORDER BY id LIMIT $1";
const OF_USER: &str = "SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL";
const GIVE_PLACE: &str = "UPDATE sessions SET status_idx = $2 WHERE id = $1";

const RAISE_FLOOR: &str =
    "UPDATE revocation_epoch SET epoch = epoch + 1, floor = $1, floor_until = $2 WHERE id = 1";
const DROP_FLOOR: &str =
    "UPDATE revocation_epoch SET floor = 0 WHERE id = 1 AND floor > 0 AND floor_until < $1";

// Three statements tell of whatever was ended before them in the same transaction.
const NEXT_EPOCH: &str = "UPDATE revocation_epoch SET epoch = epoch + 1 WHERE id = 1 AND EXISTS \
     (SELECT 1 FROM sessions WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL) RETURNING epoch";
// A session that was used at a time yet to come has tokens of then: the clock was set back since.
const TELL: &str = "INSERT INTO revocations (idx, epoch, until) \
     SELECT status_idx, $1, CASE WHEN latest_at > $2 THEN latest_at ELSE $2 END + $3 FROM sessions \
     WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL";
const TOLD: &str =
    "UPDATE sessions SET status_idx = NULL WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL";

// And these of the tokens of sessions that go on.
const NEXT_EPOCH_OF_USER: &str = "UPDATE revocation_epoch SET epoch = epoch + 1 WHERE id = 1 AND EXISTS \
     (SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND status_idx IS NOT NULL) RETURNING epoch";
const TELL_OF_USER: &str = "INSERT INTO revocations (idx, epoch, until) \
     SELECT status_idx, $2, CASE WHEN latest_at > $3 THEN latest_at ELSE $3 END + $4 FROM sessions \
     WHERE user_id = $1 AND revoked_at IS NULL AND status_idx IS NOT NULL";

impl Store {
    /// How far the lists have come.
    pub(crate) async fn status_state(&self) -> Result<StatusState, Error> {
        Ok(sqlx::query_as(STATE).fetch_one(&self.reader).await?)
    }

    /// The places whose tokens were taken back after an epoch.
    pub(crate) async fn revocations_since(&self, epoch: i64) -> Result<Vec<i64>, Error> {
        Ok(sqlx::query_scalar(SINCE)
            .bind(epoch)
            .fetch_all(&self.reader)
            .await?)
    }

    /// The places whose tokens were taken back and are not over.
    pub(crate) async fn revocations(&self, now: i64) -> Result<Vec<i64>, Error> {
        Ok(sqlx::query_scalar(ALL)
            .bind(now)
            .fetch_all(&self.reader)
            .await?)
    }

    /// Frees places whose tokens were over before `until`.
    pub(crate) async fn sweep_revocations(&self, until: i64) -> Result<u64, Error> {
        Ok(sqlx::query(SWEEP)
            .bind(until)
            .execute(&self.writer)
            .await?
            .rows_affected())
    }

    /// Frees the places below the floor, when their tokens were over before `until`.
    pub(crate) async fn drop_floor(&self, until: i64) -> Result<(), Error> {
        sqlx::query(DROP_FLOOR)
            .bind(until)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

impl Write {
    /// How far the lists have come, as this transaction sees it.
    pub(crate) async fn status_state(&mut self) -> Result<StatusState, Error> {
        Ok(sqlx::query_as(STATE).fetch_one(&mut *self.0).await?)
    }

    /// Takes back every place below this one, whoever has or had it.
    pub(crate) async fn raise_floor(&mut self, floor: i64, until: i64) -> Result<(), Error> {
        sqlx::query(RAISE_FLOOR)
            .bind(floor)
            .bind(until)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Whether a place is a session's, or was and its tokens are not over for certain.
    pub(crate) async fn is_place_taken(&mut self, idx: i64) -> Result<bool, Error> {
        let taken: i64 = sqlx::query_scalar(IS_TAKEN)
            .bind(idx)
            .fetch_one(&mut *self.0)
            .await?;
        Ok(taken > 0)
    }

    /// Sessions that have no place and should have one.
    pub(crate) async fn sessions_without_place(
        &mut self,
        limit: i64,
    ) -> Result<Vec<String>, Error> {
        Ok(sqlx::query_scalar(WITHOUT_PLACE)
            .bind(limit)
            .fetch_all(&mut *self.0)
            .await?)
    }

    /// The sessions of a user that were not ended.
    pub(crate) async fn sessions_of_user(&mut self, user_id: &str) -> Result<Vec<String>, Error> {
        Ok(sqlx::query_scalar(OF_USER)
            .bind(user_id)
            .fetch_all(&mut *self.0)
            .await?)
    }

    /// Gives a session a place.
    pub(crate) async fn give_place(&mut self, session: &str, idx: i64) -> Result<(), Error> {
        sqlx::query(GIVE_PLACE)
            .bind(session)
            .bind(idx)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Takes back the tokens of every session that this transaction has ended, for so many seconds from `now` on, or from its latest use
    /// where that is later.
    pub(crate) async fn tell_revocations(&mut self, now: i64, for_secs: i64) -> Result<(), Error> {
        let epoch: Option<i64> = sqlx::query_scalar(NEXT_EPOCH)
            .fetch_optional(&mut *self.0)
            .await?;
        let Some(epoch) = epoch else { return Ok(()) };
        sqlx::query(TELL)
            .bind(epoch)
            .bind(now)
            .bind(for_secs)
            .execute(&mut *self.0)
            .await?;
        sqlx::query(TOLD).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Takes back the tokens of a user's sessions, which go on and need new places.
    pub(crate) async fn tell_revocations_of_user(
        &mut self,
        user_id: &str,
        now: i64,
        for_secs: i64,
    ) -> Result<(), Error> {
        let epoch: Option<i64> = sqlx::query_scalar(NEXT_EPOCH_OF_USER)
            .bind(user_id)
            .fetch_optional(&mut *self.0)
            .await?;
        let Some(epoch) = epoch else { return Ok(()) };
        sqlx::query(TELL_OF_USER)
            .bind(user_id)
            .bind(epoch)
            .bind(now)
            .bind(for_secs)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
