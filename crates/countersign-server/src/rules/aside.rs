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
    let is_taken = |aside: &Path| aside.exists() || with(aside, "-wal").exists();
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
