//! What a load came to.

use std::fmt;
use std::time::Duration;

#[derive(Default)]
pub struct Figures {
    times: Vec<Duration>,
    pub failures: usize,
    wall: Duration,
}

impl Figures {
    pub fn new(wall: Duration) -> Self {
        Self { wall, ..Self::default() }
    }

    pub fn add(&mut self, (times, failures): (Vec<Duration>, usize)) {
        self.times.extend(times);
        self.times.sort_unstable();
        self.failures += failures;
    }

    pub fn count(&self) -> usize {
        self.times.len()
    }

    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.wall.as_secs_f64()
    }

    pub fn percentile(&self, of: usize) -> f64 {
        let at = (self.times.len() * of / 100).min(self.times.len().saturating_sub(1));
        self.times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    }
}

/// The cells of a row: how many a second, p50, p95, p99, failures.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} | {:.2} | {:.2} | {:.2} | {}",
            self.per_second(),
            self.percentile(50),
            self.percentile(95),
            self.percentile(99),
            self.failures
        )
    }
}
