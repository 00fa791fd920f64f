//! Which pages of other origins may call this server (the Fetch standard's CORS).
//!
//! The API is for the origins on the list, each compared as a whole; they may send cookies. What is public anyway, keys
//! and lists of revocations, any page may read, and none with its cookies.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser may remember the answer to its question before a request.
const REMEMBERED: Duration = Duration::from_mins(10);

/// For the API; `None` where no origin is on the list.
pub(super) fn for_listed(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::try_from(origin).ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER])
        .max_age(REMEMBERED);
    Some(layer)
}

/// For what everybody may read.
pub(super) fn for_public() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET])
        .allow_headers([IF_NONE_MATCH])
        .max_age(REMEMBERED)
}
