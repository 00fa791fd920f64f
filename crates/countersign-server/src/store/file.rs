//! The database file: readable by its owner alone, from its first moment, in whatever folder it lies.
//!
//! SQLite gives the files beside it (`-wal`, `-shm`) the mode of the database file.

use std::path::Path;

use crate::error::Error;

/// Makes the file where `create` says so and it is not there, and takes away what others may do with it.
///
/// # Errors
/// [`Error::File`] when it cannot be made, or others can read it and that cannot be changed.
#[cfg(unix)]
pub(super) fn make_private(file: &Path, create: bool) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;

    if create {
        let mut options = std::fs::OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(file);
        match made {
            Ok(_) => return Ok(()),
            Err(problem) if problem.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(unusable(file, source)),
        }
    }
    // What is no database is somebody else's file: it stays as it is, and opening it says so.
    if !is_database(file) {
        return Ok(());
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        tighten(Path::new(&name))?;
    }
    Ok(())
}

/// Whether the file is empty or begins as every SQLite database does.
#[cfg(unix)]
fn is_database(file: &Path) -> bool {
    use std::io::Read as _;

    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok() && (start.is_empty() || start == MAGIC)
}

#[cfg(unix)]
fn tighten(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    // What is not there, or is no file, is for the database to say.
    let (Ok(metadata), Ok(there)) = (std::fs::metadata(path), std::fs::symlink_metadata(path))
    else {
        return Ok(());
    };
    // A link of somebody's to a file of somebody else, of root for one, who may be the one that runs this.
    if there.uid() != metadata.uid() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    if !metadata.is_file() || mode & 0o077 == 0 {
        return Ok(());
    }
    let private = std::fs::Permissions::from_mode(mode & 0o700);
    std::fs::set_permissions(path, private).map_err(|source| {
        let advice = format!("other users can read it; run `chmod 600` on it ({source})");
        unusable(path, std::io::Error::new(source.kind(), advice))
    })?;
    tracing::warn!(file = %path.display(), "other users could read this file; now its owner alone can");
    Ok(())
}

#[cfg(unix)]
fn unusable(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}

/// Where files have no modes, the folder's access list holds.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub(super) fn make_private(_: &Path, _: bool) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use crate::store::Store;

    fn modes(folder: &std::path::Path) -> Vec<(String, u32)> {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut modes: Vec<_> = entries
            .map(|entry| {
                let mode = entry.metadata().unwrap().permissions().mode();
                (entry.file_name().into_string().unwrap(), mode & 0o777)
            })
            .collect();
        modes.sort();
        modes
    }

    #[tokio::test]
    async fn the_database_is_its_owners_alone_in_a_folder_that_is_open_to_all() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("t.db");
        let store = Store::open(&file, true).await.unwrap();
        store.probe(1).await.unwrap();
        let private = ["t.db", "t.db-shm", "t.db-wal"].map(|name| (name.to_owned(), 0o600));
        assert_eq!(modes(folder.path()), private);
        store.close().await;

        // An older one, or one that was copied back from a backup.
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let store = Store::open(&file, false).await.unwrap();
        store.probe(2).await.unwrap();
        assert_eq!(modes(folder.path()), private);
        store.close().await;
    }

    /// Only root has links of others to make.
    #[test]
    fn a_file_that_somebody_elses_link_leads_to_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        if std::os::unix::fs::lchown(&link, Some(65_534), None).is_err() {
            return;
        }
        super::tighten(&link).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o644);
        std::os::unix::fs::lchown(&link, Some(0), None).unwrap();
        super::tighten(&link).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.db");
        std::fs::write(&file, "a shopping list, and no database").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Store::open(&file, false).await.is_err());
        assert_eq!(modes(folder.path()), [("t.db".to_owned(), 0o644)]);
    }

    #[tokio::test]
    async fn nothing_is_made_where_nothing_is_to_be_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            Store::open(&folder.path().join("t.db"), false)
                .await
                .is_err()
        );
        assert!(modes(folder.path()).is_empty());
    }
}
