//! What must survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// Has the names in the folder of `file` put down on the disk: the file itself is there when its name is.
///
/// # Errors
/// Those of the folder; none where folders cannot be opened as files, as on Windows.
pub(crate) fn sync_folder_of(file: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
}

/// Has a file that somebody else has made put down there, before anything needs it. Where it is none that can be, as a pipe, or
/// one that others look after, as on a file system in memory, it stays as it is.
pub(crate) fn settle(file: &Path) {
    if let Ok(open) = File::open(file) {
        let _ = open.sync_all();
    }
    let _ = sync_folder_of(file);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_folder_is_in_the_present_one_and_a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(sync_folder_of(&folder.path().join("key")).is_ok());
        assert!(sync_folder_of(Path::new("key")).is_ok());
        assert!(sync_folder_of(&folder.path().join("none/key")).is_err());
    }
}
