//! The keys of a database under another key-encryption key: all of them at once, or none.

use super::{are_opened_by, bound_to, open_row};
use crate::error::Error;
use crate::rules::audit::{self, About, Event};
use crate::rules::seal::Seal;
use crate::store::Store;
use crate::store::keys::KeyRow;

/// Seals with `new` what `old` has sealed, and names the keys. What they sign and verify stays as it was.
///
/// # Errors
/// [`Error::KeyEncryptionKeyWrong`] where `old` opens any of them not; [`Error::Argument`] where there is none, or `new` is
/// the key already; errors of the database. Then nothing has changed.
pub(crate) async fn reencrypt(
    store: &Store,
    old: &Seal,
    new: &Seal,
    now: i64,
) -> Result<Vec<String>, Error> {
    let mut write = store.begin().await?;
    let rows = match resealed(&write.keys().await?, old, new) {
        Ok(rows) => rows,
        Err(refused) => {
            write.rollback().await?;
            return Err(refused);
        }
    };
    for row in &rows {
        write.reseal_key(row).await?;
    }
    let kids: Vec<String> = rows.into_iter().map(|row| row.kid).collect();
    let about = About {
        keys: Some(kids.clone()),
        ..About::default()
    };
    audit::record(&mut write, Event::KeysReencrypted, &about, now).await?;
    write.commit().await?;
    Ok(kids)
}

fn resealed(rows: &[KeyRow], old: &Seal, new: &Seal) -> Result<Vec<KeyRow>, Error> {
    if rows.is_empty() {
        let none = "there is no key in this database yet: a server makes its keys when it starts";
        return Err(Error::Argument(none.to_owned()));
    }
    if are_opened_by(new, rows) {
        let same = "that is the key-encryption key of this database already: name another, which `openssl rand -base64 32` makes";
        return Err(Error::Argument(same.to_owned()));
    }
    let reseal = |row: &KeyRow| {
        let bytes = open_row(old, row)?;
        Ok(KeyRow {
            sealed: new.seal(&bytes, &bound_to(&row.kid, &row.alg, &row.purpose))?,
            ..row.clone()
        })
    };
    rows.iter().map(reseal).collect()
}
