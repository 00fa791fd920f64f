//! A copy of the database, and its way back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::now;
use crate::app::{InUse, Lock, check_existing};
use crate::config::Settings;
use crate::error::Error;
use crate::rules::aside::{self, with};
use crate::rules::disk::sync_folder_of;
use crate::rules::{keys, owner, seal};
use crate::store::copy;

/// What SQLite keeps beside a database file, after its name.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A copy that was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// The key-encryption key that opens its keys, where it is kept in the data folder. It is not in the copy.
    pub key: Option<PathBuf>,
}

/// A copy that was put in the place of the database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restored {
    /// Where the database that was there is now, if there was one.
    pub set_aside: Option<PathBuf>,
    /// Whether the key-encryption key at hand opens the keys of the copy.
    pub key_fits: bool,
}

/// Writes a copy of the database into a new file, which its owner alone can read, and looks whether it is whole. A server may
/// run meanwhile, or may have crashed: what stands in the write-ahead log is in the copy.
///
/// # Errors
/// [`Error::FileExists`]; [`Error::File`] when the file cannot be made; errors of the database. Then there is no file.
pub async fn backup(settings: &Settings, file: &Path) -> Result<Backup, Error> {
    check_existing(settings)?;
    let failed = of_file(file);
    let made = private().create_new(true).open(file);
    let made = made.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::FileExists {
            path: file.to_owned(),
        },
        // What refuses a file that is not there yet is its folder.
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem => of_file(folder_of(file))(source),
        _ => failed(source),
    })?;
    let taken = async {
        copy::take(&settings.database(), file).await?;
        copy::settle(file).await?;
        let bytes = made.metadata().map_err(&failed)?.len();
        made.sync_all().map_err(&failed)?;
        sync_folder_of(file).map_err(&failed)?;
        Ok(bytes)
    };
    let bytes = match taken.await {
        Ok(bytes) => bytes,
        Err(problem) => {
            remove(file);
            return Err(problem);
        }
    };
    let key = Some(seal::path_in(settings.data()));
    Ok(Backup {
        bytes,
        key: key.filter(|key| settings.key_encryption_key().is_none() && key.exists()),
    })
}

/// Puts a copy in the place of the database, which is set aside with what lies beside it and never deleted. The copy stays
/// where it is; a write-ahead log beside it is taken along.
///
/// # Errors
/// [`Error::DataFolder`] where it does not exist; [`Error::FolderInUse`] while a server runs, and no server starts meanwhile;
/// [`Error::CopyUnusable`] for what is no whole database of this program; [`Error::File`]. Then the database is as it was.
pub async fn restore(settings: &Settings, file: &Path) -> Result<Restored, Error> {
    let there = fs::metadata(settings.data());
    there.map_err(|source| Error::DataFolder {
        path: settings.data().to_owned(),
        source,
    })?;
    // Before the locks: where nothing is restored, nothing is made.
    fs::metadata(file).map_err(of_file(file))?;
    let in_use = InUse::alone(settings)?;
    let lock = Lock::of(settings)?;
    if lock.is_of_another() {
        return Err(Error::FolderInUse {
            path: settings.data().to_owned(),
        });
    }
    let database = settings.database();
    let new = with(&database, ".restoring");
    // What an attempt left that was cut short.
    remove(&new);
    let read = async {
        let made = copy_privately(file, &new)?;
        let log = with(file, "-wal");
        if log.exists() {
            copy_privately(&log, &with(&new, "-wal"))?;
        }
        let keys = copy::settle(&new).await.map_err(|problem| match problem {
            // Of the file that was named.
            Error::CopyUnusable { problem, .. } => Error::CopyUnusable {
                path: file.to_owned(),
                problem,
            },
            problem => problem,
        })?;
        File::open(&new)
            .and_then(|new| new.sync_all())
            .map_err(of_file(&new))?;
        owner::give(&made, settings);
        Ok(keys)
    };
    let keys = match read.await {
        Ok(keys) => keys,
        Err(problem) => {
            remove(&new);
            return Err(problem);
        }
    };
    let set_aside = set_aside(&database, |from, to| fs::rename(from, to))?;
    fs::rename(&new, &database).map_err(of_file(&database))?;
    sync_folder_of(&database).map_err(of_file(&database))?;
    lock.forget_mark(settings)?;
    drop((lock, in_use));
    let seal = seal::from_setting(settings.key_encryption_key(), settings.data(), false);
    Ok(Restored {
        set_aside,
        key_fits: seal.is_ok_and(|seal| keys::are_opened_by(&seal, &keys)),
    })
}

