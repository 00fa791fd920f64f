//! `GET /assets/…`: what pages are made of, out of the binary.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

const STYLE: &str = include_str!("../../assets/style.css");
const SESSION: &str = include_str!("../../assets/js/session.js");

/// The style of the server's own pages.
pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// What keeps a page logged in: docs/BROWSER.md.
pub(crate) async fn session() -> Response {
    asset("text/javascript; charset=utf-8", SESSION)
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, text).into_response()
}
