//! The keys that issuers publish: our own are at hand, those of others are fetched by the middleware's fetcher.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::JwkSet;
use countersign_http::{FetchError, RemoteKeys, SharedKeys};

/// How many issuers are remembered; asking for one more forgets them all.
const MAX_ISSUERS: usize = 32;

/// Where an issuer's keys come from; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Published {
    own: Option<(String, SharedKeys)>,
    others: Arc<Mutex<HashMap<String, RemoteKeys>>>,
}

impl Published {
    /// Those of a server whose own keys need no fetching.
    pub(crate) fn with_own(issuer: &str, keys: SharedKeys) -> Self {
        Self {
            own: Some((issuer.to_owned(), keys)),
            ..Self::default()
        }
    }

    /// Our own address, where there is one.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_ref().map(|(issuer, _)| issuer.as_str())
    }

    /// The keys of an issuer; `may_fetch` says whether whoever asks may send this server out for them.
    ///
    /// # Errors
    /// What to tell the person.
    pub(crate) async fn keys(&self, issuer: &str, may_fetch: bool) -> Result<JwkSet, String> {
        let issuer = issuer.trim();
        if let Some((_, keys)) = self.own.as_ref().filter(|(own, _)| own == issuer) {
            return Ok(JwkSet::clone(&keys.current()));
        }
        if !may_fetch {
            return Err(match self.own() {
                Some(own) => format!(
                    "only an administrator sends this server out for the keys of others; its own are those of {own}"
                ),
                None => "keys of other issuers are not fetched here".to_owned(),
            });
        }
        let remote = self.remote(issuer).map_err(|problem| problem.to_string())?;
        let keys = remote.load().await.map_err(|problem| problem.to_string())?;
        Ok(JwkSet::clone(&keys))
    }

    fn remote(&self, issuer: &str) -> Result<RemoteKeys, FetchError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(issuer) {
            return Ok(known.clone());
        }
        let remote = RemoteKeys::discover(issuer)?;
        if others.len() >= MAX_ISSUERS {
            others.clear();
        }
        others.insert(issuer.to_owned(), remote.clone());
        Ok(remote)
    }
}
