//! A refusal as gRPC has it: status 200 and the answer in `grpc-status`, in headers that end the response ("trailers-only"
//! of the gRPC protocol over HTTP/2). There is no body: a client would look for messages in it.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::answer::Kind;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether a request is one of gRPC: `application/grpc`, alone or with `+proto` and the like. gRPC-Web is not: its
/// clients read the status of the response.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    value
        .and_then(|value| value.strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest, [] | [b'+' | b';' | b' ', ..]))
}

/// The status codes of gRPC that refusals have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    PermissionDenied = 7,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Code {
    fn of(kind: &Kind) -> Self {
        match kind {
            Kind::NoCredential | Kind::InvalidRequest | Kind::InvalidToken => Self::Unauthenticated,
            Kind::InsufficientScope | Kind::Other(StatusCode::FORBIDDEN) => Self::PermissionDenied,
            Kind::Other(StatusCode::SERVICE_UNAVAILABLE) => Self::Unavailable,
            Kind::Other(_) => Self::Internal,
        }
    }
}

/// The headers that are the answer.
pub(super) fn write(headers: &mut HeaderMap, kind: &Kind, message: &str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(Code::of(kind) as u16));
    if let Ok(message) = HeaderValue::try_from(percent_encoded(message)) {
        headers.insert(GRPC_MESSAGE, message);
    }
}

/// `Status-Message` of the protocol: printable ASCII but for the percent sign, all else in UTF-8 and hexadecimal.
fn percent_encoded(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for byte in message.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_grpc_is_known_by_its_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=x", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
            ("text/application/grpc", false),
        ] {
            let value = HeaderValue::from_static(content_type);
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
            assert_eq!(is_asked_for(&headers), expected, "{content_type}");
        }
        assert!(!is_asked_for(&HeaderMap::new()));
    }

    #[test]
    fn a_message_holds_nothing_but_printable_ascii() {
        assert_eq!(
            percent_encoded("this needs the role admin"),
            "this needs the role admin"
        );
        assert_eq!(percent_encoded("100 %\r\nä"), "100 %25%0D%0A%C3%A4");
    }
}
