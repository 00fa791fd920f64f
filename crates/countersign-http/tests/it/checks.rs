//! A check of the service's own after verification.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use countersign_http::{Rejection, VerifiedToken};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::harness::{
    access_token, app, bearer, claims, get, good_token, protect, send, tampered_token,
};

#[tokio::test]
async fn a_check_refuses_a_session_from_the_moment_it_ends() {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    let auth = protect().check(move |token: VerifiedToken| {
        let ended = Arc::clone(&seen);
        async move {
            tokio::task::yield_now().await;
            assert_eq!(token.claim("sid"), Some(&json!("s1")));
            if ended.load(Ordering::SeqCst) {
                Err(Rejection::revoked())
            } else {
                Ok(())
            }
        }
    });
    let app = app(auth.build().unwrap());
    let token = access_token(&claims().claim("sid", json!("s1")).unwrap());
    send(&app, bearer(&token)).await.is_ok("in");
    ended.store(true, Ordering::SeqCst);
    let answer = send(&app, bearer(&token)).await;
    answer.is_problem(401, "token_revoked", "Invalid token").challenges(
        "Bearer realm=\"orders\", error=\"invalid_token\", error_description=\"the token was revoked\"",
    );
}

#[tokio::test]
async fn a_check_sees_verified_tokens_only() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let auth = protect().check(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    let auth = auth.build().unwrap();
    let (closed, open) = (app(auth.clone()), app(auth.optional()));
    assert_eq!(send(&closed, get()).await.status, 401);
    assert_eq!(send(&closed, bearer(&tampered_token())).await.status, 401);
    assert_eq!(send(&open, get()).await.status, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(send(&open, bearer(&good_token())).await.status, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_first_of_several_checks_to_refuse_answers() {
    let auth = protect()
        .check(|_| async { Ok(()) })
        .check(|_| async { Err(Rejection::forbidden()) })
        .check(|_| async { Err(Rejection::revoked()) });
    let answer = send(&app(auth.build().unwrap()), bearer(&good_token())).await;
    answer.is_problem(403, "forbidden", "Forbidden");
    answer.challenges("Bearer realm=\"orders\", error=\"insufficient_scope\"");
}

#[tokio::test]
async fn a_check_that_cannot_tell_closes_the_door_for_a_while() {
    let auth = protect().check(|_| async { Err(Rejection::unavailable(Duration::from_secs(7))) });
    let answer = send(&app(auth.build().unwrap()), bearer(&good_token())).await;
    answer.is_problem(503, "unavailable", "Service unavailable");
    assert_eq!(answer.headers[RETRY_AFTER], "7");
    assert_eq!(answer.challenge(), None);
}

#[tokio::test]
async fn a_checks_refusal_takes_over_the_layers_status_switch() {
    let auth = protect()
        .invalid_token_status(StatusCode::FORBIDDEN)
        .check(|_| async { Err(Rejection::invalid_token("device_unknown")) });
    let answer = send(&app(auth.build().unwrap()), bearer(&good_token())).await;
    answer.is_problem(403, "invalid_token", "Invalid token");
}
