//! Refusals as gRPC has them.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::post;
use countersign_http::{
    Claims, CookieSource, Origins, Protect, SharedKeys, require_role, require_scope,
};
use http::request::Builder;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tonic::server::NamedService;
use tonic::service::{LayerExt, Routes};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::harness::{
    AUDIENCE, Answer, ISSUER, NOW, access_token, bearer, claims, expired_token, get, good_token,
    protect, send, tampered_token,
};

fn grpc(request: Builder) -> Builder {
    request
        .method("POST")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers")
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

/// A service with a name of its own, which answers every call.
#[derive(Clone)]
struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

impl Service<Request<tonic::body::Body>> for Orders {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<tonic::body::Body>) -> Self::Future {
        ready(Ok(tonic::Status::ok("in").into_http()))
    }
}

#[tokio::test]
async fn before_one_service_alone_the_layer_leaves_the_health_check_open_and_guards_stand_behind_it()
 {
    let orders = ServiceBuilder::new()
        .layer(protect().build().unwrap())
        .layer(require_role("admin"))
        .named_layer(Orders);
    let (_reporter, health) = tonic_health::server::health_reporter();
    let app = Routes::new(health).add_service(orders).into_axum_router();
    let admin = claims().claim("roles", ["admin"]).unwrap();
    for (request, code) in [
        (get(), "16"),
        (bearer(&good_token()), "7"),
        (bearer(&access_token(&admin)), "0"),
    ] {
        let answer = send(&app, grpc(request).uri("/shop.Orders/List")).await;
        assert_eq!(answer.headers["grpc-status"], code);
    }
    // A probe asks for the state of the server as a whole: a message without fields. It is answered in trailers.
    let probe = grpc(get()).uri("/grpc.health.v1.Health/Check");
    let probe = probe.body(axum::body::Body::from(vec![0; 5])).unwrap();
    let answer = app.oneshot(probe).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers().get("grpc-status"), None);
    // SERVING, as a message.
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.to_bytes().as_ref(), [0, 0, 0, 0, 2, 8, 1]);
}