/// Moves the database away under a name with the time, and with it its log, which has that name before the database does:
/// cut short, this leaves no database or a whole one, and what is set aside is whole.
fn set_aside(
    database: &Path,
    rename: impl Fn(&Path, &Path) -> io::Result<()>,
) -> Result<Option<PathBuf>, Error> {
    let aside = aside::name(database, now());
    let there = database.exists();
    let of = |path: &Path| BESIDE.map(|suffix| with(path, suffix));
    let ([log, shared], [log_aside, shared_aside]) = (of(database), of(&aside));
    let has_log = log.exists();
    if has_log {
        name_also(&log, &log_aside)?;
        sync_folder_of(&log).map_err(of_file(&log))?;
    }
    if there {
        rename(database, &aside).map_err(of_file(database))?;
    }
    if has_log {
        fs::remove_file(&log).map_err(of_file(&log))?;
    }
    if shared.exists() {
        rename(&shared, &shared_aside).map_err(of_file(&shared))?;
    }
    Ok(there.then_some(aside))
}

/// Gives a file another name besides its own; where a file can have but one, its content.
fn name_also(file: &Path, name: &Path) -> Result<(), Error> {
    if fs::hard_link(file, name).is_ok() {
        return Ok(());
    }
    let _ = fs::remove_file(name);
    let there = fs::symlink_metadata(file).map_err(of_file(file))?;
    if there.is_symlink() {
        return Err(of_file(file)(io::ErrorKind::InvalidInput.into()));
    }
    let made = copy_privately(file, name)?;
    let _ = owner::like(&there, &made);
    made.sync_all().map_err(of_file(name))
}

/// To a name that nothing has yet: who owns the folder may have put a link there, and this may be run by root.
fn copy_privately(from: &Path, to: &Path) -> Result<File, Error> {
    let mut source = File::open(from).map_err(of_file(from))?;
    let made = private().create_new(true).open(to);
    let mut target = made.map_err(of_file(to))?;
    io::copy(&mut source, &mut target).map_err(of_file(to))?;
    Ok(target)
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or_else(|| Path::new("."))
}

/// To make a file that its owner alone can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Removes a file that this made, and what SQLite put beside it.
fn remove(file: &Path) {
    for suffix in ["", BESIDE[0], BESIDE[1], "-journal"] {
        let _ = fs::remove_file(with(file, suffix));
    }
}

fn of_file(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Killed at each renaming, as far as the files show it.
    #[test]
    fn a_database_and_its_log_are_not_parted_where_a_restore_is_cut_short() {
        for lasting in 0_u32..3 {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("countersign.db");
            let [log, shared] = BESIDE.map(|suffix| with(&database, suffix));
            for (file, content) in [(&database, "pages"), (&log, "later pages"), (&shared, "")] {
                fs::write(file, content).unwrap();
            }
            let left = std::cell::Cell::new(lasting);
            let cut = set_aside(&database, |from, to| {
                let more = left.get().checked_sub(1);
                left.set(more.ok_or(io::ErrorKind::Interrupted)?);
                fs::rename(from, to)
            });
            assert_eq!(cut.is_ok(), lasting == 2);
            // Wherever the database is, its log is there too; and the next attempt takes nothing from it.
            set_aside(&database, |from, to| fs::rename(from, to)).unwrap();
            let names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            let is_whole = names.iter().any(|name| {
                fs::read(name).unwrap() == b"pages"
                    && fs::read(with(name, "-wal")).is_ok_and(|log| log == b"later pages")
            });
            assert!(is_whole, "{lasting}: {names:?}");
            assert!(!database.exists() && !log.exists());
        }
    }

    /// Whoever owns the folder may have put it there.
    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_a_copy_leads_nothing_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let [log, name, elsewhere] =
            ["log", "aside", "elsewhere"].map(|name| folder.path().join(name));
        fs::write(&log, "pages").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &name).unwrap();
        assert!(copy_privately(&log, &name).is_err());
        name_also(&log, &name).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"pages");
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_log_that_can_have_but_one_name_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (log, name) = (folder.path().join("log"), folder.path().join("aside"));
        fs::write(&log, "pages").unwrap();
        // Nothing is linked over what is there.
        fs::write(&name, "").unwrap();
        name_also(&log, &name).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"pages");
    }
}
