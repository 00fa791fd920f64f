//! The tables `throttle` (for each limited subject, the moment when its whole allowance will be there again) and
//! `familiar` (from where an account has been logged in to).

use super::{Store, Write};
use crate::error::Error;

// One attempt costs $3 seconds of allowance; it is granted while at most $4 seconds are outstanding. More than the whole
// ($3 + $4) can only be outstanding when the clock was set back: then nothing is.
const SPEND: &str = "INSERT INTO throttle (subject, full_at) VALUES ($1, $2 + $3) \
     ON CONFLICT (subject) DO UPDATE SET \
     full_at = CASE WHEN throttle.full_at > $2 AND throttle.full_at <= $2 + $3 + $4 THEN throttle.full_at ELSE $2 END + $3 \
     WHERE throttle.full_at <= $2 + $4 OR throttle.full_at > $2 + $3 + $4 RETURNING full_at";
const READ: &str = "SELECT full_at FROM throttle WHERE subject = $1";
const GIVE_BACK: &str = "UPDATE throttle SET full_at = full_at - $2 WHERE subject = $1";
const FORGET: &str = "DELETE FROM throttle WHERE subject = $1";
const SWEEP: &str = "DELETE FROM throttle WHERE full_at < $1 OR full_at > $2 + $3";

const IS_FAMILIAR: &str = "SELECT COUNT(*) FROM familiar WHERE subject = $1 AND expires_at > $2";
const REMEMBER: &str = "INSERT INTO familiar (subject, expires_at) VALUES ($1, $2) \
     ON CONFLICT (subject) DO UPDATE SET expires_at = $2";
const SWEEP_FAMILIAR: &str = "DELETE FROM familiar WHERE expires_at < $1";

impl Store {
    /// When the whole allowance of a subject will be there again, without waiting for whoever writes.
    pub(crate) async fn full_at(&self, subject: &str) -> Result<Option<i64>, Error> {
        Ok(sqlx::query_scalar(READ)
            .bind(subject)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// Whether a subject was remembered and the time for it is not over.
    pub(crate) async fn is_familiar(&self, subject: &str, now: i64) -> Result<bool, Error> {
        let found: i64 = sqlx::query_scalar(IS_FAMILIAR)
            .bind(subject)
            .bind(now)
            .fetch_one(&self.reader)
            .await?;
        Ok(found > 0)
    }

    /// Forgets subjects whose whole allowance is there again, or so far away that the clock was set back, and those
    /// that were familiar. What is over must be so by the time that is `believed`; what is charged is charged by the clock.
    pub(crate) async fn sweep_throttle(
        &self,
        believed: i64,
        now: i64,
        longest: i64,
    ) -> Result<u64, Error> {
        let swept = sqlx::query(SWEEP)
            .bind(believed)
            .bind(now)
            .bind(longest)
            .execute(&self.writer)
            .await?
            .rows_affected();
        sqlx::query(SWEEP_FAMILIAR)
            .bind(believed)
            .execute(&self.writer)
            .await?;
        Ok(swept)
    }
}

impl Write {
    /// Spends `cost` seconds of a subject's allowance. `None` when more than `outstanding` seconds are spent already.
    pub(crate) async fn spend(
        &mut self,
        subject: &str,
        now: i64,
        cost: i64,
        outstanding: i64,
    ) -> Result<Option<i64>, Error> {
        let spent = sqlx::query_scalar(SPEND)
            .bind(subject)
            .bind(now)
            .bind(cost)
            .bind(outstanding);
        Ok(spent.fetch_optional(&mut *self.0).await?)
    }

    /// When the whole allowance of a subject will be there again.
    pub(crate) async fn full_at(&mut self, subject: &str) -> Result<Option<i64>, Error> {
        Ok(sqlx::query_scalar(READ)
            .bind(subject)
            .fetch_optional(&mut *self.0)
            .await?)
    }

    /// Gives `cost` seconds of allowance back.
    pub(crate) async fn give_back(&mut self, subject: &str, cost: i64) -> Result<(), Error> {
        sqlx::query(GIVE_BACK)
            .bind(subject)
            .bind(cost)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Gives a subject its whole allowance.
    pub(crate) async fn forget(&mut self, subject: &str) -> Result<(), Error> {
        sqlx::query(FORGET)
            .bind(subject)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Remembers a subject until `expires_at`.
    pub(crate) async fn remember(&mut self, subject: &str, expires_at: i64) -> Result<(), Error> {
        sqlx::query(REMEMBER)
            .bind(subject)
            .bind(expires_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
