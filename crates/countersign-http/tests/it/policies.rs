//! Several policies in one router: none leaks into the other, however the routers are put together.

use std::time::Duration;

use axum::Router;
use axum::routing::{any, get as route};
use countersign::ClaimsSet;
use countersign_http::testing::MovedClock;
use countersign_http::{
    Claims, Issuer, Protect, ProtectBuilder, SingleUse, VerifiedToken, require_role,
};
use serde_json::{Value, json};

use crate::harness::{
    AUDIENCE, ISSUER, KEY, NOW, access_token, bearer, claims, claims_of, get, good_token, protect,
    send, signed,
};

const ADMIN_AUDIENCE: &str = "admin-api";

/// Another policy for the same keys: another audience, and a role.
fn admin_protect() -> Protect {
    let admin = Protect::with_keys(ISSUER, KEY.verifying_key()).audience(ADMIN_AUDIENCE);
    admin.realm("admin").clock(|| NOW).build().unwrap()
}

fn page(name: &'static str) -> Router {
    Router::new().route("/", any(move || async move { name }))
}

/// Public, user and admin, each under a layer of its own or none.
fn app() -> Router {
    let user = protect().build().unwrap();
    let admin = page("admin")
        .layer(require_role("admin"))
        .layer(admin_protect());
    let users = Router::new()
        .route("/orders", route(async || "orders"))
        .nest("/mine", page("mine"))
        .layer(user.clone());
    let feed = Router::new()
        .route("/feed", route(who))
        .layer(user.optional());
    Router::new()
        .merge(page("public"))
        .merge(users)
        .merge(feed)
        .nest("/admin", admin)
}

async fn who(claims: Option<Claims<Value>>) -> String {
    claims.map_or("nobody", |_| "somebody").to_owned()
}

fn admin_token(roles: Value) -> String {
    let claims = claims_of(ISSUER, ADMIN_AUDIENCE).claim("roles", roles);
    access_token(&claims.unwrap())
}

/// What each path answers to this token.
async fn answers(token: Option<&str>) -> [u16; 5] {
    let app = app();
    let mut statuses = [0; 5];
    for (slot, path) in statuses
        .iter_mut()
        .zip(["/", "/orders", "/mine", "/feed", "/admin"])
    {
        let request = token.map_or_else(get, bearer).uri(path);
        *slot = send(&app, request).await.status;
    }
    statuses
}

#[tokio::test]
async fn every_route_answers_by_its_own_policy_alone() {
    let expired = access_token(&claims().expires_at(NOW));
    let (admin, clerk) = (admin_token(json!(["admin"])), admin_token(json!(["clerk"])));
    for (token, expected) in [
        (None, [200, 401, 401, 200, 401]),
        (Some(good_token()), [200, 200, 200, 200, 401]),
        (Some(admin), [200, 401, 401, 401, 200]),
        (Some(clerk), [200, 401, 401, 401, 403]),
        (Some(expired), [200, 401, 401, 401, 401]),
        (Some("x.y.z".to_owned()), [200, 401, 401, 401, 401]),
    ] {
        assert_eq!(answers(token.as_deref()).await, expected, "{token:?}");
    }
}

#[tokio::test]
async fn a_refusal_speaks_for_the_layer_that_refuses() {
    let app = app();
    for (path, realm) in [("/orders", "orders"), ("/admin", "admin")] {
        let answer = send(&app, get().uri(path)).await;
        answer.challenges(&format!("Bearer realm=\"{realm}\""));
    }
}

#[tokio::test]
async fn nested_layers_must_both_let_a_token_in_and_the_inner_one_hands_it_over() {
    let both = page("in")
        .layer(admin_protect())
        .layer(protect().build().unwrap());
    let for_both = access_token(&claims().audience(ADMIN_AUDIENCE));
    for (token, expected) in [
        (good_token(), 401),
        (admin_token(json!([])), 401),
        (for_both, 200),
    ] {
        assert_eq!(send(&both, bearer(&token)).await.status, expected);
    }
    // What the outer layer has found is nothing to an inner one that finds nobody.
    let audience = Protect::with_keys("https://partner.example", KEY.verifying_key());
    let inner = audience
        .audience(AUDIENCE)
        .clock(|| NOW)
        .build()
        .unwrap()
        .optional();
    let inner = Router::new().route("/", route(who)).layer(inner);
    let app = inner.layer(protect().build().unwrap().optional());
    send(&app, get()).await.is_ok("nobody");
    assert_eq!(send(&app, bearer(&good_token())).await.status, 401);
}

#[tokio::test]
async fn an_inner_layer_closes_what_an_outer_one_leaves_open() {
    let auth = protect().build().unwrap();
    let inner = page("in").layer(auth.clone());
    let app = inner.layer(auth.optional());
    assert_eq!(send(&app, get()).await.status, 401);
    send(&app, bearer(&good_token())).await.is_ok("in");
}

