//! Addresses of the API that people type into a browser: each leads to the page that they mean.

use axum::extract::Request;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::Method;

use crate::error::Error;
use crate::routes::trouble::wants_a_page;

/// The answer to a method that an address of the API does not have: to a browser that opens it, its page.
pub(super) async fn not_allowed(request: Request) -> Response {
    let is_opened = request.method() == Method::GET && wants_a_page(request.headers());
    match page_for(request.uri().path()).filter(|_| is_opened) {
        Some(page) => Redirect::to(page).into_response(),
        None => Error::MethodNotAllowed.into_response(),
    }
}

fn page_for(address: &str) -> Option<&'static str> {
    match address {
        "/login" => Some("/log-in"),
        "/signup" => Some("/sign-up"),
        _ => None,
    }
}
