//! The page for a form that another site may have sent.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::routes::page::page;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused;

/// What a browser shows where the API answers `cross_site`.
pub(crate) fn cross_site() -> Response {
    page(StatusCode::FORBIDDEN, &Refused)
}
