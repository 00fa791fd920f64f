//! What the issuer holds: its keys, its status list, its clock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign::{
    Algorithm, Error, JwkSet, SigningKey, Status, StatusBits, StatusList, StatusListToken,
    StatusReference, dangerous,
};
use serde_json::json;

use super::MovedClock;

/// For how many seconds a status list may be kept.
const TTL_SECS: u64 = 5;

/// For how long one counts at all.
const LIST_LIFE: Duration = Duration::from_secs(10 * 60);

/// How many tokens a list has room for.
const ENTRIES: usize = 100_000;

/// The lists that there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Changing,
    TakenBack,
}

impl Which {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Changing => "/status-lists/1",
            Self::TakenBack => "/status-lists/taken-back",
        }
    }
}

pub(super) struct State {
    pub(super) url: String,
    pub(super) clock: MovedClock,
    keys: Mutex<Keys>,
    list: Mutex<StatusList>,
    /// How often the list was changed.
    changes: AtomicU64,
    /// The next number, for a `jti` and for a place in the list.
    next: AtomicU64,
    down: AtomicBool,
}

/// The key that signs, the one in waiting, and those before.
pub(super) struct Keys {
    algorithm: Algorithm,
    signing: SigningKey,
    waiting: SigningKey,
    old: Vec<SigningKey>,
}

impl State {
    pub(super) fn new(url: String, algorithm: Algorithm) -> Result<Self, Error> {
        Ok(Self {
            url,
            clock: MovedClock::at_present(),
            keys: Mutex::new(Keys {
                algorithm,
                signing: fresh(algorithm)?,
                waiting: fresh(algorithm)?,
                old: Vec::new(),
            }),
            list: Mutex::new(StatusList::new(StatusBits::One, ENTRIES)?),
            changes: AtomicU64::new(0),
            next: AtomicU64::new(0),
            down: AtomicBool::new(false),
        })
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self) -> MutexGuard<'_, StatusList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other token has.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// Where the list is, or the other one, in which every token was taken back beforehand: whoever holds the first a while
    /// longer knows of the second all the same.
    pub(super) fn list_url(&self, which: Which) -> String {
        format!("{}{}", self.url, which.path())
    }

    pub(super) fn revoke(&self, token: &str) -> Result<(), Error> {
        let claims = dangerous::decode_unverified(token)?.claims;
        let missing = Error::ClaimMissing {
            claim: "status".into(),
        };
        let status = claims.get("status").ok_or(missing)?;
        let place: StatusReference = countersign::parse_strict(status.to_string().as_bytes())?;
        self.list().set(place.idx, Status::INVALID)?;
        self.changes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    /// RFC 8414 §2, as much of it as this issuer does.
    pub(super) fn metadata(&self) -> String {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/.well-known/jwks.json", self.url),
            "response_types_supported": [],
        })
        .to_string()
    }

    /// A list as it is now, signed, and its `ETag`.
    pub(super) fn status_list(&self, which: Which) -> Result<(String, String), Error> {
        let now = self.clock.now();
        let etag = format!("\"{}\"", self.changes.load(Ordering::SeqCst));
        let status_list = match which {
            Which::Changing => self.list().encode(),
            Which::TakenBack => {
                StatusList::from_bytes(StatusBits::One, vec![0xff; ENTRIES.div_ceil(8)]).encode()
            }
        };
        let token = StatusListToken {
            iss: Some(self.url.clone()),
            sub: self.list_url(which),
            iat: now.unix_secs(),
            exp: Some(now.saturating_add(LIST_LIFE).unix_secs()),
            ttl: Some(TTL_SECS),
            status_list,
        };
        let signing = self.keys().signing().clone();
        Ok((token.sign(&signing)?, etag))
    }
}

impl Keys {
    pub(super) const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// A key of the same name and algorithm that is another.
    pub(super) fn impostor(&self) -> Result<SigningKey, Error> {
        let key = SigningKey::generate(self.algorithm)?;
        Ok(match self.signing.key_id() {
            Some(kid) => key.with_key_id(kid),
            None => key,
        })
    }

    pub(super) fn verifying(&self) -> JwkSet {
        let current = [&self.signing, &self.waiting];
        let keys = current.into_iter().chain(&self.old);
        JwkSet::new(keys.map(SigningKey::verifying_key))
    }

    pub(super) fn rotate(&mut self) -> Result<(), Error> {
        let next = fresh(self.algorithm)?;
        let signing = std::mem::replace(&mut self.waiting, next);
        self.old.push(std::mem::replace(&mut self.signing, signing));
        Ok(())
    }

    pub(super) fn drop_old(&mut self) {
        self.old.clear();
    }
}

/// A key with a name, a secret too: a set of several needs them.
fn fresh(algorithm: Algorithm) -> Result<SigningKey, Error> {
    let key = SigningKey::generate(algorithm)?;
    Ok(if key.key_id().is_some() {
        key
    } else {
        let name = key.thumbprint().to_string();
        key.with_key_id(name)
    })
}
