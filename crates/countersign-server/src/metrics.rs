//! What is counted, and how it is told: the text format of Prometheus, one line for each figure.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::rules::rotation::Cause;

/// The figures of a server since it started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    refresh: [AtomicU64; Cause::ALL.len()],
    garbage: AtomicU64,
    unproxied: AtomicU64,
}

impl Metrics {
    /// A refresh with a token of a session, whether it was answered or refused.
    pub(crate) fn count_refresh(&self, cause: Cause) {
        let counted = Cause::ALL.iter().zip(&self.refresh);
        for (_, count) in counted.filter(|(of, _)| **of == cause) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A refresh with what is no token of this server. It is not one of the others: strangers would drown what honest
    /// clients meet.
    pub(crate) fn count_garbage(&self) {
        self.garbage.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that was answered `https_required`.
    pub(crate) fn count_unproxied(&self) {
        self.unproxied.fetch_add(1, Ordering::Relaxed);
    }

    /// Refreshes with a token of a session, by what became of them.
    pub(crate) fn refreshes(&self) -> impl Iterator<Item = (Cause, u64)> {
        let counts = self
            .refresh
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Cause::ALL.into_iter().zip(counts)
    }

    /// Refreshes with what is no token of this server.
    pub(crate) fn garbage(&self) -> u64 {
        self.garbage.load(Ordering::Relaxed)
    }

    /// All of them as text, and by how many seconds the clock has leapt ahead, while that is in doubt.
    pub(crate) fn text(&self, leap: Option<i64>) -> String {
        let mut text = String::new();
        family(
            &mut text,
            "countersign_refresh_total",
            "Refreshes with a token of this server, by what became of them; reuse, expired and unknown were refused.",
        );
        for (cause, count) in self.refreshes() {
            let cause = cause.name();
            let _ = writeln!(
                text,
                "countersign_refresh_total{{cause=\"{cause}\"}} {count}"
            );
        }
        family(
            &mut text,
            "countersign_refresh_garbage_total",
            "Refreshes with what is no token of this server.",
        );
        let garbage = self.garbage();
        let _ = writeln!(text, "countersign_refresh_garbage_total {garbage}");
        let name = "countersign_https_required_total";
        let help = "Requests that came in the clear past the trusted proxies and were refused.";
        family(&mut text, name, help);
        let _ = writeln!(text, "{name} {}", self.unproxied.load(Ordering::Relaxed));
        let name = "countersign_clock_leap_seconds";
        let help =
            "By how much the clock has leapt ahead, while that is in doubt and nothing ends by it.";
        let leap = leap.unwrap_or_default();
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {leap}"
        );
        text
    }
}

// Writing to a String does not fail.
fn family(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_also_while_it_has_not_happened() {
        let metrics = Metrics::default();
        metrics.count_refresh(Cause::LateRetry);
        metrics.count_refresh(Cause::LateRetry);
        metrics.count_garbage();
        metrics.count_unproxied();
        let text = metrics.text(Some(7_200));
        for line in [
            "# TYPE countersign_refresh_total counter",
            "countersign_refresh_total{cause=\"normal\"} 0",
            "countersign_refresh_total{cause=\"race\"} 0",
            "countersign_refresh_total{cause=\"late_retry\"} 2",
            "countersign_refresh_total{cause=\"reuse\"} 0",
            "countersign_refresh_total{cause=\"ahead\"} 0",
            "countersign_refresh_total{cause=\"expired\"} 0",
            "countersign_refresh_total{cause=\"unknown\"} 0",
            "countersign_refresh_garbage_total 1",
            "countersign_https_required_total 1",
            "countersign_clock_leap_seconds 7200",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert!(text.ends_with('\n'));
    }
}
