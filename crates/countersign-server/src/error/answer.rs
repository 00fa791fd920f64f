//! Error -> status, headers and `application/problem+json` (RFC 9457): one match.
//!
//! The extra member `message` is what clients written after tutorials read. Token failures of protected routes are
//! answered by `countersign-http`, in the same shape.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::Error;
use crate::seldom::Seldom;

/// The realm that every challenge of this server names.
pub(crate) const REALM: &str = "countersign";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"countersign\"");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// As many as an answer has, cookies and those of the frame among them.
const HEADERS: usize = 12;
/// Too many attempts are told of once in this time.
const SAY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'a [String],
}

/// Goes along with an answer that failed because the database is broken, so that the server remembers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage;

/// The answer to a request that failed with this.
pub(crate) fn problem(error: &Error) -> Response {
    let (status, _) = status_and_message(error);
    if let Error::Busy { retry_after_secs } = error {
        // A flood fills no log.
        tracing::debug!(retry_after_secs, "busy");
    } else if status.is_server_error() {
        // The detail is for the log; the client learns nothing about the inside.
        tracing::error!(code = error.code(), error = %error, "request failed");
    }
    if let Error::TooManyRequests { retry_after_secs } = error {
        static SAID: Seldom = Seldom::new(SAY_AGAIN);
        match SAID.happened(Instant::now()) {
            // Who it was stands in the request's own span.
            Some(unsaid) => tracing::warn!(retry_after_secs, unsaid, "too many attempts"),
            None => tracing::debug!(retry_after_secs, "too many attempts"),
        }
    }
    let mut response = Response::new(Body::from(text(error)));
    *response.status_mut() = status;
    if error.is_damage() {
        response.extensions_mut().insert(Damage);
    }
    let headers = response.headers_mut();
    // Also for those of the frame, so that they need not grow again.
    headers.reserve(HEADERS);
    headers.insert(CONTENT_TYPE, PROBLEM);
    headers.insert(CACHE_CONTROL, NO_STORE);
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §15.5.2: every 401 says how one would authenticate.
        headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    if let Some(secs) = retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

/// The body of the answer. That to a refresh token which is none is asked for as often as somebody likes: it is written
/// once.
fn text(error: &Error) -> Bytes {
    static INVALID_REFRESH_TOKEN: LazyLock<Bytes> =
        LazyLock::new(|| written(&Error::InvalidRefreshToken));
    match error {
        Error::InvalidRefreshToken => INVALID_REFRESH_TOKEN.clone(),
        _ => written(error),
    }
}

fn written(error: &Error) -> Bytes {
    let (status, message) = status_and_message(error);
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: told(error),
        code: if status == StatusCode::INTERNAL_SERVER_ERROR {
            Error::Panic.code()
        } else {
            error.code()
        },
        message,
        reasons: if let Error::WeakPassword { reasons } = error {
            reasons
        } else {
            &[]
        },
    };
    serde_json::to_vec(&problem).unwrap_or_default().into()
}

/// What a client is told, in words; nothing about the inside.
pub(crate) fn told(error: &Error) -> String {
    let (status, _) = status_and_message(error);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        Error::Panic.to_string()
    } else {
        error.to_string()
    }
}

fn status_and_message(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::MediaType { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
        Error::BodyEmpty | Error::BodySyntax => (StatusCode::BAD_REQUEST, "Malformed JSON"),
        Error::ProxyNeeded => (StatusCode::FORBIDDEN, "HTTPS required"),
        Error::CrossSite => (StatusCode::FORBIDDEN, "Cross-site request refused"),
        Error::ForeignHost { .. } => (StatusCode::MISDIRECTED_REQUEST, "Misdirected request"),
        Error::BearerNeeded => (StatusCode::FORBIDDEN, "Bearer token needed"),
        Error::DemoDisabled => (StatusCode::FORBIDDEN, "Demonstration disabled"),
        Error::LogInNeeded => (StatusCode::UNAUTHORIZED, "Log in first"),
        Error::UriTooLong => (StatusCode::URI_TOO_LONG, "URI too long"),
        Error::BodyShape { .. } | Error::Query(_) | Error::TwoRefreshTokens => {
            (StatusCode::BAD_REQUEST, "Invalid request")
        }
        Error::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
        Error::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "Request timeout"),
        Error::InvalidEmail => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid e-mail address"),
        Error::WeakPassword { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Weak password"),
        Error::EmailTaken | Error::AdministratorEmailTaken => {
            (StatusCode::CONFLICT, "Email already registered")
        }
        Error::AdministratorExists => (StatusCode::CONFLICT, "Administrator exists"),
        Error::InvalidCredentials | Error::WrongPassword => {
            (StatusCode::UNAUTHORIZED, "Invalid credentials")
        }
        Error::InvalidRefreshToken | Error::RefreshTokenMissing => {
            (StatusCode::UNAUTHORIZED, "Invalid refresh token")
        }
        Error::InvalidSetupCode => (StatusCode::UNAUTHORIZED, "Invalid setup code"),
        Error::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Error::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Server busy"),
        Error::NotReady(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not ready"),
        Error::Argument(_) => (StatusCode::BAD_REQUEST, "Invalid request"),
        Error::LastAdministrator => (StatusCode::CONFLICT, "Last administrator"),
        Error::NotFound | Error::UserUnknown | Error::SessionUnknown => {
            (StatusCode::NOT_FOUND, "Not found")
        }
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
    }
}

fn retry_after(error: &Error) -> Option<u64> {
    match error {
        Error::TooManyRequests { retry_after_secs } | Error::Busy { retry_after_secs } => {
            Some(*retry_after_secs)
        }
        _ => None,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        problem(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_names_the_realm() {
        assert_eq!(CHALLENGE, format!("Bearer realm=\"{REALM}\"").as_str());
    }
}
