//! What each kind of token is answered with (RFC 6750 §3).

use std::time::Duration;

use countersign::{Algorithm, ClaimsSet, SigningHeader, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{
    AUDIENCE, INVALID, ISSUER, KEY, NOW, access_token, app, bearer, claims, claims_of,
    expired_token, get, good_token, protect, send, signed, tampered_token,
};

#[tokio::test]
async fn accepts_a_good_token() {
    send(&app(protect().build().unwrap()), bearer(&good_token()))
        .await
        .is_ok("in");
}

#[tokio::test]
async fn rejects_a_request_without_a_credential_and_names_no_error() {
    let answer = send(&app(protect().build().unwrap()), get()).await;
    answer
        .is_problem(401, "no_credential", "No token provided")
        .challenges("Bearer realm=\"orders\"");
}

#[tokio::test]
async fn rejects_an_expired_token_by_that_name() {
    let answer = send(&app(protect().build().unwrap()), bearer(&expired_token())).await;
    answer.is_problem(401, "token_expired", "jwt expired").challenges(
        "Bearer realm=\"orders\", error=\"invalid_token\", error_description=\"the token has expired\"",
    );
}

#[tokio::test]
async fn rejects_every_other_bad_token_with_one_and_the_same_answer() {
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let good = good_token();
    let [header, payload, _] = parts(&good);
    let tokens = [
        ("text", "undefined".to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        (
            "alg none",
            format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}."),
        ),
        ("tampered", tampered_token()),
        ("a stranger's key", signed(&stranger, "at+jwt", &claims())),
        ("our kid, a stranger's key", {
            let kid = KEY.key_id().unwrap();
            signed(&stranger.clone().with_key_id(kid), "at+jwt", &claims())
        }),
        (
            "another audience",
            access_token(&claims_of(ISSUER, "billing-api")),
        ),
        (
            "another issuer",
            access_token(&claims_of("https://evil.example", AUDIENCE)),
        ),
        (
            "not yet valid",
            access_token(&claims().not_before(NOW.saturating_add(Duration::from_secs(60)))),
        ),
        ("plain JWT", signed(&KEY, "JWT", &claims())),
        (
            "without what an access token holds",
            access_token(&{
                ClaimsSet::new(ISSUER, AUDIENCE)
                    .subject("ada")
                    .expires_in(NOW, Duration::from_secs(600))
            }),
        ),
        ("another kind", signed(&KEY, "secevent+jwt", &claims())),
        (
            "bound to its sender",
            access_token(
                &claims()
                    .claim("cnf", serde_json::json!({"jkt": "x"}))
                    .unwrap(),
            ),
        ),
        ("too long", format!("{}.{payload}.c2ln", "e".repeat(20_000))),
    ];
    let app = app(protect().build().unwrap());
    for (what, token) in tokens {
        let answer = send(&app, bearer(&token)).await;
        println!("{what}");
        answer
            .is_problem(401, "invalid_token", "Invalid token")
            .challenges(INVALID);
    }
}

#[tokio::test]
async fn a_switch_answers_403_for_an_invalid_token_and_keeps_the_header() {
    let app = app(protect()
        .invalid_token_status(StatusCode::FORBIDDEN)
        .build()
        .unwrap());
    let answer = send(&app, bearer(&tampered_token())).await;
    answer
        .is_problem(403, "invalid_token", "Invalid token")
        .challenges(INVALID);
    send(&app, bearer(&expired_token()))
        .await
        .is_problem(403, "token_expired", "jwt expired");
    send(&app, get())
        .await
        .is_problem(401, "no_credential", "No token provided");
}

#[tokio::test]
async fn accepts_an_expired_token_within_the_leeway_only() {
    let lenient = app(protect().leeway(Duration::from_secs(30)).build().unwrap());
    for (ago, status) in [(0, 200), (29, 200), (31, 401)] {
        let exp = NOW.saturating_sub(Duration::from_secs(ago));
        let answer = send(&lenient, bearer(&access_token(&claims().expires_at(exp)))).await;
        assert_eq!(answer.status, status, "{ago} s ago");
    }
}

#[tokio::test]
async fn plain_jwt_accepts_typ_jwt_and_rejects_other_kinds() {
    let app = app(protect().plain_jwt().build().unwrap());
    let bare = ClaimsSet::new(ISSUER, AUDIENCE).expires_in(NOW, Duration::from_secs(600));
    send(&app, bearer(&signed(&KEY, "JWT", &bare)))
        .await
        .is_ok("in");
    for typ in ["secevent+jwt", "logout+jwt", "dpop+jwt"] {
        let answer = send(&app, bearer(&signed(&KEY, typ, &claims()))).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
}

/// As those of docs/SERVICES.md make them: without `client_id`, `jti` or a `typ` of their own.
#[tokio::test]
async fn access_tokens_as_large_providers_make_them_need_plain_jwt_and_the_log_says_so() {
    let bare = || ClaimsSet::new(ISSUER, AUDIENCE).expires_in(NOW, Duration::from_secs(600));
    let with = |claims: Value| bare().with(&claims).unwrap();
    let keycloak = json!({"azp": "web", "typ": "Bearer", "realm_access": {"roles": ["clerk"]}});
    let entra = json!({"azp": "web", "tid": "t", "ver": "2.0", "roles": ["clerk"], "scp": "read"});
    let plain = [
        signed(&KEY, "JWT", &with(keycloak).subject("ada").jwt_id("1")),
        signed(&KEY, "JWT", &with(entra).subject("ada")),
        signed(&KEY, "JWT", &with(json!({"azp": "web", "scope": "read"}))),
        KEY.sign_with(
            &SigningHeader::new().without_typ(),
            &with(json!({"cid": "web", "scp": ["read"]})),
        )
        .unwrap(),
    ];
    let id_token = signed(&KEY, "JWT", &with(json!({"azp": "web", "at_hash": "x"})));
    let unnamed = signed(&KEY, "at+jwt", &bare().subject("ada").jwt_id("1"));
    let strict = protect().build().unwrap();
    for token in &plain {
        assert_eq!(send(&app(strict.clone()), bearer(token)).await.status, 401);
        let explained = strict.explain(token).to_string();
        assert!(explained.contains(".plain_jwt()"), "{explained}");
    }
    send(&app(strict.clone()), bearer(&unnamed)).await;
    let outcomes = strict.outcomes();
    assert_eq!(outcomes.get("type_mismatch"), Some(&4), "{outcomes:?}");
    assert_eq!(outcomes.get("claim_missing"), Some(&1), "{outcomes:?}");
    let lenient = protect().plain_jwt().build().unwrap();
    for token in &plain {
        send(&app(lenient.clone()), bearer(token)).await.is_ok("in");
    }
    send(&app(lenient.clone()), bearer(&id_token)).await;
    assert_eq!(lenient.outcomes().get("claim_foreign"), Some(&1));
}

#[tokio::test]
async fn accepts_each_of_several_audiences_and_rejects_a_third() {
    let app = app(protect().audience("billing-api").build().unwrap());
    for (audience, status) in [(AUDIENCE, 200), ("billing-api", 200), ("mail-api", 401)] {
        let token = access_token(&claims_of(ISSUER, audience));
        assert_eq!(
            send(&app, bearer(&token)).await.status,
            status,
            "{audience}"
        );
    }
}

#[tokio::test]
async fn the_realm_is_the_first_audience_unless_it_is_named() {
    let auth = countersign_http::Protect::with_keys(ISSUER, KEY.verifying_key())
        .audience(AUDIENCE)
        .audience("b");
    let answer = send(&app(auth.build().unwrap()), get()).await;
    answer.challenges("Bearer realm=\"orders-api\"");
}

#[tokio::test]
async fn an_unknown_path_is_closed_too() {
    let app = app(protect().build().unwrap());
    let request = || http::Request::get("/nowhere");
    assert_eq!(send(&app, request()).await.status, 401);
    let authorization = format!("Bearer {}", good_token());
    assert_eq!(
        send(&app, request().header("authorization", authorization))
            .await
            .status,
        404
    );
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}
