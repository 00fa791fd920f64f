//! How it stands with the lists of one issuer, for the health check of the service.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Entry, StatusCheck};
use crate::clock::Moment;
use crate::fetch::FetchError;
use crate::health::{ListsHealth, ListsState};
use crate::refresh::Standing;

/// A list that no token has named for so long says nothing about those that come: it may have been taken away for good.
const SPOKEN_OF_FOR_SECS: u64 = 60 * 60;

impl Entry {
    /// Notes that a token has named it. One list is named at every request: nothing is written twice in a second.
    pub(super) fn is_named(&self, now: Moment) {
        let now = now.whole_secs();
        if self.named.load(Ordering::Relaxed) != now {
            self.named.store(now, Ordering::Relaxed);
        }
    }

    fn is_spoken_of(&self, now: Moment) -> bool {
        let named = self.named.load(Ordering::Relaxed);
        now.whole_secs().saturating_sub(named) < SPOKEN_OF_FOR_SECS
    }
}

impl StatusCheck {
    /// How it stands with the lists. One that failed is asked for again where it is time: a service that says that it is not
    /// ready may be sent no token that would.
    pub(crate) fn health(&self) -> ListsHealth {
        let now = self.source.clock.moment();
        // A poisoned lock still holds a whole map: its changes are one call each.
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<Arc<Entry>> = lists
            .values()
            .filter(|entry| entry.is_spoken_of(now))
            .map(Arc::clone)
            .collect();
        drop(lists);
        let mut health = ListsHealth {
            state: ListsState::Unused,
            age: None,
            last_error: None,
        };
        for entry in named {
            let condition = entry.list.condition(now);
            if condition.last_error.is_some() {
                drop(entry.list.view(now));
            }
            let failed = condition.last_error.as_ref().map(FetchError::code);
            let state = self.state_of(&entry, now, condition.standing, failed.is_some());
            health.state = health.state.max(state);
            // How old a list is that will be fetched before it counts again says nothing of those that count.
            if state != ListsState::Unused {
                health.age = health.age.max(condition.age);
            }
            health.last_error = health.last_error.or(failed);
        }
        health
    }

    fn state_of(&self, entry: &Entry, now: Moment, standing: Standing, failed: bool) -> ListsState {
        let ended = entry.list.brought(now).is_none_or(|held| {
            held.times
                .has_ended(self.source.leeway, self.source.clock.now())
        });
        match standing {
            Standing::Fresh if !ended => ListsState::Fresh,
            Standing::Stale if failed && !ended => ListsState::Stale,
            // Nobody has asked since it ended: the next token has it fetched.
            _ if !failed => ListsState::Unused,
            _ if self.fail_open => ListsState::Open,
            _ => ListsState::Missing,
        }
    }
}
