//! The table `setup`: one row that knows the first administrator, or the code that makes one.

use sqlx::FromRow;

use super::{Store, Write};
use crate::error::Error;

/// Whether there is an administrator, and the code while there is none.
#[derive(FromRow)]
pub(crate) struct SetupRow {
    pub(crate) code_hash: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) administrator_id: Option<String>,
}

const READ: &str = "SELECT code_hash, expires_at, administrator_id FROM setup WHERE id = 1";
const OFFER: &str =
    "UPDATE setup SET code_hash = $1, expires_at = $2 WHERE id = 1 AND administrator_id IS NULL";
// The one statement that decides who the first administrator is.
const CLAIM: &str = "UPDATE setup SET administrator_id = $1, code_hash = NULL \
     WHERE id = 1 AND administrator_id IS NULL AND code_hash = $2 AND expires_at > $3";
// Role names are lower-case, so that LIKE means the same in every database.
const SETTLE: &str = "UPDATE setup SET administrator_id = \
     (SELECT id FROM users WHERE roles LIKE '%\"admin\"%' AND NOT disabled ORDER BY id LIMIT 1) WHERE id = 1";

const ADMINISTRATOR: &str = "SELECT administrator_id FROM setup WHERE id = 1";

impl Store {
    /// The row.
    pub(crate) async fn setup(&self) -> Result<SetupRow, Error> {
        Ok(sqlx::query_as(READ).fetch_one(&self.reader).await?)
    }

    /// Replaces the code while there is no administrator. False when there is one.
    pub(crate) async fn offer_setup(
        &self,
        code_hash: &str,
        expires_at: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(OFFER)
            .bind(code_hash)
            .bind(expires_at)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

impl Write {
    /// Spends the code for this user. False when it is not the code, is over, or was spent.
    pub(crate) async fn claim_setup(
        &mut self,
        user_id: &str,
        code_hash: &str,
        now: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(CLAIM)
            .bind(user_id)
            .bind(code_hash)
            .bind(now)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Says again who is the administrator, after roles have changed.
    pub(crate) async fn settle_administrator(&mut self) -> Result<(), Error> {
        sqlx::query(SETTLE).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Whether somebody may administer the server.
    pub(crate) async fn has_administrator(&mut self) -> Result<bool, Error> {
        let administrator: Option<String> = sqlx::query_scalar(ADMINISTRATOR)
            .fetch_one(&mut *self.0)
            .await?;
        Ok(administrator.is_some())
    }
}
