//! The rules of refreshing, at moments of our choice. What is fetched is a number: how often something was fetched.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::clock::Clock;

pub(super) const RULE: Rule = Rule {
    least_life: Duration::from_secs(60),
    greatest_life: Duration::from_secs(86_400),
    usual_life: Duration::from_secs(600),
    cool_down: Duration::from_secs(30),
    longest_pause: Duration::from_secs(30),
    stale_limit: Duration::from_secs(3_600),
    patience: Duration::from_secs(1_000_000),
};

pub(super) fn subject() -> Subject {
    Subject {
        what: "numbers".to_owned(),
        without: "nobody counts",
    }
}

/// An issuer whose answers a test chooses, and that counts what it is asked.
struct Issuer {
    asked: AtomicU32,
    etags: Mutex<Vec<Option<HeaderValue>>>,
    answer: Mutex<Kind>,
    /// One for each answer that may be given.
    gate: Semaphore,
}

#[derive(Clone, Copy)]
enum Kind {
    New(Option<u64>),
    Unchanged(Option<u64>),
    Down,
}

impl Issuer {
    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn answers(&self, kind: Kind) {
        *self.answer.lock().unwrap() = kind;
    }

    fn last_etag(&self) -> Option<HeaderValue> {
        self.etags.lock().unwrap().last().cloned().flatten()
    }
}

pub(super) struct Bench {
    issuer: Arc<Issuer>,
    values: Refresher<u32>,
    start: Moment,
}

impl Bench {
    /// Answers at once.
    pub(super) fn open() -> Self {
        Self::with_gate(usize::MAX >> 4)
    }

    fn with_gate(answers: usize) -> Self {
        let issuer = Arc::new(Issuer {
            asked: AtomicU32::new(0),
            etags: Mutex::default(),
            answer: Mutex::new(Kind::New(None)),
            gate: Semaphore::new(answers),
        });
        let other_side = Arc::clone(&issuer);
        let values = Refresher::new(subject(), RULE, move |Basis { etag, .. }| {
            let issuer = Arc::clone(&other_side);
            Box::pin(async move {
                issuer.asked.fetch_add(1, Ordering::SeqCst);
                let number = issuer.asked.load(Ordering::SeqCst);
                issuer.etags.lock().unwrap().push(etag);
                issuer.gate.acquire().await.unwrap().forget();
                let age = |secs: Option<u64>| secs.map(Duration::from_secs);
                match *issuer.answer.lock().unwrap() {
                    Kind::New(secs) => Ok(Loaded::New {
                        value: number,
                        etag: Some(HeaderValue::from(number)),
                        max_age: age(secs),
                    }),
                    Kind::Unchanged(secs) => Ok(Loaded::Unchanged { max_age: age(secs) }),
                    Kind::Down => Err(FetchError::Timeout),
                }
            })
        });
        Self {
            issuer,
            values,
            start: Clock::system().moment(),
        }
    }

    fn at(&self, secs: u64) -> Moment {
        self.start.later(Duration::from_secs(secs))
    }

    /// What a request at this second gets, after waiting where it has to.
    pub(super) async fn get(&self, secs: u64) -> Result<u32, u64> {
        for _ in 0..2 {
            match self.values.view(self.at(secs)) {
                View::Held(value) => return Ok(*value),
                View::Nothing { retry_after } => return Err(retry_after.as_secs()),
                View::Wait(flight) => flight.await,
            }
        }
        panic!("it waits twice");
    }

    /// Gets without waiting.
    fn at_once(&self, secs: u64) -> Option<u32> {
        match self.values.view(self.at(secs)) {
            View::Held(value) => Some(*value),
            _ => None,
        }
    }

    /// Until what runs in the background has ended.
    async fn settled(&self) {
        let underway = self.values.0.read().underway();
        if let Some(underway) = underway {
            ended(underway).await;
        }
    }
}

#[tokio::test]
async fn single_flight_a_thousand_questions_at_once_are_one_fetch() {
    let bench = Arc::new(Bench::with_gate(0));
    let questions: Vec<_> = (0..1000)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.get(0).await })
        })
        .collect();
    tokio::task::yield_now().await;
    bench.issuer.gate.add_permits(1);
    for question in questions {
        assert_eq!(question.await.unwrap(), Ok(1));
    }
    assert_eq!(bench.issuer.asked(), 1);
}

