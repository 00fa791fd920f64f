//! A value that is fetched, kept, and fetched again in time: key sets and status lists alike.
//!
//! - One fetch at a time, whoever asks; it runs in a task of its own, so that a request that goes away takes nothing
//!   with it, and no lock is held while it runs.
//! - The cool-down counts from attempts, not from successes: an issuer that is down is not asked more often, but ever less.
//! - The log hears of a change, not of every attempt: it begins to fail, the limit is over, it is back.
//! - Fresh values are handed out without waiting, and renewed in the background before they expire. One that expired while
//!   nobody asked is renewed before it counts again; one that cannot be renewed counts on, until its hard limit.
//! - A fetch that has not ended in time, because nobody runs its task, is waited for no longer, and another may start. What it
//!   still brings then is thrown away, and has left nothing behind: a fetch compares with what it is given.
//! - `now` is an argument.

mod state;
#[cfg(test)]
mod tests_of_patience;
#[cfg(test)]
mod tests_of_time;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::sync::watch;

use crate::clock::Moment;
use crate::fetch::FetchError;
use state::{News, Next, State, Underway};

/// A fetch that somebody waits for. It ends when the fetch has, however that ended.
pub(crate) type Flight = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is on its way.
pub(crate) type Loading<T> = Pin<Box<dyn Future<Output = Result<Loaded<T>, FetchError>> + Send>>;

/// How long values live, and how often they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// What the other side says about the life of a value is taken within these bounds.
    pub(crate) least_life: Duration,
    pub(crate) greatest_life: Duration,
    /// Where it says nothing.
    pub(crate) usual_life: Duration,
    /// Between two attempts.
    pub(crate) cool_down: Duration,
    /// Between two attempts that fail, at most: they follow each other ever more slowly, up to this.
    pub(crate) longest_pause: Duration,
    /// How long a value counts beyond its life while it cannot be renewed.
    pub(crate) stale_limit: Duration,
    /// How long a fetch may take in all. It has limits of its own, which are no use where its runtime does not run it.
    pub(crate) patience: Duration,
}

/// What a fetch has brought.
#[derive(Debug)]
pub(crate) enum Loaded<T> {
    New {
        value: T,
        etag: Option<HeaderValue>,
        max_age: Option<Duration>,
    },
    /// What is held has come whole once more.
    Again {
        etag: Option<HeaderValue>,
        max_age: Option<Duration>,
    },
    /// What is held is still right, by the other side's word.
    Unchanged { max_age: Option<Duration> },
}

/// What can be had now.
pub(crate) enum View<T> {
    Held(Arc<T>),
    /// Look again when this has ended; what is not there then is not to be had.
    Wait(Flight),
    Nothing {
        retry_after: Duration,
    },
}

/// What comes of asking for something newer than what is held.
pub(crate) enum Asked {
    Wait(Flight),
    /// The last attempt is too fresh for another.
    CoolingDown {
        retry_after: Duration,
        /// Whether that attempt failed, so that nobody knows whether there is something newer.
        failed: bool,
    },
}

/// Why no fetch was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotStarted {
    /// The last attempt is too fresh for another.
    TooEarly,
    /// There is none to run it in.
    NoRuntime,
}

/// How a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Since when what is held was last known to be right.
    pub(crate) age: Option<Duration>,
    pub(crate) standing: Standing,
    /// Why the last attempt failed, if it did.
    pub(crate) last_error: Option<FetchError>,
    /// Whether the last attempt brought the whole, and not only the word that it is unchanged.
    pub(crate) came_whole: bool,
    /// Whether another has not ended yet.
    pub(crate) is_underway: bool,
    /// When the next attempt may be made.
    pub(crate) retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Fresh,
    /// Beyond its life, and within the limit.
    Stale,
    Missing,
}

/// What the log says of a value.
pub(crate) struct Subject {
    /// What it is and from where.
    pub(crate) what: String,
    /// What follows while there is none.
    pub(crate) without: &'static str,
}

/// The value and its fetches; all clones share them.
pub(crate) struct Refresher<T>(Arc<Shared<T>>);

struct Shared<T> {
    subject: Subject,
    rule: Rule,
    load: Box<Load<T>>,
    state: RwLock<State<T>>,
}

type Load<T> = dyn Fn(Basis<T>) -> Loading<T> + Send + Sync;

/// What a fetch starts from. It keeps nothing itself: what it brings may be thrown away.
pub(crate) struct Basis<T> {
    /// What is held.
    pub(crate) held: Option<Arc<T>>,
    /// Its `ETag`, where it is to bring news only.
    pub(crate) etag: Option<HeaderValue>,
}

