//! A clock that leaps: the time of the machine is suddenly far ahead of what has passed since it was last read.
//!
//! It may be right, as after a machine was asleep, or wrong, as after a time server went mad, and the server cannot tell.
//! What is refused can be asked for again, and what is deleted is gone: so while it is in doubt, nothing ends that would end
//! by the leap alone. The new time is believed once it has stood for [`HOLD`], or when the server is started anew; if it leaps
//! again meanwhile, that is another time, which has to stand for as long. A clock that is set back ends nothing, and is
//! believed at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So far apart may the two clocks be, in seconds: no time server steps further without being asked to.
const LEAP: i64 = 60 * 60;
/// How long the new time must have stood.
const HOLD: Duration = Duration::from_hours(1);

/// Watches the time of a server; without one, every time is believed.
#[derive(Debug, Default)]
pub(crate) struct Leaps(Option<Mutex<Seen>>);

/// What was seen of the two clocks.
#[derive(Clone, Copy, Debug)]
struct Seen {
    last: Reading,
    /// The time that is in doubt, as it was first seen.
    doubted: Option<Reading>,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: i64,
    at: Instant,
}

impl Reading {
    /// What the wall clock says at a later moment if it goes on from here.
    fn expected(self, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.at).as_secs();
        self.wall
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

impl Leaps {
    /// Watches from now on, for a server whose clock is the machine's.
    pub(crate) fn watched(now: i64) -> Self {
        let last = Reading {
            wall: now,
            at: Instant::now(),
        };
        Self(Some(Mutex::new(Seen {
            last,
            doubted: None,
        })))
    }

    /// The time by which something may be over: `now`, unless the clock has leapt there.
    pub(crate) fn believed(&self, now: i64) -> i64 {
        let Some(seen) = &self.0 else { return now };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.look(now, Instant::now())
    }

    /// By how many seconds the clock has leapt ahead, while that is in doubt.
    pub(crate) fn in_doubt(&self, now: i64) -> Option<i64> {
        let ahead = now.saturating_sub(self.believed(now));
        (ahead > 0).then_some(ahead)
    }
}

impl Seen {
    fn look(&mut self, wall: i64, at: Instant) -> i64 {
        let (now, expected) = (Reading { wall, at }, self.last.expected(at));
        let ahead = wall.saturating_sub(expected);
        if ahead > LEAP {
            // One that has leapt again, also back by some of it, is another.
            let stands = self
                .doubted
                .filter(|first| wall.abs_diff(first.expected(at)) <= LEAP.unsigned_abs());
            let Some(first) = stands else {
                self.doubted = Some(now);
                tracing::error!(
                    seconds = ahead,
                    "the clock of this machine has leapt ahead; until it has stood there for an hour, or is right again, nothing ends by it: set it right, or start the server anew"
                );
                return expected;
            };
            if at.saturating_duration_since(first.at) < HOLD {
                return expected;
            }
        }
        *self = Self {
            last: now,
            doubted: None,
        };
        wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const MONTH: i64 = 30 * 24 * 60 * 60;

    fn seen() -> (Seen, Instant) {
        let at = Instant::now();
        let seen = Seen {
            last: Reading { wall: NOW, at },
            doubted: None,
        };
        (seen, at)
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn time_that_passes_is_believed_however_slowly_it_is_looked_at() {
        let (mut seen, at) = seen();
        for (wall, passed) in [(60, 60), (MONTH, 30 * 86_400), (MONTH + 3_600, 30 * 86_400)] {
            assert_eq!(seen.look(NOW + wall, at + secs(passed)), NOW + wall);
        }
    }

    #[test]
    fn a_leap_is_not_believed_before_it_has_stood_for_an_hour() {
        let (mut seen, at) = seen();
        let leapt = |passed: i64| NOW + MONTH + passed;
        assert_eq!(seen.look(leapt(10), at + secs(10)), NOW + 10);
        assert_eq!(seen.look(leapt(3_609), at + secs(3_609)), NOW + 3_609);
        assert_eq!(seen.look(leapt(3_610), at + secs(3_610)), leapt(3_610));
        assert_eq!(seen.look(leapt(3_611), at + secs(3_611)), leapt(3_611));
    }

    #[test]
    fn a_leap_during_a_leap_has_to_stand_for_an_hour_of_its_own() {
        let (mut seen, at) = seen();
        let mut look = |ahead: i64, passed: u64| {
            let time = NOW + ahead + i64::try_from(passed).unwrap();
            let believed = seen.look(time, at + secs(passed));
            believed == time
        };
        assert!(!look(2 * LEAP, 0));
        // Further on, and back by some of it; each is looked at just before the one before it would be believed.
        for (ahead, first) in [(MONTH, 3_599), (2 * MONTH, 7_198), (2 * LEAP, 10_797)] {
            assert!(!look(ahead, first), "{ahead}");
            assert!(!look(ahead, first + 1), "{ahead}");
        }
        // What moves by no more than a leap is the same time still.
        assert!(!look(3 * LEAP, 10_900));
        assert!(!look(2 * LEAP, 14_396));
        assert!(look(2 * LEAP, 14_397));
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed_at_once_and_the_next_leap_is_doubted_anew() {
        let (mut seen, at) = seen();
        assert_eq!(seen.look(NOW + MONTH, at + secs(1)), NOW + 1);
        assert_eq!(seen.look(NOW + 3_000, at + secs(3_000)), NOW + 3_000);
        assert_eq!(seen.look(NOW + MONTH, at + secs(3_700)), NOW + 3_700);
        // Back, and ahead by less than a leap.
        assert_eq!(seen.look(NOW - MONTH, at + secs(3_701)), NOW - MONTH);
        let soon = NOW - MONTH + LEAP;
        assert_eq!(seen.look(soon, at + secs(3_701)), soon);
    }

    #[test]
    fn a_program_with_a_clock_of_its_own_is_believed() {
        assert_eq!(Leaps::default().believed(i64::MAX), i64::MAX);
        let leaps = Leaps::watched(NOW);
        assert_eq!(leaps.in_doubt(NOW + LEAP), None);
        assert!(
            leaps
                .in_doubt(NOW + MONTH)
                .is_some_and(|ahead| ahead > LEAP)
        );
    }
}