#[tokio::test]
async fn single_flight_goes_on_when_the_one_who_started_it_goes_away() {
    let bench = Bench::with_gate(0);
    let View::Wait(first) = bench.values.view(bench.at(0)) else {
        panic!("there is nothing to hold yet");
    };
    drop(first);
    bench.issuer.gate.add_permits(1);
    assert_eq!(bench.get(0).await, Ok(1));
    assert_eq!(bench.issuer.asked(), 1);
}

#[tokio::test]
async fn a_fresh_value_is_handed_out_without_a_fetch_and_renewed_before_it_expires() {
    let bench = Bench::open();
    assert_eq!(bench.get(0).await, Ok(1));
    assert_eq!(bench.at_once(449), Some(1));
    assert_eq!(bench.issuer.asked(), 1);
    // Three quarters of its life: the question that notices does not wait for it.
    assert_eq!(bench.at_once(450), Some(1));
    bench.settled().await;
    assert_eq!(bench.at_once(451), Some(2));
    assert_eq!(bench.issuer.asked(), 2);
}

#[tokio::test]
async fn a_value_that_expired_while_nobody_asked_is_renewed_before_it_counts_again() {
    let bench = Bench::open();
    assert_eq!(bench.get(0).await, Ok(1));
    assert_eq!(bench.at_once(600), None);
    assert_eq!(bench.get(600).await, Ok(2));
}

#[tokio::test]
async fn stale_if_error_counts_until_its_limit_and_not_a_second_longer() {
    let bench = Bench::open();
    assert_eq!(bench.get(0).await, Ok(1));
    bench.issuer.answers(Kind::Down);
    assert_eq!(
        bench.get(600).await,
        Ok(1),
        "whoever waited gets what there is"
    );
    assert_eq!(
        bench.at_once(629),
        Some(1),
        "and the next ones wait for nothing"
    );
    assert_eq!(bench.issuer.asked(), 2);
    for secs in [630, 2000, 4199] {
        assert_eq!(bench.at_once(secs), Some(1));
        bench.settled().await;
    }
    assert!(bench.get(4200).await.is_err());
    let condition = bench.values.condition(bench.at(4200));
    assert_eq!(condition.standing, Standing::Missing);
    assert_eq!(condition.last_error, Some(FetchError::Timeout));
    bench.issuer.answers(Kind::New(None));
    assert_eq!(bench.get(4300).await, Ok(bench.issuer.asked()));
}