impl<T: Send + Sync + 'static> Refresher<T> {
    /// Nothing is fetched yet.
    pub(crate) fn new(
        subject: Subject,
        rule: Rule,
        load: impl Fn(Basis<T>) -> Loading<T> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            subject,
            rule,
            load: Box::new(load),
            state: RwLock::new(State::new()),
        }))
    }

    /// The value, or what there is instead of it. Whatever has to be fetched for it is on its way afterwards.
    pub(crate) fn view(&self, now: Moment) -> View<T> {
        // Where another has fetched between the look and the start, the second look finds what that brought.
        for _ in 0..2 {
            let next = self.0.read().next(now, &self.0.rule);
            match next {
                Next::Use(value) => return View::Held(value),
                Next::UseAndRenew(value) => {
                    let _ = self.start(now, true);
                    return View::Held(value);
                }
                Next::Await(underway) => return View::Wait(self.join(underway, now)),
                Next::Nothing { retry_after } => return View::Nothing { retry_after },
                Next::Renew => match self.start(now, true) {
                    Ok(flight) => return View::Wait(flight),
                    // Who cannot ask has what there is, within its limit, and nobody else has it for that.
                    Err(NotStarted::NoRuntime) => {
                        if let Some(held) = self.brought(now) {
                            return View::Held(held);
                        }
                    }
                    Err(NotStarted::TooEarly) => {}
                },
            }
        }
        View::Nothing {
            retry_after: self.0.rule.cool_down,
        }
    }

    /// The same for whoever has `waited` for a fetch, and does not wait again: what it has brought counts for him, because
    /// where a fetch takes longer than what it brings may live, nobody would ever see a fresh value.
    pub(crate) fn look(&self, now: Moment, waited: bool) -> View<T> {
        if !waited {
            return self.view(now);
        }
        let Some(brought) = self.brought(now) else {
            // Where a clock has leapt meanwhile, what was brought has come to its end already.
            let has_leapt = self.0.read().has_leapt(now);
            if has_leapt {
                return self.view(now);
            }
            return View::Nothing {
                retry_after: self.condition(now).retry_after,
            };
        };
        match self.view(now) {
            View::Held(value) => View::Held(value),
            View::Wait(_) | View::Nothing { .. } => View::Held(brought),
        }
    }

    /// What is held within its limit, also where its life has ended.
    pub(crate) fn brought(&self, now: Moment) -> Option<Arc<T>> {
        self.0.read().held(now, &self.0.rule)
    }

    /// Asks for something newer than what is held: whole, not only whether there are news, because the word of an issuer
    /// whose `ETag` lies is not taken twice.
    pub(crate) fn ask_again(&self, now: Moment) -> Asked {
        let cannot = match self.start(now, false) {
            Ok(flight) => return Asked::Wait(flight),
            Err(why) => why,
        };
        let state = self.0.read();
        Asked::CoolingDown {
            retry_after: state.cooling(now, &self.0.rule),
            failed: cannot == NotStarted::NoRuntime || state.failed(),
        }
    }

    /// How long until it is to be renewed: never at once, because whoever asks for this only wants to wait.
    pub(crate) fn renewal_in(&self, now: Moment) -> Duration {
        self.0.read().renewal_in(now, &self.0.rule)
    }

    /// How long a fetch may take in all.
    pub(crate) fn patience(&self) -> Duration {
        self.0.rule.patience
    }

    /// How the value stands, without asking anybody.
    pub(crate) fn condition(&self, now: Moment) -> Condition {
        self.0.read().condition(now, &self.0.rule)
    }

    /// Starts a fetch, or joins one that another has started meanwhile.
    fn start(&self, now: Moment, news_only: bool) -> Result<Flight, NotStarted> {
        let rule = &self.0.rule;
        let mut state = self.0.write();
        if let Some(underway) = state.underway() {
            state.join(now);
            return Ok(ended(underway));
        }
        if !state.cooling(now, rule).is_zero() {
            return Err(NotStarted::TooEarly);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let news = state.lacks_runtime(now, rule);
            drop(state);
            self.0.subject.log(news, Some(&FetchError::NoRuntime));
            return Err(NotStarted::NoRuntime);
        };
        let basis = Basis {
            held: state.basis(),
            etag: news_only.then(|| state.etag(now, rule)).flatten(),
        };
        let (task, end) = watch::channel(());
        let begun = Instant::now();
        let underway = Underway {
            end,
            begun,
            due: after(begun, rule.patience),
            asks: Arc::new(AtomicBool::new(false)),
        };
        let (number, news) = state.begin(now, underway.clone(), rule);
        drop(state);
        // Of the one before, which was given up with that.
        if news != News::Nothing {
            self.0.subject.log(news, Some(&FetchError::Timeout));
        }
        let attempt = Attempt {
            shared: Arc::clone(&self.0),
            number,
            asks: Arc::clone(&underway.asks),
            outcome: Err(FetchError::Aborted),
            _task: task,
        };
        runtime.spawn(attempt.run(basis));
        Ok(ended(underway))
    }

    /// The end of a fetch that somebody waits for from `now` on.
    fn join(&self, underway: Underway, now: Moment) -> Flight {
        if !underway.has_asked() {
            self.0.write().join(now);
        }
        ended(underway)
    }
}

