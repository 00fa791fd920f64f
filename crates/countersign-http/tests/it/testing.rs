//! The issuer that service authors test with: that it behaves as one does in earnest.

use std::time::Duration;

use axum::Router;
use countersign::{Algorithm, Timestamp};
use countersign_http::testing::{LocalIssuer, MovedClock, Token};
use countersign_http::{Protect, require_role, require_scope};

use crate::harness::{Answer, app, bearer, send};

const AUDIENCE: &str = "orders-api";

fn service(issuer: &LocalIssuer) -> Router {
    app(issuer.protect().audience(AUDIENCE).build().unwrap())
}

async fn answer(app: &Router, token: &str) -> Answer {
    send(app, bearer(token)).await
}

#[tokio::test]
async fn accepts_a_good_token_and_rejects_every_bad_one_for_its_own_reason() {
    let issuer = LocalIssuer::start().unwrap();
    let app = service(&issuer);
    let token = issuer.token(AUDIENCE);
    answer(&app, &token.valid().unwrap()).await.is_ok("in");
    for (bad, code) in [
        (token.expired(), "token_expired"),
        (token.not_yet_valid(), "invalid_token"),
        (token.forged(), "invalid_token"),
        (token.for_another_audience(), "invalid_token"),
        (token.of_another_type(), "invalid_token"),
        (token.revoked(), "token_revoked"),
    ] {
        let answer = answer(&app, &bad.unwrap()).await;
        let message = if code == "token_expired" {
            "jwt expired"
        } else {
            "Invalid token"
        };
        answer.is_problem(401, code, message);
    }
    answer(&app, &token.valid().unwrap()).await.is_ok("in");
}

#[tokio::test]
async fn a_token_expires_when_the_clock_is_moved_and_not_before() {
    let issuer = LocalIssuer::start().unwrap();
    let app = service(&issuer);
    let token = issuer.token(AUDIENCE).valid_for(Duration::from_secs(60));
    let token = token.valid().unwrap();
    issuer.clock().advance(Duration::from_secs(59));
    answer(&app, &token).await.is_ok("in");
    issuer.clock().advance(Duration::from_secs(1));
    answer(&app, &token)
        .await
        .is_problem(401, "token_expired", "jwt expired");
}

