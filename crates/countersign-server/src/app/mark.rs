//! The mark of a server's run: a random number in the head of the database file and in the lock file beside it.
//!
//! SQLite believes whatever write-ahead log lies beside a database file. After a crash there is one, and a copy that is put in
//! the place of the database meets the log of another: their pages would be mixed. Where the two marks differ and there is a
//! log, nothing is opened.
//!
//! The head is read here as any file is, and only while no connection of this process is open: who closes a file gives up
//! every lock that this process has on it, SQLite's too (<https://www.sqlite.org/howtocorrupt.html>, 2.2).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::error::Error;

/// Where SQLite keeps the number that it leaves to programs (`PRAGMA user_version`), big-endian.
/// <https://www.sqlite.org/fileformat2.html#user_version_number>
const OFFSET: usize = 60;
/// <https://www.sqlite.org/fileformat2.html#magic_header_string>
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// A database of one page has no table.
const PAGE: u64 = 4096;

/// The file that a server locks.
pub(super) fn lock_file(settings: &Settings) -> PathBuf {
    settings.data().join("countersign.lock")
}

/// Refuses a database file with the write-ahead log of another.
///
/// # Errors
/// [`Error::DatabaseMixed`].
pub(super) fn check(settings: &Settings) -> Result<(), Error> {
    let database = settings.database();
    if !has_log(&database) {
        return Ok(());
    }
    let Some(known) = marks(&lock_file(settings)) else {
        return Ok(());
    };
    match of_database(&database) {
        Some(mark) if !known.contains(&mark) => Err(Error::DatabaseMixed { path: database }),
        _ => Ok(()),
    }
}

/// Whether a server has run on the folder and left its mark.
pub(super) fn was_left(settings: &Settings) -> bool {
    marks(&lock_file(settings)).is_some()
}

/// Whether the database file holds nothing, and no log beside it does.
pub(super) fn is_empty(database: &Path) -> bool {
    let is_short = std::fs::metadata(database).is_ok_and(|about| about.len() <= PAGE);
    is_short && !has_log(database)
}

/// Whether the file that should be the database is another's: SQLite begins its own with these bytes.
pub(super) fn is_foreign(database: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    let is_full = std::fs::metadata(database).is_ok_and(|about| about.len() > 0);
    is_full
        && File::open(database).is_ok_and(|mut file| {
            let read = file.read_exact(&mut head);
            read.is_err() || head != *MAGIC
        })
}

/// What the lock file says: one mark, and while another is on its way all those of which any may be right.
pub(super) fn text(marks: &[u32]) -> String {
    let marks: Vec<_> = marks.iter().map(|mark| format!("{mark:08x}")).collect();
    marks.join(" ") + "\n"
}

/// The mark in the head of a database file that no connection of this process has open.
pub(super) fn of_database(database: &Path) -> Option<u32> {
    let mut head = [0; OFFSET + 4];
    File::open(database).ok()?.read_exact(&mut head).ok()?;
    let mark = head.get(OFFSET..)?.try_into().ok()?;
    Some(u32::from_be_bytes(mark))
}

fn has_log(database: &Path) -> bool {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|about| about.len() > 0)
}

/// `None` where no server has left any: one from before there were marks, or none at all.
fn marks(lock: &Path) -> Option<Vec<u32>> {
    let text = std::fs::read_to_string(lock).ok()?;
    let marks = text.split_whitespace();
    let marks: Result<Vec<_>, _> = marks.map(|mark| u32::from_str_radix(mark, 16)).collect();
    marks.ok().filter(|marks| !marks.is_empty())
}
