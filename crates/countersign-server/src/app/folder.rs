//! The data folder: the database and, unless it is kept elsewhere, the key-encryption key.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Seek as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use countersign::Timestamp;

use super::mark;
use crate::config::Settings;
use crate::error::Error;
use crate::rules::seal::{self, Seal};
use crate::rules::{keys, owner, secret};
use crate::store::Store;
use crate::store::copy::{self, NO_MARK};

/// Opens the data folder, or makes it, readable by its owner alone.
pub(crate) async fn open_or_make(settings: &Settings) -> Result<(Store, Seal, InUse), Error> {
    let (folder, database) = (settings.data(), settings.database());
    // Before anything is made: a key that cannot be used must leave nothing behind.
    if let Some(key) = settings.key_encryption_key() {
        seal::from_setting(Some(key), folder, false)?;
    }
    let is_new = !exists(&database)? || mark::is_empty(&database);
    if is_new && (seal::path_in(folder).exists() || mark::was_left(settings)) {
        return Err(Error::DatabaseLost {
            path: folder.to_owned(),
        });
    }
    make_folder(folder)?;
    // Where that is no database, nothing is made.
    if mark::is_foreign(&database) {
        Store::open(&database, false).await?;
    }
    // Before anything is read: what is here may not be exchanged meanwhile.
    let in_use = InUse::shared(settings)?;
    mark::check(settings)?;
    // Before the key: where there is a key, there was a database.
    let store = Store::open(&database, true).await?;
    store.look_for_damage(&database).await?;
    settle_key(settings, &store).await?;
    let nothing_sealed = store.keys().await?.is_empty();
    let seal = seal::from_setting(settings.key_encryption_key(), folder, nothing_sealed)?;
    Ok((store, seal, in_use))
}

/// Ends a change of the key-encryption key that was cut short, where that is kept in the data folder.
///
/// # Errors
/// [`Error::File`]; errors of the database.
pub(crate) async fn settle_key(settings: &Settings, store: &Store) -> Result<(), Error> {
    if settings.key_encryption_key().is_some() {
        return Ok(());
    }
    let rows = store.keys().await?;
    let now = Timestamp::from(SystemTime::now()).unix_secs();
    let opens = |seal: &Seal| !rows.is_empty() && keys::are_opened_by(seal, &rows);
    seal::change::settle(settings.data(), now, opens)
}

/// Opens the database of a folder in which a server has run before.
///
/// # Errors
/// Those of [`check_existing`], and of the database.
pub(crate) async fn open_existing(settings: &Settings) -> Result<Store, Error> {
    check_existing(settings)?;
    Store::open(&settings.database(), false).await
}

/// Whether there is a database that may be opened.
///
/// # Errors
/// [`Error::DatabaseMissing`] where there is none, [`Error::DatabaseLost`] where it is empty, [`Error::DatabaseMixed`];
/// nothing is made.
pub(crate) fn check_existing(settings: &Settings) -> Result<(), Error> {
    let path = settings.database();
    if !exists(&path)? {
        return Err(Error::DatabaseMissing { path });
    }
    if mark::is_empty(&path) {
        return Err(Error::DatabaseLost {
            path: settings.data().to_owned(),
        });
    }
    mark::check(settings)
}

/// The mark in the head of the database file, or none. To be asked before anything opens the database: see [`mark`].
pub(super) fn marked(settings: &Settings) -> u32 {
    mark::of_database(&settings.database()).unwrap_or(NO_MARK)
}

/// That a data folder is in use: shared by servers, and had alone by who exchanges its database or encrypts its keys anew. It
/// goes with the process, however that ends.
#[derive(Debug)]
pub(crate) struct InUse {
    /// None where the file system knows no locks.
    _file: Option<File>,
}

impl InUse {
    /// # Errors
    /// Those of [`check_existing`]; [`Error::FolderChanging`] while somebody has it alone; [`Error::File`] when the lock file cannot
    /// be opened.
    pub(crate) fn to_write(settings: &Settings) -> Result<Self, Error> {
        check_existing(settings)?;
        Self::shared(settings)
    }

    /// # Errors
    /// [`Error::FolderChanging`] while somebody has it alone; [`Error::File`] when the lock file cannot be opened.
    fn shared(settings: &Settings) -> Result<Self, Error> {
        Self::of(settings, File::try_lock_shared, || Error::FolderChanging {
            path: settings.data().to_owned(),
        })
    }

