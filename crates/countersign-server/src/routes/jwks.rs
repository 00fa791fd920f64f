//! `GET /.well-known/jwks.json`: the public keys (RFC 7517 §5), to be kept for five minutes, or a day while the server is away.

use aws_lc_rs::digest;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::routes::entity_tag;
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
    let mut response = if entity_tag::is_known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, JWK_SET)], body).into_response()
    };
    response.headers_mut().insert(CACHE_CONTROL, KEEP);
    entity_tag::write(response.headers_mut(), &etag);
    response
}
