//! The body of a refusal: `application/problem+json` (RFC 9457) and the member `message`, which simple clients read.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    message: &'static str,
}

pub(super) fn body(
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    detail: &str,
) -> Bytes {
    let problem = Problem {
        r#type: "about:blank",
        // RFC 9457 §4.2.1: the title of `about:blank` is the status's own phrase.
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
        code,
        message,
    };
    // Six plain members cannot fail to serialise; an empty body would still come with the right status.
    serde_json::to_vec(&problem).unwrap_or_default().into()
}
