//! How long a fetch is waited for, and what becomes of one that was given up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::tests_of_time::{Bench, RULE, subject};
use super::*;
use crate::clock::Clock;

/// Values whose fetch ends only when a test says so.
fn stuck(rule: Rule) -> (Refresher<u32>, Arc<AtomicU32>, Arc<Semaphore>) {
    let (asked, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (count, opened) = (Arc::clone(&asked), Arc::clone(&gate));
    let values = Refresher::new(subject(), rule, move |_, _| {
        let number = count.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            Ok(Loaded::New {
                value: number,
                etag: None,
                max_age: None,
            })
        })
    });
    (values, asked, gate)
}

#[tokio::test]
async fn a_fetch_that_nobody_runs_is_waited_for_no_longer_than_it_may_take_and_another_starts() {
    let rule = Rule {
        patience: Duration::from_millis(50),
        ..RULE
    };
    let (values, asked, gate) = stuck(rule);
    let start = Clock::system().moment();
    let View::Wait(flight) = values.view(start) else {
        panic!("there is nothing yet");
    };
    flight.await;
    assert!(matches!(values.look(start, true), View::Nothing { .. }));
    // Until it is overdue, others wait for it too; then the next one starts, at the pace of attempts that fail.
    assert!(matches!(values.view(start), View::Wait(_)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let later = start.later(Duration::from_secs(1));
    assert!(matches!(values.view(later), View::Wait(_)));
    assert_eq!(
        values.condition(later).last_error,
        Some(FetchError::Timeout)
    );
    tokio::task::yield_now().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // Both end: what the one that was given up has brought is not taken.
    gate.add_permits(2);
    let flight = values.0.read().flight(later, &RULE).unwrap();
    values.ended(flight).await;
    tokio::task::yield_now().await;
    let View::Held(value) = values.view(later) else {
        panic!("it has come");
    };
    assert_eq!((*value, values.condition(later).last_error), (2, None));
}

#[tokio::test]
async fn what_is_held_counts_on_while_its_renewal_is_overdue() {
    let rule = Rule {
        patience: Duration::from_secs(20),
        ..RULE
    };
    let (values, asked, gate) = stuck(rule);
    let start = Clock::system().moment();
    let at = |secs| start.later(Duration::from_secs(secs));
    gate.add_permits(1);
    if let View::Wait(flight) = values.view(at(0)) {
        flight.await;
    }
    // It is renewed from three quarters of its life on, and nobody runs that.
    assert!(matches!(values.view(at(590)), View::Held(_)));
    assert!(matches!(values.view(at(600)), View::Wait(_)));
    assert!(matches!(values.view(at(610)), View::Held(_)));
    tokio::task::yield_now().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// A source that says `Again` where it has brought the same before, as that of keys does.
#[tokio::test]
async fn what_was_thrown_away_is_brought_again_and_not_taken_for_what_is_held() {
    let rule = Rule {
        patience: Duration::from_secs(20),
        ..RULE
    };
    let (last, gate) = (Arc::new(Mutex::new(0)), Arc::new(Semaphore::new(0)));
    let (brought, opened) = (Arc::clone(&last), Arc::clone(&gate));
    let values = Refresher::new(subject(), rule, move |etag, is_in_step| {
        let (brought, gate) = (Arc::clone(&brought), Arc::clone(&opened));
        Box::pin(async move {
            assert!(is_in_step || etag.is_none());
            gate.acquire().await.unwrap().forget();
            let again = *brought.lock().unwrap() == 7 && is_in_step;
            *brought.lock().unwrap() = 7;
            Ok(if again {
                Loaded::Again {
                    etag: None,
                    max_age: None,
                }
            } else {
                Loaded::New {
                    value: 7,
                    etag: None,
                    max_age: None,
                }
            })
        })
    });
    let start = Clock::system().moment();
    let at = |secs| start.later(Duration::from_secs(secs));
    // The first is given up and the second on its way when the first brings something, which is thrown away; and so is what
    // the second says of it.
    assert!(matches!(values.view(at(0)), View::Wait(_)));
    tokio::task::yield_now().await;
    assert!(matches!(values.view(at(21)), View::Wait(_)));
    tokio::task::yield_now().await;
    gate.add_permits(2);
    let flight = values.0.read().flight(at(21), &rule).unwrap();
    values.ended(flight).await;
    assert_eq!(*last.lock().unwrap(), 7);
    // The third brings it anew.
    gate.add_permits(1);
    for secs in [21, 60] {
        if let View::Wait(flight) = values.view(at(secs)) {
            flight.await;
        }
    }
    let View::Held(value) = values.view(at(60)) else {
        panic!("it was brought again");
    };
    assert_eq!((*value, values.condition(at(60)).last_error), (7, None));
}

#[test]
fn a_runtime_without_timers_waits_without_them_and_does_not_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let bench = Bench::open();
    assert_eq!(runtime.block_on(bench.get(0)), Ok(1));
}