/// A fetch that runs. What came of it is settled with its end, however it ends: also where it panics, and where its runtime
/// drops it.
struct Attempt<T> {
    shared: Arc<Shared<T>>,
    number: u64,
    asks: Arc<AtomicBool>,
    outcome: Result<Loaded<T>, FetchError>,
    /// Goes last: whoever waits for a message is told that there will be none, and finds what came of it.
    _task: watch::Sender<()>,
}

impl<T> Attempt<T> {
    async fn run(mut self, basis: Basis<T>) {
        self.asks.store(true, Ordering::SeqCst);
        self.outcome = (self.shared.load)(basis).await;
    }
}

impl<T> Drop for Attempt<T> {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Err(FetchError::Aborted));
        self.shared.settle(outcome, self.number);
    }
}

impl<T> Shared<T> {
    // A poisoned lock still holds a whole state: every change of it is a few assignments.
    fn read(&self) -> RwLockReadGuard<'_, State<T>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<T>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, outcome: Result<Loaded<T>, FetchError>, number: u64) {
        let error = outcome.as_ref().err().cloned();
        let mut state = self.write();
        let Some(started) = state.started(number) else {
            return;
        };
        let news = state.settle(outcome, started, &self.rule);
        drop(state);
        self.subject.log(news, error.as_ref());
    }
}

impl Subject {
    /// A change is one line for whoever runs the service; the attempts between are for whoever looks for them.
    fn log(&self, news: News, error: Option<&FetchError>) {
        let (what, without) = (self.what.as_str(), self.without);
        let code = error.map(FetchError::code);
        let error = error.map(tracing::field::display);
        match news {
            News::Failing { counts_for } => tracing::warn!(
                what,
                code,
                error,
                counts_for_secs = counts_for.as_secs(),
                "could not be fetched; what is held counts on for so long"
            ),
            News::Missing => tracing::warn!(
                what,
                code,
                error,
                without,
                "could not be fetched, and nothing is held that counts"
            ),
            News::Back => tracing::info!(what, "fetched again"),
            News::Nothing => tracing::debug!(what, code, error, "asked"),
        }
    }
}

/// The end of a fetch, or of the patience with it.
fn ended(underway: Underway) -> Flight {
    let Underway { mut end, due, .. } = underway;
    Box::pin(async move {
        // Nothing is ever sent: this waits for the sender to go.
        let end = async { while end.changed().await.is_ok() {} };
        match timer(due) {
            Some(over) => {
                let (mut end, mut over) = (std::pin::pin!(end), std::pin::pin!(over));
                std::future::poll_fn(|cx| match end.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(()),
                    Poll::Pending => over.as_mut().poll(cx),
                })
                .await;
            }
            None => end.await,
        }
    })
}

/// So long after it has begun; where a clock does not reach so far, long enough.
fn after(begun: Instant, patience: Duration) -> Instant {
    let far = || begun.checked_add(Duration::from_secs(86_400));
    begun.checked_add(patience).or_else(far).unwrap_or(begun)
}

/// `None` for who waits outside of any runtime, or in one without timers, and has no clock to wait by.
fn timer(due: Instant) -> Option<tokio::time::Sleep> {
    tokio::runtime::Handle::try_current().ok()?;
    // For so long, not until then: a test may have moved the clock of the runtime.
    let patience = due.saturating_duration_since(Instant::now());
    // There is no other way to ask whether there are timers.
    std::panic::catch_unwind(|| tokio::time::sleep(patience)).ok()
}

impl<T> Clone for Refresher<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Refresher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher")
            .field("what", &self.0.subject.what)
            .field("rule", &self.0.rule)
            .finish_non_exhaustive()
    }
}
