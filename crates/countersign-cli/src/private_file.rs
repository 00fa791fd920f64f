//! New files, which only their owner can read unless they are public; an existing file is never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::exit::{Exit, Failure};

/// A file that exists, still empty, and goes away again unless it is written.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    written: bool,
}

impl NewFile {
    /// Makes a file that only its owner can read: mode 0600.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        Self::create_with(path, 0o600)
    }

    /// Makes a file for everybody to read: mode 0644, less what the umask takes.
    pub(crate) fn create_public(path: &Path) -> Result<Self, Failure> {
        Self::create_with(path, 0o644)
    }

    #[cfg_attr(not(unix), expect(unused_variables, reason = "modes are of Unix"))]
    fn create_with(path: &Path, mode: u32) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        match options.open(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
                written: false,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Failure::storage(format!(
                    "{} exists and is not overwritten: choose another name, or move it away first",
                    path.display()
                )))
            }
            Err(error) => Err(Failure::new(
                Exit::Storage,
                anyhow::Error::new(error).context(format!("cannot create {}", path.display())),
            )),
        }
    }

    /// Writes the whole content, down to the disk.
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(content)
            .and_then(|()| self.file.sync_all())
            .with_context(|| format!("cannot write {}", self.path.display()))
            .map_err(|error| Failure::new(Exit::Storage, error))?;
        self.written = true;
        Ok(())
    }
}

/// Writes a file that exists anew, in one step: whoever reads it sees the old content or the new one, never a part.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let context = format!("cannot replace {}", path.display());
        Failure::new(Exit::Storage, anyhow::Error::new(error).context(context))
    };
    // A link stays one: what it points at is replaced.
    let target = fs::canonicalize(path).map_err(failed)?;
    let mut beside = target.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = NewFile::create(&beside)?;
    file.write(content)?;
    let permissions = fs::metadata(&target).map(|meta| meta.permissions());
    permissions
        .and_then(|permissions| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, &target))
        .map_err(|error| {
            let _ = fs::remove_file(&beside);
            failed(error)
        })
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.written {
            // Nothing half-created; a file that cannot be removed is empty.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_not_written_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.jwk");
        drop(NewFile::create(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.json");
        assert!(replace(&path, b"new").is_err());
        fs::write(&path, "first").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions(), mode);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.jwk");
        NewFile::create(&path).unwrap().write(b"first").unwrap();
        let failure = NewFile::create(&path).unwrap_err();
        assert_eq!(failure.exit(), Exit::Storage);
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
