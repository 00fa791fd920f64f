//! Is this token revoked? (draft-ietf-oauth-status-list §8.3)
//!
//! An issuer publishes a few bits for each of its tokens, in lists that it signs. They are held in memory and renewed by
//! their own `ttl` ([`refresh`](crate::refresh)), so that a request looks at one bit and asks nobody. Here stands what
//! follows from that bit, and from not knowing it; `load` brings a list (from where, says `read`), `warm` keeps it fresh, `lists` is for the service to
//! describe it.

mod health;
mod lists;
mod load;
mod read;
mod unread;
mod warm;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign::{Status, StatusList, StatusReference, Timestamp};

pub use lists::StatusLists;
pub(crate) use lists::{StatusSettings, Trust};
pub(crate) use unread::{Unread, names_a_list};

use crate::fetch::Target;
use crate::keys::Waiting;
use crate::refresh::{Asked, Refresher, Rule, Subject, View};
use crate::rejection::Rejection;
use crate::token::VerifiedToken;
use load::{Loader, Source, Times};

/// How many lists of one issuer are held: 64 of a million tokens are 8 MB.
const MAX_LISTS: usize = 64;

/// What is known of a token.
pub(crate) enum Looked {
    Passes,
    /// A list is on its way: look again when this has ended.
    Wait(Waiting),
    Refused(Rejection),
}

/// What is held about a token that is not refused.
pub(crate) enum Glance {
    /// It names no list, and need not.
    Unlisted,
    Valid,
    NotHeld,
}

/// Looks tokens of one issuer up.
pub(crate) struct StatusCheck {
    source: Arc<Source>,
    rule: Rule,
    /// Where lists are believed.
    origins: Vec<String>,
    required: bool,
    fail_open: bool,
    lists: RwLock<HashMap<String, Arc<Entry>>>,
}

/// One list and its fetches.
struct Entry {
    list: Refresher<Held>,
    /// Since the last look at this.
    used: AtomicBool,
    /// When a token last named it, in whole seconds of the clock.
    named: AtomicU64,
    /// Whether a task keeps it fresh.
    kept_warm: AtomicBool,
}

/// A list as it is held.
#[derive(Debug)]
struct Held {
    list: StatusList,
    times: Times,
}

impl Held {
    /// What it says of the token at `index`; `None` where it speaks no more, because its `exp` has come.
    fn says(&self, index: u64, leeway: Duration, now: Timestamp) -> Option<Result<(), Rejection>> {
        if self.times.has_ended(leeway, now) {
            return None;
        }
        Some(match self.list.get(index) {
            Ok(Status::VALID) => Ok(()),
            Ok(_) => Err(Rejection::revoked()),
            Err(error) => Err(Rejection::from(&error)),
        })
    }
}

impl StatusCheck {
    /// What is known of a token now. Whoever has `waited` for a list takes what there is.
    pub(crate) fn look(&self, token: &VerifiedToken, waited: bool) -> Looked {
        let place = match self.place(token) {
            Ok(Some(place)) => place,
            Ok(None) => return Looked::Passes,
            Err(rejection) => return Looked::Refused(rejection),
        };
        let Some(entry) = self.entry(&place.uri) else {
            return Looked::Refused(refused_place());
        };
        warm::keep(&entry, &self.source.clock);
        let now = self.source.clock.moment();
        entry.is_named(now);
        let held = match entry.list.look(now, waited) {
            View::Held(held) => held,
            View::Wait(flight) => return Looked::Wait(flight),
            View::Nothing { retry_after } => return self.unknown(retry_after),
        };
        let said = self.said_by(&held, place);
        if let Some(Ok(())) = said {
            return Looked::Passes;
        }
        // A list from before the token cannot speak of it: the place may have been another's.
        let older = token
            .registered()
            .iat()
            .is_none_or(|issued| issued >= held.times.iat);
        if (said.is_none() || older)
            && !waited
            && let Asked::Wait(flight) = entry.list.ask_again(now)
        {
            return Looked::Wait(flight);
        }
        match said {
            None => self.unknown(entry.list.condition(now).retry_after),
            Some(Ok(())) => Looked::Passes,
            Some(Err(rejection)) => Looked::Refused(rejection),
        }
    }

