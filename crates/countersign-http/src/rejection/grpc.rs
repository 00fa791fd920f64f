//! A refusal as gRPC has it: status 200 and the answer in `grpc-status`, in headers that end the response ("trailers-only"
//! of the gRPC protocol over HTTP/2). There is no body: a client would look for messages in it.

use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::answer::Kind;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether a request is one of gRPC: a POST over HTTP/2 of `application/grpc`, alone or with `+proto` and the like, with the
/// `te: trailers` that the protocol asks of its clients. gRPC-Web is not: its clients read the status of the response.
///
/// Whoever asks in another way is answered in HTTP, whatever type they name: a gateway that has this service decide about
/// requests reads the status alone, and hands the headers of strangers on; but not `te`, which is for its own connection
/// (RFC 9110 §10.1.4).
pub(crate) fn is_asked_for(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    if *method != Method::POST || version < Version::HTTP_2 {
        return false;
    }
    if headers.get(TE).is_none_or(|te| te != "trailers") {
        return false;
    }
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
            let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
            assert!(!is_asked_for(&Method::POST, Version::HTTP_2, &headers));
            headers.insert(TE, HeaderValue::from_static("gzip"));
            assert!(!is_asked_for(&Method::POST, Version::HTTP_2, &headers));
            headers.insert(TE, HeaderValue::from_static("trailers"));
            let asked = |method, version| is_asked_for(&method, version, &headers);
            assert_eq!(
                asked(Method::POST, Version::HTTP_2),
                expected,
                "{content_type}"
            );
            assert!(!asked(Method::GET, Version::HTTP_2), "{content_type}");
            assert!(!asked(Method::POST, Version::HTTP_11), "{content_type}");
        }
        assert!(!is_asked_for(
            &Method::POST,
            Version::HTTP_2,
            &HeaderMap::new()
        ));
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
