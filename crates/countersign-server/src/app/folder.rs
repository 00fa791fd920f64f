//! The data folder: the database and, unless it is kept elsewhere, the key-encryption key.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::config::Settings;
use crate::error::Error;
use crate::rules::seal::{self, Seal};
use crate::store::Store;

/// Opens the data folder, or makes it, readable by its owner alone.
pub(crate) async fn open_or_make(settings: &Settings) -> Result<(Store, Seal), Error> {
    let (folder, database) = (settings.data(), settings.database());
    let is_new = !exists(&database)?;
    // Before anything is made: a key that cannot be used must leave nothing behind.
    if let Some(key) = settings.key_encryption_key() {
        seal::from_setting(Some(key), folder, false)?;
    }
    make_folder(folder)?;
    // A new database has no keys yet, so a key-encryption key may be made for it.
    let seal = if is_new {
        Some(seal::from_setting(
            settings.key_encryption_key(),
            folder,
            true,
        )?)
    } else {
        None
    };
    let store = Store::open(&database, true).await?;
    let seal = match seal {
        Some(seal) => seal,
        None => {
            let nothing_sealed = store.keys().await?.is_empty();
            seal::from_setting(settings.key_encryption_key(), folder, nothing_sealed)?
        }
    };
    Ok((store, seal))
}

/// Opens the database of a folder in which a server has run before.
///
/// # Errors
/// [`Error::DatabaseMissing`] where there is none; nothing is made.
pub(crate) async fn open_existing(settings: &Settings) -> Result<Store, Error> {
    let path = settings.database();
    if !exists(&path)? {
        return Err(Error::DatabaseMissing { path });
    }
    Store::open(&path, false).await
}

/// The mark that a server runs on a data folder, as long as it lives; it goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(Held);

#[derive(Debug)]
enum Held {
    ByUs(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File),
    ByAnother,
    /// The file system knows no locks.
    Unknown,
}

impl Lock {
    pub(super) fn of(settings: &Settings) -> Self {
        let path = settings.data().join("countersign.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        Self(match file.map(|file| (file.try_lock(), file)) {
            Ok((Ok(()), file)) => Held::ByUs(file),
            Ok((Err(TryLockError::WouldBlock), _)) => Held::ByAnother,
            Ok((Err(TryLockError::Error(_)), _)) | Err(_) => Held::Unknown,
        })
    }

    /// Whether another server runs there.
    pub(super) fn is_of_another(&self) -> bool {
        matches!(self.0, Held::ByAnother)
    }
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|source| Error::DataFolder {
        path: path.parent().unwrap_or(path).to_owned(),
        source,
    })
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|source| Error::DataFolder {
        path: folder.to_owned(),
        source,
    })
}
