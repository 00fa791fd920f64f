//! A layer that remembers verified tokens asks everything else anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use countersign::{Algorithm, JwkSet, SigningKey, Timestamp};
use countersign_http::{Claims, Protect, Rejection, SharedKeys, VerifiedToken, require};
use serde_json::json;

use crate::harness::{
    AUDIENCE, ISSUER, NOW, access_token, app, bearer, claims, protect, send, signed, tampered_token,
};

#[tokio::test]
async fn a_remembered_token_is_refused_at_the_second_it_expires() {
    let later = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&later);
    let now = move || Timestamp::from_unix_secs(NOW.unix_secs() + clock.load(Ordering::SeqCst));
    let app = app(protect().cache(100).clock(now).build().unwrap());
    let token = access_token(&claims());
    for secs in [0, 1, 599] {
        later.store(secs, Ordering::SeqCst);
        send(&app, bearer(&token)).await.is_ok("in");
    }
    later.store(600, Ordering::SeqCst);
    let answer = send(&app, bearer(&token)).await;
    answer.is_problem(401, "token_expired", "jwt expired");
}

#[tokio::test]
async fn a_remembered_token_dies_with_its_key() {
    let [old, new] = [(); 2].map(|()| SigningKey::generate(Algorithm::EdDSA).unwrap());
    let keys = SharedKeys::new(old.verifying_key());
    let auth = Protect::with_keys(ISSUER, &keys)
        .audience(AUDIENCE)
        .clock(|| NOW);
    let app = app(auth.cache(100).build().unwrap());
    let token = signed(&old, "at+jwt", &claims());
    for _ in 0..2 {
        send(&app, bearer(&token)).await.is_ok("in");
    }
    keys.replace(JwkSet::new([old.verifying_key(), new.verifying_key()]));
    send(&app, bearer(&token)).await.is_ok("in");
    keys.replace(JwkSet::new([new.verifying_key()]));
    assert_eq!(send(&app, bearer(&token)).await.status, 401);
}

#[tokio::test]
async fn every_check_of_ones_own_is_asked_for_a_remembered_token_too() {
    let revoked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&revoked);
    let auth = protect().cache(100).check(move |_: VerifiedToken| {
        let revoked = seen.load(Ordering::SeqCst);
        async move {
            if revoked {
                Err(Rejection::revoked())
            } else {
                Ok(())
            }
        }
    });
    let app = app(auth.build().unwrap());
    let token = access_token(&claims());
    for _ in 0..2 {
        send(&app, bearer(&token)).await.is_ok("in");
    }
    revoked.store(true, Ordering::SeqCst);
    send(&app, bearer(&token))
        .await
        .is_problem(401, "token_revoked", "Invalid token");
}

#[tokio::test]
async fn two_users_never_get_each_others_claims_and_a_forgery_gets_none() {
    async fn whose(claims: Claims<serde_json::Value>) -> String {
        format!(
            "{} {}",
            claims.registered().sub().unwrap_or_default(),
            claims["n"]
        )
    }
    let auth = protect().cache(64).build().unwrap();
    let app = Router::new().route("/", get(whose)).layer(auth);
    let users: Vec<(String, String)> = (0..200)
        .map(|n| {
            let claims = claims()
                .subject(format!("user-{n}"))
                .claim("n", json!(n))
                .unwrap();
            (
                format!("user-{n} {n}"),
                access_token(&claims.expires_in(NOW, Duration::from_secs(9))),
            )
        })
        .collect();
    for _ in 0..2 {
        for (who, token) in &users {
            send(&app, bearer(token)).await.is_ok(who);
        }
        assert_eq!(send(&app, bearer(&tampered_token())).await.status, 401);
    }
}

/// Ten for each of its claims, in a tree.
#[tokio::test]
async fn what_guards_ask_of_a_remembered_token_takes_little_memory() {
    const TOKENS: usize = 50;
    let app = |guard| {
        let route = get(async || "in").route_layer(guard);
        let routes = Router::new().route("/", route);
        routes.layer(protect().cache(10_000).build().unwrap())
    };
    let roles: Vec<String> = (0..100).map(|n| format!("role-{n}")).collect();
    let tokens: Vec<String> = (0..TOKENS)
        .map(|n| {
            let claims = claims().jwt_id(format!("{n}")).claim("beta", json!(true));
            let claims = claims.unwrap().claim("roles", json!(roles)).unwrap();
            access_token(
                &claims
                    .claim("tree", json!(vec![json!({"a": 1}); 100]))
                    .unwrap(),
            )
        })
        .collect();
    let left_behind = async |app: &Router| {
        let (mut left, runtime) = (0, tokio::runtime::Handle::current());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let used = allocation_counter::measure(|| {
                    for token in &tokens {
                        let answer = runtime.block_on(send(app, bearer(token)));
                        answer.is_ok("in");
                    }
                });
                left = used.bytes_current;
            });
        });
        usize::try_from(left).unwrap() / TOKENS
    };
    let asked = app(require(|token| {
        token.claim("beta") == Some(&json!(true)) && token.has_role("role-7")
    }));
    let (unasked, asked) = (
        left_behind(&app(require(|_| true))).await,
        left_behind(&asked).await,
    );
    // Less than the claims' own text once more.
    let text = tokens[0].len() * 3 / 4;
    assert!(asked < unasked + text, "{asked} {unasked} {text}");
}

/// Read so often.
static READ: AtomicUsize = AtomicUsize::new(0);

struct CountsItself;

impl<'de> serde::Deserialize<'de> for CountsItself {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.fetch_add(1, Ordering::SeqCst);
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[tokio::test]
async fn a_cache_for_a_few_tokens_remembers_long_ones_too() {
    let route = get(|_: Claims<CountsItself>| async { "in" });
    let router = Router::new().route("/", route);
    let app = router.layer(protect().cache(20).build().unwrap());
    let long = claims().claim("padding", "x".repeat(4_000)).unwrap();
    let token = access_token(&long);
    for _ in 0..3 {
        send(&app, bearer(&token)).await.is_ok("in");
    }
    // With the first request, whether on the way or by the handler; the others share what it made.
    let first = READ.load(Ordering::SeqCst);
    for _ in 0..5 {
        send(&app, bearer(&token)).await.is_ok("in");
    }
    assert_eq!(READ.load(Ordering::SeqCst), first);
}
