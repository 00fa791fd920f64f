//! Whose the files of a data folder are: its commands may be run by another user than the server, by root for one.

use std::io;
use std::path::Path;

use crate::config::Settings;

/// Gives a new file to whom the database belongs or, where there is none, the folder. Who may not do that keeps it.
pub(crate) fn give(new: &Path, settings: &Settings) {
    let _ = as_of(&settings.database(), new).or_else(|_| as_of(settings.data(), new));
}

/// Gives a new file to whom another belongs: who may read the one may read the other.
///
/// # Errors
/// Those of the system; none where it knows no owners.
#[cfg(unix)]
pub(crate) fn as_of(other: &Path, new: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (of_other, of_new) = (std::fs::metadata(other)?, std::fs::metadata(new)?);
    if (of_other.uid(), of_other.gid()) == (of_new.uid(), of_new.gid()) {
        return Ok(());
    }
    chown(new, Some(of_other.uid()), Some(of_other.gid()))
}

#[cfg(not(unix))]
pub(crate) fn as_of(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
