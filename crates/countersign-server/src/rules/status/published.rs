//! The lists as they are published: signed, kept, and made anew when something was taken back, once a second at most.
//!
//! A list that is half full takes a while to sign and compress, and whoever signs up and logs out in a loop changes it all
//! the time. So what was made last is handed out while its second lasts and while the next one is being made.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use bytes::Bytes;
use countersign::{SigningKey, Status, StatusBits, StatusList, StatusListToken};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Mutex;

use super::{PLACES, lists, position};
use crate::error::Error;
use crate::rules::keys::Ring;
use crate::rules::secret;
use crate::store::Store;
use crate::store::status::StatusState;

/// Within how many seconds a verifier knows what was taken back: said in README.md and docs/OPERATIONS.md.
const TOLD_WITHIN: u64 = 5;
/// How old, in seconds of the clock, a list that is handed out can be: of this second, or of the one before while a newer
/// one is being made.
const OLD: i64 = 2;
/// How long a verifier may keep a list before it asks again, in seconds.
const TTL: u64 = TOLD_WITHIN - OLD.unsigned_abs();
/// How long a list counts where no newer one is to be had.
const LIVES: i64 = 10 * 60;
/// How long a list in which nothing changed is handed out.
const RENEWED_AFTER: i64 = LIVES / 2;

/// A list as it goes over the wire.
pub(crate) struct Signed {
    pub(crate) plain: Sent,
    /// A quarter shorter: base64url comes in six of eight bits.
    pub(crate) gzip: Sent,
    signed_at: i64,
    /// Of the key that it is signed with.
    kid: Option<String>,
}

/// One form of a list.
pub(crate) struct Sent {
    /// Shared by everyone to whom it is sent, however slowly they take it.
    pub(crate) bytes: Bytes,
    /// The entity tag, in its quotes: each form has its own (RFC 9110 §8.8.3.3).
    pub(crate) etag: String,
}

/// Every list of this server. One request makes them; the others take what was made last, unless that is too old.
#[derive(Default)]
pub(crate) struct Published {
    making: Mutex<Kept>,
    made: RwLock<HashMap<i64, Made>>,
}

/// A list that is handed out.
#[derive(Clone)]
struct Made {
    signed: Arc<Signed>,
    /// When it was what the database knew.
    as_of: i64,
}

#[derive(Default)]
struct Kept {
    /// What was taken in so far; `None` before the first look.
    state: Option<StatusState>,
    /// When everything was read anew, so that what is over is no longer told.
    read_at: i64,
    lists: HashMap<i64, StatusList>,
    signed: HashMap<i64, Arc<Signed>>,
}

impl Published {
    /// The list with this number, as the database knew it less than [`OLD`] seconds ago; `None` when there is no such list.
    ///
    /// # Errors
    /// Errors of the database; [`Error::NotReady`] without a key that signs; [`Error::Key`].
    pub(crate) async fn list(
        &self,
        store: &Store,
        ring: Arc<Ring>,
        issuer: &str,
        number: i64,
        now: i64,
    ) -> Result<Option<Arc<Signed>>, Error> {
        if let Some(signed) = self.made_within(1, number, now) {
            return Ok(Some(signed));
        }
        let mut kept = match self.making.try_lock() {
            Ok(kept) => kept,
            // Somebody else makes the next one.
            Err(_) => match self.made_within(OLD, number, now) {
                Some(signed) => return Ok(Some(signed)),
                None => self.making.lock().await,
            },
        };
        // It may have been made since.
        if let Some(signed) = self.made_within(1, number, now) {
            return Ok(Some(signed));
        }
        let Some(signed) = kept.current(store, ring, issuer, number, now).await? else {
            return Ok(None);
        };
        let made = Made {
            signed: Arc::clone(&signed),
            as_of: now,
        };
        let mut all = self.made.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(number, made);
        Ok(Some(signed))
    }

    /// What was made last, unless that is so many seconds ago.
    fn made_within(&self, secs: i64, number: i64, now: i64) -> Option<Arc<Signed>> {
        let all = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let made = all.get(&number)?;
        is_within(secs, made.as_of, now).then(|| Arc::clone(&made.signed))
    }
}

/// Whether two times are less than so many seconds apart; a clock that was set back counts like one that went on.
const fn is_within(secs: i64, then: i64, now: i64) -> bool {
    now.abs_diff(then) < secs.unsigned_abs()
}

