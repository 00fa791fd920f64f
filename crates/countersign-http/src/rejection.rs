//! Error -> status, `WWW-Authenticate` and body (RFC 6750 §3, RFC 9457); the one match is in `answer`.
//!
//! Every failure of a token is the same `invalid_token` on the wire, except that it has expired or was
//! revoked, which its holder may know. What exactly failed is for the log.

mod answer;
mod challenge;
mod grpc;
mod problem;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::IntoResponse;
use bytes::Bytes;
use countersign::Blame;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

pub(crate) use challenge::Challenge;
pub(crate) use grpc::is_asked_for as is_grpc;

use answer::{Answer, Kind, Reason};

use crate::bearer::BearerError;
use crate::shown::{shown, shown_name};

/// A request that is not let through, ready to be answered: a response for axum, and for any tower service
/// through [`Rejection::into_response_of`].
///
/// The body is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code` and
/// `message`. A request of gRPC is answered as such: status 200, `grpc-status` UNAUTHENTICATED (16), PERMISSION_DENIED (7),
/// UNAVAILABLE (14) or INTERNAL (13), no body.
///
/// A layer speaks for what is refused behind it: it counts and logs it, with the token's `kid` and issuer, and names its realm.
/// From a [`check`](crate::ProtectBuilder::check) that comes by itself. A handler that refuses asks for it with
/// [`VerifiedToken::refuse`](crate::VerifiedToken::refuse), or [`Protect::refuse`](crate::Protect::refuse) where there is no token; one that is returned as it is, the layer
/// counts, logs and names its realm in on the way out, with the status that it has.
///
/// ```
/// use countersign_http::{Rejection, VerifiedToken};
///
/// async fn close(token: VerifiedToken) -> Result<&'static str, Rejection> {
///     if token.registered().sub() == Some("ada") { Ok("closed") } else { Err(token.refuse(Rejection::forbidden())) }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    reason: Reason,
    challenge: Option<Arc<Challenge>>,
    /// The request is one of gRPC, and so is the answer.
    grpc: bool,
    /// For the log: which claim does not fit the handler's type, and how. It holds no value of the token.
    misfit: Option<Arc<str>>,
    /// For the log: the claim that is missing or wrong, by the name that the policy has for it.
    claim: Option<Cow<'static, str>>,
    /// Whether it was logged, and counted where there is a layer.
    told: bool,
}

/// A response was made of this, and nobody has counted or logged it.
#[derive(Clone, Debug)]
struct Untold(Rejection);

impl Rejection {
    /// 401 without an error code: the request has no credential.
    #[must_use]
    pub fn no_credential() -> Self {
        Self::from(Reason::NoCredential)
    }

    /// 401 `invalid_token`. `cause` is a code of one's own for the log; it is not sent.
    #[must_use]
    pub fn invalid_token(cause: &'static str) -> Self {
        Self::from(Reason::InvalidToken(cause))
    }

    /// 401 `invalid_token` with code `token_revoked`: its session was ended.
    #[must_use]
    pub fn revoked() -> Self {
        Self::from(Reason::Revoked)
    }

