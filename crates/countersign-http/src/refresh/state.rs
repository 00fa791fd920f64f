//! What is held, what is on its way, and what follows from both at a given moment. No I/O and no clock.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::watch;

use super::{Condition, Loaded, Rule, Standing};
use crate::clock::Moment;
use crate::fetch::FetchError;

/// The pause after a first attempt that failed; every further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

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
    /// Whether something was brought and thrown away since what is held came.
    out_of_step: bool,
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
    started: Moment,
    /// Closed when it has ended.
    flight: watch::Receiver<()>,
    /// 1, 2, 3, …
    number: u64,
    /// Whether it took too long, and counts as failed whatever becomes of it.
    given_up: bool,
}

impl Attempt {
    fn runs(&self) -> bool {
        self.flight.has_changed().is_ok() && !self.given_up
    }

    fn is_overdue(&self, now: Moment, rule: &Rule) -> bool {
        self.runs() && now.since(self.started) >= rule.patience
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
    Await(watch::Receiver<()>),
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
            out_of_step: false,
        }
    }

    /// Whether what was brought last is what is held.
    pub(super) const fn is_in_step(&self) -> bool {
        !self.out_of_step
    }

    /// What was brought is thrown away.
    pub(super) const fn falls_out_of_step(&mut self) {
        self.out_of_step = true;
    }

    pub(super) fn next(&self, now: Moment, rule: &Rule) -> Next<T> {
        let standing = self.standing(now, rule);
        if let Some(held) = &self.held {
            let due = held.renewal_in(now).is_zero();
            // Beyond its life it counts on only where somebody has tried to renew it and could not.
            let counts = standing == Standing::Fresh
                || (standing == Standing::Stale && self.failed(now, rule));
            if counts {
                let value = Arc::clone(&held.value);
                return if due
                    && self.flight(now, rule).is_none()
                    && self.cooling(now, rule).is_zero()
                {
                    Next::UseAndRenew(value)
                } else {
                    Next::Use(value)
                };
            }
        }
        match (self.flight(now, rule), self.cooling(now, rule)) {
            (Some(flight), _) => Next::Await(flight),
            (None, Duration::ZERO) => Next::Renew,
            (None, retry_after) => Next::Nothing { retry_after },
        }
    }

    /// What is held within its limit, also where its life has ended.
    pub(super) fn held(&self, now: Moment, rule: &Rule) -> Option<Arc<T>> {
        let held = self.held.as_ref()?;
        (self.standing(now, rule) != Standing::Missing).then(|| Arc::clone(&held.value))
    }

    /// The fetch that runs now.
    pub(super) fn flight(&self, now: Moment, rule: &Rule) -> Option<watch::Receiver<()>> {
        let attempt = self.attempt.as_ref()?;
        let in_time = attempt.runs() && !attempt.is_overdue(now, rule);
        in_time.then(|| attempt.flight.clone())
    }

    /// Whether the last attempt failed, or is overdue, which comes to the same.
    pub(super) fn failed(&self, now: Moment, rule: &Rule) -> bool {
        let attempt = self.attempt.as_ref();
        self.failures > 0 || attempt.is_some_and(|attempt| attempt.is_overdue(now, rule))
    }

    /// Counts an attempt that is overdue as failed, once.
    pub(super) fn give_up(&mut self, now: Moment, rule: &Rule) -> Option<News> {
        let attempt = self.attempt.as_mut()?;
        if !attempt.is_overdue(now, rule) {
            return None;
        }
        attempt.given_up = true;
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(FetchError::Timeout);
        Some(self.news(now, rule))
    }

    /// Whether this is the number of the last attempt.
    pub(super) fn is_last(&self, number: u64) -> bool {
        let last = self.attempt.as_ref();
        last.is_some_and(|last| last.number == number)
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
        let recently = now.since(held.read) < rule.greatest_life && self.is_in_step();
        held.etag.clone().filter(|_| recently)
    }

    /// An attempt begins; returns its number.
    pub(super) fn begin(&mut self, now: Moment, flight: watch::Receiver<()>) -> u64 {
        let last = self.attempt.as_ref().map_or(0, |last| last.number);
        let number = last.saturating_add(1);
        self.attempt = Some(Attempt {
            started: now,
            flight,
            number,
            given_up: false,
        });
        number
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
                self.out_of_step = false;
                *held = Some(Held {
                    value: Arc::new(value),
                    etag,
                    read: started,
                    checked: started,
                    life: life(max_age),
                });
                Ok(())
            }
            // It compared with what was thrown away meanwhile.
            (Ok(Loaded::Again { .. } | Loaded::Unchanged { .. }), _) if self.out_of_step => {
                Err(FetchError::Aborted)
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
        Condition {
            age: self.held.as_ref().map(|held| now.since(held.checked)),
            standing: self.standing(now, rule),
            last_error: self.last_error.clone(),
            came_whole: self.came_whole,
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
