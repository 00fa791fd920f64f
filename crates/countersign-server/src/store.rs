//! All SQL, one file per table: each statement once, as a constant, with `$1` parameters and with columns that are
//! only TEXT, BIGINT and BOOLEAN, so that SQLite and PostgreSQL read the same text. Nothing is decided here.
//!
//! SQLite: write-ahead log, `synchronous = FULL` (a commit that was answered survives a power cut), one writer,
//! readers apart from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::error::Error;

pub(crate) mod audit;
mod file;
pub(crate) mod group;
pub(crate) mod issuer;
pub(crate) mod keys;
mod probe;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod status;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod throttle;
pub(crate) mod users;
pub(crate) mod version;

/// The durability that the store runs with, in SQLite's word.
pub(crate) const DURABILITY: &str = "full";

static MIGRATIONS: Migrator = sqlx::migrate!();

const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(5);
/// How long another process may keep the connection waiting that everybody asks for the version.
const BUSY_BRIEFLY: Duration = Duration::from_millis(50);
const STATEMENTS: usize = 32;
/// How many rows a thread of the database reads ahead. Half a million places that were taken back are read at once.
const ROWS: usize = 2_000;
const RETRY_AFTER_SECS: u64 = 1;
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
// Negative: KiB instead of pages. Four readers and a writer stay below 3 MiB together.
const CACHE_KIB: &str = "-512";

/// The database: one connection that writes, a few that read.
#[derive(Clone)]
pub(crate) struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    group: group::Group,
    watcher: version::Watcher,
    probes: Arc<probe::Probes>,
}

/// Several statements that hold together or not at all. Dropped without [`Write::commit`], it is rolled back.
pub(crate) struct Write(Transaction<'static, Sqlite>);

impl From<sqlx::Error> for Error {
    /// A database that is asked too much at once is no defect: it is worth another try.
    fn from(problem: sqlx::Error) -> Self {
        if is_busy(&problem) {
            return Self::Busy {
                retry_after_secs: RETRY_AFTER_SECS,
            };
        }
        Self::Database(problem)
    }
}

fn is_busy(problem: &sqlx::Error) -> bool {
    match problem {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(problem) => {
            let code = problem.code().and_then(|code| code.parse::<u32>().ok());
            // The extended codes have the plain one in their last byte.
            code.is_some_and(|code| matches!(code & 0xff, SQLITE_BUSY | SQLITE_LOCKED))
        }
        _ => false,
    }
}

impl Write {
    /// Makes everything durable that was done through this.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        Ok(self.0.commit().await?)
    }

    /// Undoes everything that was done through this.
    pub(crate) async fn rollback(self) -> Result<(), Error> {
        Ok(self.0.rollback().await?)
    }
}

impl Store {
    /// Opens the database file, or makes it, and brings its tables up to date.
    pub(crate) async fn open(file: &Path, create: bool) -> Result<Self, Error> {
        file::make_private(file, create)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS)
            .pragma("cache_size", CACHE_KIB);
        let unusable = |source: sqlx::Error| Error::DatabaseUnusable {
            path: PathBuf::from(file),
            source,
        };
        let writer = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(unusable)?;
        MIGRATIONS
            .run(&writer)
            .await
            .map_err(|problem| unusable(problem.into()))?;
        let reader = pool(READERS).connect_lazy_with(options.clone());
        let briefly = options.busy_timeout(BUSY_BRIEFLY);
        let watcher = version::Watcher::new(pool(1).connect_lazy_with(briefly));
        Ok(Self {
            writer,
            reader,
            group: group::Group::new().map_err(|problem| unusable(problem.into()))?,
            watcher,
            probes: Arc::default(),
        })
    }

    /// Starts a transaction that holds the write lock from its first moment, so that it never fails half way.
    pub(crate) async fn begin(&self) -> Result<Write, Error> {
        Ok(Write(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// What stays the same exactly while nothing is committed, by this process or another.
    ///
    /// # Errors
    /// [`Error::Busy`] when the database could not be asked.
    pub(crate) async fn version(&self) -> Result<version::Version, Error> {
        self.watcher.version().await
    }

    /// Finishes what is under way and closes every connection.
    pub(crate) async fn close(&self) {
        self.watcher.close().await;
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // A connection to a file does not go stale: nothing is asked before its use and none is replaced.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(BUSY)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_asked_too_much_is_busy_and_not_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let store = Store::open(&path, true).await.unwrap();
        let hasty = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(Duration::ZERO);
        let hasty = pool(1).connect_with(hasty).await.unwrap();
        let held = store.begin().await.unwrap();
        let refused = hasty.begin_with("BEGIN IMMEDIATE").await;
        let locked = refused.map(|_| ()).map_err(Error::from);
        assert!(
            matches!(locked, Err(Error::Busy { .. })),
            "SQLITE_BUSY: {locked:?}"
        );
        held.rollback().await.unwrap();
        let timed_out = Error::from(sqlx::Error::PoolTimedOut);
        assert!(matches!(timed_out, Error::Busy { .. }));
        let broken = Error::from(sqlx::Error::RowNotFound);
        assert!(matches!(broken, Error::Database(_)));
    }
}