    /// 403 `cross_site`: another site may have started this request.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::from(Reason::CrossSite)
    }

    /// 403 `insufficient_scope` with code `insufficient_role`, naming the `role` that is needed.
    #[must_use]
    pub fn insufficient_role(role: impl Into<Cow<'static, str>>) -> Self {
        Self::from(Reason::Role(role.into()))
    }

    /// 403 `insufficient_scope`, naming the `scope` that is needed.
    #[must_use]
    pub fn insufficient_scope(scope: impl Into<Cow<'static, str>>) -> Self {
        Self::from(Reason::Scope(scope.into()))
    }

    /// 403 `insufficient_scope` with code `forbidden`: the token is good, and not enough for this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::from(Reason::Forbidden)
    }

    /// 503 with `Retry-After` (whole seconds, at least 1): what a check needs cannot be had just now.
    #[must_use]
    pub fn unavailable(retry_after: Duration) -> Self {
        Self::unavailable_for("check_unavailable", retry_after)
    }

    /// The same where it is the layer that cannot tell: `cause` is a code for the log.
    pub(crate) fn unavailable_for(cause: &'static str, retry_after: Duration) -> Self {
        Self::from(Reason::Unavailable { cause, retry_after })
    }

    /// 500: an extractor or a guard stands where no [`Protect`](crate::Protect) decided.
    pub(crate) fn unprotected() -> Self {
        Self::from(Reason::Unprotected)
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status_of(&self.reason.answer())
    }

    /// The stable code in the body.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason.answer().code
    }

    /// The stable code of what exactly was wrong, for logs: of all the ways to be an invalid token, this one. Of what cannot be
    /// had just now (`unavailable`), it is `keys_unavailable` (the issuer's keys), `status_unavailable` (its status list),
    /// `single_use_full` (no room in a [`SingleUse`](crate::SingleUse)) or `check_unavailable`
    /// ([`Rejection::unavailable`], from a check or a handler).
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self.reason {
            Reason::InvalidToken(cause) => cause,
            Reason::InvalidRequest(error) => error.code(),
            Reason::Unavailable { cause, .. } => cause,
            _ => self.code(),
        }
    }

    /// The role or the scope that is needed, as it may stand in a log.
    pub(crate) fn needed(&self) -> Option<String> {
        match &self.reason {
            Reason::Role(name) | Reason::Scope(name) => Some(shown(name)),
            _ => None,
        }
    }

    /// As a response of whatever body can be made from bytes.
    #[must_use]
    pub fn into_response_of<B: From<Bytes>>(self) -> Response<B> {
        let answer = self.reason.answer();
        let status = self.status_of(&answer);
        let body = if self.grpc {
            Bytes::new()
        } else {
            problem::body(status, answer.code, answer.message, &answer.detail)
        };
        let mut response = Response::new(B::from(body));
        let headers = response.headers_mut();
        self.write_headers(headers, &answer);
        if self.grpc {
            grpc::write(headers, &answer.kind, &answer.detail);
        } else {
            *response.status_mut() = status;
        }
        if !self.told {
            response.extensions_mut().insert(Untold(self));
        }
        response
    }

    /// What `response` was made of, where nobody has counted or logged that.
    pub(crate) fn untold<B>(response: &mut Response<B>) -> Option<Self> {
        let Untold(rejection) = response.extensions_mut().remove()?;
        Some(rejection)
    }

    /// Names the realm that this speaks for in a response that was made of it before.
    pub(crate) fn name_realm<B>(&self, response: &mut Response<B>) {
        let challenge = self.www_authenticate(&self.reason.answer());
        let named = response.headers_mut().get_mut(WWW_AUTHENTICATE);
        if let (Some(named), Some(challenge)) = (named, challenge) {
            *named = challenge;
        }
    }

    fn write_headers(&self, headers: &mut HeaderMap, answer: &Answer) {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.www_authenticate(answer) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Reason::Unavailable { retry_after, .. } = self.reason {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
    }

    /// As the client that sent the request expects it.
    pub(crate) fn answering(self, grpc: bool) -> Self {
        Self { grpc, ..self }
    }

    /// Speaks for the layer that let the request come this far.
    pub(crate) fn under(mut self, challenge: &Arc<Challenge>) -> Self {
        self.challenge = Some(Arc::clone(challenge));
        self
    }

    /// Whether it was logged already.
    pub(crate) const fn is_told(&self) -> bool {
        self.told
    }

    /// One event.
    pub(crate) fn logged(mut self, about: &About<'_>) -> Self {
        self.told = true;
        let (code, status) = (self.cause(), self.status().as_u16());
        let kid = about.kid.map(shown_name);
        let iss = about.iss.as_deref().map(shown);
        let (issuer, explain) = (about.issuer, about.explain.as_deref());
        let (reason, claim) = (self.misfit.as_deref(), self.claim.as_deref());
        if let Reason::Unprotected = self.reason {
            let path = about.path.map(shown);
            let method = about.method.map(shown_name);
            tracing::error!(
                code,
                status,
                method,
                path,
                "a guard or a handler asks for a token, and no Protect layer has decided: either none covers this route, then add `.layer(protect)` after it; or it comes too late, then put it outside of the guard (of a Router's layers the last is the outermost: `.layer(guard).layer(protect)`; of a ServiceBuilder's the first)"
            );
        } else if let Reason::Unavailable { cause, .. } = self.reason {
            let why = why_unavailable(cause);
            tracing::warn!(code, status, kid, issuer, explain, "request refused: {why}");
        } else {
            tracing::info!(
                code,
                status,
                kid,
                issuer,
                iss,
                claim,
                reason,
                explain,
                "request refused"
            );
        }
        self
    }

    fn status_of(&self, answer: &Answer) -> StatusCode {
        match &self.challenge {
            Some(challenge) if matches!(answer.kind, Kind::InvalidToken) => {
                challenge.invalid_token_status
            }
            _ => answer.kind.status(),
        }
    }

    fn www_authenticate(&self, answer: &Answer) -> Option<HeaderValue> {
        let (error, description) = match answer.kind {
            // RFC 6750 §3.1: a request without a credential is told no error code.
            Kind::NoCredential => (None, None),
            Kind::InvalidRequest => (Some("invalid_request"), Some(&*answer.detail)),
            Kind::InvalidToken => (Some("invalid_token"), Some(&*answer.detail)),
            // A scope has a parameter of its own; a role has none.
            Kind::InsufficientScope => match self.reason {
                Reason::Role(_) => (Some("insufficient_scope"), Some(&*answer.detail)),
                _ => (Some("insufficient_scope"), None),
            },
            Kind::Other(_) => return None,
        };
        let realm = self.challenge.as_ref().map(|challenge| &*challenge.realm);
        let scope = match &self.reason {
            Reason::Scope(scope) => Some(&**scope),
            _ => None,
        };
        challenge::header(realm, error, description, scope)
    }
}

