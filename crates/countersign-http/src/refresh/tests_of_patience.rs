//! How long a fetch is waited for, and what becomes of one that was given up.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use tokio::sync::oneshot;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::tests_of_time::{Bench, RULE, subject};
use super::*;
use crate::clock::Clock;

type Answer = Result<Loaded<u32>, FetchError>;

/// What one fetch was given, and how it ends.
struct Fetch {
    held: Option<u32>,
    etag: Option<HeaderValue>,
    end: oneshot::Sender<Answer>,
}

/// Values whose fetches end when a test says so, and as it says.
struct Script {
    values: Refresher<u32>,
    fetches: Arc<Mutex<HashMap<usize, Fetch>>>,
    asked: Arc<AtomicUsize>,
    start: Moment,
}

const PATIENCE: Duration = Duration::from_millis(100);

impl Script {
    fn new() -> Self {
        Self::with(Rule {
            patience: PATIENCE,
            ..RULE
        })
    }

    fn with(rule: Rule) -> Self {
        let (asked, fetches) = (Arc::default(), Arc::default());
        let count: Arc<AtomicUsize> = Arc::clone(&asked);
        let begun: Arc<Mutex<HashMap<usize, Fetch>>> = Arc::clone(&fetches);
        let values = Refresher::new(subject(), rule, move |Basis { held, etag }| {
            let number = count.fetch_add(1, Ordering::SeqCst).saturating_add(1);
            let (end, ended) = oneshot::channel();
            let held = held.as_deref().copied();
            let fetch = Fetch { held, etag, end };
            begun.lock().unwrap().insert(number, fetch);
            Box::pin(async move { ended.await.expect("on purpose") })
        });
        Self {
            values,
            fetches,
            asked,
            start: Clock::system().moment(),
        }
    }

    /// One that holds 1, with the `ETag` "1".
    async fn holding_one() -> Self {
        let script = Self::new();
        assert!(script.waits(0).await);
        script.ends(1, Ok(new(1))).await;
        assert_eq!(script.held(0), Some(1));
        script
    }

    /// The same, of which the second fetch is overdue at 540, and the third on its way.
    async fn with_renewal_given_up() -> Self {
        let script = Self::holding_one().await;
        assert_eq!(script.held(500), Some(1));
        settled().await;
        script.overdue().await;
        assert_eq!(script.held(540), Some(1));
        settled().await;
        script
    }

    fn at(&self, secs: u64) -> Moment {
        self.start.later(Duration::from_secs(secs))
    }

    /// Whether who asks at this second has to wait; what is begun has begun to ask afterwards.
    async fn waits(&self, secs: u64) -> bool {
        let waits = matches!(self.values.view(self.at(secs)), View::Wait(_));
        settled().await;
        waits
    }

    fn held(&self, secs: u64) -> Option<u32> {
        match self.values.view(self.at(secs)) {
            View::Held(value) => Some(*value),
            View::Wait(_) | View::Nothing { .. } => None,
        }
    }

    /// Until the fetch that runs is given up.
    async fn overdue(&self) {
        let underway = self.values.0.read().underway().unwrap();
        ended(underway).await;
    }

    async fn ends(&self, number: usize, answer: Answer) {
        let fetch = self.fetches.lock().unwrap().remove(&number).unwrap();
        drop(fetch.end.send(answer));
        settled().await;
    }

    async fn panics(&self, number: usize) {
        drop(self.fetches.lock().unwrap().remove(&number));
        settled().await;
    }

    /// What a fetch was given.
    fn basis(&self, number: usize) -> (Option<u32>, Option<HeaderValue>) {
        let fetches = self.fetches.lock().unwrap();
        let fetch = fetches.get(&number).unwrap();
        (fetch.held, fetch.etag.clone())
    }

    fn last_error(&self, secs: u64) -> Option<FetchError> {
        self.values.condition(self.at(secs)).last_error
    }
}

fn new(value: u32) -> Loaded<u32> {
    Loaded::New {
        value,
        etag: Some(HeaderValue::from(value)),
        max_age: None,
    }
}

/// What was spawned has run until it waits.
async fn settled() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_fetch_that_nobody_runs_is_waited_for_no_longer_than_it_may_take_and_another_starts() {
    let script = Script::new();
    let View::Wait(flight) = script.values.view(script.at(0)) else {
        panic!("there is nothing yet");
    };
    let due = script.values.0.read().underway().unwrap().due;
    assert!(script.waits(0).await, "others wait for it too");
    let still_due = script.values.0.read().underway().unwrap().due;
    assert_eq!(due, still_due, "and no longer than the first");
    flight.await;
    let look = script.values.look(script.at(0), true);
    assert!(matches!(look, View::Nothing { .. }));
    assert_eq!(script.last_error(0), Some(FetchError::Timeout));
    assert_eq!(script.asked.load(Ordering::SeqCst), 1);
    // The next one starts, at the pace of attempts that fail.
    assert!(script.waits(1).await);
    assert_eq!(script.asked.load(Ordering::SeqCst), 2);
    script.ends(2, Ok(new(2))).await;
    assert_eq!((script.held(1), script.last_error(1)), (Some(2), None));
}

