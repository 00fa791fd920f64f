//! Where hashes are computed: off the async threads, a few at a time, with a short queue before them.
//!
//! A flood of log-ins uses at most this much memory and time, and nothing but log-ins waits for it.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{MEMORY_KIB, Password, dummy};
use crate::error::Error;

const MEMORY_BUDGET_KIB: u32 = 256 * 1024;
const QUEUE: usize = 64;
const DEADLINE: Duration = Duration::from_secs(3);
const RETRY_AFTER_SECS: u64 = 2;

/// Hash slots and the queue before them.
#[derive(Clone)]
pub(crate) struct Pool {
    slots: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    deadline: Duration,
    dummy: Arc<str>,
}

impl Pool {
    /// As many slots as there are cores, and as memory allows.
    pub(crate) fn new() -> Result<Self, Error> {
        let cores = available_parallelism().map_or(1, usize::from);
        let by_memory = usize::try_from(MEMORY_BUDGET_KIB.div_euclid(MEMORY_KIB)).unwrap_or(1);
        Self::with(cores.min(by_memory).max(1), QUEUE, DEADLINE)
    }

    fn with(slots: usize, queue: usize, deadline: Duration) -> Result<Self, Error> {
        let waiting = Arc::new(Semaphore::new(slots.saturating_add(queue)));
        Ok(Self {
            slots: Arc::new(Semaphore::new(slots)),
            waiting,
            deadline,
            dummy: dummy()?.into(),
        })
    }

    /// Checks a password against a stored hash, or, for nobody, against one that no password has: the same work.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full or the deadline passed.
    pub(crate) async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let is_somebody = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let holds = self.run(move || password.verify(&stored)).await?;
        Ok(holds && is_somebody)
    }

    /// Hashes a new password that [`Password::judge`] lets pass.
    ///
    /// # Errors
    /// [`Error::WeakPassword`]; [`Error::Busy`] as for [`Pool::verify`].
    pub(crate) async fn hash_new(
        &self,
        password: Password,
        about: Vec<String>,
    ) -> Result<String, Error> {
        self.run(move || {
            password.judge(&about.iter().map(String::as_str).collect::<Vec<_>>())?;
            password.hash()
        })
        .await?
    }

    /// Hashes a password that an account already has.
    ///
    /// # Errors
    /// [`Error::Busy`] as for [`Pool::verify`].
    pub(crate) async fn rehash(&self, password: Password) -> Result<String, Error> {
        self.run(move || password.hash()).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permits = self.enter().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a client that hangs up does not make room for more than there is.
            let _permits = permits;
            work()
        });
        done.await.map_err(|_| Error::Panic)
    }

    async fn enter(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Error> {
        let busy = Error::Busy {
            retry_after_secs: RETRY_AFTER_SECS,
        };
        let Ok(place) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return Err(busy);
        };
        match tokio::time::timeout(self.deadline, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(slot)) => Ok((slot, place)),
            _ => Err(busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_busy<T>(result: &Result<T, Error>) -> bool {
        matches!(
            result,
            Err(Error::Busy {
                retry_after_secs: RETRY_AFTER_SECS
            })
        )
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_lets_in_again_when_there_is_room() {
        let pool = Pool::with(1, 0, Duration::from_secs(60)).unwrap();
        let inside = pool.enter().await.unwrap();
        assert!(is_busy(&pool.enter().await));
        drop(inside);
        assert!(pool.enter().await.is_ok());
    }

    #[tokio::test]
    async fn a_place_in_the_queue_is_lost_at_the_deadline() {
        let pool = Pool::with(1, 1, Duration::ZERO).unwrap();
        let _inside = pool.enter().await.unwrap();
        assert!(is_busy(&pool.enter().await));
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_after_the_same_work() {
        let pool = Pool::new().unwrap();
        assert!(
            !pool
                .verify(Password::new("correct horse battery"), None)
                .await
                .unwrap()
        );
    }
}
