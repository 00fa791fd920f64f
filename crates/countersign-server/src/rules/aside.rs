//! Names for what is put aside and never deleted: that of before, the time, and a number where one is taken.

use std::path::{Path, PathBuf};

use countersign::Timestamp;

/// Where `path` is put aside at the time `now`, in seconds since the epoch: a name beside it that nothing has yet, nor the log
/// of a database of that name.
pub(crate) fn name(path: &Path, now: i64) -> PathBuf {
    let time: String = Timestamp::from_unix_secs(now)
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let mut aside = with(path, &format!(".before-{time}"));
    let mut more: u32 = 1;
    // A link to nothing is there, too.
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let is_taken = |aside: &Path| is_there(aside) || is_there(&with(aside, "-wal"));
    while is_taken(&aside) {
        more = more.saturating_add(1);
        aside = with(path, &format!(".before-{time}-{more}"));
    }
    aside
}

/// The path with something after its name.
pub(crate) fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_link_to_nothing_has_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = name(&path, 0);
        std::os::unix::fs::symlink("nothing", &first).unwrap();
        let second = name(&path, 0);
        assert_ne!(second, first);
        std::os::unix::fs::symlink("nothing", with(&second, "-wal")).unwrap();
        assert_ne!(name(&path, 0), second);
    }
}
