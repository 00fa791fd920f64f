//! The keys that issuers publish: our own are at hand, those of others are fetched by the middleware's fetcher.
//!
//! A server stands where the person at the page does not. It goes out to the public Internet for them and nowhere else, and
//! what it meets there it tells its log. Alone, the inspector reaches what its person does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::JwkSet;
use countersign_http::{FetchError, RemoteKeys, SharedKeys};

/// What a server says of whatever could not be fetched, so that nobody looks around by it.
const NOT_TO_BE_HAD: &str = "the keys of this issuer cannot be had; it must publish them under https, at a public address. The server's log says more";
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

    /// Whether an address that was typed in is our own.
    pub(crate) fn is_own(&self, issuer: &str) -> bool {
        self.own() == Some(issuer.trim())
    }

    /// The keys of an issuer; `may_fetch` says whether whoever asks may send this server out for them.
    ///
    /// # Errors
    /// What to tell the person.
    pub(crate) async fn keys(&self, issuer: &str, may_fetch: bool) -> Result<JwkSet, String> {
        let issuer = issuer.trim();
        if let Some((_, keys)) = self.own.as_ref().filter(|_| self.is_own(issuer)) {
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
        let remote = self.remote(issuer).map_err(|problem| self.told(&problem))?;
        let keys = remote.load().await.map_err(|problem| self.told(&problem))?;
        Ok(JwkSet::clone(&keys))
    }

    /// Why keys could not be had, for the person: in a server no more than that it is no URL, or that this
    /// machine has no TLS.
    fn told(&self, problem: &FetchError) -> String {
        let is_ours = matches!(problem, FetchError::UrlInvalid | FetchError::Tls { .. });
        if self.own.is_none() || is_ours {
            return problem.to_string();
        }
        tracing::warn!(code = problem.code(), error = %problem, "the keys of another issuer could not be had");
        NOT_TO_BE_HAD.to_owned()
    }

    /// Whether an issuer may stand on this machine: alone, and in development, where the server itself is plain http here.
    fn may_be_inside(&self, issuer: &str) -> bool {
        // Plain http never leaves this machine: the fetcher sees to that.
        let is_plain = |url: &str| url.starts_with("http://");
        self.own()
            .is_none_or(|own| is_plain(own) && is_plain(issuer))
    }

    fn remote(&self, issuer: &str) -> Result<RemoteKeys, FetchError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(issuer) {
            return Ok(known.clone());
        }
        let mut remote = RemoteKeys::builder();
        if !self.may_be_inside(issuer) {
            remote = remote.only_public_addresses();
        }
        let remote = remote.discover(issuer)?;
        if others.len() >= MAX_ISSUERS {
            others.clear();
        }
        others.insert(issuer.to_owned(), remote.clone());
        Ok(remote)
    }
}
