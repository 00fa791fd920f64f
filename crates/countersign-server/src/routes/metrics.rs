//! `GET /metrics`: the figures, on a listener of their own that the world does not reach.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::app::App;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(crate) async fn get(State(app): State<App>) -> Response {
    (
        [(CONTENT_TYPE, TEXT)],
        app.metrics.text(app.leap_in_doubt()),
    )
        .into_response()
}
