//! Refusals as gRPC has them.

use axum::Router;
use axum::routing::post;
use countersign_http::{
    Claims, CookieSource, Origins, Protect, SharedKeys, require_role, require_scope,
};
use http::request::Builder;
use serde_json::Value;

use crate::harness::{
    AUDIENCE, Answer, ISSUER, NOW, access_token, bearer, claims, expired_token, get, good_token,
    protect, send, tampered_token,
};

fn grpc(request: Builder) -> Builder {
    request
        .method("POST")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc+proto")
}

/// The two headers that are the answer, which has no body.
#[track_caller]
fn status(answer: &Answer) -> (&str, &str) {
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.headers["content-type"], "application/grpc");
    let text = |name| answer.headers[name].to_str().unwrap();
    (text("grpc-status"), text("grpc-message"))
}

fn app() -> Router {
    let cookie = CookieSource::named("at", Origins::new("https://shop.example").unwrap());
    Router::new()
        .route("/", post(async || "in"))
        .route(
            "/admin",
            post(async || "in").route_layer(require_role("admin")),
        )
        .route(
            "/write",
            post(async || "in").route_layer(require_scope("orders:write")),
        )
        .route("/shape", post(async |_: Claims<Vec<u8>>| "in"))
        .layer(protect().cookie(cookie).build().unwrap())
        .route("/naked", post(async |_: Claims<Value>| "in"))
}

#[tokio::test]
async fn every_refusal_has_its_status_of_grpc() {
    let app = app();
    let good = good_token();
    let both = bearer(&good).header("cookie", format!("at={good}"));
    for (request, code, message) in [
        (get(), "16", "this resource needs a bearer token"),
        (
            bearer("x.y.z"),
            "16",
            "the token is malformed, forged or not meant for this service",
        ),
        (
            bearer(&tampered_token()),
            "16",
            "the token is malformed, forged or not meant for this service",
        ),
        (bearer(&expired_token()), "16", "the token has expired"),
        (both, "16", "send the token in one place only"),
        (
            get().header("cookie", format!("at={good}")),
            "7",
            "a request that changes something must come from this site's own pages",
        ),
        (
            bearer(&good).uri("/admin"),
            "7",
            "this needs the role admin",
        ),
        (
            bearer(&good).uri("/write"),
            "7",
            "this needs the scope orders:write",
        ),
        (
            bearer(&good).uri("/shape"),
            "16",
            "the token is malformed, forged or not meant for this service",
        ),
        (
            bearer(&good).uri("/naked"),
            "13",
            "this resource is not set up",
        ),
    ] {
        let answer = send(&app, grpc(request)).await;
        assert_eq!(status(&answer), (code, message));
    }
}

#[tokio::test]
async fn a_good_token_passes_and_the_same_request_without_grpc_is_refused_in_http() {
    let app = app();
    send(&app, grpc(bearer(&good_token()))).await.is_ok("in");
    let plain = send(&app, get().method("POST")).await;
    plain.is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn who_asks_otherwise_than_grpc_does_is_refused_in_http_whatever_type_they_name() {
    let app = Router::new()
        .route("/", axum::routing::any(async || "in"))
        .layer(protect().build().unwrap());
    for (method, version) in [
        ("GET", http::Version::HTTP_11),
        ("GET", http::Version::HTTP_2),
        ("POST", http::Version::HTTP_11),
    ] {
        let request = grpc(bearer("x.y.z")).method(method).version(version);
        let answer = send(&app, request).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
}

#[tokio::test]
async fn what_cannot_be_checked_just_now_is_unavailable_and_says_when_to_come_back() {
    let keys = SharedKeys::new(countersign::JwkSet::new([]));
    let auth = Protect::with_keys(ISSUER, &keys)
        .audience(AUDIENCE)
        .clock(|| NOW);
    let app = Router::new()
        .route("/", post(async || "in"))
        .layer(auth.build().unwrap());
    let answer = send(&app, grpc(bearer(&good_token()))).await;
    assert_eq!(
        status(&answer),
        ("14", "the token cannot be checked just now")
    );
    assert_eq!(answer.headers["retry-after"], "5");
}

#[tokio::test]
async fn a_check_that_refuses_is_answered_in_grpc_too() {
    let auth = protect().check(|_| async { Err(countersign_http::Rejection::revoked()) });
    let app = Router::new()
        .route("/", post(async || "in"))
        .layer(auth.build().unwrap());
    let answer = send(&app, grpc(bearer(&access_token(&claims())))).await;
    assert_eq!(status(&answer), ("16", "the token was revoked"));
    assert!(
        answer
            .challenge()
            .unwrap()
            .starts_with("Bearer realm=\"orders\"")
    );
}
