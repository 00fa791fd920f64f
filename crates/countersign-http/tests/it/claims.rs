//! What a handler gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get as route};
use countersign_http::{Claims, ProtectBuilder, VerifiedToken};
use http::Extensions;
use serde_json::{Value, json};

use crate::harness::{
    INVALID, ISSUER, NOW, access_token, bearer, claims, claims_of, get, good_token, protect, send,
    tampered_token,
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

#[derive(serde::Deserialize)]
struct Ticket {
    seat: String,
}

/// Whatever type was asked for first, everybody gets their own.
#[tokio::test]
async fn handlers_of_several_types_stand_behind_one_layer() {
    for cached in [false, true] {
        let routes = Router::new()
            .route("/order", route(order))
            .route(
                "/seat",
                route(|Claims(token): Claims<Ticket>| async move { token.seat.clone() }),
            )
            .route(
                "/jti",
                route(|token: VerifiedToken| async move {
                    token.registered().jti().unwrap().to_owned()
                }),
            );
        let auth = if cached {
            protect().cache(100)
        } else {
            protect()
        };
        let app = routes.layer(auth.build().unwrap());
        let order = order_token(42);
        let ticket = access_token(&claims().claim("seat", json!("12A")).unwrap());
        for _ in 0..3 {
            send(&app, bearer(&order).uri("/order"))
                .await
                .is_ok("42 ada token-1 true");
            send(&app, bearer(&ticket).uri("/seat")).await.is_ok("12A");
            send(&app, bearer(&ticket).uri("/jti"))
                .await
                .is_ok("token-1");
            for (token, path) in [(&order, "/seat"), (&ticket, "/order")] {
                send(&app, bearer(token).uri(path)).await.is_problem(
                    401,
                    "invalid_token",
                    "Invalid token",
                );
            }
            let forged = format!("{order}A");
            assert_eq!(send(&app, bearer(&forged).uri("/order")).await.status, 401);
        }
    }
}

/// The type is asked what it makes of the claims after the signature held, and not before. The other checks may still fail
/// then, and what it made is dropped.
#[tokio::test]
async fn claims_are_read_once_and_never_before_the_signature_has_held() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl<'de> serde::Deserialize<'de> for Counted {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.fetch_add(1, Ordering::SeqCst);
            serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }
    let app = Router::new()
        .route("/", route(async |_: Claims<Counted>| "in"))
        .layer(protect().build().unwrap());
    for requests in 1..=3 {
        send(&app, bearer(&good_token())).await.is_ok("in");
        assert_eq!(READ.load(Ordering::SeqCst), requests);
    }
    for refused in [tampered_token(), "no.token".to_owned()] {
        assert_eq!(send(&app, bearer(&refused)).await.status, 401);
    }
    assert_eq!(READ.load(Ordering::SeqCst), 3);
    let expired = access_token(&claims().expires_at(NOW));
    assert_eq!(send(&app, bearer(&expired)).await.status, 401);
    assert_eq!(READ.swap(3, Ordering::SeqCst), 4);
    // A handler that asks twice has it read once.
    let twice = async |Claims(one): Claims<Counted>, Claims(two): Claims<Counted>| {
        Arc::ptr_eq(&one, &two).to_string()
    };
    let app = Router::new()
        .route("/", route(twice))
        .layer(protect().build().unwrap());
    send(&app, bearer(&good_token())).await.is_ok("true");
    assert_eq!(READ.load(Ordering::SeqCst), 4);
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
    let plain = protect;
    let own = || {
        protect().source(|head| {
            let value = head.headers.get("x-protocol")?.to_str().ok()?;
            value.strip_prefix("bearer, ")
        })
    };
    let token = good_token();
    let elsewhere = get()
        .header("x-protocol", format!("bearer, {token}"))
        .header("x-other", &token);
    for (auth, request) in [
        (&plain as &dyn Fn() -> ProtectBuilder, bearer(&token)),
        (&own, elsewhere),
    ] {
        let request = request.header("cookie", "rt=v1.secret");
        // At once, and after something that was waited for.
        for waits in [false, true] {
            let auth = if waits {
                auth().check(|_| async { Ok(()) })
            } else {
                auth()
            };
            let app = Router::new()
                .route("/", any(show))
                .layer(auth.build().unwrap());
            let mut again = get().header("x-plain", "seen");
            again
                .headers_mut()
                .unwrap()
                .extend(request.headers_ref().unwrap().clone());
            let answer = send(&app, again).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("seen"), "{}", answer.body);
            assert!(!answer.body.contains("eyJ"), "{}", answer.body);
            assert!(!answer.body.contains("secret"), "{}", answer.body);
        }
    }
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
