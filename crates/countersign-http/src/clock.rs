//! The two times that a decision needs: what it is by the calendar, and how much of it has gone by.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use countersign::Timestamp;

/// A point in time that no change of the machine's date moves, for ages and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// How long ago `earlier` was; zero where it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds, to be compared with those of another moment of the same clock.
    #[cfg(feature = "remote")]
    pub(crate) fn whole_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// This moment, `by` later.
    pub(crate) fn later(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Where a service reads the time.
#[derive(Clone)]
pub(crate) struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    /// One of the service's own, for tests: it says both.
    Own(Arc<Own>),
}

struct Own {
    read: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// What it said last when it was asked how much time has gone by, and how much that was.
    gone_by: Mutex<Option<(Timestamp, Duration)>>,
}

impl Own {
    /// It may be set back: that is no time, and what follows counts from there.
    fn moment(&self) -> Moment {
        let mut gone_by = self.gone_by.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.read)();
        let total = match *gone_by {
            Some((last, total)) => total.saturating_add(now.since(last)),
            // Clocks of one source say the same of what they have in common.
            None => now.since(Timestamp::from_unix_secs(0)),
        };
        *gone_by = Some((now, total));
        Moment(total)
    }
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self(Source::System)
    }

    pub(crate) fn of(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Source::Own(Arc::new(Own {
            read: Box::new(clock),
            gone_by: Mutex::default(),
        })))
    }

    /// Whether it goes by itself, as fast as timers do.
    pub(crate) fn is_system(&self) -> bool {
        matches!(self.0, Source::System)
    }

    /// The time that tokens name.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from(SystemTime::now()),
            Source::Own(clock) => (clock.read)(),
        }
    }

    /// Both.
    pub(crate) fn both(&self) -> (Timestamp, Moment) {
        (self.now(), self.moment())
    }

    /// The time that caches count by.
    pub(crate) fn moment(&self) -> Moment {
        match &self.0 {
            Source::System => {
                static START: LazyLock<Instant> = LazyLock::new(Instant::now);
                Moment(START.elapsed())
            }
            Source::Own(clock) => clock.moment(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Own(_) => "Clock(own)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn a_clock_of_ones_own_says_both_times() {
        let clock = Clock::of(|| Timestamp::from_unix_secs(1_800_000_000));
        assert_eq!(clock.now(), Timestamp::from_unix_secs(1_800_000_000));
        let (one, later) = (clock.moment(), clock.moment().later(Duration::from_secs(5)));
        assert_eq!(later.since(one), Duration::from_secs(5));
        assert_eq!(one.since(later), Duration::ZERO);
    }

    #[test]
    fn the_time_of_caches_never_goes_back() {
        let clock = Clock::system();
        let one = clock.moment();
        assert!(clock.moment() >= one);
    }

    #[test]
    fn a_clock_of_ones_own_that_is_set_back_goes_on_from_there() {
        let secs = Arc::new(AtomicI64::new(1_000));
        let shown = Arc::clone(&secs);
        let clock = Clock::of(move || Timestamp::from_unix_secs(shown.load(Ordering::SeqCst)));
        let start = clock.moment();
        for (shows, gone_by) in [
            (1_000, 0),
            (1_030, 30),
            (100, 30),
            (105, 35),
            (1_105, 1_035),
        ] {
            secs.store(shows, Ordering::SeqCst);
            let now = clock.clone().moment();
            assert_eq!(now.since(start), Duration::from_secs(gone_by), "{shows}");
        }
    }
}
