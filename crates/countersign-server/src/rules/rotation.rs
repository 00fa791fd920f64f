//! What becomes of a refresh token that belongs to a session: one pure function of the row, the token's generation
//! and the time.
//!
//! An honest client that lost a race, lost an answer, or met a database that was restored is never logged out; a
//! token that was used long ago ends its session. [`model`] searches for a history in which that is not so.

use crate::store::sessions::Counter;

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a model that overflowed would be a test that fails"
)]
mod model;

/// The numbers of the rule, in seconds and counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RotationRule {
    /// How long the losers of a race get the winner's answer, at most: at least for half of it.
    pub(crate) grace: i64,
    /// How many lost answers a session survives in `late_window`.
    pub(crate) late_budget: i64,
    /// The length of the window over which late retries are counted.
    pub(crate) late_window: i64,
    /// How long a session lives without being used.
    pub(crate) idle: i64,
}

impl RotationRule {
    /// The rule for sessions that live this long unused.
    pub(crate) const fn with_idle(idle: i64) -> Self {
        Self {
            grace: 10,
            late_budget: 3,
            late_window: 24 * 60 * 60,
            idle,
        }
    }
}

/// Why a refresh was answered or refused; the name is what logs and metrics count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Normal,
    Race,
    LateRetry,
    Reuse,
    Ahead,
    /// The session has run out, unused or in all.
    Expired,
    /// The session was ended or is forgotten, or the token is not of it.
    Unknown,
}

impl Cause {
    pub(crate) const ALL: [Self; 7] = [
        Self::Normal,
        Self::Race,
        Self::LateRetry,
        Self::Reuse,
        Self::Ahead,
        Self::Expired,
        Self::Unknown,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Race => "race",
            Self::LateRetry => "late_retry",
            Self::Reuse => "reuse",
            Self::Ahead => "ahead",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }
}

/// What to do with a row when a token of generation `n` is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Write this, where the row is still what it was, and answer the token at which it stands then.
    Write(Counter, Cause),
    /// Answer the row's current token; write nothing.
    Current,
    /// End the session and refuse.
    Revoke(Cause),
    /// Refuse; the session is over.
    Dead,
}

impl Decision {
    /// Whether the client has to log in again.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Revoke(_) | Self::Dead)
    }
}

/// The rule.
pub(crate) fn decide(row: &Counter, n: i64, now: i64, rule: &RotationRule) -> Decision {
    if row.revoked_at.is_some() || row.expires_at <= now {
        return Decision::Dead;
    }
    if n > row.n {
        // The database went back in time. The token proves a use that this row never saw, so what the row says of the
        // last use, and of how long the session may be idle after it, counts for nothing.
        return Decision::Write(caught_up(row, n, now, rule), Cause::Ahead);
    }
    if row.idle_expires_at <= now {
        return Decision::Dead;
    }
    if n == row.n {
        return Decision::Write(rotated(row, now, rule), Cause::Normal);
    }
    let last = n.saturating_add(1) == row.n;
    let in_window = row.grace_n <= n && is_near(row.grace_at, now, rule.grace);
    let in_window_before = row.before_n <= n && is_near(row.before_at, now, rule.grace);
    let just_rotated = last && is_near(row.rotated_at, now, rule.grace);
    if in_window || in_window_before || just_rotated {
        return Decision::Current;
    }
    if last {
        late_retry(row, now, rule)
    } else {
        Decision::Revoke(Cause::Reuse)
    }
}

/// Why a session is over that is [`Decision::Dead`].
pub(crate) fn cause_of_death(row: &Counter) -> Cause {
    match row.revoked_at {
        Some(_) => Cause::Unknown,
        None => Cause::Expired,
    }
}

/// One generation on. In the first half of a grace window it counts in that one; after it, in one of its own, which opens with it,
/// and the one before stays open until its end: so none counts longer than a window from its use, and each for half of one.
fn rotated(row: &Counter, now: i64, rule: &RotationRule) -> Counter {
    let used = used(row, now, rule);
    let n = row.n.saturating_add(1);
    if !opens_window(row, now, rule) {
        return Counter { n, ..used };
    }
    // One that is over says nothing any more, also where the clock is set back to it.
    let (before_n, before_at) = if is_near(row.grace_at, now, rule.grace) {
        (row.grace_n, row.grace_at)
    } else {
        (row.n, now)
    };
    Counter {
        n,
        grace_n: row.n,
        grace_at: now,
        before_n,
        before_at,
        ..used
    }
}

