//! Moments as pages show them: exact for whoever needs it, and in words for everybody.

use countersign::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment, seen from now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// For `<time datetime>` (RFC 3339).
    pub(crate) machine: String,
    /// To the minute, in UTC.
    pub(crate) exact: String,
    /// "3 hours ago", "in 2 days".
    pub(crate) words: String,
}

impl When {
    pub(crate) fn of(at: i64, now: i64) -> Self {
        // 2026-11-22 15:04:05 UTC
        let exact = Timestamp::from_unix_secs(at).to_string();
        let machine = exact.replacen(' ', "T", 1).replace(" UTC", "Z");
        let minute = exact.rsplit_once(':').map_or("", |(minute, _)| minute);
        Self {
            exact: format!("{minute} UTC"),
            machine,
            words: in_words(at, now),
        }
    }
}

fn in_words(at: i64, now: i64) -> String {
    let secs = at.abs_diff(now);
    let (one, unit) = match secs {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (MINUTE, "minute"),
        HOUR..DAY => (HOUR, "hour"),
        _ => (DAY, "day"),
    };
    // What is still to come is rounded up: 30 days are "in 30 days" also a second later.
    let number = if at > now {
        secs.div_ceil(one)
    } else {
        secs.checked_div(one).unwrap_or_default()
    };
    let plural = if number == 1 { "" } else { "s" };
    if at > now {
        format!("in {number} {unit}{plural}")
    } else {
        format!("{number} {unit}{plural} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_words_and_exactly() {
        let now = 1_795_359_845;
        let when = When::of(now - 7_200, now);
        assert_eq!(when.words, "2 hours ago");
        assert_eq!(when.machine, "2026-11-22T13:04:05Z");
        assert_eq!(when.exact, "2026-11-22 13:04 UTC");
        for (at, words) in [
            (now, "just now"),
            (now - 59, "just now"),
            (now - 60, "1 minute ago"),
            (now + 3_600, "in 1 hour"),
            (now + 30 * 86_400 - 1, "in 30 days"),
            (now - 2 * 86_400 + 1, "1 day ago"),
            (now - 86_400 * 40, "40 days ago"),
        ] {
            assert_eq!(in_words(at, now), words);
        }
        assert!(in_words(i64::MIN, i64::MAX).ends_with(" days ago"));
    }
}
