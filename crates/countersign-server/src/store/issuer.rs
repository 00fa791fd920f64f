//! The table `issuer`: one row with the issuer that the last server on this database had.

use super::{Store, Write};
use crate::error::Error;

const READ: &str = "SELECT url FROM issuer WHERE id = 1";
const WRITE: &str = "UPDATE issuer SET url = $1 WHERE id = 1";

impl Store {
    /// The issuer that the last server had; `None` before the first.
    pub(crate) async fn issuer(&self) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(READ).fetch_one(&self.reader).await?)
    }

    /// Keeps the present issuer, and tells the one before; `None` the first time.
    pub(crate) async fn replace_issuer(&self, url: &str) -> Result<Option<String>, Error> {
        let mut write = self.begin().await?;
        let before = write.issuer().await?;
        if before.as_deref() != Some(url) {
            write.set_issuer(url).await?;
        }
        write.commit().await?;
        Ok(before)
    }
}

impl Write {
    async fn issuer(&mut self) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(READ).fetch_one(&mut *self.0).await?)
    }

    async fn set_issuer(&mut self, url: &str) -> Result<(), Error> {
        sqlx::query(WRITE).bind(url).execute(&mut *self.0).await?;
        Ok(())
    }
}
