//! All SQL, one file per table: each statement once, as a constant, with `$1` parameters and with columns that are
//! only TEXT, BIGINT and BOOLEAN, so that SQLite and PostgreSQL read the same text. Nothing is decided here.
//!
//! SQLite: write-ahead log, `synchronous = FULL` (a commit that was answered survives a power cut), one writer,
//! readers apart from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::error::Error;

pub(crate) mod audit;
pub(crate) mod copy;
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
const SQLITE_FULL: u32 = 13;
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
    /// A database that is asked too much at once is no defect: it is worth another try. So is one whose disk is full, once
    /// somebody has made room.
    fn from(problem: sqlx::Error) -> Self {
        match (&problem, code(&problem)) {
            (sqlx::Error::PoolTimedOut, _) | (_, Some(SQLITE_BUSY | SQLITE_LOCKED)) => Self::Busy {
                retry_after_secs: RETRY_AFTER_SECS,
            },
            (_, Some(SQLITE_FULL)) => Self::NotReady("the disk of the database is full"),
            _ => Self::Database(problem),
        }
    }
}

/// SQLite's code: the extended ones have the plain one in their last byte.
fn code(problem: &sqlx::Error) -> Option<u32> {
    let code: u32 = problem.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
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
            // Where SQLite itself has rolled back, after a full disk say, the driver still counts a transaction, and would
            // begin no other on this connection.
            .before_acquire(|connection, _| {
                let is_clean = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_clean) })
            })
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

    #[tokio::test]
    async fn a_transaction_that_sqlite_rolled_back_by_itself_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        for _ in 0..3 {
            let mut write = store.begin().await.unwrap();
            write.spend("lost", 1_000, 1, 1).await.unwrap();
            // As SQLite does when the disk is full, and the driver does not know of it.
            sqlx::query("ROLLBACK")
                .execute(&mut *write.0)
                .await
                .unwrap();
            let ended = write.commit().await;
            assert!(ended.is_err());
        }
        let mut write = store.begin().await.unwrap();
        write.spend("kept", 1_000, 1, 1).await.unwrap();
        write.commit().await.unwrap();
        assert!(store.full_at("kept").await.unwrap().is_some());
        store.probe(1_000).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_not_taken_for_a_defect() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        // SQLite says the same of a file that may not grow. The limit is of the connection.
        let mut connection = store.writer.acquire().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1")
            .execute(&mut *connection)
            .await
            .unwrap();
        drop(connection);
        let mut write = store.begin().await.unwrap();
        let refused = async {
            for n in 0..10_000 {
                write.spend(&format!("{n:0>500}"), 1_000, 1, 1).await?;
            }
            Ok(())
        };
        let refused: Result<(), Error> = refused.await;
        assert!(matches!(refused, Err(Error::NotReady(_))), "{refused:?}");
    }
}
