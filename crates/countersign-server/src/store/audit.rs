//! The table `audit`: entries are added and read, never changed.

use sqlx::FromRow;

use super::{Store, Write};
use crate::error::Error;

/// One thing that happened.
#[derive(Clone, FromRow)]
pub(crate) struct AuditRow {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) about: String,
    pub(crate) hash: String,
}

const LAST: &str = "SELECT seq, at, event, about, hash FROM audit ORDER BY seq DESC LIMIT 1";
const INSERT: &str = "INSERT INTO audit (seq, at, event, about, hash) VALUES ($1, $2, $3, $4, $5)";
const BEFORE: &str =
    "SELECT seq, at, event, about, hash FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2";

impl Store {
    /// Entries from the one before `seq` on, the latest first.
    pub(crate) async fn audit_before(&self, seq: i64, limit: i64) -> Result<Vec<AuditRow>, Error> {
        Ok(sqlx::query_as(BEFORE)
            .bind(seq)
            .bind(limit)
            .fetch_all(&self.reader)
            .await?)
    }
}

impl Write {
    /// The latest entry.
    pub(crate) async fn last_audit(&mut self) -> Result<Option<AuditRow>, Error> {
        Ok(sqlx::query_as(LAST).fetch_optional(&mut *self.0).await?)
    }

    /// Adds an entry.
    pub(crate) async fn insert_audit(&mut self, row: &AuditRow) -> Result<(), Error> {
        sqlx::query(INSERT)
            .bind(row.seq)
            .bind(row.at)
            .bind(&row.event)
            .bind(&row.about)
            .bind(&row.hash)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
