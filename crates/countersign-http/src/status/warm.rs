//! Keeps lists fresh that are in use, so that no request waits for one.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Entry;
use crate::clock::{Clock, Moment};

/// For how long a list is kept fresh that nobody looks at any more.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);

/// Has the list renewed in time from now on, by a task of its own, where there is none yet. With a clock of the service's own
/// it is renewed when somebody looks: timers do not go by such a clock.
pub(super) fn keep(entry: &Arc<Entry>, clock: &Clock) {
    if entry.kept_warm.load(Ordering::Relaxed) || !clock.is_system() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    if entry.kept_warm.swap(true, Ordering::Relaxed) {
        return;
    }
    let guard = Guard(Arc::downgrade(entry));
    runtime.spawn(renew(guard, clock.clone()));
}

/// Says that the task is over, however it ends: with its runtime, too.
struct Guard(Weak<Entry>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(entry) = self.0.upgrade() {
            entry.kept_warm.store(false, Ordering::Relaxed);
        }
    }
}

async fn renew(guard: Guard, clock: Clock) {
    let mut used = clock.moment();
    while let Some(pause) = guard
        .0
        .upgrade()
        .map(|entry| entry.list.renewal_in(clock.moment()))
    {
        tokio::time::sleep(pause).await;
        let now = clock.moment();
        match guard.0.upgrade() {
            Some(entry) if still_used(&entry, &mut used, now) => drop(entry.list.view(now)),
            _ => return,
        }
    }
}

fn still_used(entry: &Entry, used: &mut Moment, now: Moment) -> bool {
    if entry.used.swap(false, Ordering::Relaxed) {
        *used = now;
    }
    now.since(*used) < KEPT_FOR
}
