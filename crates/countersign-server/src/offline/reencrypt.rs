//! Another key-encryption key for a data folder.

use std::path::{Path, PathBuf};

use super::now;
use crate::app::{InUse, Lock, check_existing, open_existing, settle_key};
use crate::config::Settings;
use crate::error::Error;
use crate::rules::disk;
use crate::rules::keys;
use crate::rules::seal::{self, Seal, change};
use crate::store::{Store, copy};

/// What is under another key-encryption key now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reencrypted {
    /// The keys, each named by its `kid`.
    pub keys: Vec<String>,
    /// Where the new key-encryption key is.
    pub key: PathBuf,
    /// Where the one of before is now, if it was kept in the data folder: copies of the database of before are opened by it.
    pub set_aside: Option<PathBuf>,
    /// Whether what the one of before had sealed was also swept out of the free pages of the database and out of its log.
    pub is_swept: bool,
}

/// Encrypts every key in the database, those of the refresh tokens with the others, with another key-encryption key: the one
/// in the file `to`, or without it a new one, in the place of the one in the data folder. What they have signed counts on.
///
/// # Errors
/// [`Error::FolderInUse`] while a server runs; [`Error::Argument`] where the present key is kept outside of the data folder
/// and no new one is named, or where that is the present one; [`Error::KeyEncryptionKey`], [`Error::KeyEncryptionKeyWrong`];
/// [`Error::File`]; errors of the database. Whatever fails, the key-encryption key that is there opens the database.
pub async fn reencrypt_keys(settings: &Settings, to: Option<&Path>) -> Result<Reencrypted, Error> {
    check_existing(settings)?;
    let locks = (Lock::of(settings)?, InUse::alone(settings)?);
    if locks.0.is_of_another() {
        return Err(Error::FolderInUse {
            path: settings.data().to_owned(),
        });
    }
    if to.is_none() && settings.key_encryption_key().is_some() {
        return Err(Error::Argument(
            "the key-encryption key is kept outside of the data folder: make another with `openssl rand -base64 32`, and name its \
             file with `--to`"
                .to_owned(),
        ));
    }
    let store = open_existing(settings).await?;
    let changed = change_key(settings, &store, to).await;
    store.close().await;
    let mut changed = changed?;
    changed.is_swept = matches!(copy::rewrite(&settings.database()).await, Ok(true));
    drop(locks);
    Ok(changed)
}

async fn change_key(
    settings: &Settings,
    store: &Store,
    to: Option<&Path>,
) -> Result<Reencrypted, Error> {
    let folder = settings.data();
    settle_key(settings, store).await?;
    let given = settings.key_encryption_key();
    let present = seal::from_setting(given, folder, false)?;
    // Before a new one is made.
    if !keys::are_opened_by(&present, &store.keys().await?) {
        return Err(Error::KeyEncryptionKeyWrong);
    }
    let new = match to {
        Some(file) if change::is_of_folder(file, folder) => {
            return Err(Error::Argument(format!(
                "{} is a name that the data folder has for keys of its own; put the new key elsewhere",
                file.display()
            )));
        }
        Some(file) => {
            let new = Seal::of_file(file)?;
            disk::settle(file);
            new
        }
        None => change::prepare(folder)?,
    };
    let keys = keys::reencrypt(store, &present, &new, now()).await?;
    let set_aside = match to {
        None => change::finish(folder, now())?,
        Some(_) if given.is_none() => change::put_aside(folder, now())?,
        Some(_) => None,
    };
    Ok(Reencrypted {
        keys,
        key: to.map_or_else(|| seal::path_in(folder), Path::to_owned),
        set_aside,
        is_swept: false,
    })
}
