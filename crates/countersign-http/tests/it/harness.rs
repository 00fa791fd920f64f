//! One issuer, one service, one fixed time; every request goes through the router.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use countersign::{Algorithm, ClaimsSet, SigningHeader, SigningKey, Timestamp};
use countersign_http::{Protect, ProtectBuilder};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Builder;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "orders-api";
pub(crate) const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

pub(crate) fn protect() -> ProtectBuilder {
    Protect::with_keys(ISSUER, KEY.verifying_key())
        .audience(AUDIENCE)
        .realm("orders")
        .clock(|| NOW)
}

/// `/` answers 200 "in" to any method, behind `auth`.
pub(crate) fn app(auth: Protect) -> Router {
    Router::new().route("/", any(|| async { "in" })).layer(auth)
}

/// Good claims, for ten minutes from `NOW`.
pub(crate) fn claims() -> ClaimsSet {
    claims_of(ISSUER, AUDIENCE)
}

pub(crate) fn claims_of(issuer: &str, audience: &str) -> ClaimsSet {
    let claims = ClaimsSet::new(issuer, audience)
        .subject("ada")
        .jwt_id("token-1")
        .claim("client_id", "web");
    claims.unwrap().expires_in(NOW, Duration::from_secs(600))
}

pub(crate) fn access_token(claims: &ClaimsSet) -> String {
    signed(&KEY, "at+jwt", claims)
}

pub(crate) fn signed(key: &SigningKey, typ: &str, claims: &ClaimsSet) -> String {
    key.sign_with(&SigningHeader::new().typ(typ), claims)
        .unwrap()
}

pub(crate) fn good_token() -> String {
    access_token(&claims())
}

pub(crate) fn expired_token() -> String {
    access_token(&claims().expires_at(NOW))
}

/// The same token with another payload.
pub(crate) fn tampered_token() -> String {
    let (one, other) = (good_token(), access_token(&claims().subject("eve")));
    let (mine, theirs): (Vec<_>, Vec<_>) = (one.split('.').collect(), other.split('.').collect());
    [mine[0], theirs[1], mine[2]].join(".")
}

pub(crate) fn get() -> Builder {
    Request::get("/")
}

pub(crate) fn bearer(token: &str) -> Builder {
    get().header(AUTHORIZATION, format!("Bearer {token}"))
}

/// To be called before a test listens to the log. With one subscriber in the process, tracing asks the thread that comes by an
/// event first whether anybody listens to it, and where that is the thread of another test, nobody is told of it.
pub(crate) fn listens() {
    static ANOTHER: LazyLock<tracing::Dispatch> =
        LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));
    LazyLock::force(&ANOTHER);
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn send(app: &Router, request: Builder) -> Answer {
    let response = app
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

impl Answer {
    pub(crate) fn challenge(&self) -> Option<&str> {
        self.headers
            .get(WWW_AUTHENTICATE)
            .map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is_ok(&self, body: &str) {
        assert_eq!((self.status, &*self.body), (200, body));
        assert_eq!(self.challenge(), None);
    }

    /// The whole body and the headers that every refusal has.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str, message: &str) -> &Self {
        let body: Value = serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.body));
        assert_eq!(self.status, status, "{body}");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["message"], message, "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["type"], "about:blank", "{body}");
        assert_eq!(
            body["title"],
            http::StatusCode::from_u16(status)
                .unwrap()
                .canonical_reason()
                .unwrap(),
            "{body}"
        );
        assert!(!body["detail"].as_str().unwrap().is_empty(), "{body}");
        assert_eq!(body.as_object().unwrap().len(), 6, "{body}");
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.headers[CACHE_CONTROL], "no-store");
        self
    }

    #[track_caller]
    pub(crate) fn challenges(&self, expected: &str) {
        assert_eq!(self.challenge(), Some(expected));
    }
}

pub(crate) const INVALID: &str = "Bearer realm=\"orders\", error=\"invalid_token\", \
    error_description=\"the token is malformed, forged or not meant for this service\"";
