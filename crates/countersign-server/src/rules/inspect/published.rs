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
/// The most letters of an address that are said again.
const MAX_SHOWN: usize = 200;
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

    /// Whether an address that was typed in is our own, with or without the slash that a browser's address bar adds.
    pub(crate) fn is_own(&self, issuer: &str) -> bool {
        let bare = |address: &str| address.trim().trim_end_matches('/').to_owned();
        self.own().map(bare) == Some(bare(issuer))
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
        let remote = self
            .remote(issuer)
            .map_err(|problem| self.told(issuer, &problem))?;
        let keys = remote
            .load()
            .await
            .map_err(|problem| self.told(issuer, &problem))?;
        Ok(JwkSet::clone(&keys))
    }

    /// Why keys could not be had, for the person: in a server no more than that it is no URL, or that this
    /// machine has no TLS.
    fn told(&self, issuer: &str, problem: &FetchError) -> String {
        let cause = problem.reason();
        if matches!(
            cause,
            FetchError::UrlInvalid | FetchError::SchemeMissing | FetchError::Tls { .. }
        ) {
            return cause.to_string();
        }
        if self.own.is_none() {
            return with_next_step(issuer, problem);
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

/// Which address it was, and what to do: a URL of keys is taken for that of an issuer more often than not.
fn with_next_step(issuer: &str, problem: &FetchError) -> String {
    let shown: String = issuer.chars().take(MAX_SHOWN).collect();
    // Which address it was, this says already.
    let cause = problem.reason();
    match cause {
        FetchError::Status { found: 404 | 410 } => format!(
            "{shown} has no metadata of an issuer: {cause}. Give the issuer as `iss` spells it; of a URL of keys, give what it answers, as JWK Set"
        ),
        FetchError::Connect { .. } | FetchError::NameUnresolved | FetchError::Timeout => {
            format!("{shown} cannot be reached: {cause}. Is it spelled right, and does it run?")
        }
        _ => format!(
            "the keys of {shown} cannot be had: {problem}. Where you have them, give them as JWK Set"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn alone_it_says_which_address_failed_and_what_to_do() {
        let closed = Published::default()
            .keys(" http://127.0.0.1:1 ", true)
            .await;
        let told = closed.unwrap_err();
        assert!(
            told.starts_with("http://127.0.0.1:1 cannot be reached: no connection")
                && told.ends_with("Is it spelled right, and does it run?"),
            "{told}"
        );
        let issuer = "https://id.example/jwks.json";
        let told = with_next_step(issuer, &FetchError::Status { found: 404 });
        assert!(
            told.starts_with("https://id.example/jwks.json has no metadata of an issuer")
                && told.ends_with("as JWK Set"),
            "{told}"
        );
        let long = with_next_step(&"a".repeat(100_000), &FetchError::Broken);
        assert!(long.len() < 1_000);
    }
}
