//! Entity tags (RFC 9110 §8.8.3): what a client has already is not sent again.

use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};

/// Whether a client has what has this tag: `If-None-Match` is a list of tags, compared weakly, or `*` (RFC 9110 §13.1.2).
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}

/// Tells the tag of what is sent.
pub(super) fn write(headers: &mut HeaderMap, etag: &str) {
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
}
