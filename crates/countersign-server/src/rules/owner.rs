//! Whose the files of a data folder are: its commands may be run by another user than the server, by root for one.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use crate::config::Settings;

/// Gives a new file to whom the database belongs or, where there is none, the folder. Who may not do that keeps it.
pub(crate) fn give(new: &File, settings: &Settings) {
    let _ = as_of(&settings.database(), new).or_else(|_| as_of(settings.data(), new));
}

/// Gives a new file to whom another belongs: who may read the one may read the other. It is the file that was made, whatever has
/// been put in its place since: this may be run by root in a folder of somebody's.
///
/// # Errors
/// Those of the system; none where it knows no owners.
#[cfg(unix)]
pub(crate) fn as_of(other: &Path, new: &File) -> io::Result<()> {
    like(&std::fs::metadata(other)?, new)
}

/// The same by what is known of the other.
///
/// # Errors
/// Those of the system; none where it knows no owners.
#[cfg(unix)]
pub(crate) fn like(of_other: &Metadata, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let of_new = new.metadata()?;
    if (of_other.uid(), of_other.gid()) == (of_new.uid(), of_new.gid()) {
        return Ok(());
    }
    fchown(new, Some(of_other.uid()), Some(of_other.gid()))
}

#[cfg(not(unix))]
pub(crate) fn as_of(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn like(_: &Metadata, _: &File) -> io::Result<()> {
    Ok(())
}

/// Refuses a file that was opened by a link, or that has another name: who owns the folder may have put it there, and what is
/// written to it, or given away with it, is somebody else's.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for such a file; those of the system.
#[cfg(unix)]
pub(crate) fn is_at(opened: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (there, own) = (std::fs::symlink_metadata(path)?, opened.metadata()?);
    let is_it = (there.dev(), there.ino()) == (own.dev(), own.ino());
    if is_it && own.is_file() && own.nlink() == 1 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "it is a link, no file, or a file of several names; put a copy of it in its place",
    ))
}

#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, chown, symlink};

    use super::*;

    /// Only root gives anything away.
    #[test]
    fn what_was_put_in_the_place_of_a_new_file_is_not_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let owner = |name: &str| std::fs::metadata(at(name)).unwrap().uid();
        let new = File::create_new(at("new")).unwrap();
        std::fs::write(at("other"), "").unwrap();
        std::fs::write(at("elsewhere"), "").unwrap();
        std::fs::rename(at("new"), at("moved")).unwrap();
        symlink(at("elsewhere"), at("new")).unwrap();
        if chown(at("other"), Some(65_534), None).is_err() {
            return;
        }
        let before = owner("elsewhere");
        as_of(&at("other"), &new).unwrap();
        assert_eq!((owner("elsewhere"), owner("moved")), (before, 65_534));
    }

    #[test]
    fn a_file_that_is_a_link_or_has_another_name_is_told_from_one_that_is_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, name] = ["file", "link", "name"].map(|name| folder.path().join(name));
        std::fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let is_taken = |path: &Path| is_at(&File::open(path).unwrap(), path).is_ok();
        assert_eq!((is_taken(&file), is_taken(&link)), (true, false));
        std::fs::hard_link(&file, &name).unwrap();
        assert_eq!((is_taken(&file), is_taken(&name)), (false, false));
    }
}
