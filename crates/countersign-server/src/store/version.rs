//! Whether anything was committed: a number that SQLite changes with every commit of any other connection, in this process
//! and in others (`PRAGMA data_version`).
//!
//! It is asked on a connection that does nothing else but the probe. Whoever asks while somebody does waits for the next answer: an
//! answer is never older than the question.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::sqlite::SqlitePool;
use tokio::sync::oneshot;

use crate::error::Error;

const VERSION: &str = "PRAGMA data_version";
const PROBE: &str = "UPDATE probe SET written_at = $1 WHERE id = 1";

/// What two moments have in common exactly when nothing was committed between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    number: i64,
    /// Another connection counts otherwise.
    connection: u64,
}

/// Who asks for the number; cheap to clone.
#[derive(Clone)]
pub(super) struct Watcher {
    pool: SqlitePool,
    asking: Arc<Mutex<Asking>>,
}

#[derive(Default)]
struct Asking {
    waiting: Vec<oneshot::Sender<Option<Version>>>,
    is_running: bool,
    /// How often the connection was lost.
    connection: u64,
}

impl Watcher {
    /// Asks on the one connection of this pool.
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            asking: Arc::default(),
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Writes one row, durably. It changes the version for nobody here: what a connection commits itself does not change
    /// the number that it is told.
    ///
    /// # Errors
    /// Errors of the database.
    pub(super) async fn probe(&self, now: i64) -> Result<(), Error> {
        sqlx::query(PROBE).bind(now).execute(&self.pool).await?;
        Ok(())
    }

    /// The version, as it was at some moment after this was asked.
    ///
    /// # Errors
    /// [`Error::Busy`] when the database could not be asked.
    pub(super) async fn version(&self) -> Result<Version, Error> {
        let (tell, told) = oneshot::channel();
        let must_run = {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            asking.waiting.push(tell);
            !std::mem::replace(&mut asking.is_running, true)
        };
        if must_run {
            tokio::spawn(self.clone().run());
        }
        told.await.ok().flatten().ok_or(Error::Busy {
            retry_after_secs: 1,
        })
    }

    async fn run(self) {
        loop {
            let waiting = {
                let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                asking.is_running = !asking.waiting.is_empty();
                std::mem::take(&mut asking.waiting)
            };
            if waiting.is_empty() {
                return;
            }
            let asked = sqlx::query_scalar(VERSION).fetch_one(&self.pool).await;
            let version = {
                let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                if asked.is_err() {
                    asking.connection = asking.connection.wrapping_add(1);
                }
                let connection = asking.connection;
                asked.ok().map(|number| Version { number, connection })
            };
            for tell in waiting {
                let _ = tell.send(version);
            }
        }
    }
}
