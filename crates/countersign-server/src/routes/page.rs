//! Pages: server-rendered, with the server's own style and modules and nothing else.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::error::Error;

/// What a page may do: load from here, send its forms here, and make no markup out of text.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// A page as an answer. What a template is given, it escapes; its field `shell` is what is around it.
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
