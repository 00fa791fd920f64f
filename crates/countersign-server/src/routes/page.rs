//! Pages: server-rendered, with the server's own style and nothing else.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::error::Error;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// A page as an answer. What a template is given, it escapes.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        // Whoever reads a page in a terminal finds the prompt on a line of its own.
        Ok(html) => (
            status,
            [(CONTENT_SECURITY_POLICY, POLICY)],
            Html(html + "\n"),
        )
            .into_response(),
        Err(problem) => {
            tracing::error!(error = %problem, "a page could not be rendered");
            Error::Panic.into_response()
        }
    }
}
