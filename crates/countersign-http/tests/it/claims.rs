//! What a handler gets.

use std::time::Duration;

use axum::Router;
use axum::routing::{any, get as route};
use countersign_http::{Claims, VerifiedToken};
use http::Extensions;
use serde_json::{Value, json};

use crate::harness::{
    INVALID, ISSUER, NOW, access_token, bearer, claims, claims_of, get, good_token, protect, send,
};

#[derive(serde::Deserialize)]
struct Order {
    order: u64,
}

async fn order(Claims(token): Claims<Order>) -> String {
    let registered = token.registered();
    let exp = registered
        .exp()
        .unwrap()
        .saturating_sub(Duration::from_secs(600))
        == NOW;
    format!(
        "{} {} {} {exp}",
        token.order,
        registered.sub().unwrap(),
        registered.jti().unwrap()
    )
}

async fn maybe(who: Option<Claims<Order>>) -> String {
    who.map_or("nobody".to_owned(), |claims| claims.order.to_string())
}

fn app() -> Router {
    let routes = Router::new()
        .route("/", route(order))
        .route("/maybe", route(maybe));
    routes.layer(protect().build().unwrap())
}

fn order_token(order: impl Into<Value>) -> String {
    access_token(&claims().claim("order", order.into()).unwrap())
}

#[tokio::test]
async fn a_handler_reads_its_own_claims_and_the_registered_ones() {
    send(&app(), bearer(&order_token(42)))
        .await
        .is_ok("42 ada token-1 true");
    send(&app(), bearer(&order_token(42)).uri("/maybe"))
        .await
        .is_ok("42");
}

#[tokio::test]
async fn claims_that_do_not_fit_the_handlers_type_are_an_invalid_token() {
    for token in [order_token("forty-two"), order_token(-1), good_token()] {
        for path in ["/", "/maybe"] {
            let answer = send(&app(), bearer(&token).uri(path)).await;
            answer
                .is_problem(401, "invalid_token", "Invalid token")
                .challenges(INVALID);
        }
    }
}

#[tokio::test]
async fn an_extractor_without_a_layer_is_500_and_never_open() {
    let app = Router::new()
        .route("/", route(order))
        .route("/maybe", route(maybe));
    for request in [
        get(),
        bearer(&order_token(42)),
        get().uri("/maybe"),
        bearer(&order_token(42)).uri("/maybe"),
    ] {
        let answer = send(&app, request).await;
        answer.is_problem(500, "not_protected", "Internal server error");
        assert_eq!(answer.challenge(), None);
    }
}

#[tokio::test]
async fn a_layer_covers_only_the_routes_before_it() {
    let app = Router::new()
        .route("/", route(order))
        .layer(protect().build().unwrap())
        .route("/late", route(order));
    send(&app, bearer(&order_token(1)))
        .await
        .is_ok("1 ada token-1 true");
    send(&app, bearer(&order_token(1)).uri("/late"))
        .await
        .is_problem(500, "not_protected", "Internal server error");
}

#[tokio::test]
async fn the_innermost_layer_decides_by_its_own_policy() {
    let billing = protect().audience("billing-api").build().unwrap();
    let orders = protect().build().unwrap();
    let inner = Router::new()
        .route("/", any(|| async { "in" }))
        .layer(orders);
    let app = inner.layer(billing.optional());
    let token = access_token(&claims_of(ISSUER, "billing-api"));
    send(&app, bearer(&token))
        .await
        .is_problem(401, "invalid_token", "Invalid token");
    send(&app, bearer(&good_token())).await.is_ok("in");
    send(&app, get())
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn the_credential_is_marked_sensitive_for_whoever_prints_the_headers() {
    let show = |headers: http::HeaderMap| async move { format!("{headers:?}") };
    let app = Router::new()
        .route("/", any(show))
        .layer(protect().build().unwrap());
    let answer = send(&app, bearer(&good_token()).header("cookie", "rt=v1.secret")).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("authorization") && !answer.body.contains("Bearer"),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains("secret"), "{}", answer.body);
}

#[tokio::test]
async fn a_verified_token_shows_no_claims_when_it_is_printed() {
    let printed = |extensions: &Extensions| format!("{:?}", VerifiedToken::of(extensions).unwrap());
    let handler =
        move |request: axum::extract::Request| async move { printed(request.extensions()) };
    let app = Router::new()
        .route("/", any(handler))
        .layer(protect().build().unwrap());
    let token = access_token(&claims().claim("email", json!("ada@example.com")).unwrap());
    send(&app, bearer(&token))
        .await
        .is_ok("VerifiedToken { .. }");
}