#[tokio::test]
async fn keys_rotate_and_tokens_of_the_key_before_stay_good_until_it_is_dropped() {
    let issuer = LocalIssuer::start().unwrap();
    let app = service(&issuer);
    let token = || issuer.token(AUDIENCE).valid().unwrap();
    let first = token();
    answer(&app, &first).await.is_ok("in");
    // The next key was published before it signs, so nothing has to be fetched for it.
    issuer.rotate().unwrap();
    let second = token();
    for token in [&first, &second] {
        answer(&app, token).await.is_ok("in");
    }
    // The one after that has to be: by then the service may ask again.
    issuer.rotate().unwrap();
    issuer.clock().advance(Duration::from_secs(31));
    answer(&app, &token()).await.is_ok("in");
    answer(&app, &first).await.is_ok("in");
    issuer.drop_old_keys();
    issuer.clock().advance(Duration::from_secs(300));
    for token in [&first, &second] {
        assert_eq!(answer(&app, token).await.status, 401);
    }
    answer(&app, &token()).await.is_ok("in");
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_five_seconds_of_the_clock() {
    let issuer = LocalIssuer::start().unwrap();
    let app = service(&issuer);
    let (stays, goes) = (
        issuer.token(AUDIENCE).valid().unwrap(),
        issuer.token(AUDIENCE).valid().unwrap(),
    );
    answer(&app, &goes).await.is_ok("in");
    issuer.revoke(&goes).unwrap();
    issuer.clock().advance(Duration::from_secs(5));
    answer(&app, &goes)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    answer(&app, &stays).await.is_ok("in");
    assert!(issuer.revoke("no token").is_err());
}

#[tokio::test]
async fn an_issuer_that_is_down_comes_back() {
    let issuer = LocalIssuer::start().unwrap();
    issuer.go_down();
    let app = service(&issuer);
    let token = issuer.token(AUDIENCE).valid().unwrap();
    assert_eq!(answer(&app, &token).await.status, 503);
    issuer.come_back();
    issuer.clock().advance(Duration::from_secs(2));
    answer(&app, &token).await.is_ok("in");
}

#[tokio::test]
async fn roles_scopes_and_claims_are_where_a_service_looks_for_them() {
    let issuer = LocalIssuer::start().unwrap();
    let auth = issuer.protect().audience(AUDIENCE).build().unwrap();
    let hello = axum::routing::get(|| async { "in" });
    let guarded = Router::new()
        .route("/", hello)
        .route_layer(require_role("admin"))
        .route_layer(require_scope("orders:write"))
        .layer(auth);
    let token = |change: fn(Token) -> Token| change(issuer.token(AUDIENCE)).valid().unwrap();
    let both = token(|token| {
        token
            .role("user")
            .role("admin")
            .scope("a")
            .scope("orders:write")
    });
    answer(&guarded, &both).await.is_ok("in");
    for lacking in [
        token(|token| token.role("admin")),
        token(|token| token.scope("orders:write")),
    ] {
        assert_eq!(answer(&guarded, &lacking).await.status, 403);
    }
    let claims = countersign::dangerous::decode_unverified(&token(|token| {
        token.subject("ada").claim("order", 17)
    }));
    let claims = claims.unwrap().claims;
    assert_eq!(
        (&claims["sub"], &claims["order"]),
        (&"ada".into(), &17.into())
    );
    assert!(issuer.token(AUDIENCE).claim("exp", 0).valid().is_err());
}

#[tokio::test]
async fn every_algorithm_signs_and_secrets_are_published_nowhere() {
    for algorithm in [Algorithm::RS256, Algorithm::EdDSA] {
        let issuer = LocalIssuer::start_with(algorithm).unwrap();
        let token = issuer.token(AUDIENCE).valid().unwrap();
        answer(&service(&issuer), &token).await.is_ok("in");
    }
    let issuer = LocalIssuer::start_with(Algorithm::HS256).unwrap();
    let token = issuer.token(AUDIENCE).valid().unwrap();
    assert_eq!(answer(&service(&issuer), &token).await.status, 503);
    let clock = issuer.clock();
    let auth = Protect::with_keys(issuer.url(), issuer.keys())
        .audience(AUDIENCE)
        .clock(move || clock.now());
    answer(&app(auth.build().unwrap()), &token)
        .await
        .is_ok("in");
}

#[tokio::test]
async fn a_plain_jwt_is_for_services_that_take_one() {
    let issuer = LocalIssuer::start().unwrap();
    let token = issuer.token(AUDIENCE).plain_jwt().valid().unwrap();
    assert_eq!(answer(&service(&issuer), &token).await.status, 401);
    let auth = issuer.protect().audience(AUDIENCE).plain_jwt();
    answer(&app(auth.build().unwrap()), &token)
        .await
        .is_ok("in");
}

#[tokio::test]
async fn a_token_that_is_valid_later_is_refused_until_then_and_for_that_alone() {
    let issuer = LocalIssuer::start().unwrap();
    let auth = issuer.protect().audience(AUDIENCE);
    let auth = auth.leeway(Duration::from_secs(300)).build().unwrap();
    let token = issuer.token(AUDIENCE).not_yet_valid().unwrap();
    let app = app(auth.clone());
    assert_eq!(answer(&app, &token).await.status, 401);
    assert_eq!(auth.outcomes().get("token_not_yet_valid"), Some(&1));
    issuer.clock().advance(Duration::from_secs(10 * 60));
    answer(&app, &token).await.is_ok("in");
}

#[tokio::test]
async fn a_token_without_a_status_is_for_services_that_need_none() {
    let issuer = LocalIssuer::start().unwrap();
    let token = issuer.token(AUDIENCE).without_status();
    let named = issuer.token(AUDIENCE).valid().unwrap();
    let unnamed = token.valid().unwrap();
    answer(&service(&issuer), &unnamed).await.is_ok("in");
    let strict = issuer.protect().audience(AUDIENCE).require_status();
    let strict = app(strict.build().unwrap());
    answer(&strict, &named).await.is_ok("in");
    assert_eq!(answer(&strict, &unnamed).await.status, 401);
    assert!(issuer.revoke(&unnamed).is_err());
    let revoked = answer(&service(&issuer), &token.revoked().unwrap()).await;
    revoked.is_problem(401, "token_revoked", "Invalid token");
}

#[test]
fn it_needs_no_runtime_and_is_gone_when_it_is_dropped() {
    let issuer = LocalIssuer::start().unwrap();
    let address = issuer.url().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(issuer);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn all_clones_of_a_clock_are_the_same_clock() {
    let clock = MovedClock::at(Timestamp::from_unix_secs(100));
    let other = clock.clone();
    clock.advance(Duration::from_secs(5));
    assert_eq!(other.now(), Timestamp::from_unix_secs(105));
    other.set(Timestamp::from_unix_secs(7));
    assert_eq!(clock.now(), Timestamp::from_unix_secs(7));
}

/// A renewal that nobody has run yet when the clock is moved on is no attempt that failed, and what it brings is of then.
#[tokio::test]
async fn however_far_the_clock_is_moved_while_something_is_renewed_a_good_token_passes_and_a_revoked_one_does_not()
 {
    for first in [0, 4, 250] {
        for then in [10, 60, 200, 5_000] {
            let issuer = LocalIssuer::start().unwrap();
            let app = service(&issuer);
            let token = || issuer.token(AUDIENCE).valid_for(Duration::from_secs(6_000));
            let revoked = token().valid().unwrap();
            answer(&app, &revoked).await.is_ok("in");
            issuer.clock().advance(Duration::from_secs(first));
            answer(&app, &revoked).await.is_ok("in");
            issuer.revoke(&revoked).unwrap();
            issuer.clock().advance(Duration::from_secs(then));
            let good = token().valid().unwrap();
            answer(&app, &good).await.is_ok("in");
            answer(&app, &revoked)
                .await
                .is_problem(401, "token_revoked", "Invalid token");
        }
    }
}
