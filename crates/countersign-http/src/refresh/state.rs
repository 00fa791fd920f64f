//! What is held, what is on its way, and what follows from both at a given moment. No I/O, and no clock but the one that a
//! fetch is waited for by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::sync::watch;

use super::{Condition, Loaded, Rule, Standing};
use crate::clock::Moment;
use crate::fetch::FetchError;

/// The pause after a first attempt that failed; every further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// By how much a clock may go faster than another and has not leapt.
const LEAP: Duration = Duration::from_secs(1);

/// Whoever waits for something to become due waits at least so long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);

pub(super) struct State<T> {
    held: Option<Held<T>>,
    attempt: Option<Attempt>,
    /// Since the last success.
    failures: u32,
    last_error: Option<FetchError>,
    /// Whether the last attempt brought the whole.
    came_whole: bool,
    /// What was said last of how it stands, where that was anything bad.
    told: Option<Standing>,
    /// How it stood when somebody last wanted an attempt where there was no runtime to make it in: that is none.
    lacks_runtime: Option<Standing>,
}

struct Held<T> {
    value: Arc<T>,
    etag: Option<HeaderValue>,
    /// When it came whole.
    read: Moment,
    /// When it was last known to be right: then, or at the last 304 since.
    checked: Moment,
    life: Duration,
}

struct Attempt {
    /// When it began, or when somebody joined it before it had asked anything.
    started: Moment,
    underway: Underway,
    /// 1, 2, 3, …
    number: u64,
}

/// A fetch, for whoever waits for it.
#[derive(Clone)]
pub(super) struct Underway {
    /// Closed when it has ended.
    pub(super) end: watch::Receiver<()>,
    pub(super) begun: Instant,
    /// From then on it is waited for no longer. No clock of the service's own counts here, which may leap: what is measured is
    /// how long nobody has run it.
    pub(super) due: Instant,
    /// Whether it has begun to ask.
    pub(super) asks: Arc<AtomicBool>,
}

impl Underway {
    fn has_ended(&self) -> bool {
        self.end.has_changed().is_err()
    }

    /// Whether it has not ended in time, and counts as failed unless it still ends before the next one begins.
    fn is_overdue(&self) -> bool {
        !self.has_ended() && self.due <= Instant::now()
    }

    pub(super) fn has_asked(&self) -> bool {
        self.asks.load(Ordering::SeqCst)
    }
}

/// What has changed with the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It fails, and what is held counts on for so long at most.
    Failing {
        counts_for: Duration,
    },
    /// It fails, and nothing is held that counts: not yet, or no longer.
    Missing,
    /// It had failed, and does no more.
    Back,
    Nothing,
}

/// What to do with a question for the value.
pub(super) enum Next<T> {
    Use(Arc<T>),
    UseAndRenew(Arc<T>),
    Renew,
    Await(Underway),
    Nothing { retry_after: Duration },
}

impl<T> Held<T> {
    /// A quarter of its life is time enough to renew it in.
    fn renewal_in(&self, now: Moment) -> Duration {
        let quarter = self.life.checked_div(4).unwrap_or_default();
        let due = self.life.saturating_sub(quarter);
        due.saturating_sub(now.since(self.checked))
    }
}

impl<T> State<T> {
    pub(super) fn new() -> Self {
        Self {
            held: None,
            attempt: None,
            failures: 0,
            last_error: None,
            came_whole: false,
            told: None,
            lacks_runtime: None,
        }
    }

    pub(super) fn next(&self, now: Moment, rule: &Rule) -> Next<T> {
        let standing = self.standing(now, rule);
        if let Some(held) = &self.held {
            let due = held.renewal_in(now).is_zero();
            // Beyond its life it counts on only where somebody has tried to renew it and could not.
            let counts =
                standing == Standing::Fresh || (standing == Standing::Stale && self.failed());
            if counts {
                let value = Arc::clone(&held.value);
                return if due && self.underway().is_none() && self.cooling(now, rule).is_zero() {
                    Next::UseAndRenew(value)
                } else {
                    Next::Use(value)
                };
            }
        }
        match (self.underway(), self.cooling(now, rule)) {
            (Some(underway), _) => Next::Await(underway),
            (None, Duration::ZERO) => Next::Renew,
            (None, retry_after) => Next::Nothing { retry_after },
        }
    }