/// What the log is told about a token that is refused.
#[derive(Default)]
pub(crate) struct About<'a> {
    /// What the token claims: bounded and escaped before it is written, so that it forges no line.
    pub(crate) kid: Option<&'a str>,
    /// Whose token it was taken for: a name of the service's own settings.
    pub(crate) issuer: Option<&'a str>,
    /// Whose token it says that it is, where that is nobody's here: bounded and escaped as well.
    pub(crate) iss: Option<String>,
    /// Every check and its outcome, without a value of the token; only where somebody listens.
    pub(crate) explain: Option<String>,
    /// What was asked for, where the service is not set up: bounded and escaped, without the query.
    pub(crate) method: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
}

/// What cannot be had just now, in words.
fn why_unavailable(cause: &str) -> &'static str {
    match cause {
        "keys_unavailable" => "the issuer's keys cannot be had just now",
        "status_unavailable" => "the token's status list cannot be had just now",
        "single_use_full" => "as many single-use tokens are alive as can be remembered",
        _ => "the token could not be checked",
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.answer().detail)
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        self.into_response_of()
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            challenge: None,
            grpc: false,
            misfit: None,
            claim: None,
            told: false,
        }
    }
}

impl From<BearerError> for Rejection {
    fn from(error: BearerError) -> Self {
        Self::from(Reason::InvalidRequest(error))
    }
}

/// What failed in the core, as an answer: expired, unavailable, or an invalid token like any other.
impl From<&countersign::Error> for Rejection {
    fn from(error: &countersign::Error) -> Self {
        let misfit = match error {
            countersign::Error::ClaimsShape { reason } => Some(Arc::from(reason.as_str())),
            _ => None,
        };
        let claim = match error {
            countersign::Error::ClaimMissing { claim } => Some(claim.clone()),
            countersign::Error::ClaimType { claim, .. }
            | countersign::Error::ClaimMismatch { claim }
            | countersign::Error::ClaimForeign { claim, .. }
            | countersign::Error::TooOld { claim, .. } => Some(Cow::Borrowed(*claim)),
            _ => None,
        };
        let rejection = Self::from(match error {
            countersign::Error::Expired { .. } => Reason::Expired,
            other if other.blame() == Blame::Environment => Reason::Unavailable {
                cause: other.code(),
                retry_after: Duration::from_secs(1),
            },
            other => Reason::InvalidToken(other.code()),
        });
        Self {
            misfit,
            claim,
            ..rejection
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_at_least_a_second() {
        for (wait, header) in [
            (Duration::ZERO, "1"),
            (Duration::from_millis(999), "1"),
            (Duration::from_secs(30), "30"),
        ] {
            let response: Response<Bytes> = Rejection::unavailable(wait).into_response_of();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[RETRY_AFTER], header);
        }
    }
}
