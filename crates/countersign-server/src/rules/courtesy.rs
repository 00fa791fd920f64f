//! Who gives way to whom: a token that is none of ours waits with its answer while refreshes of others are under way.
//!
//! To refuse one costs next to nothing, but so does sending the next, and a thousand of them are in the way of the one
//! that is good. So it is answered at the next tick of a clock, together with all others that came before: whoever waits
//! for an answer before each is held to fifty a second on a connection. Nobody waits for longer than to the next tick, and
//! nobody waits where nobody is in the way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

const TICK: Duration = Duration::from_millis(20);

/// The refreshes that are under way.
pub(crate) struct Courtesy {
    under_way: AtomicUsize,
    began: Instant,
}

/// One refresh that is under way, until this is dropped.
pub(crate) struct UnderWay<'a>(&'a AtomicUsize);

impl Courtesy {
    /// Nothing is under way.
    pub(crate) fn new() -> Self {
        Self {
            under_way: AtomicUsize::new(0),
            began: Instant::now(),
        }
    }

    /// A refresh with a token of ours begins.
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// Waits for the next tick, where a refresh is under way.
    pub(crate) async fn give_way(&self) {
        if self.is_under_way() {
            // In a box, so that whoever need not wait has no room for it.
            Box::pin(sleep_until(self.next_tick(Instant::now()))).await;
        }
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    fn next_tick(&self, now: Instant) -> Instant {
        let since = now.saturating_duration_since(self.began);
        let into = since.as_nanos().checked_rem(TICK.as_nanos()).unwrap_or(0);
        let left = TICK.saturating_sub(Duration::from_nanos(u64::try_from(into).unwrap_or(0)));
        now.checked_add(left).unwrap_or(now)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn garbage_waits_for_the_next_tick_and_no_longer_while_a_refresh_is_under_way() {
        let courtesy = Arc::new(Courtesy::new());
        let _refresh = courtesy.begin();
        let began = courtesy.began;
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            advance(Duration::from_millis(6)).await;
            let courtesy = Arc::clone(&courtesy);
            waiting.spawn(async move {
                courtesy.give_way().await;
                Instant::now()
            });
        }
        let answered = waiting.join_all().await;
        assert_eq!(answered, [began + TICK; 3]);
        courtesy.give_way().await;
        assert_eq!(Instant::now(), began + 2 * TICK);
    }

    #[tokio::test(start_paused = true)]
    async fn garbage_waits_for_nobody_where_no_refresh_is_under_way() {
        let courtesy = Courtesy::new();
        let (one, other) = (courtesy.begin(), courtesy.begin());
        drop(one);
        drop(other);
        let began = Instant::now();
        courtesy.give_way().await;
        assert_eq!(Instant::now(), began);
    }
}
