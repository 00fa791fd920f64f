//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: what this server can do
//! (RFC 8414), made from what is enabled.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use serde::Serialize;

use crate::app::App;

const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=300");

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    jwks_uri: String,
    response_types_supported: [&'static str; 0],
}

pub(crate) async fn get(State(app): State<App>) -> Response {
    let metadata = Metadata {
        issuer: &app.terms.issuer,
        jwks_uri: app.url("/.well-known/jwks.json"),
        response_types_supported: [],
    };
    ([(CACHE_CONTROL, KEEP)], Json(metadata)).into_response()
}