#[tokio::test]
async fn a_fallback_under_a_layer_is_closed_and_one_beside_it_learns_nothing() {
    let auth = protect().build().unwrap();
    let fallback = async |token: Option<VerifiedToken>| token.map_or("nobody", |_| "somebody");
    let covered = page("in").fallback(fallback).layer(auth.clone());
    assert_eq!(send(&covered, get().uri("/elsewhere")).await.status, 401);
    send(&covered, bearer(&good_token()).uri("/elsewhere"))
        .await
        .is_ok("somebody");
    let beside = page("in").layer(auth).fallback(fallback);
    let answer = send(&beside, bearer(&good_token()).uri("/elsewhere")).await;
    answer.is_problem(500, "not_protected", "Internal server error");
}

#[tokio::test]
async fn a_route_that_was_added_after_the_layer_is_not_covered_and_gets_no_token() {
    let late = async |Claims(_): Claims<Value>| "late";
    let app = page("in")
        .layer(protect().build().unwrap())
        .route("/late", route(late));
    for request in [get(), bearer(&good_token())] {
        let answer = send(&app, request.uri("/late")).await;
        answer.is_problem(500, "not_protected", "Internal server error");
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_its_sender_never_passes_as_a_bearer() {
    let app = app();
    for cnf in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
    ] {
        let token = access_token(&claims().claim("cnf", cnf).unwrap());
        for path in ["/orders", "/feed"] {
            let answer = send(&app, bearer(&token).uri(path)).await;
            answer.is_problem(401, "invalid_token", "Invalid token");
        }
    }
}

#[tokio::test]
async fn a_single_use_token_is_let_in_once_also_when_two_requests_race() {
    let once = SingleUse::with_capacity(100);
    let auth = |audience: &str| {
        let auth = Protect::with_keys(ISSUER, KEY.verifying_key()).audience(audience);
        auth.clock(|| NOW).single_use(once.clone()).build().unwrap()
    };
    let app = page("in").layer(auth(AUDIENCE));
    for number in 0..50 {
        let token = access_token(&claims().jwt_id(number.to_string()));
        let send = |app: Router, token: String| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(async { send(&app, bearer(&token)).await.status })
            })
        };
        let race = [(); 2].map(|()| send(app.clone(), token.clone()));
        let mut statuses = race.map(|request| request.join().unwrap());
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
    let unnamed = signed(
        &KEY,
        "JWT",
        &ClaimsSet::new(ISSUER, AUDIENCE).expires_in(NOW, Duration::from_secs(60)),
    );
    let plain = Protect::with_keys(ISSUER, KEY.verifying_key())
        .audience(AUDIENCE)
        .plain_jwt();
    let plain = page("in").layer(plain.clock(|| NOW).single_use(once).build().unwrap());
    let answer = send(&plain, bearer(&unnamed)).await;
    answer.is_problem(401, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn a_single_use_token_stays_used_when_the_clock_goes_forth_and_back() {
    let clock = MovedClock::at(NOW);
    let show = clock.clone();
    let auth = protect()
        .clock(move || show.now())
        .single_use(SingleUse::with_capacity(10));
    let app = page("in").layer(auth.build().unwrap());
    let token = good_token();
    send(&app, bearer(&token)).await.is_ok("in");
    assert_eq!(send(&app, bearer(&token)).await.status, 401);
    let hour = Duration::from_secs(3600);
    clock.advance(hour);
    let later = claims()
        .jwt_id("token-2")
        .expires_in(clock.now(), Duration::from_secs(600));
    send(&app, bearer(&access_token(&later))).await.is_ok("in");
    clock.set(NOW);
    assert_eq!(send(&app, bearer(&token)).await.status, 401);
}

#[tokio::test]
async fn rejects_a_single_use_token_with_an_empty_name() {
    let plain = protect()
        .plain_jwt()
        .single_use(SingleUse::with_capacity(10));
    let app = page("in").layer(plain.build().unwrap());
    let plain = |claims: &ClaimsSet| signed(&KEY, "JWT", claims);
    let answer = send(&app, bearer(&plain(&claims().jwt_id("")))).await;
    answer.is_problem(401, "invalid_token", "Invalid token");
    send(&app, bearer(&plain(&claims()))).await.is_ok("in");
}

#[tokio::test]
async fn a_request_that_a_check_refuses_does_not_use_up_its_token() {
    let open = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&open);
    let auth = protect()
        .single_use(SingleUse::with_capacity(10))
        .check(move |_| {
            let open = seen.load(std::sync::atomic::Ordering::SeqCst);
            async move {
                if open {
                    Ok(())
                } else {
                    Err(countersign_http::Rejection::forbidden())
                }
            }
        });
    let app = page("in").layer(auth.build().unwrap());
    let token = good_token();
    assert_eq!(send(&app, bearer(&token)).await.status, 403);
    open.store(true, std::sync::atomic::Ordering::SeqCst);
    send(&app, bearer(&token)).await.is_ok("in");
    assert_eq!(send(&app, bearer(&token)).await.status, 401);
}

