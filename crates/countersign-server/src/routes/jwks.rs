//! `GET /.well-known/jwks.json`: the public keys (RFC 7517 §5), to be kept for five minutes, or a day while the server is away.

use aws_lc_rs::digest;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::rules::secret;

const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=300, stale-if-error=86400");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

pub(crate) async fn get(State(app): State<App>, headers: HeaderMap) -> Response {
    let body = app.ring().published(app.now()).to_public_json();
    let digest = digest::digest(&digest::SHA256, body.as_bytes());
    let etag = format!(
        "\"{}\"",
        secret::encode(digest.as_ref().get(..16).unwrap_or_default())
    );
    let mut response = if has(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, JWK_SET)], body).into_response()
    };
    response.headers_mut().insert(CACHE_CONTROL, KEEP);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// RFC 9110 §13.1.2: a list of entity tags, compared weakly, or `*`.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}