    /// # Errors
    /// [`Error::FolderInUse`] while anybody has it; [`Error::File`] when the lock file cannot be opened.
    pub(crate) fn alone(settings: &Settings) -> Result<Self, Error> {
        Self::of(settings, File::try_lock, || Error::FolderInUse {
            path: settings.data().to_owned(),
        })
    }

    fn of(
        settings: &Settings,
        lock: impl FnOnce(&File) -> Result<(), TryLockError>,
        taken: impl FnOnce() -> Error,
    ) -> Result<Self, Error> {
        let file = to_lock(settings, &settings.data().join("key-encryption.lock"))?;
        match lock(&file) {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(taken()),
            Err(TryLockError::Error(_)) => Ok(Self { _file: None }),
        }
    }
}

/// Opens a lock file, or makes it for whoever the folder belongs to: a command may be run by another user than the server.
///
/// # Errors
/// [`Error::File`]: who may not open it does not know whether it is locked.
fn to_lock(settings: &Settings, path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.read(true).write(true);
    let opened = match options.create_new(true).open(path) {
        Err(problem) if problem.kind() == ErrorKind::AlreadyExists => {
            let there = options.create_new(false).open(path);
            there.and_then(|there| owner::is_at(&there, path).map(|()| there))
        }
        Ok(made) => {
            owner::give(&made, settings);
            Ok(made)
        }
        problem => problem,
    };
    opened.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// The mark that a server runs on a data folder, as long as it lives; it goes with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock(Held);

#[derive(Debug)]
enum Held {
    /// The lock lasts as long as the file is open.
    ByUs(File),
    ByAnother(File),
    /// The file system knows no locks.
    Unknown,
}

impl Lock {
    /// # Errors
    /// [`Error::File`] when the lock file cannot be opened.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Error> {
        let file = to_lock(settings, &mark::lock_file(settings))?;
        Ok(Self(Held::of(file)))
    }

    /// Takes it where whoever had it has ended.
    pub(super) fn try_again(&mut self) {
        self.0 = match std::mem::replace(&mut self.0, Held::Unknown) {
            Held::ByAnother(file) => Held::of(file),
            held => held,
        };
    }

    /// Whether another server runs there.
    pub(crate) fn is_of_another(&self) -> bool {
        matches!(self.0, Held::ByAnother(_))
    }

    /// Marks the database as the one that is written to from now on, when nobody else holds the folder. Its head had the mark
    /// `before` ([`marked`]) when it was opened.
    ///
    /// # Errors
    /// Errors of the database and of the random source; [`Error::File`] when the lock file cannot be written.
    pub(super) async fn mark(&self, settings: &Settings, before: u32) -> Result<(), Error> {
        if !matches!(self.0, Held::ByUs(_)) {
            return Ok(());
        }
        let database = settings.database();
        // After a crash another may be in the log, which comes into the head at any moment.
        let logged = copy::marked(&database).await?;
        let now = u32::from_be_bytes(*secret::random::<4>()?) >> 1;
        // Any is right until the head of the file has the new one.
        self.write_marks(settings, &[before, logged, now])?;
        if copy::mark(&database, now).await? {
            self.write_marks(settings, &[now])?;
        }
        Ok(())
    }

    /// Knows no mark but that of a copy, which no server has written to.
    ///
    /// # Errors
    /// [`Error::File`] when the lock file cannot be written.
    pub(crate) fn forget_mark(&self, settings: &Settings) -> Result<(), Error> {
        self.write_marks(settings, &[NO_MARK])
    }

    fn write_marks(&self, settings: &Settings, marks: &[u32]) -> Result<(), Error> {
        let Held::ByUs(file) = &self.0 else {
            return Ok(());
        };
        let mut file = file;
        let written = file
            .rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(mark::text(marks).as_bytes()))
            .and_then(|()| file.sync_all());
        written.map_err(|source| Error::File {
            path: mark::lock_file(settings),
            source,
        })
    }
}

impl Held {
    fn of(file: File) -> Self {
        match file.try_lock() {
            Ok(()) => Self::ByUs(file),
            Err(TryLockError::WouldBlock) => Self::ByAnother(file),
            Err(TryLockError::Error(_)) => Self::Unknown,
        }
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
