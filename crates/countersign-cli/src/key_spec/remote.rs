//! Key sets that are fetched: from their URL, or from the issuer that names it. What may be asked, and how much is read, is
//! for the middleware's fetcher to say.

use countersign::{Algorithm, JwkSet};
use countersign_http::{FetchError, RemoteKeys};
use zeroize::Zeroizing;

use super::unusable;
use super::verifying::from_set;
use crate::exit::{Exit, Failure};

/// The text of the key set at `url`.
pub(super) fn text(url: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    fetched(url, RemoteKeys::at(url))
}

/// The keys that the metadata of `issuer` names.
pub(crate) fn keys_of_issuer(issuer: &str, alg: Option<Algorithm>) -> Result<JwkSet, Failure> {
    let text = fetched(issuer, RemoteKeys::discover(issuer))?;
    from_set(&text, alg, JwkSet::parse_published)
}

fn fetched(url: &str, keys: Result<RemoteKeys, FetchError>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| {
        let error = anyhow::Error::new(error);
        Failure::new(Exit::Key, error.context(format!("no keys from {url}")))
    };
    let keys = keys.map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Storage, error))?;
    let text = runtime.block_on(keys.fetch_text()).map_err(failed)?;
    // What comes from a URL is a set or nothing: never a secret, and never a key to sign with.
    JwkSet::parse_published(&text).map_err(unusable)?;
    Ok(text.into())
}