    fn said_by(&self, held: &Held, place: &StatusReference) -> Option<Result<(), Rejection>> {
        held.says(place.idx, self.source.leeway, self.source.clock.now())
    }

    /// The place that a token names, where it has to or does.
    ///
    /// # Errors
    /// The rejection of one that names none and has to, or names it in another way.
    fn place<'t>(
        &self,
        token: &'t VerifiedToken,
    ) -> Result<Option<&'t StatusReference>, Rejection> {
        match token.status() {
            Ok(None) if self.required => Err(Rejection::invalid_token("status_missing")),
            Ok(place) => Ok(place),
            Err(_) => Err(Rejection::invalid_token("status_malformed")),
        }
    }

    /// What the lists say that are held now: nobody waits, and nothing is fetched.
    ///
    /// # Errors
    /// The rejection that a request with this token would be answered with.
    pub(crate) fn glance(&self, token: &VerifiedToken) -> Result<Glance, Rejection> {
        let Some(place) = self.place(token)? else {
            return Ok(Glance::Unlisted);
        };
        self.believed(&place.uri).ok_or_else(refused_place)?;
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let held = lists
            .get(&place.uri)
            .and_then(|entry| entry.list.brought(self.source.clock.moment()));
        match held.and_then(|held| self.said_by(&held, place)) {
            None => Ok(Glance::NotHeld),
            Some(said) => said.map(|()| Glance::Valid),
        }
    }

    /// Where the list at `uri` is, if lists are believed there.
    fn believed(&self, uri: &str) -> Option<Target> {
        let target = self.source.reading.target(uri).ok()?;
        self.origins.contains(&target.origin()).then_some(target)
    }

    /// What follows from a list that cannot be had.
    fn unknown(&self, retry_after: Duration) -> Looked {
        if self.fail_open {
            Looked::Passes
        } else {
            Looked::Refused(Rejection::unavailable_for(
                "status_unavailable",
                retry_after,
            ))
        }
    }

    /// What the log says of the list at `target`, which a verified token has named.
    fn subject(&self, target: &Target) -> Subject {
        Subject {
            what: format!(
                "the status list {} of {}",
                target.shown(),
                self.source.issuer
            ),
            without: if self.fail_open {
                "tokens that name it pass until they expire"
            } else {
                "tokens that name it are refused with 503"
            },
        }
    }

    /// The list at `uri`; `None` where it is at a place that nobody has named.
    fn entry(&self, uri: &str) -> Option<Arc<Entry>> {
        // A poisoned lock still holds a whole map: its changes are one call each.
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = lists.get(uri) {
            if !entry.used.load(Ordering::Relaxed) {
                entry.used.store(true, Ordering::Relaxed);
            }
            return Some(Arc::clone(entry));
        }
        drop(lists);
        let target = self.believed(uri)?;
        let subject = self.subject(&target);
        let loader = Arc::new(Loader::new(Arc::clone(&self.source), uri, target)?);
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MAX_LISTS && !lists.contains_key(uri) {
            make_room(&mut lists);
        }
        let entry = lists.entry(uri.to_owned()).or_insert_with(|| {
            Arc::new(Entry {
                list: Refresher::new(subject, self.rule, move |basis| {
                    let loader = Arc::clone(&loader);
                    Box::pin(async move { loader.load(basis).await })
                }),
                used: AtomicBool::new(true),
                named: AtomicU64::new(0),
                kept_warm: AtomicBool::new(false),
            })
        });
        Some(Arc::clone(entry))
    }
}

/// Of a token that names a place where its issuer's lists are not believed.
fn refused_place() -> Rejection {
    Rejection::invalid_token("status_uri_refused")
}

/// Lets go of one list that nobody has looked at for a while, or of any.
fn make_room(lists: &mut HashMap<String, Arc<Entry>>) {
    let unused = |entry: &Entry| !entry.used.load(Ordering::Relaxed);
    let victim = lists
        .iter()
        .find(|(_, entry)| unused(entry))
        .or_else(|| lists.iter().next())
        .map(|(uri, _)| uri.clone());
    if let Some(uri) = victim {
        lists.remove(&uri);
    }
}

impl fmt::Debug for StatusCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusCheck")
            .field("origins", &self.origins)
            .field("required", &self.required)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}