    /// What is held within its limit, also where its life has ended.
    pub(super) fn held(&self, now: Moment, rule: &Rule) -> Option<Arc<T>> {
        let held = self.held.as_ref()?;
        (self.standing(now, rule) != Standing::Missing).then(|| Arc::clone(&held.value))
    }

    /// What is held, for an attempt to compare with. Until that has ended, or another has begun, nothing takes its place.
    pub(super) fn basis(&self) -> Option<Arc<T>> {
        self.held.as_ref().map(|held| Arc::clone(&held.value))
    }

    /// The fetch that runs now.
    pub(super) fn underway(&self) -> Option<Underway> {
        let attempt = self.attempt.as_ref()?;
        let waited_for = !attempt.underway.has_ended() && !attempt.underway.is_overdue();
        waited_for.then(|| attempt.underway.clone())
    }

    /// Whether the last attempt failed, or is overdue, which comes to the same.
    pub(super) fn failed(&self) -> bool {
        self.failures > 0 || self.is_overdue()
    }

    fn is_overdue(&self) -> bool {
        let attempt = self.attempt.as_ref();
        attempt.is_some_and(|attempt| attempt.underway.is_overdue())
    }

    /// Whether the clock of the service has gone by more than time has since the last attempt began, which did not fail.
    pub(super) fn has_leapt(&self, now: Moment) -> bool {
        let attempt = self.attempt.as_ref().filter(|_| !self.failed());
        attempt.is_some_and(|attempt| {
            let by_clock = now.since(attempt.started);
            by_clock > attempt.underway.begun.elapsed().saturating_add(LEAP)
        })
    }

    /// Somebody waits from `now` on for the fetch that runs. Where it has not asked yet, what it brings is right then at least.
    pub(super) fn join(&mut self, now: Moment) {
        if let Some(attempt) = &mut self.attempt
            && !attempt.underway.has_asked()
        {
            attempt.started = attempt.started.max(now);
        }
    }

    /// When the attempt with this number began, if it is the last.
    pub(super) fn started(&self, number: u64) -> Option<Moment> {
        let last = self.attempt.as_ref()?;
        (last.number == number).then_some(last.started)
    }

    /// How long until the next attempt may be made.
    pub(super) fn cooling(&self, now: Moment, rule: &Rule) -> Duration {
        let Some(attempt) = &self.attempt else {
            return Duration::ZERO;
        };
        let doublings = self.failures.saturating_sub(1).min(16);
        let pause = FIRST_PAUSE
            .saturating_mul(1 << doublings)
            .min(rule.longest_pause);
        // While there is nothing to use at all, the first attempts follow each other faster.
        let wait = if self.standing(now, rule) == Standing::Missing {
            pause
        } else {
            pause.max(rule.cool_down)
        };
        wait.saturating_sub(now.since(attempt.started))
    }

    /// The `ETag` to ask for news with. Once in a while the whole is asked for, whatever an `ETag` says.
    pub(super) fn etag(&self, now: Moment, rule: &Rule) -> Option<HeaderValue> {
        let held = self.held.as_ref()?;
        let recently = now.since(held.read) < rule.greatest_life;
        held.etag.clone().filter(|_| recently)
    }

    /// An attempt begins; returns its number. One before it that has not ended has failed, and what it still brings counts no
    /// more: it may be older than what this one brings.
    pub(super) fn begin(&mut self, now: Moment, underway: Underway, rule: &Rule) -> (u64, News) {
        let news = if self.is_overdue() {
            self.failures = self.failures.saturating_add(1);
            self.last_error = Some(FetchError::Timeout);
            self.news(now, rule)
        } else {
            News::Nothing
        };
        let last = self.attempt.as_ref().map_or(0, |last| last.number);
        let number = last.saturating_add(1);
        self.attempt = Some(Attempt {
            started: now,
            underway,
            number,
        });
        (number, news)
    }

    /// Notes that there was no runtime to make an attempt in; whether that is worth a line.
    pub(super) fn lacks_runtime(&mut self, now: Moment, rule: &Rule) -> News {
        let standing = self.standing(now, rule);
        if self.lacks_runtime.replace(standing) == Some(standing) {
            return News::Nothing;
        }
        match standing {
            Standing::Fresh => News::Nothing,
            Standing::Stale => News::Failing {
                counts_for: self.counts_for(now, rule),
            },
            Standing::Missing => News::Missing,
        }
    }

