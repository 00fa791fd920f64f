//! Copies of the database: one that is whole while others write, and the look at one before it counts.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::keys::{self, KeyRow};
use super::{BUSY, MIGRATIONS, SQLITE_FULL, Store};
use crate::error::Error;

const COPY: &str = "VACUUM INTO $1";
const REWRITE: &str = "VACUUM";
const WHOLE: &str = "PRAGMA integrity_check(1)";
const QUICK: &str = "PRAGMA quick_check(1)";
const BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
const SETTLE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
const APPLIED: &str =
    "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";

/// The number that SQLite leaves to programs, in the head of the file.
const MARK: &str = "user_version";
const MARKED: &str = "PRAGMA user_version";

/// What SQLite says of a database in which it finds no fault.
const SOUND: &str = "ok";
/// Codes of SQLite: the file beside the database, by which its readers agree, cannot be made.
const CANNOT_OPEN: u32 = 14;
const READ_ONLY: u32 = 8;
/// A larger database is not looked at whole at a start: some tenths of a second are what that may take.
const QUICKLY: i64 = 64 * 1024 * 1024;
/// The mark of a copy: no server has begun on it.
pub(crate) const NO_MARK: u32 = 0;

/// Writes a copy of a database into a file that is there and empty, whether or not others write meanwhile.
///
/// # Errors
/// [`Error::DatabaseUnusable`] where the database cannot be opened, to which SQLite needs write access, also to read it;
/// [`Error::File`] where the copy finds no room; other errors of the database.
pub(crate) async fn take(database: &Path, empty: &Path) -> Result<(), Error> {
    let failed = |problem: sqlx::Error| match super::code(&problem) {
        Some(CANNOT_OPEN | READ_ONLY) => Error::DatabaseUnusable {
            path: database.to_owned(),
            source: problem,
        },
        Some(SQLITE_FULL) => Error::File {
            path: empty.to_owned(),
            source: std::io::ErrorKind::StorageFull.into(),
        },
        _ => problem.into(),
    };
    let mut connection = connect(database, None).await.map_err(failed)?;
    let copied = sqlx::query(COPY)
        .bind(empty.to_str())
        .execute(&mut connection)
        .await;
    connection.close().await?;
    copied.map_err(failed)?;
    Ok(())
}

/// Writes a database anew in its own place, so that nothing of what was once in it is left in its free pages or in its log.
/// False where somebody reads it, so that the file of before is still there.
///
/// # Errors
/// Errors of the database, a full disk above all: it takes as much room again.
pub(crate) async fn rewrite(database: &Path) -> Result<bool, Error> {
    let mut connection = connect(database, None).await?;
    let rewritten = async {
        sqlx::query(REWRITE).execute(&mut connection).await?;
        let (is_busy, ..): (i64, i64, i64) =
            sqlx::query_as(SETTLE).fetch_one(&mut connection).await?;
        Ok(is_busy == 0)
    };
    let rewritten: Result<bool, sqlx::Error> = rewritten.await;
    connection.close().await?;
    Ok(rewritten?)
}

/// Looks whether a file is a whole database of this program, and gives back the keys in it. What stands in a write-ahead log
/// beside it goes into it. Nothing is brought up to date.
///
/// # Errors
/// [`Error::CopyUnusable`] when it is none.
pub(crate) async fn settle(file: &Path) -> Result<Vec<KeyRow>, Error> {
    let unusable = |problem: &'static str| Error::CopyUnusable {
        path: file.to_owned(),
        problem,
    };
    let of_database = |problem: sqlx::Error| {
        let problem = Error::Database(problem);
        if problem.is_damage() {
            unusable("is damaged, or is no database; take another copy")
        } else {
            problem
        }
    };
    let mut connection = connect(file, Some(NO_MARK)).await.map_err(of_database)?;
    let whole: String = sqlx::query_scalar(WHOLE)
        .fetch_one(&mut connection)
        .await
        .map_err(of_database)?;
    if whole != SOUND {
        return Err(unusable("is damaged; take another copy"));
    }
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(APPLIED)
        .fetch_all(&mut connection)
        .await
        .unwrap_or_default();
    if applied.is_empty() {
        return Err(unusable("holds no Countersign database; name another file"));
    }
    let is_known = |(version, checksum): &(i64, Vec<u8>)| {
        let mut known = MIGRATIONS.iter();
        known.any(|one| one.version == *version && *one.checksum == **checksum)
    };
    if !applied.iter().all(is_known) {
        return Err(unusable(
            "was made by another version of countersign; restore it with that version",
        ));
    }
    let keys = keys::all_in(&mut connection).await;
    sqlx::query(SETTLE).execute(&mut connection).await?;
    connection.close().await?;
    Ok(keys?)
}

/// A connection of its own, which writes a mark into the head of the file where one is given.
async fn connect(file: &Path, mark: Option<u32>) -> Result<SqliteConnection, sqlx::Error> {
    let mut options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY);
    if let Some(mark) = mark {
        options = options.pragma(MARK, mark.to_string());
    }
    SqliteConnection::connect_with(&options).await
}

impl Store {
    /// Looks for damage, in a database that is not too large for it.
    ///
    /// # Errors
    /// [`Error::DatabaseDamaged`]; other errors of the database.
    pub(crate) async fn look_for_damage(&self, file: &Path) -> Result<(), Error> {
        let damaged = || Error::DatabaseDamaged {
            path: file.to_owned(),
        };
        match self.is_sound().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(damaged()),
            Err(problem) if problem.is_damage() => Err(damaged()),
            Err(problem) => Err(problem),
        }
    }

    /// Whether SQLite finds no fault, as far as it is asked.
    async fn is_sound(&self) -> Result<bool, Error> {
        let bytes: i64 = sqlx::query_scalar(BYTES).fetch_one(&self.writer).await?;
        if bytes > QUICKLY {
            return Ok(true);
        }
        let found: String = sqlx::query_scalar(QUICK).fetch_one(&self.writer).await?;
        Ok(found == SOUND)
    }
}

/// The mark of a database, as its log has it.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn marked(file: &Path) -> Result<u32, Error> {
    let mut connection = connect(file, None).await?;
    let mark: Result<i64, _> = sqlx::query_scalar(MARKED).fetch_one(&mut connection).await;
    connection.close().await?;
    Ok(u32::try_from(mark?).unwrap_or(NO_MARK))
}

/// Writes a mark into the head of a database file itself; false when somebody reads, and it is in the write-ahead log so far.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn mark(file: &Path, mark: u32) -> Result<bool, Error> {
    let mut connection = connect(file, Some(mark)).await?;
    let settled = sqlx::query_as(SETTLE).fetch_one(&mut connection).await;
    connection.close().await?;
    let (is_busy, _, _): (i64, i64, i64) = settled?;
    Ok(is_busy == 0)
}
