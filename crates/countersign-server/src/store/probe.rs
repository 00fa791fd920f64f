//! Whether the database takes writes: one row is written, durably.
//!
//! It is written on the connection that is asked for the version ([`super::version`]), so nobody forgets what they know
//! because somebody asked.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::Connection as _;
use tokio::sync::Mutex;

use super::Store;
use crate::error::Error;

// Between the look and the write another process may take the lock; it does not do so again and again.
const ATTEMPTS: usize = 3;

/// Anybody may ask, so however many ask at once share a commit: that of the first one to begin after they asked.
#[derive(Default)]
pub(super) struct Probes {
    asked: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// The last of those who asked whom it answers.
    answers: u64,
    is_written: bool,
}

impl Store {
    /// Writes one row: proof that the database takes writes.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn probe(&self, now: i64) -> Result<(), Error> {
        let own = self
            .probes
            .asked
            .fetch_add(1, Ordering::SeqCst)
            .wrapping_add(1);
        let mut last = self.probes.last.lock().await;
        if last.answers < own {
            let answers = self.probes.asked.load(Ordering::SeqCst);
            let written = self.write_probe(now).await;
            *last = Last {
                answers,
                is_written: written.is_ok(),
            };
            return written;
        }
        if last.is_written {
            Ok(())
        } else {
            Err(Error::Busy {
                retry_after_secs: 1,
            })
        }
    }

    async fn write_probe(&self, now: i64) -> Result<(), Error> {
        // Nobody of this process writes meanwhile.
        let mut turn = self.writer.acquire().await?;
        let mut tried = Ok(());
        for _ in 0..ATTEMPTS {
            // Other processes are waited for here, where nobody waits who only reads.
            let free = turn.begin_with("BEGIN IMMEDIATE").await?;
            free.rollback().await?;
            tried = self.watcher.probe(now).await;
            if !matches!(tried, Err(Error::Busy { .. })) {
                break;
            }
        }
        tried
    }
}