/// To where generation `n`, which is ahead of the row, has been used.
fn caught_up(row: &Counter, n: i64, now: i64, rule: &RotationRule) -> Counter {
    Counter {
        n: n.saturating_add(1),
        grace_n: n,
        grace_at: now,
        before_n: n,
        before_at: now,
        ..used(row, now, rule)
    }
}

/// A clock that was set back makes no session idle: that counts from the latest time at which one was used.
fn used(row: &Counter, now: i64, rule: &RotationRule) -> Counter {
    let latest_at = row.latest_at.max(now);
    Counter {
        rotated_at: now,
        latest_at,
        idle_expires_at: latest_at.saturating_add(rule.idle),
        ..*row
    }
}

/// Whether a rotation at this time opens a new grace window.
fn opens_window(row: &Counter, now: i64, rule: &RotationRule) -> bool {
    !is_near(row.grace_at, now, rule.grace.div_euclid(2))
}

/// Whether two times are at most this many seconds apart, whichever is the later one: after a clock was set back, a
/// time that is yet to come is as far away as one that is long past.
fn is_near(at: i64, now: i64, secs: i64) -> bool {
    at.abs_diff(now) <= secs.unsigned_abs()
}

/// The answer to the last generation was lost. It is given again, also to whoever asks at the same time: one lost
/// answer costs one retry, however many tabs wake up together.
fn late_retry(row: &Counter, now: i64, rule: &RotationRule) -> Decision {
    let window_is_over = row.late_since.abs_diff(now) >= rule.late_window.unsigned_abs();
    let (count, since) = if window_is_over {
        (0, now)
    } else {
        (row.late_count, row.late_since)
    };
    if count >= rule.late_budget {
        // A thief and a victim who take turns look like a client that loses every answer.
        return Decision::Revoke(Cause::LateRetry);
    }
    let written = Counter {
        late_count: count.saturating_add(1),
        late_since: since,
        grace_n: row.n.saturating_sub(1),
        grace_at: now,
        before_n: row.n.saturating_sub(1),
        before_at: now,
        ..used(row, now, rule)
    };
    Decision::Write(written, Cause::LateRetry)
}

