//! Points in time, in whole seconds. The core reads no clock: `now` is an argument, so every test of time is exact.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 §2, "NumericDate").
///
/// Any `i64` is a valid value; arithmetic saturates at its ends. `Display` writes `2026-11-22 15:04:05 UTC`.
///
/// ```
/// use countersign::Timestamp;
/// let now = Timestamp::from_unix_secs(1_795_359_845);
/// assert_eq!(now.to_string(), "2026-11-22 15:04:05 UTC");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second of the year 9999, the largest NumericDate that a token may hold.
    pub const MAX_NUMERIC_DATE: Self = Self(253_402_300_799);

    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_unix_secs(secs: i64) -> Self {
        Self(secs)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix_secs(self) -> i64 {
        self.0
    }

    /// This time plus whole seconds of `by`; stops at the largest value.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(by.as_secs()))
    }

    /// This time less whole seconds of `by`; stops at the smallest value.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(by.as_secs()))
    }

    /// How long ago `earlier` was; zero where it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        match u64::try_from(self.0.saturating_sub(earlier.0)) {
            Ok(secs) => Duration::from_secs(secs),
            Err(_) => Duration::ZERO,
        }
    }
}

impl From<SystemTime> for Timestamp {
    /// Rounds down to the whole second.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(0).saturating_add(after),
            Err(before) => {
                let before = before.duration();
                let part = u64::from(before.subsec_nanos() > 0);
                Self(0i64.saturating_sub_unsigned(before.as_secs().saturating_add(part)))
            }
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, secs) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (
            secs.div_euclid(3600),
            secs.rem_euclid(3600).div_euclid(60),
            secs.rem_euclid(60),
        );
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

/// The proleptic Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin on 1 March.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "days are at most 2^63 / 86,400 from the epoch, so nothing here comes near the ends of i64"
)]
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_written_as_a_date_of_the_gregorian_calendar() {
        for (secs, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (2_147_483_648, "2038-01-19 03:14:08 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(Timestamp::from_unix_secs(secs).to_string(), text);
        }
    }

    #[test]
    fn a_time_before_the_epoch_rounds_down() {
        let half_a_second_before = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(
            Timestamp::from(half_a_second_before),
            Timestamp::from_unix_secs(-1)
        );
    }

    proptest! {
        #[test]
        fn arithmetic_never_overflows_and_keeps_order(secs: i64, by: u64) {
            let (at, by) = (Timestamp::from_unix_secs(secs), Duration::from_secs(by));
            prop_assert!(at.saturating_add(by) >= at);
            prop_assert!(at.saturating_sub(by) <= at);
            prop_assert!(!at.to_string().is_empty());
        }
    }
}
