//! The page for a form that another site may have sent.

use askama::Template;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use crate::cookies::Cookies;
use crate::routes::page::page;
use crate::routes::shell::Shell;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    shell: Shell,
}

/// What a browser shows where the API answers `cross_site`.
pub(crate) fn cross_site(headers: &HeaderMap, cookies: Cookies) -> Response {
    let shell = Shell::of(headers, cookies, "/");
    page(StatusCode::FORBIDDEN, &Refused { shell })
}
