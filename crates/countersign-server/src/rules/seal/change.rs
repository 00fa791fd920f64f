//! Another key-encryption key in a data folder, in steps of which any may be the last.
//!
//! The new key lies beside the present one before the database is written, and takes its name afterwards. Whoever opens the
//! folder next ends what was cut short: by what is in the database, which changes in one transaction. No key is deleted, for
//! copies of before are opened by no other.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KEY_BYTES, Seal, make_private_file, path_in, refuse_if_readable_by_others};
use crate::error::Error;
use crate::rules::aside;
use crate::rules::disk::sync_folder_of;
use crate::rules::owner;
use crate::rules::secret;

/// Makes the key that is to come, beside the one that is.
///
/// # Errors
/// [`Error::File`]; errors of the random source.
pub(crate) fn prepare(folder: &Path) -> Result<Seal, Error> {
    let path = coming_in(folder);
    may_be_renamed(&path_in(folder))?;
    let text = Zeroizing::new(secret::encode(secret::random::<KEY_BYTES>()?.as_slice()));
    let made = make_private_file(&path, &text).map_err(of_file(&path))?;
    if let Err(problem) = owner::as_of(&path_in(folder), &made) {
        let _ = fs::remove_file(&path);
        return Err(of_file(&path)(problem));
    }
    Seal::parse(&text, &path.display().to_string())
}

/// Whether this is one of the two names that a folder has for its keys.
pub(crate) fn is_of_folder(file: &Path, folder: &Path) -> bool {
    let same = |own: PathBuf| {
        let (own, file) = (fs::canonicalize(own), fs::canonicalize(file));
        own.is_ok_and(|own| file.is_ok_and(|file| own == file))
    };
    same(path_in(folder)) || same(coming_in(folder))
}

/// Refuses a key that is mounted into its folder: nothing takes the name of such a file.
fn may_be_renamed(key: &Path) -> Result<(), Error> {
    let probe = aside::with(key, ".probe");
    let linked = fs::hard_link(key, &probe);
    let _ = fs::remove_file(&probe);
    match linked {
        Err(problem) if problem.kind() == std::io::ErrorKind::CrossesDevices => {
            Err(Error::Argument(format!(
                "{} is mounted into the data folder: put the new key into a file of its own and name it with `--to`",
                key.display()
            )))
        }
        _ => Ok(()),
    }
}

/// Has it take the place of the one that is, which is put aside; returns where that is now.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn finish(folder: &Path, now: i64) -> Result<Option<PathBuf>, Error> {
    let before = put_aside(folder, now)?;
    rename(&coming_in(folder), &path_in(folder))?;
    Ok(before)
}

/// Puts the key of a folder aside, if there is one there: what it opened is opened by one that is kept elsewhere.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn put_aside(folder: &Path, now: i64) -> Result<Option<PathBuf>, Error> {
    let key = path_in(folder);
    if !key.exists() {
        return Ok(None);
    }
    let before = aside::name(&key, now);
    rename(&key, &before)?;
    Ok(Some(before))
}

/// Ends a change that was cut short: a key that was to come takes its place where it opens what is in the database, as
/// `opens` says, and is put aside where it does not.
///
/// # Errors
/// [`Error::File`]; [`Error::KeyEncryptionKey`] where the key that was to come is there and may not be read. Then nothing has
/// changed.
pub(crate) fn settle(
    folder: &Path,
    now: i64,
    opens: impl FnOnce(&Seal) -> bool,
) -> Result<(), Error> {
    let coming = coming_in(folder);
    if !coming.exists() {
        return Ok(());
    }
    let text = Zeroizing::new(fs::read_to_string(&coming).map_err(of_file(&coming))?);
    let origin = coming.display().to_string();
    refuse_if_readable_by_others(&coming, &origin)?;
    // One that is cut short opens nothing.
    if Seal::parse(&text, &origin).is_ok_and(|seal| opens(&seal)) {
        finish(folder, now)?;
        return Ok(());
    }
    rename(&coming, &aside::name(&coming, now))
}

fn coming_in(folder: &Path) -> PathBuf {
    aside::with(&path_in(folder), ".new")
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to)
        .and_then(|()| sync_folder_of(to))
        .map_err(of_file(from))
}

fn of_file(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// What is in a folder whose key has sealed something, at each step of a change: (the folder, what the old key sealed,
    /// what the new one sealed).
    fn prepared() -> (tempfile::TempDir, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let old = Seal::in_folder(folder.path(), true).unwrap();
        let new = prepare(folder.path()).unwrap();
        let sealed = |seal: &Seal| seal.seal(b"x", "t").unwrap();
        let (before, after) = (sealed(&old), sealed(&new));
        (folder, before, after)
    }

    fn settled(folder: &Path, database: &str) {
        settle(folder, NOW, |seal| seal.open(database, "t").is_ok()).unwrap();
        let seal = Seal::in_folder(folder, false).unwrap();
        assert_eq!(seal.open(database, "t").unwrap().as_slice(), b"x");
        assert!(!coming_in(folder).exists());
        // And once more changes nothing.
        settle(folder, NOW, |_| panic!("there is nothing to settle")).unwrap();
    }

    fn keys_in(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_change_that_is_cut_short_leaves_the_key_that_opens_the_database() {
        // Before the database was written.
        let (folder, before, _) = prepared();
        settled(folder.path(), &before);
        assert_eq!(keys_in(folder.path()), 2);
        // After it was, and before the new key had its place.
        let (folder, _, after) = prepared();
        settled(folder.path(), &after);
        assert_eq!(keys_in(folder.path()), 2);
        // Between the two names.
        let (folder, _, after) = prepared();
        put_aside(folder.path(), NOW).unwrap().unwrap();
        settled(folder.path(), &after);
        assert_eq!(keys_in(folder.path()), 2);
        // With a key of which only a part was written.
        let (folder, before, _) = prepared();
        fs::write(coming_in(folder.path()), "abc").unwrap();
        settled(folder.path(), &before);
        assert_eq!(keys_in(folder.path()), 2);
    }

    #[test]
    fn the_key_of_before_is_put_aside_and_never_over_another() {
        let (folder, before, _) = prepared();
        let aside = finish(folder.path(), NOW).unwrap().unwrap();
        assert!(Seal::of_file(&aside).unwrap().open(&before, "t").is_ok());
        prepare(folder.path()).unwrap();
        let second = finish(folder.path(), NOW).unwrap().unwrap();
        assert_ne!(aside, second);
        assert!(Seal::of_file(&aside).unwrap().open(&before, "t").is_ok());
        assert_eq!(keys_in(folder.path()), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_may_not_be_read_is_not_taken_for_one_that_opens_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, _, after) = prepared();
        let coming = coming_in(folder.path());
        fs::set_permissions(&coming, fs::Permissions::from_mode(0o640)).unwrap();
        let settled = settle(folder.path(), NOW, |_| panic!("it is not read"));
        assert!(matches!(settled, Err(Error::KeyEncryptionKey { .. })));
        assert_eq!(keys_in(folder.path()), 2);
        fs::set_permissions(&coming, fs::Permissions::from_mode(0o600)).unwrap();
        super::settle(folder.path(), NOW, |seal| seal.open(&after, "t").is_ok()).unwrap();
        assert!(!coming.exists());
    }

    #[test]
    fn a_key_that_is_prepared_is_never_over_another() {
        let (folder, ..) = prepared();
        assert!(matches!(prepare(folder.path()), Err(Error::File { .. })));
    }
}