    /// The end of the attempt that started at `started`. Freshness counts from there: what came was right then at least.
    pub(super) fn settle(
        &mut self,
        outcome: Result<Loaded<T>, FetchError>,
        started: Moment,
        rule: &Rule,
    ) -> News {
        let life = |max_age: Option<Duration>| {
            max_age
                .unwrap_or(rule.usual_life)
                .clamp(rule.least_life, rule.greatest_life)
        };
        self.came_whole = matches!(outcome, Ok(Loaded::New { .. } | Loaded::Again { .. }));
        let outcome = match (outcome, &mut self.held) {
            (
                Ok(Loaded::New {
                    value,
                    etag,
                    max_age,
                }),
                held,
            ) => {
                *held = Some(Held {
                    value: Arc::new(value),
                    etag,
                    read: started,
                    checked: started,
                    life: life(max_age),
                });
                Ok(())
            }
            (Ok(Loaded::Again { etag, max_age }), Some(held)) => {
                held.etag = etag;
                held.read = started;
                held.checked = started;
                held.life = life(max_age);
                Ok(())
            }
            (Ok(Loaded::Unchanged { max_age }), Some(held)) => {
                held.checked = started;
                held.life = life(max_age);
                Ok(())
            }
            (Ok(Loaded::Again { .. } | Loaded::Unchanged { .. }), None) => {
                Err(FetchError::Status { found: 304 })
            }
            (Err(error), _) => Err(error),
        };
        if outcome.is_ok() {
            self.lacks_runtime = None;
        }
        self.failures = match outcome {
            Ok(()) => 0,
            Err(_) => self.failures.saturating_add(1),
        };
        self.last_error = outcome.err();
        self.news(started, rule)
    }

    /// What there is to say that was not said already.
    fn news(&mut self, now: Moment, rule: &Rule) -> News {
        let standing = (self.failures > 0).then(|| match self.standing(now, rule) {
            Standing::Missing => Standing::Missing,
            Standing::Fresh | Standing::Stale => Standing::Stale,
        });
        if std::mem::replace(&mut self.told, standing) == standing {
            return News::Nothing;
        }
        match standing {
            None => News::Back,
            Some(Standing::Missing) => News::Missing,
            Some(Standing::Fresh | Standing::Stale) => News::Failing {
                counts_for: self.counts_for(now, rule),
            },
        }
    }

    /// For how long what is held counts on, however little is fetched.
    fn counts_for(&self, now: Moment, rule: &Rule) -> Duration {
        self.held.as_ref().map_or(Duration::ZERO, |held| {
            let limit = held.life.saturating_add(rule.stale_limit);
            limit.saturating_sub(now.since(held.checked))
        })
    }

    pub(super) fn renewal_in(&self, now: Moment, rule: &Rule) -> Duration {
        let due = match &self.held {
            Some(held) => held.renewal_in(now),
            None => Duration::ZERO,
        };
        due.max(self.cooling(now, rule)).max(SHORTEST_PAUSE)
    }

    pub(super) fn condition(&self, now: Moment, rule: &Rule) -> Condition {
        let standing = self.standing(now, rule);
        let unasked = self.lacks_runtime.is_some() && standing != Standing::Fresh;
        let last_error = if self.is_overdue() {
            Some(FetchError::Timeout)
        } else {
            let unasked = unasked.then_some(FetchError::NoRuntime);
            self.last_error.clone().or(unasked)
        };
        Condition {
            age: self.held.as_ref().map(|held| now.since(held.checked)),
            standing,
            last_error,
            came_whole: self.came_whole,
            is_underway: self.underway().is_some(),
            retry_after: self.cooling(now, rule),
        }
    }

    fn standing(&self, now: Moment, rule: &Rule) -> Standing {
        match &self.held {
            Some(held) if now.since(held.checked) < held.life => Standing::Fresh,
            Some(held) if now.since(held.checked) < held.life.saturating_add(rule.stale_limit) => {
                Standing::Stale
            }
            _ => Standing::Missing,
        }
    }
}