/// The counter of a session that begins now and may live for these many seconds, idle and in all.
pub(crate) fn fresh(now: i64, idle: i64, life: i64) -> Counter {
    Counter {
        n: 1,
        rotated_at: now,
        grace_n: 1,
        // Long past: the first rotation opens the first window.
        grace_at: 0,
        before_n: 1,
        before_at: 0,
        latest_at: now,
        late_count: 0,
        late_since: 0,
        idle_expires_at: now.saturating_add(idle),
        expires_at: now.saturating_add(life),
        revoked_at: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: RotationRule = RotationRule::with_idle(10_000);
    const NOW: i64 = 1_000_000;

    /// Rotated from 4 to 5 at `NOW`, in a window that opened with that rotation.
    fn row() -> Counter {
        Counter {
            n: 5,
            rotated_at: NOW,
            latest_at: NOW,
            grace_n: 4,
            grace_at: NOW,
            ..fresh(NOW - 500, 10_000, 100_000)
        }
    }

    #[test]
    fn the_generation_at_which_the_row_stands_rotates_and_opens_a_window_late_in_one() {
        for (now, window, before) in [
            (NOW + 5, (4, NOW), (1, 0)),
            (NOW + 6, (5, NOW + 6), (4, NOW)),
            (NOW + 10, (5, NOW + 10), (4, NOW)),
            (NOW + 11, (5, NOW + 11), (5, NOW + 11)),
            (NOW - 5, (4, NOW), (1, 0)),
            (NOW - 6, (5, NOW - 6), (4, NOW)),
            (NOW - 11, (5, NOW - 11), (5, NOW - 11)),
        ] {
            let rotated = Counter {
                n: 6,
                rotated_at: now,
                latest_at: now.max(NOW),
                grace_n: window.0,
                grace_at: window.1,
                before_n: before.0,
                before_at: before.1,
                idle_expires_at: now.max(NOW) + 10_000,
                ..row()
            };
            let decision = decide(&row(), 5, now, &RULE);
            assert_eq!(decision, Decision::Write(rotated, Cause::Normal), "{now}");
        }
    }

    #[test]
    fn the_loser_of_a_race_gets_the_current_token_until_the_grace_is_over() {
        assert_eq!(decide(&row(), 4, NOW, &RULE), Decision::Current);
        assert_eq!(decide(&row(), 4, NOW + 10, &RULE), Decision::Current);
        assert_ne!(decide(&row(), 4, NOW + 11, &RULE), Decision::Current);
    }

    #[test]
    fn every_generation_of_the_open_window_gets_the_current_token() {
        let row = Counter {
            n: 8,
            grace_n: 4,
            grace_at: NOW,
            rotated_at: NOW + 9,
            ..row()
        };
        for n in 4..8 {
            assert_eq!(decide(&row, n, NOW + 10, &RULE), Decision::Current, "{n}");
        }
        assert_eq!(
            decide(&row, 3, NOW + 10, &RULE),
            Decision::Revoke(Cause::Reuse)
        );
    }

    #[test]
    fn a_rotation_late_in_the_window_has_its_own_grace_for_the_one_before() {
        let row = Counter {
            n: 8,
            grace_n: 4,
            grace_at: NOW,
            rotated_at: NOW + 9,
            ..row()
        };
        assert_eq!(decide(&row, 7, NOW + 19, &RULE), Decision::Current);
        assert_eq!(
            decide(&row, 6, NOW + 19, &RULE),
            Decision::Revoke(Cause::Reuse)
        );
    }

    #[test]
    fn a_late_retry_spends_the_budget_and_the_fourth_in_a_day_revokes() {
        let mut row = row();
        for count in 1..=3 {
            let now = NOW + 100 * count;
            let retried = Counter {
                rotated_at: now,
                latest_at: now,
                grace_n: 4,
                grace_at: now,
                before_n: 4,
                before_at: now,
                late_count: count,
                late_since: NOW + 100,
                idle_expires_at: now + 10_000,
                ..row
            };
            let decision = decide(&row, 4, now, &RULE);
            assert_eq!(decision, Decision::Write(retried, Cause::LateRetry));
            row = retried;
        }
        assert_eq!(
            decide(&row, 4, NOW + 400, &RULE),
            Decision::Revoke(Cause::LateRetry)
        );
    }

    #[test]
    fn tabs_that_wake_up_together_spend_one_retry() {
        let Decision::Write(retried, Cause::LateRetry) = decide(&row(), 4, NOW + 100, &RULE) else {
            panic!("a late retry");
        };
        for now in [NOW + 100, NOW + 110] {
            assert_eq!(decide(&retried, 4, now, &RULE), Decision::Current);
        }
        // Also when one of them goes on in the meantime.
        let Decision::Write(rotated, Cause::Normal) = decide(&retried, 5, NOW + 101, &RULE) else {
            panic!("a rotation");
        };
        assert_eq!(decide(&rotated, 4, NOW + 110, &RULE), Decision::Current);
        assert_eq!(
            decide(&rotated, 4, NOW + 111, &RULE),
            Decision::Revoke(Cause::Reuse)
        );
    }

    #[test]
    fn the_budget_is_whole_again_a_day_after_it_was_first_touched() {
        let day = RULE.late_window;
        let row = Counter {
            late_count: 3,
            late_since: NOW,
            expires_at: NOW + 3 * day,
            idle_expires_at: NOW + 3 * day,
            ..row()
        };
        assert_eq!(
            decide(&row, 4, NOW + day - 1, &RULE),
            Decision::Revoke(Cause::LateRetry)
        );
        assert_eq!(late(decide(&row, 4, NOW + day, &RULE)), (1, NOW + day));
    }

    #[test]
    fn a_token_from_before_the_last_one_is_reuse() {
        for n in [1, 2, 3] {
            assert_eq!(
                decide(&row(), n, NOW, &RULE),
                Decision::Revoke(Cause::Reuse),
                "{n}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_switch_reuse_detection_off() {
        for back in [11, 3_600, 30 * 24 * 3_600] {
            let now = NOW - back;
            assert_eq!(
                decide(&row(), 3, now, &RULE),
                Decision::Revoke(Cause::Reuse),
                "{back}"
            );
            assert_ne!(decide(&row(), 4, now, &RULE), Decision::Current, "{back}");
            assert!(opens_window(&row(), now, &RULE), "{back}");
        }
        // A step within the grace is none that a race would notice.
        assert_eq!(decide(&row(), 4, NOW - 10, &RULE), Decision::Current);
        assert!(!opens_window(&row(), NOW - 5, &RULE));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_session_idle_however_often_it_is_used() {
        let mut row = row();
        for now in [NOW - 9_000, NOW - 8_900, NOW - 1, NOW] {
            let Decision::Write(to, _) = decide(&row, row.n, now, &RULE) else {
                panic!("a rotation");
            };
            assert_eq!((to.latest_at, to.idle_expires_at), (NOW, NOW + 10_000));
            row = to;
        }
        let Decision::Write(to, _) = decide(&row, row.n, NOW + 7, &RULE) else {
            panic!("a rotation");
        };
        assert_eq!((to.latest_at, to.idle_expires_at), (NOW + 7, NOW + 10_007));
    }

    #[test]
    fn a_token_that_was_used_late_in_a_window_counts_for_half_of_one_however_often_its_next_ones_are_used()
     {
        // Used from 5 to 9, each at the second that is named; the window opened with 4, at NOW.
        let mut used = row();
        for (n, at) in [(5, 9), (6, 11), (7, 12), (8, 14)] {
            let Decision::Write(to, Cause::Normal) = decide(&used, n, NOW + at, &RULE) else {
                panic!("a rotation");
            };
            used = to;
        }
        for n in 5..9 {
            assert_eq!(decide(&used, n, NOW + 14, &RULE), Decision::Current, "{n}");
            assert_eq!(decide(&used, n, NOW + 19, &RULE), Decision::Current, "{n}");
        }
        for n in [4, 5] {
            let at = if n == 4 { NOW + 14 } else { NOW + 20 };
            assert_eq!(
                decide(&used, n, at, &RULE),
                Decision::Revoke(Cause::Reuse),
                "{n}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_hold_the_late_budget() {
        let row = Counter {
            late_count: 3,
            late_since: NOW + 30 * RULE.late_window,
            ..row()
        };
        assert_eq!(late(decide(&row, 4, NOW + 100, &RULE)), (1, NOW + 100));
    }

    #[test]
    fn a_token_ahead_of_its_row_fast_forwards() {
        for n in [6, 7, 1_000] {
            let ahead = Counter {
                n: n + 1,
                rotated_at: NOW + 1,
                latest_at: NOW + 1,
                grace_n: n,
                grace_at: NOW + 1,
                before_n: n,
                before_at: NOW + 1,
                idle_expires_at: NOW + 10_001,
                ..row()
            };
            let decision = decide(&row(), n, NOW + 1, &RULE);
            assert_eq!(decision, Decision::Write(ahead, Cause::Ahead), "{n}");
        }
    }

    #[test]
    fn a_token_ahead_was_used_after_the_row_thinks_that_the_session_went_idle() {
        let idle = Counter {
            idle_expires_at: NOW,
            ..row()
        };
        assert!(matches!(
            decide(&idle, 6, NOW, &RULE),
            Decision::Write(_, Cause::Ahead)
        ));
        let over = Counter {
            expires_at: NOW,
            ..row()
        };
        assert_eq!(decide(&over, 6, NOW, &RULE), Decision::Dead);
    }

    #[test]
    fn a_session_that_is_over_answers_no_generation() {
        let revoked = Counter {
            revoked_at: Some(NOW),
            ..row()
        };
        let expired = Counter {
            expires_at: NOW,
            ..row()
        };
        let idle = Counter {
            idle_expires_at: NOW,
            ..row()
        };
        for (row, up_to) in [(revoked, 9), (expired, 9), (idle, 5)] {
            for n in 1..=up_to {
                assert_eq!(decide(&row, n, NOW, &RULE), Decision::Dead, "{n}");
            }
        }
        let alive = Counter {
            expires_at: NOW + 1,
            idle_expires_at: NOW + 1,
            ..row()
        };
        assert!(matches!(
            decide(&alive, 5, NOW, &RULE),
            Decision::Write(_, Cause::Normal)
        ));
    }

    /// What a late retry leaves of the budget.
    fn late(decision: Decision) -> (i64, i64) {
        match decision {
            Decision::Write(row, Cause::LateRetry) => (row.late_count, row.late_since),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn no_numbers_overflow_it(n in any::<i64>(), row_n in any::<i64>(), at in any::<i64>(), now in any::<i64>()) {
            let row = Counter { n: row_n, rotated_at: at, grace_n: row_n, grace_at: at, late_since: at, ..row() };
            decide(&row, n, now, &RULE);
            opens_window(&row, now, &RULE);
        }
    }
}
