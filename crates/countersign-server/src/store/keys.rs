//! The table `keys`: signing keys and the key of the refresh tokens, each sealed.

use sqlx::FromRow;
use sqlx::sqlite::SqliteConnection;

use super::{Store, Write};
use crate::error::Error;

/// A key as it is stored. Its times change by the operator's word alone.
#[derive(Clone, PartialEq, FromRow)]
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) alg: String,
    pub(crate) purpose: String,
    pub(crate) sealed: String,
    pub(crate) publish_at: i64,
    pub(crate) sign_from: i64,
    pub(crate) sign_until: i64,
    pub(crate) verify_until: i64,
}

const ALL: &str = "SELECT kid, alg, purpose, sealed, publish_at, sign_from, sign_until, verify_until FROM keys ORDER BY sign_from, kid";
const INSERT: &str = "INSERT INTO keys (kid, alg, purpose, sealed, publish_at, sign_from, sign_until, verify_until) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const MOVE: &str = "UPDATE keys SET publish_at = $1, sign_from = $2, sign_until = $3, verify_until = $4 WHERE kid = $5";
const RESEAL: &str = "UPDATE keys SET sealed = $1 WHERE kid = $2";
const DELETE: &str = "DELETE FROM keys WHERE kid = $1";

/// Every key in a database that is not open as a store.
pub(super) async fn all_in(connection: &mut SqliteConnection) -> Result<Vec<KeyRow>, sqlx::Error> {
    sqlx::query_as(ALL).fetch_all(connection).await
}

impl Store {
    /// Every key, the one that signs first before the others.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, Error> {
        Ok(sqlx::query_as(ALL).fetch_all(&self.writer).await?)
    }
}

impl Write {
    /// Every key, as this transaction sees it.
    pub(crate) async fn keys(&mut self) -> Result<Vec<KeyRow>, Error> {
        Ok(sqlx::query_as(ALL).fetch_all(&mut *self.0).await?)
    }

    /// Adds a key.
    pub(crate) async fn insert_key(&mut self, row: &KeyRow) -> Result<(), Error> {
        sqlx::query(INSERT)
            .bind(&row.kid)
            .bind(&row.alg)
            .bind(&row.purpose)
            .bind(&row.sealed)
            .bind(row.publish_at)
            .bind(row.sign_from)
            .bind(row.sign_until)
            .bind(row.verify_until)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Gives a key the times of this row.
    pub(crate) async fn move_key(&mut self, row: &KeyRow) -> Result<(), Error> {
        sqlx::query(MOVE)
            .bind(row.publish_at)
            .bind(row.sign_from)
            .bind(row.sign_until)
            .bind(row.verify_until)
            .bind(&row.kid)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Gives a key the sealed bytes of this row.
    pub(crate) async fn reseal_key(&mut self, row: &KeyRow) -> Result<(), Error> {
        sqlx::query(RESEAL)
            .bind(&row.sealed)
            .bind(&row.kid)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Forgets a key.
    pub(crate) async fn delete_key(&mut self, kid: &str) -> Result<(), Error> {
        sqlx::query(DELETE).bind(kid).execute(&mut *self.0).await?;
        Ok(())
    }
}