#[tokio::test]
async fn the_cool_down_counts_from_attempts_also_from_those_that_fail() {
    let bench = Bench::open();
    bench.get(0).await.unwrap();
    bench.issuer.answers(Kind::Down);
    for secs in [450, 451, 460, 479] {
        assert_eq!(bench.at_once(secs), Some(1));
        bench.settled().await;
    }
    assert_eq!(bench.issuer.asked(), 2);
    assert_eq!(bench.at_once(480), Some(1));
    bench.settled().await;
    assert_eq!(bench.issuer.asked(), 3);
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_asked_after_1_2_4_8_16_30_and_30_seconds() {
    let bench = Bench::open();
    bench.issuer.answers(Kind::Down);
    let mut attempts = Vec::new();
    for secs in 0..100 {
        let before = bench.issuer.asked();
        let answer = bench.get(secs).await;
        assert!(matches!(answer, Err(0..=30)), "{answer:?}");
        if bench.issuer.asked() > before {
            attempts.push(secs);
        }
    }
    assert_eq!(attempts, [0, 1, 3, 7, 15, 31, 61, 91]);
    bench.issuer.answers(Kind::New(None));
    assert_eq!(bench.get(121).await, Ok(9));
}

#[tokio::test]
async fn the_life_that_the_other_side_states_is_clamped() {
    for (stated, fresh_until) in [
        (Some(0), 60),
        (Some(1), 60),
        (Some(61), 61),
        (None, 600),
        (Some(86_400), 86_400),
        (Some(u64::MAX), 86_400),
    ] {
        let bench = Bench::open();
        bench.issuer.answers(Kind::New(stated));
        bench.get(0).await.unwrap();
        let standing = |secs| bench.values.condition(bench.at(secs)).standing;
        assert_eq!(standing(fresh_until - 1), Standing::Fresh, "{stated:?}");
        assert_eq!(standing(fresh_until), Standing::Stale, "{stated:?}");
    }
}

#[tokio::test]
async fn an_unchanged_value_lives_on_and_is_the_same_one() {
    let bench = Bench::open();
    bench.get(0).await.unwrap();
    bench.issuer.answers(Kind::Unchanged(Some(1200)));
    assert_eq!(bench.get(600).await, Ok(1));
    assert_eq!(bench.issuer.last_etag(), Some(HeaderValue::from(1)));
    let condition = bench.values.condition(bench.at(1799));
    assert_eq!(
        (condition.standing, condition.last_error),
        (Standing::Fresh, None)
    );
}

#[tokio::test]
async fn an_etag_that_lies_is_believed_for_a_day_and_never_when_something_newer_is_asked_for() {
    let bench = Bench::open();
    bench.get(0).await.unwrap();
    bench.issuer.answers(Kind::Unchanged(None));
    bench.get(600).await.unwrap();
    let Asked::Wait(flight) = bench.values.ask_again(bench.at(630)) else {
        panic!("the cool-down is over");
    };
    flight.await;
    assert_eq!(bench.issuer.last_etag(), None);
    bench.get(86_399).await.unwrap();
    assert_eq!(bench.issuer.last_etag(), Some(HeaderValue::from(1)));
    bench.get(86_999).await.unwrap();
    assert_eq!(bench.issuer.last_etag(), None);
}

#[tokio::test]
async fn unchanged_where_nothing_is_held_is_an_error() {
    let bench = Bench::open();
    bench.issuer.answers(Kind::Unchanged(None));
    assert_eq!(bench.get(0).await, Err(1));
    let error = bench.values.condition(bench.at(0)).last_error;
    assert_eq!(error, Some(FetchError::Status { found: 304 }));
}

#[tokio::test]
async fn something_newer_is_asked_for_once_in_a_cool_down() {
    let bench = Bench::open();
    bench.get(0).await.unwrap();
    let asked = bench.values.ask_again(bench.at(29));
    let Asked::CoolingDown {
        retry_after,
        failed,
    } = asked
    else {
        panic!("the first fetch was 29 seconds ago");
    };
    assert_eq!((retry_after.as_secs(), failed), (1, false));
    let Asked::Wait(flight) = bench.values.ask_again(bench.at(30)) else {
        panic!("the cool-down is over");
    };
    flight.await;
    assert_eq!((bench.at_once(30), bench.issuer.asked()), (Some(2), 2));
}

#[tokio::test]
async fn a_fetch_that_panics_ends_and_the_next_one_is_tried() {
    let fetches = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&fetches);
    let values = Refresher::new(subject(), RULE, move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            assert!(!first, "on purpose");
            Ok(Loaded::New {
                value: 7,
                etag: None,
                max_age: None,
            })
        })
    });
    let start = Clock::system().moment();
    for (secs, expected) in [(0, None), (1, Some(7))] {
        let now = start.later(Duration::from_secs(secs));
        if let View::Wait(flight) = values.view(now) {
            flight.await;
        }
        let held = match values.view(now) {
            View::Held(value) => Some(*value),
            _ => None,
        };
        assert_eq!(held, expected);
    }
}

#[tokio::test]
async fn a_fetch_that_panics_is_one_that_failed_and_what_is_held_counts_on() {
    let fetches = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&fetches);
    let values = Refresher::new(subject(), RULE, move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        // Before there is anything to wait for, and while it is waited for.
        assert!(first || counter.load(Ordering::SeqCst) == 2, "on purpose");
        Box::pin(async move {
            assert!(first, "on purpose");
            Ok(Loaded::New {
                value: 7,
                etag: None,
                max_age: None,
            })
        })
    });
    let start = Clock::system().moment();
    for secs in [0, 600, 1_000] {
        let now = start.later(Duration::from_secs(secs));
        if let View::Wait(flight) = values.view(now) {
            flight.await;
        }
        let View::Held(value) = values.view(now) else {
            panic!("it counts for an hour more");
        };
        assert_eq!(*value, 7);
        let underway = values.0.read().underway();
        if let Some(underway) = underway {
            ended(underway).await;
        }
        let error = values.condition(now).last_error;
        assert_eq!(error, (secs > 0).then_some(FetchError::Aborted));
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 3);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let bench = Bench::open();
    assert!(bench.at_once(0).is_none());
    let error = bench.values.condition(bench.at(0)).last_error;
    assert_eq!(error, Some(FetchError::NoRuntime));
}