impl Kept {
    /// The list with this number, as the database knows it now.
    async fn current(
        &mut self,
        store: &Store,
        ring: Arc<Ring>,
        issuer: &str,
        number: i64,
        now: i64,
    ) -> Result<Option<Arc<Signed>>, Error> {
        let state = self.catch_up(store, now).await?;
        if !(0..lists(&state)).contains(&number) {
            return Ok(None);
        }
        // Whoever fetches the keys now may not find an earlier one any more.
        if let Some(signed) = self.signed.get(&number)
            && is_within(RENEWED_AFTER, signed.signed_at, now)
            && signed.kid.as_deref() == ring.signing(now).and_then(SigningKey::key_id)
        {
            return Ok(Some(Arc::clone(signed)));
        }
        let is_below = number < position(state.floor).0 && now < state.floor_until;
        let list = match self.lists.get(&number) {
            _ if is_below => full()?,
            Some(list) => list.clone(),
            None => empty()?,
        };
        let issuer = issuer.to_owned();
        let work = move || sign(&list, &ring, issuer, number, now);
        // Off the threads that answer requests.
        let made = tokio::task::spawn_blocking(work).await;
        let signed = Arc::new(made.map_err(|_| Error::Panic)??);
        self.signed.insert(number, Arc::clone(&signed));
        Ok(Some(signed))
    }

    /// Takes in what was taken back since the last look.
    async fn catch_up(&mut self, store: &Store, now: i64) -> Result<StatusState, Error> {
        let present = store.status_state().await?;
        let is_stale = !is_within(RENEWED_AFTER, self.read_at, now);
        match self.state {
            Some(known) if known.epoch == present.epoch && !is_stale => {}
            Some(known) if known.epoch < present.epoch && !is_stale => {
                if known.floor != present.floor {
                    self.signed.clear();
                }
                let new = store.revocations_since(known.epoch).await?;
                self.add(new)?;
            }
            // The first look, or a database that went back in time, or time to leave out what is over.
            _ => {
                let all = store.revocations(now).await?;
                self.lists.clear();
                self.signed.clear();
                self.read_at = now;
                self.add(all)?;
            }
        }
        self.state = Some(present);
        Ok(present)
    }

    fn add(&mut self, places: Vec<i64>) -> Result<(), Error> {
        for place in places {
            let (number, within) = position(place);
            let list = match self.lists.entry(number) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(empty()?),
            };
            list.set(within, Status::INVALID)?;
            self.signed.remove(&number);
        }
        Ok(())
    }
}

/// Every token that names this list was taken back.
fn full() -> Result<StatusList, Error> {
    let mut list = empty()?;
    for within in 0..PLACES.unsigned_abs() {
        list.set(within, Status::INVALID)?;
    }
    Ok(list)
}

fn empty() -> Result<StatusList, Error> {
    let entries = usize::try_from(PLACES).unwrap_or_default();
    Ok(StatusList::new(StatusBits::One, entries)?)
}

/// The address of a list, which is its `sub` and stands in every token that it speaks of.
pub(crate) fn uri(issuer: &str, number: i64) -> String {
    format!("{issuer}/status-lists/{number}")
}

fn sign(
    list: &StatusList,
    ring: &Ring,
    issuer: String,
    number: i64,
    now: i64,
) -> Result<Signed, Error> {
    let key = ring
        .signing(now)
        .ok_or(Error::NotReady("no key signs now"))?;
    let token = StatusListToken {
        sub: uri(&issuer, number),
        iss: Some(issuer),
        iat: now,
        exp: Some(now.saturating_add(LIVES)),
        ttl: Some(TTL),
        status_list: list.encode(),
    };
    let token = token.sign(key)?;
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let tag = secret::encode(digest.as_ref().get(..16).unwrap_or_default());
    Ok(Signed {
        gzip: Sent {
            bytes: compress(token.as_bytes())?.into(),
            etag: format!("\"{tag}-gzip\""),
        },
        plain: Sent {
            bytes: token.into(),
            etag: format!("\"{tag}\""),
        },
        signed_at: now,
        kid: key.key_id().map(str::to_owned),
    })
}

/// As gzip (RFC 1952), without a time: the same list gives the same bytes.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    // Inside, everything is compressed already; what is left to gain is gained at once.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| Error::Panic)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use countersign::Algorithm;

    use super::*;
    use crate::rules::keys;
    use crate::rules::seal::Seal;

    const NOW: i64 = 1_800_000_000;

    #[tokio::test]
    async fn while_a_list_is_made_anew_the_one_of_a_moment_ago_is_served_and_no_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        let seal = Seal::in_folder(folder.path(), true).unwrap();
        let ring = keys::open(&store, &seal, Algorithm::EdDSA, None, NOW)
            .await
            .unwrap();
        let ring = Arc::new(ring);
        let published = Published::default();
        let ask = async |now| {
            published
                .list(&store, Arc::clone(&ring), "https://id.example", 0, now)
                .await
        };
        let first = ask(NOW).await.unwrap().unwrap();
        let busy = published.making.lock().await;
        for now in [NOW, NOW + 1] {
            let mut asked = pin!(ask(now));
            let Poll::Ready(served) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            else {
                panic!("waits at {now}");
            };
            assert!(Arc::ptr_eq(&served.unwrap().unwrap(), &first));
        }
        let mut asked = pin!(ask(NOW + 2));
        assert!(
            asked
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        drop(busy);
        assert!(asked.await.unwrap().is_some());
    }
}