#[tokio::test]
async fn a_fetch_that_is_late_counts_where_no_other_has_begun() {
    let script = Script::new();
    assert!(script.waits(0).await);
    script.overdue().await;
    script.ends(1, Ok(new(1))).await;
    assert_eq!((script.held(0), script.last_error(0)), (Some(1), None));
}

#[tokio::test]
async fn what_is_held_counts_on_while_its_renewal_is_overdue() {
    let script = Script::holding_one().await;
    // It is renewed from three quarters of its life on, and nobody runs that.
    assert_eq!(script.held(590), Some(1));
    assert!(script.waits(600).await);
    script.overdue().await;
    assert_eq!(script.held(610), Some(1));
    assert_eq!(script.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_was_given_up_brings_nothing_and_leaves_nothing_behind() {
    type Ends = fn() -> Option<Answer>;
    let late: [Ends; 4] = [
        || Some(Ok(new(2))),
        || Some(Ok(Loaded::Unchanged { max_age: None })),
        || Some(Err(FetchError::Timeout)),
        || None,
    ];
    for late in late {
        let script = Script::with_renewal_given_up().await;
        match late() {
            Some(answer) => script.ends(2, answer).await,
            None => script.panics(2).await,
        }
        assert_eq!(script.held(541), Some(1));
        // The third was asked for news of what is held, and there are none.
        assert_eq!(script.basis(3), (Some(1), Some(HeaderValue::from(1))));
        let unchanged = Loaded::Unchanged { max_age: None };
        script.ends(3, Ok(unchanged)).await;
        assert_eq!((script.held(541), script.last_error(541)), (Some(1), None));
        assert_eq!(
            script.values.condition(script.at(1_139)).standing,
            Standing::Fresh
        );
    }
}

#[tokio::test]
async fn what_ends_last_does_not_take_the_place_of_what_began_last() {
    let script = Script::with_renewal_given_up().await;
    script.ends(3, Ok(new(3))).await;
    script.ends(2, Ok(new(2))).await;
    assert_eq!(script.held(541), Some(3));
    assert_eq!(script.held(1_000), Some(3));
    settled().await;
    assert_eq!(script.basis(4), (Some(3), Some(HeaderValue::from(3))));
}

#[tokio::test]
async fn a_clock_that_leaps_gives_nothing_up() {
    let script = Script::holding_one().await;
    assert_eq!(script.held(500), Some(1));
    settled().await;
    assert!(script.waits(3_000).await);
    assert_eq!(script.last_error(3_000), None);
    assert_eq!(script.asked.load(Ordering::SeqCst), 2);
    script.ends(2, Ok(new(2))).await;
    assert_eq!(script.values.brought(script.at(3_000)).as_deref(), Some(&2));
}

#[tokio::test]
async fn what_had_asked_nothing_yet_when_somebody_joined_is_as_new_as_he() {
    for (has_asked, life_ends) in [(false, 50_600), (true, 1_100)] {
        let script = Script::holding_one().await;
        assert_eq!(script.held(500), Some(1));
        if has_asked {
            settled().await;
        }
        assert!(script.waits(50_000).await);
        // By then it has asked in any case.
        assert!(matches!(
            script.values.ask_again(script.at(60_000)),
            Asked::Wait(_)
        ));
        script.ends(2, Ok(new(2))).await;
        let standing = |secs| script.values.condition(script.at(secs)).standing;
        assert_eq!(standing(life_ends - 1), Standing::Fresh, "{has_asked}");
        assert_ne!(standing(life_ends), Standing::Fresh, "{has_asked}");
    }
}

#[tokio::test]
async fn what_has_ended_when_it_comes_is_waited_for_once_more_where_a_clock_has_leapt_and_nowhere_else()
 {
    for (secs, waits) in [(0, false), (5_000, true)] {
        let script = Script::with(Rule {
            least_life: Duration::ZERO,
            usual_life: Duration::ZERO,
            stale_limit: Duration::ZERO,
            cool_down: Duration::ZERO,
            longest_pause: Duration::ZERO,
            ..RULE
        });
        assert!(script.waits(0).await);
        script.ends(1, Ok(new(1))).await;
        let look = script.values.look(script.at(secs), true);
        assert_eq!(matches!(look, View::Wait(_)), waits, "{secs}");
    }
}

/// Looks at the values whenever it hears of them.
struct Asks(Arc<dyn Fn() + Send + Sync>);

impl<S: Subscriber> Layer<S> for Asks {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().ends_with("refresh") {
            (self.0)();
        }
    }
}

#[test]
fn who_hears_of_a_fetch_that_was_given_up_may_ask_how_the_value_stands() {
    let (heard, hears) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let script = Script::new();
            assert!(script.waits(0).await);
            script.overdue().await;
            let (values, at) = (script.values.clone(), script.at(1));
            let asks = Asks(Arc::new(move || {
                let _ = heard.send(values.condition(at).last_error);
            }));
            let subscriber = tracing_subscriber::registry().with(asks);
            let _guard = tracing::subscriber::set_default(subscriber);
            assert!(script.waits(1).await);
        });
    });
    let error = hears.recv_timeout(Duration::from_secs(30));
    assert_eq!(error, Ok(Some(FetchError::Timeout)));
}

#[test]
fn a_runtime_without_timers_waits_without_them_and_does_not_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let bench = Bench::open();
    assert_eq!(runtime.block_on(bench.get(0)), Ok(1));
}