#[test]
fn who_asks_without_a_runtime_makes_no_attempt_and_fails_none() {
    let bench = Bench::open();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(bench.at_once(0).is_none());
    assert_eq!(runtime.block_on(bench.get(0)), Ok(1));
    assert_eq!(bench.values.condition(bench.at(0)).last_error, None);
    // Its life is over. Who cannot renew it has it within its limit, and who can renews it.
    assert_eq!(bench.at_once(600), Some(1));
    assert_eq!(bench.at_once(4_200), None);
    let error = |secs| bench.values.condition(bench.at(secs)).last_error;
    assert_eq!(
        (error(599), error(600)),
        (None, Some(FetchError::NoRuntime))
    );
    let asked = bench.values.ask_again(bench.at(600));
    assert!(matches!(asked, Asked::CoolingDown { failed: true, .. }));
    assert_eq!(runtime.block_on(bench.get(600)), Ok(2));
}

#[test]
fn what_may_be_asked_for_every_second_is_asked_for_ever_less_while_that_fails() {
    let rule = Rule {
        cool_down: Duration::from_secs(1),
        ..RULE
    };
    let start = Clock::system().moment();
    let mut state = State::new();
    let mut pauses = Vec::new();
    let mut now = start;
    for outcome in [false, false, true, false, false, false, false, false, false] {
        let over = Underway {
            end: watch::channel(()).1,
            begun: Instant::now(),
            due: after(Instant::now(), rule.patience),
            asks: Arc::default(),
        };
        state.begin(now, over, &rule);
        let outcome = if outcome {
            Ok(Loaded::New {
                value: 1,
                etag: None,
                max_age: None,
            })
        } else {
            Err(FetchError::Timeout)
        };
        state.settle(outcome, now, &rule);
        let pause = state.cooling(now, &rule);
        pauses.push(pause.as_secs());
        now = now.later(pause);
    }
    assert_eq!(pauses, [1, 2, 1, 1, 2, 4, 8, 16, 30]);
}

#[test]
fn the_log_hears_of_a_change_once() {
    let start = Clock::system().moment();
    let mut state = State::new();
    let mut settle = |secs: u64, answer: Result<(), ()>| {
        let outcome = answer
            .map_err(|()| FetchError::Timeout)
            .map(|()| Loaded::New {
                value: 1,
                etag: None,
                max_age: Some(Duration::from_secs(60)),
            });
        state.settle(outcome, start.later(Duration::from_secs(secs)), &RULE)
    };
    let failing = |secs| News::Failing {
        counts_for: Duration::from_secs(secs),
    };
    for (secs, answer, news) in [
        (0, Err(()), News::Missing),
        (1, Err(()), News::Nothing),
        (3, Ok(()), News::Back),
        (60, Ok(()), News::Nothing),
        (110, Err(()), failing(3_610)),
        (140, Err(()), News::Nothing),
        (3_719, Err(()), News::Nothing),
        (3_720, Err(()), News::Missing),
        (3_750, Err(()), News::Nothing),
        (3_780, Ok(()), News::Back),
        (3_800, Ok(()), News::Nothing),
    ] {
        assert_eq!(settle(secs, answer), news, "{secs}");
    }
}

#[test]
fn the_log_hears_of_each_standing_once_where_nobody_can_ask() {
    let start = Clock::system().moment();
    let at = |secs| start.later(Duration::from_secs(secs));
    let mut state = State::new();
    let new = Loaded::New {
        value: 1,
        etag: None,
        max_age: None,
    };
    state.settle(Ok(new), start, &RULE);
    for (secs, news) in [
        (500, News::Nothing),
        (
            600,
            News::Failing {
                counts_for: Duration::from_secs(3_600),
            },
        ),
        (700, News::Nothing),
        (4_200, News::Missing),
        (4_300, News::Nothing),
    ] {
        assert_eq!(state.lacks_runtime(at(secs), &RULE), news, "{secs}");
    }
}
