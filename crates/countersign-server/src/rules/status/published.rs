//! The lists as they are published: signed, kept, and made anew when something was taken back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest;
use countersign::{Status, StatusBits, StatusList, StatusListToken};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Mutex;

use super::{PLACES, lists, position};
use crate::error::Error;
use crate::rules::keys::Ring;
use crate::rules::secret;
use crate::store::Store;
use crate::store::status::StatusState;

/// How long a verifier may keep a list before it asks again, in seconds.
const TTL: u64 = 5;
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
}

/// One form of a list.
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    /// The entity tag, in its quotes: each form has its own (RFC 9110 §8.8.3.3).
    pub(crate) etag: String,
}

/// Every list of this server; whoever asks for one that changed waits until it is made, once for all.
#[derive(Default)]
pub(crate) struct Published(Mutex<Kept>);

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
    /// The list with this number, as the database knows it now; `None` when there is no such list.
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
        let mut kept = self.0.lock().await;
        let state = kept.catch_up(store, now).await?;
        if !(0..lists(state.highest)).contains(&number) {
            return Ok(None);
        }
        if let Some(signed) = kept.signed.get(&number)
            && now.abs_diff(signed.signed_at) < RENEWED_AFTER.unsigned_abs()
        {
            return Ok(Some(Arc::clone(signed)));
        }
        let list = match kept.lists.get(&number) {
            Some(list) => list.clone(),
            None => empty()?,
        };
        let issuer = issuer.to_owned();
        let work = move || sign(&list, &ring, issuer, number, now);
        // A list that is half full takes a while to compress; the other requests must not wait for it.
        let made = tokio::task::spawn_blocking(work).await;
        let signed = Arc::new(made.map_err(|_| Error::Panic)??);
        kept.signed.insert(number, Arc::clone(&signed));
        Ok(Some(signed))
    }
}

impl Kept {
    /// Takes in what was taken back since the last look.
    async fn catch_up(&mut self, store: &Store, now: i64) -> Result<StatusState, Error> {
        let present = store.status_state().await?;
        let is_stale = now.abs_diff(self.read_at) >= RENEWED_AFTER.unsigned_abs();
        match self.state {
            Some(known) if known.epoch == present.epoch && !is_stale => {}
            Some(known) if known.epoch < present.epoch && !is_stale => {
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
            bytes: compress(token.as_bytes())?,
            etag: format!("\"{tag}-gzip\""),
        },
        plain: Sent {
            bytes: token.into_bytes(),
            etag: format!("\"{tag}\""),
        },
        signed_at: now,
    })
}

/// As gzip (RFC 1952), without a time: the same list gives the same bytes.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    // Inside, everything is compressed already; what is left to gain is gained at once.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| Error::Panic)
}
