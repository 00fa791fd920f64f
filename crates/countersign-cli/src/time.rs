//! Time on the command line: lengths (`15m`, `2s`) and moments (RFC 3339, or seconds since the epoch).

use std::time::{Duration, SystemTime};

use countersign::Timestamp;
use jiff::SignedDuration;

/// The time now; the library itself reads no clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// `90s`, `15m`, `2h`, `7d`. A bare number is refused, as it is by the settings of `serve`: it would be taken for minutes by
/// some and for seconds by others.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a length of time such as 90s, 15m, 2h or 7d";
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!(
            "expected a unit behind the number: {text}s or {text}m"
        ));
    }
    let length = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => SignedDuration::from_hours(i64::from(days).saturating_mul(24)),
        _ => text.parse().map_err(|_| EXPECTED.to_owned())?,
    };
    Duration::try_from(length).map_err(|_| EXPECTED.to_owned())
}

/// `2026-11-22T15:04:05Z`, or `1795359845`.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let secs = match text.parse::<i64>() {
        Ok(secs) => jiff::Timestamp::from_second(secs),
        Err(_) => text.parse(),
    };
    secs.map(|moment| Timestamp::from_unix_secs(moment.as_second()))
        .map_err(|_| {
            "expected a time such as 2026-11-22T15:04:05Z, or seconds since the epoch".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_lengths_of_time() {
        for (text, secs) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7200),
            ("7d", 604_800),
            ("1h30m", 5400),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(secs)),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_what_is_no_length_of_time() {
        for text in ["", "soon", "-5m", "-1", "0", "45", "1 fortnight", "d"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn accepts_rfc_3339_and_epoch_seconds() {
        for text in [
            "2026-11-22T15:04:05Z",
            "2026-11-22T16:04:05+01:00",
            "1795359845",
        ] {
            assert_eq!(
                parse_moment(text),
                Ok(Timestamp::from_unix_secs(1_795_359_845)),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_what_is_no_moment() {
        for text in ["", "now", "2026-11-22", "2026-13-01T00:00:00Z", "1e9"] {
            assert!(parse_moment(text).is_err(), "{text:?}");
        }
    }
}
