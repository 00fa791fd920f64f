//! Work that is dear: off the async threads, a few pieces at a time, with a short queue before it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

const RETRY_AFTER_SECS: u64 = 2;

/// Slots, and the places of those who are served or wait.
#[derive(Clone)]
pub(crate) struct Queue {
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Half of the places: so many may be one site's.
    of_one_site: usize,
    sites: Arc<Mutex<HashMap<Box<str>, usize>>>,
    deadline: Duration,
}

/// A place in a queue, which is free again when this is dropped.
pub(crate) struct Place {
    queue: Queue,
    // Shared with the work itself: a client that hangs up does not make room for more than there is.
    held: Arc<(OwnedSemaphorePermit, Option<Share>)>,
}

/// One of the places that a site has.
struct Share {
    sites: Arc<Mutex<HashMap<Box<str>, usize>>>,
    site: Box<str>,
}

impl Share {
    /// `None` where the site has as many as it may have.
    fn of(queue: &Queue, site: &str) -> Option<Self> {
        let mut sites = queue.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sites.entry(site.into()).or_default();
        if *count >= queue.of_one_site {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Self {
            sites: Arc::clone(&queue.sites),
            site: site.into(),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sites.get_mut(&self.site) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                sites.remove(&self.site);
            }
        }
    }
}

impl Queue {
    /// `slots` work at once and `waiting` more may wait, each for at most `deadline`.
    pub(crate) fn new(slots: usize, waiting: usize, deadline: Duration) -> Self {
        let places = slots.saturating_add(waiting);
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            places: Arc::new(Semaphore::new(places)),
            of_one_site: places.div_ceil(2),
            sites: Arc::default(),
            deadline,
        }
    }

    /// Takes a place, at once or not at all.
    ///
    /// # Errors
    /// [`Error::Busy`] when every place is taken.
    pub(crate) fn place(&self) -> Result<Place, Error> {
        self.place_of(None)
    }

    /// The same for a client of this site, where that is known.
    ///
    /// # Errors
    /// [`Error::Busy`] when every place is taken, or every one that a site may have.
    pub(crate) fn place_of(&self, site: Option<&str>) -> Result<Place, Error> {
        let share = match site {
            Some(site) => Some(Share::of(self, site).ok_or_else(busy)?),
            None => None,
        };
        let permit = Arc::clone(&self.places).try_acquire_owned();
        Ok(Place {
            queue: self.clone(),
            held: Arc::new((permit.map_err(|_| busy())?, share)),
        })
    }
}

impl Place {
    /// Waits for a slot and works in it.
    ///
    /// # Errors
    /// [`Error::Busy`] when no slot was free before the deadline.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let slot = Arc::clone(&self.queue.slots).acquire_owned();
        let Ok(Ok(slot)) = tokio::time::timeout(self.queue.deadline, slot).await else {
            return Err(busy());
        };
        let held = (slot, Arc::clone(&self.held));
        let done = tokio::task::spawn_blocking(move || {
            let _held = held;
            work()
        });
        done.await.map_err(|_| Error::Panic)
    }
}

fn busy() -> Error {
    Error::Busy {
        retry_after_secs: RETRY_AFTER_SECS,
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
        let queue = Queue::new(1, 0, Duration::from_secs(60));
        let inside = queue.place().unwrap();
        assert!(is_busy(&queue.place()));
        assert_eq!(inside.run(|| 7).await.unwrap(), 7);
        drop(inside);
        assert!(queue.place().is_ok());
    }

    #[test]
    fn one_site_has_half_of_the_places_and_the_others_the_rest() {
        let queue = Queue::new(1, 5, Duration::from_secs(60));
        let one: Vec<_> = (0..9)
            .filter_map(|_| queue.place_of(Some("192.0.2.0/24")).ok())
            .collect();
        assert_eq!(one.len(), 3);
        let other: Vec<_> = (0..2)
            .map(|_| queue.place_of(Some("198.51.100.0/24")).unwrap())
            .collect();
        // Whoever cannot be told from others has what is left.
        let unknown = queue.place().unwrap();
        assert!(is_busy(&queue.place()));
        assert!(is_busy(&queue.place_of(Some("198.51.100.0/24"))));
        drop(one);
        assert!(queue.place_of(Some("192.0.2.0/24")).is_ok());
        drop((other, unknown));
        assert!(queue.sites.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_place_in_the_queue_is_lost_at_the_deadline() {
        let queue = Queue::new(1, 1, Duration::ZERO);
        let _slot = queue.slots.clone().acquire_owned().await.unwrap();
        assert!(is_busy(&queue.place().unwrap().run(|| ()).await));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_hangs_up_makes_no_room_while_its_work_goes_on() {
        let queue = Queue::new(1, 0, Duration::from_secs(60));
        let place = queue.place().unwrap();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (finish, may_finish) = std::sync::mpsc::channel::<()>();
        let request = tokio::spawn(async move {
            let work = move || {
                started.send(()).unwrap();
                may_finish.recv()
            };
            place.run(work).await
        });
        has_started.await.unwrap();
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert!(is_busy(&queue.place()));
        finish.send(()).unwrap();
        while queue.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(queue.place().is_ok());
    }
}
