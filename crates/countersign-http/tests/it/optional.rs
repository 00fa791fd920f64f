//! `.optional()`: nobody is let in as nobody, and a bad token is refused all the same.

use axum::Router;
use axum::routing::get as route;
use countersign_http::Claims;
use serde_json::Value;

use crate::harness::{
    INVALID, bearer, expired_token, get, good_token, protect, send, tampered_token,
};

async fn feed(who: Option<Claims<Value>>) -> String {
    who.map_or("nobody".to_owned(), |claims| {
        claims.registered().sub().unwrap().to_owned()
    })
}

async fn inbox(Claims(claims): Claims<Value>) -> String {
    claims.registered().sub().unwrap().to_owned()
}

fn app() -> Router {
    let auth = protect().build().unwrap();
    let open = Router::new()
        .route("/", route(feed))
        .route("/inbox", route(inbox))
        .layer(auth.optional());
    Router::new()
        .route("/closed", route(feed))
        .layer(auth)
        .merge(open)
}

#[tokio::test]
async fn optional_claims_are_none_without_a_credential_and_some_with_one() {
    let app = app();
    send(&app, get()).await.is_ok("nobody");
    send(&app, get().header("authorization", "Basic YWRhOmFkYQ=="))
        .await
        .is_ok("nobody");
    send(&app, bearer(&good_token())).await.is_ok("ada");
}

#[tokio::test]
async fn rejects_a_bad_token_also_where_none_is_needed() {
    let app = app();
    let answer = send(&app, bearer(&tampered_token())).await;
    answer
        .is_problem(401, "invalid_token", "Invalid token")
        .challenges(INVALID);
    send(&app, bearer(&expired_token()))
        .await
        .is_problem(401, "token_expired", "jwt expired");
    let answer = send(&app, get().header("authorization", "Bearer")).await;
    answer.is_problem(400, "invalid_request", "Invalid request");
}

#[tokio::test]
async fn claims_answer_401_under_an_optional_layer_without_a_credential() {
    let app = app();
    let answer = send(&app, get().uri("/inbox")).await;
    answer
        .is_problem(401, "no_credential", "No token provided")
        .challenges("Bearer realm=\"orders\"");
    send(&app, bearer(&good_token()).uri("/inbox"))
        .await
        .is_ok("ada");
}

#[tokio::test]
async fn an_optional_router_opens_nothing_of_the_closed_one_beside_it() {
    let app = app();
    let answer = send(&app, get().uri("/closed")).await;
    answer.is_problem(401, "no_credential", "No token provided");
    send(&app, bearer(&good_token()).uri("/closed"))
        .await
        .is_ok("ada");
}
