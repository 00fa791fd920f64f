//! THE match: what each reason to refuse is to the world.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;

use crate::bearer::BearerError;

/// Why a request is not let through.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    NoCredential,
    InvalidRequest(BearerError),
    Expired,
    Revoked,
    /// With the code of what failed, for the log.
    InvalidToken(&'static str),
    CrossSite,
    Role(Cow<'static, str>),
    Scope(Cow<'static, str>),
    Forbidden,
    Unavailable {
        /// Of what exactly, for the log.
        cause: &'static str,
        retry_after: Duration,
    },
    Unprotected,
}

/// What goes over the wire, apart from the realm.
pub(super) struct Answer {
    pub(super) kind: Kind,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
    pub(super) detail: Cow<'static, str>,
}

/// The three errors of RFC 6750 §3.1, the request with nothing to be wrong, and what is not about bearers.
pub(super) enum Kind {
    NoCredential,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    Other(StatusCode),
}

impl Reason {
    pub(super) fn answer(&self) -> Answer {
        use Kind::{InsufficientScope, InvalidRequest, InvalidToken, NoCredential, Other};
        let (kind, code, message, detail) = match self {
            Self::NoCredential => (
                NoCredential,
                "no_credential",
                "No token provided",
                "this resource needs a bearer token",
            ),
            Self::InvalidRequest(error) => (
                InvalidRequest,
                "invalid_request",
                "Invalid request",
                error.detail(),
            ),
            Self::Expired => (
                InvalidToken,
                "token_expired",
                "jwt expired",
                "the token has expired",
            ),
            Self::Revoked => (
                InvalidToken,
                "token_revoked",
                "Invalid token",
                "the token was revoked",
            ),
            Self::InvalidToken(_) => (
                InvalidToken,
                "invalid_token",
                "Invalid token",
                "the token is malformed, forged or not meant for this service",
            ),
            Self::CrossSite => (
                Other(StatusCode::FORBIDDEN),
                "cross_site",
                "Cross-site request refused",
                "a request that changes something must come from this site's own pages",
            ),
            Self::Role(_) => (
                InsufficientScope,
                "insufficient_role",
                "Insufficient role",
                "this needs the role",
            ),
            Self::Scope(_) => (
                InsufficientScope,
                "insufficient_scope",
                "Insufficient scope",
                "this needs the scope",
            ),
            Self::Forbidden => (
                InsufficientScope,
                "forbidden",
                "Forbidden",
                "the token does not allow this",
            ),
            Self::Unavailable { .. } => (
                Other(StatusCode::SERVICE_UNAVAILABLE),
                "unavailable",
                "Service unavailable",
                "the token cannot be checked just now",
            ),
            Self::Unprotected => (
                Other(StatusCode::INTERNAL_SERVER_ERROR),
                "not_protected",
                "Internal server error",
                "this resource is not set up",
            ),
        };
        // The name of a role or a scope is the service's own word.
        let detail = match self {
            Self::Role(name) | Self::Scope(name) => Cow::Owned(format!("{detail} {name}")),
            _ => Cow::Borrowed(detail),
        };
        Answer {
            kind,
            code,
            message,
            detail,
        }
    }
}

impl Kind {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoCredential | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::Other(status) => *status,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};

    use super::*;
    use crate::rejection::{Rejection, challenge};

    fn every_reason() -> Vec<Reason> {
        let mut all = vec![
            Reason::NoCredential,
            Reason::Expired,
            Reason::Revoked,
            Reason::InvalidToken("signature_invalid"),
            Reason::CrossSite,
            Reason::Role(Cow::Borrowed("admin")),
            Reason::Scope(Cow::Borrowed("orders:read")),
            Reason::Forbidden,
            Reason::Unavailable {
                cause: "keys_unavailable",
                retry_after: Duration::ZERO,
            },
            Reason::Unprotected,
        ];
        all.extend(BearerError::ALL.map(Reason::InvalidRequest));
        all
    }

    #[test]
    fn every_description_keeps_to_the_characters_of_rfc_6750() {
        let mut described = 0;
        for reason in every_reason() {
            let answer = reason.answer();
            assert!(
                answer.detail.chars().all(challenge::is_quotable),
                "{}",
                answer.detail
            );
            assert!(!answer.code.is_empty() && !answer.message.is_empty());
            described += 1;
        }
        assert_eq!(described, 10 + BearerError::ALL.len());
    }

    #[test]
    fn every_401_has_a_challenge() {
        for reason in every_reason() {
            let response: Response<Bytes> = Rejection::from(reason).into_response_of();
            if response.status() == StatusCode::UNAUTHORIZED {
                assert!(response.headers().contains_key(WWW_AUTHENTICATE));
            }
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }
    }
}