#[tokio::test]
async fn outcomes_are_counted_by_their_code_and_shared_by_all_clones() {
    let auth = protect().build().unwrap();
    let guarded = page("in").layer(require_role("admin")).layer(auth.clone());
    let open = page("in").layer(auth.optional());
    for token in [&good_token(), "x.y.z", "x.y.z"] {
        send(&guarded, bearer(token)).await;
    }
    send(&open, bearer(&good_token())).await;
    send(&open, get()).await;
    send(&guarded, get()).await;
    let outcomes = auth.outcomes();
    for (code, count) in [
        ("passed", 2),
        ("anonymous", 1),
        ("no_credential", 1),
        ("insufficient_role", 1),
        ("malformed_base64url", 2),
    ] {
        assert_eq!(outcomes.get(code), Some(&count), "{code} {outcomes:?}");
    }
    assert_eq!(outcomes.len(), 5);
}

#[test]
fn a_report_says_why_by_the_keys_and_the_policy_of_the_layer() {
    let auth = protect().build().unwrap();
    assert!(auth.explain(&good_token()).valid);
    for (token, code) in [
        (access_token(&claims().expires_at(NOW)), "token_expired"),
        (admin_token(json!([])), "audience_mismatch"),
        ("x.y".to_owned(), "malformed_segments"),
    ] {
        let report = auth.explain(&token);
        assert_eq!(report.error().map(countersign::Error::code), Some(code));
    }
}

#[tokio::test]
async fn an_issuer_that_leaves_a_claim_out_is_taken_where_that_is_said_and_not_where_it_is_not() {
    let with = |protect: ProtectBuilder| page("in").layer(protect.build().unwrap());
    let (strict, nameless) = (with(protect()), with(protect().without_claim("client_id")));
    let anonymous = with(protect().without_claim("client_id").without_claim("sub"));
    let claims = || ClaimsSet::new(ISSUER, AUDIENCE).expires_in(NOW, Duration::from_secs(60));
    let unnamed = access_token(&claims().subject("ada").issued_at(NOW).jwt_id("1"));
    let nobodys = access_token(&claims().issued_at(NOW).jwt_id("1"));
    let plain = signed(
        &KEY,
        "JWT",
        &claims().subject("ada").issued_at(NOW).jwt_id("1"),
    );
    for (app, expected) in [
        (strict, [401, 401, 401]),
        (nameless, [200, 401, 401]),
        (anonymous, [200, 200, 401]),
    ] {
        for (token, status) in [&unnamed, &nobodys, &plain].into_iter().zip(expected) {
            assert_eq!(send(&app, bearer(token)).await.status, status);
        }
        send(&app, bearer(&good_token())).await.is_ok("in");
    }
}

#[tokio::test]
async fn both_kinds_are_taken_during_a_change_and_each_by_its_own_rules() {
    let app = page("in").layer(protect().plain_jwt_too().build().unwrap());
    let bare = ClaimsSet::new(ISSUER, AUDIENCE).expires_in(NOW, Duration::from_secs(60));
    let login = bare.clone().claim("nonce", "n").unwrap();
    for (typ, claims, expected) in [
        ("at+jwt", &claims(), 200),
        ("JWT", &claims(), 200),
        ("JWT", &bare, 200),
        ("at+jwt", &bare, 401),
        ("JWT", &login, 401),
        ("logout+jwt", &claims(), 401),
    ] {
        let token = signed(&KEY, typ, claims);
        assert_eq!(send(&app, bearer(&token)).await.status, expected, "{typ}");
    }
}

#[test]
fn rejects_a_claim_that_may_not_be_waived() {
    for claim in ["exp", "iss", "aud", "iat", "scope", ""] {
        let error = protect().without_claim(claim).build().unwrap_err();
        assert_eq!(error.code(), "policy", "{claim}");
    }
    let plain = protect().plain_jwt().without_claim("sub");
    assert_eq!(plain.build().unwrap_err().code(), "policy");
    let late = || {
        protect()
            .and(Issuer::with_keys("https://other.example", KEY.verifying_key()).audience(AUDIENCE))
    };
    for late in [late().plain_jwt_too(), late().without_claim("sub")] {
        assert_eq!(late.build().unwrap_err().code(), "setting_late");
    }
}
