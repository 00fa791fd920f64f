//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use countersign::Timestamp;

/// A clock that stands still until it is moved; all clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use countersign::Timestamp;
/// use countersign_http::testing::MovedClock;
/// let clock = MovedClock::at(Timestamp::from_unix_secs(1_795_359_845));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), Timestamp::from_unix_secs(1_795_359_850));
/// ```
#[derive(Clone, Debug)]
pub struct MovedClock(Arc<AtomicI64>);

impl MovedClock {
    /// Stands at `time`.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.unix_secs())))
    }

    /// Stands at the time that it is now, so that whoever reads the machine's own clock agrees for a while.
    #[must_use]
    pub fn at_present() -> Self {
        Self::at(Timestamp::from(SystemTime::now()))
    }

    /// The time that it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.0.load(Ordering::SeqCst))
    }

    /// Moves it forward by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }

    /// Moves it to `time`, back as well.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.unix_secs(), Ordering::SeqCst);
    }
}
