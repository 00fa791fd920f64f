//! The kinds of token exclude each other: what passes as one passes as no other.

use std::time::Duration;

use countersign::{
    AccessToken, Algorithm, ClientAssertion, DpopClaims, DpopVerifier, Error, IdToken, LogoutToken,
    Policy, SigningHeader, SigningKey, StatusBits, StatusList, StatusListToken, Timestamp,
    Verified, Verifier,
};
use serde_json::{Value, json};

use crate::support::*;

const SUB: &str = "ada";
const NONCE: &str = "n-0S6_WzA2Mj";
const LIST: &str = "https://id.example/status-lists/1";
const HTU: &str = "https://api.example/orders";

/// A kind of token: one that is right in every way, and the verifier of its kind.
struct Kind {
    name: &'static str,
    token: String,
    accepts: fn(&SigningKey, &str) -> Result<(), Error>,
}

fn with(policy: Policy, key: &SigningKey, token: &str) -> Result<(), Error> {
    // No kid is compared, so that nothing but the kind of token stands between the kinds.
    let key = key.verifying_key().without_key_id();
    Verifier::new(key, policy)
        .verify::<Value>(token, NOW)
        .map(drop)
}

fn exp() -> i64 {
    NOW.unix_secs() + 300
}

fn id_token() -> IdToken {
    IdToken {
        iss: ISS.into(),
        sub: SUB.into(),
        aud: vec![AUD.into()],
        exp: exp(),
        iat: NOW.unix_secs(),
        nonce: Some(NONCE.into()),
        azp: None,
        auth_time: None,
        acr: None,
        amr: vec![],
        at_hash: None,
        c_hash: None,
        sid: None,
    }
}

fn logout_token() -> LogoutToken {
    LogoutToken {
        iss: ISS.into(),
        sub: Some(SUB.into()),
        aud: vec![AUD.into()],
        iat: NOW.unix_secs(),
        exp: exp(),
        jti: "1".into(),
        sid: None,
    }
}

fn access_token() -> AccessToken {
    AccessToken {
        iss: ISS.into(),
        sub: SUB.into(),
        aud: vec![AUD.into()],
        exp: exp(),
        iat: NOW.unix_secs(),
        jti: "1".into(),
        client_id: SUB.into(),
        sid: None,
        scope: String::new(),
        roles: vec![],
        auth_time: None,
        status: None,
    }
}

fn client_assertion() -> ClientAssertion {
    ClientAssertion {
        iss: SUB.into(),
        sub: SUB.into(),
        aud: vec![AUD.into()],
        exp: exp(),
        jti: "1".into(),
        iat: Some(NOW.unix_secs()),
    }
}

fn status_list_token() -> StatusListToken {
    StatusListToken {
        iss: Some(ISS.into()),
        sub: LIST.into(),
        iat: NOW.unix_secs(),
        exp: Some(exp()),
        ttl: None,
        status_list: StatusList::new(StatusBits::One, 8).unwrap().encode(),
    }
}

fn kinds(key: &SigningKey) -> Vec<Kind> {
    vec![
        Kind {
            name: "plain",
            token: key.sign(&claims()).unwrap(),
            accepts: |key, token| with(Policy::new(ISS, AUD), key, token),
        },
        Kind {
            name: "access token",
            token: access_token().sign(key).unwrap(),
            accepts: |key, token| with(Policy::access_token(ISS, AUD), key, token),
        },
        Kind {
            name: "ID token",
            token: id_token().sign(key).unwrap(),
            accepts: |key, token| with(Policy::id_token(ISS, AUD, NONCE), key, token),
        },
        Kind {
            name: "logout token",
            token: logout_token().sign(key).unwrap(),
            accepts: |key, token| with(Policy::logout_token(ISS, AUD), key, token),
        },
        Kind {
            name: "client assertion",
            token: client_assertion().sign(key).unwrap(),
            accepts: |key, token| with(Policy::client_assertion(SUB, AUD), key, token),
        },
        Kind {
            name: "DPoP proof",
            token: DpopClaims::new("GET", HTU, "1", NOW).sign(key).unwrap(),
            accepts: |_, token| DpopVerifier::new("GET", HTU).verify(token, NOW).map(drop),
        },
        Kind {
            name: "status list",
            token: status_list_token().sign(key).unwrap(),
            accepts: |key, token| with(Policy::status_list(ISS, LIST), key, token),
        },
    ]
}

#[test]
fn the_matrix_of_every_kind_against_every_kind_is_diagonal() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let kinds = kinds(&key);
    let mut looked_at = 0;
    for token in &kinds {
        for verifier in &kinds {
            let outcome = (verifier.accepts)(&key, &token.token);
            assert_eq!(
                outcome.is_ok(),
                token.name == verifier.name,
                "{} as {}: {outcome:?}",
                token.name,
                verifier.name
            );
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 49);
}

#[test]
fn the_matrix_holds_for_tokens_that_hold_every_claim_of_every_kind() {
    // The widest token that each kind can be: its own `typ`, and the claims of all kinds but those that it may not have.
    let all = json!({
        "iss": ISS, "sub": SUB, "aud": AUD, "exp": exp(), "iat": NOW.unix_secs(), "jti": "1", "client_id": SUB,
        "sid": "s", "nonce": NONCE, "htm": "GET", "htu": HTU,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "status_list": {"bits": 1, "lst": ""}, "ttl": 5,
    });
    let policies = || {
        [
            ("plain", Policy::new(ISS, AUD)),
            ("access token", Policy::access_token(ISS, AUD)),
            ("ID token", Policy::id_token(ISS, AUD, NONCE)),
            ("logout token", Policy::logout_token(ISS, AUD)),
            ("status list", Policy::status_list(ISS, SUB)),
        ]
    };
    let mut looked_at = 0;
    for (kind, typ, without) in [
        ("plain", "JWT", &["nonce", "events"][..]),
        ("access token", "at+jwt", &[]),
        ("ID token", "JWT", &["events"]),
        ("logout token", "logout+jwt", &["nonce"]),
        ("status list", "statuslist+jwt", &["aud"]),
    ] {
        let mut claims = all.clone();
        for claim in without {
            claims.as_object_mut().unwrap().remove(*claim);
        }
        let token = hmac_key()
            .sign_with(&SigningHeader::new().typ(typ), &claims)
            .unwrap();
        for (name, policy) in policies() {
            let outcome = verify_with(policy, &token);
            assert_eq!(
                outcome.is_ok(),
                name == kind,
                "{kind} as {name}: {outcome:?}"
            );
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 25);
}

/// Signs the claims of a kind with some replaced; null takes one away.
fn changed<T: serde::Serialize>(typ: &str, claims: &T, changes: &Value) -> String {
    let mut claims = serde_json::to_value(claims).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    hmac_key()
        .sign_with(&SigningHeader::new().typ(typ), &claims)
        .unwrap()
}

fn verdicts<T: serde::Serialize>(typ: &str, claims: &T, policy: &Policy, cases: &[(Value, &str)]) {
    for (changes, expected) in cases {
        let token = changed(typ, claims, changes);
        assert_eq!(
            code(verify_with(policy.clone(), &token)),
            *expected,
            "{changes}"
        );
    }
}

#[test]
fn an_id_token_needs_the_claims_of_openid_connect() {
    verdicts(
        "JWT",
        &id_token(),
        &Policy::id_token(ISS, AUD, NONCE),
        &[
            (json!({}), "ok"),
            (json!({"iss": null}), "claim_missing"),
            (json!({"sub": null}), "claim_missing"),
            (json!({"sub": ""}), "claim_type"),
            (json!({"aud": null}), "claim_missing"),
            (json!({"exp": null}), "claim_missing"),
            (json!({"iat": null}), "claim_missing"),
            (json!({"nonce": null}), "claim_missing"),
            (json!({"nonce": ""}), "claim_type"),
            (json!({"nonce": 1}), "claim_type"),
            (json!({"nonce": "other"}), "claim_mismatch"),
            (json!({"nonce": "n-0S6_WzA2M"}), "claim_mismatch"),
            (json!({"events": {}}), "claim_foreign"),
            (json!({"aud": [AUD]}), "ok"),
            (json!({"aud": [AUD, "other"]}), "claim_missing"),
            (json!({"aud": [AUD, "other"], "azp": AUD}), "ok"),
            (
                json!({"aud": [AUD, "other"], "azp": "other"}),
                "claim_mismatch",
            ),
            (json!({"azp": "other"}), "claim_mismatch"),
            (json!({"azp": [AUD]}), "claim_type"),
            (json!({"azp": ""}), "claim_type"),
            (json!({"at_hash": 1}), "claim_type"),
        ],
    );
    let untyped = hmac_key()
        .sign_with(&SigningHeader::new().without_typ(), &id_token())
        .unwrap();
    assert_eq!(
        code(verify_with(Policy::id_token(ISS, AUD, NONCE), &untyped)),
        "ok"
    );
}

#[test]
fn the_nonce_of_an_id_token_is_waived_in_words_only() {
    let builder = || Policy::builder().issuer(ISS).audience(AUD).id_token();
    assert!(builder().build().is_err());
    let any = builder().any_nonce().build().unwrap();
    verdicts(
        "JWT",
        &id_token(),
        &any,
        &[
            (json!({}), "ok"),
            (json!({"nonce": null}), "ok"),
            (json!({"nonce": 1}), "claim_type"),
            (json!({"events": {}}), "claim_foreign"),
        ],
    );
}

#[test]
fn at_hash_and_c_hash_fail_closed_where_they_are_expected() {
    // OpenID Connect Core §A.3 and §A.4, whose tokens are signed with RS256.
    let (access_token, at_hash) = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "77QmUPtjPfzWtF2AnpK9RQ",
    );
    let (authorization_code, c_hash) = (
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
        "LDktKdoQak3Pk0cnXxCltA",
    );
    let policy = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .id_token()
            .nonce(NONCE)
            .at_hash_of(access_token)
            .c_hash_of(authorization_code)
            .build()
            .unwrap()
    };
    let cases = [
        (json!({"at_hash": at_hash, "c_hash": c_hash}), "ok"),
        (json!({"at_hash": at_hash}), "claim_missing"),
        (json!({"c_hash": c_hash}), "claim_missing"),
        (
            json!({"at_hash": c_hash, "c_hash": c_hash}),
            "claim_mismatch",
        ),
        (json!({"at_hash": "", "c_hash": c_hash}), "claim_type"),
        (json!({"at_hash": at_hash, "c_hash": 1}), "claim_type"),
    ];
    verdicts("JWT", &id_token(), &policy(), &cases);
    // The hash function is that of the key's algorithm: the same values under ES384 are wrong.
    let key = SigningKey::generate(Algorithm::ES384).unwrap();
    let claims = IdToken {
        at_hash: Some(at_hash.into()),
        c_hash: Some(c_hash.into()),
        ..id_token()
    };
    let token = claims.sign(&key).unwrap();
    assert_eq!(
        code(Verifier::new(key.verifying_key(), policy()).verify::<Value>(&token, NOW)),
        "claim_mismatch"
    );
}

#[test]
fn a_hash_for_which_the_algorithm_has_no_function_fails_closed() {
    let key = SigningKey::generate(Algorithm::MlDsa44).unwrap();
    let policy = Policy::builder()
        .issuer(ISS)
        .audience(AUD)
        .id_token()
        .nonce(NONCE)
        .at_hash_of("token")
        .build()
        .unwrap();
    let claims = IdToken {
        at_hash: Some("AAAA".into()),
        ..id_token()
    };
    let token = claims.sign(&key).unwrap();
    assert_eq!(
        code(Verifier::new(key.verifying_key(), policy).verify::<Value>(&token, NOW)),
        "claim_mismatch"
    );
}

#[test]
fn a_logout_token_needs_the_event_and_a_subject_or_a_session_and_no_nonce() {
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let claims = json!({
        "iss": ISS, "aud": AUD, "iat": NOW.unix_secs(), "exp": exp(), "jti": "1", "sub": SUB, "events": {event: {}},
    });
    verdicts(
        "logout+jwt",
        &claims,
        &Policy::logout_token(ISS, AUD),
        &[
            (json!({}), "ok"),
            (json!({"sub": null, "sid": "s"}), "ok"),
            (json!({"sub": null}), "claim_missing"),
            (json!({"sub": ""}), "claim_type"),
            (json!({"sub": null, "sid": 1}), "claim_type"),
            (json!({"sub": null, "sid": ""}), "claim_type"),
            (json!({"nonce": NONCE}), "claim_foreign"),
            (json!({"nonce": 1}), "claim_foreign"),
            (json!({"events": null}), "claim_missing"),
            (json!({"events": {}}), "claim_type"),
            (json!({"events": event}), "claim_type"),
            (json!({"events": [event]}), "claim_type"),
            (json!({"events": {event: true}}), "claim_type"),
            (
                json!({"events": {"https://other.example": {}}}),
                "claim_type",
            ),
            (json!({"jti": null}), "claim_missing"),
            (json!({"jti": ""}), "claim_type"),
            (json!({"iat": null}), "claim_missing"),
            (json!({"exp": null}), "claim_missing"),
        ],
    );
    let token: Verified<LogoutToken> =
        Verifier::new(hmac_key().verifying_key(), Policy::logout_token(ISS, AUD))
            .verify(&logout_token().sign(&hmac_key()).unwrap(), NOW)
            .unwrap();
    assert_eq!(*token, logout_token());
    let nobody = LogoutToken {
        sub: None,
        ..logout_token()
    };
    assert_eq!(code(nobody.sign(&hmac_key())), "claims_unwritable");
}

#[test]
fn a_client_assertion_is_by_and_about_the_client_and_for_the_issuer_alone() {
    verdicts(
        "client-authentication+jwt",
        &client_assertion(),
        &Policy::client_assertion(SUB, AUD),
        &[
            (json!({}), "ok"),
            (json!({"iat": null}), "ok"),
            (json!({"aud": [AUD]}), "ok"),
            (
                json!({"aud": [AUD, "https://other.example"]}),
                "audience_shared",
            ),
            (json!({"aud": [AUD, AUD]}), "audience_shared"),
            (
                json!({"aud": format!("{AUD}/oauth/token")}),
                "audience_mismatch",
            ),
            (json!({"iss": "eve"}), "issuer_mismatch"),
            (json!({"sub": "eve"}), "subject_mismatch"),
            (json!({"sub": null}), "claim_missing"),
            (json!({"jti": null}), "claim_missing"),
            (json!({"jti": ""}), "claim_type"),
            (json!({"exp": null}), "claim_missing"),
        ],
    );
}

#[test]
fn a_required_claim_that_is_null_is_missing() {
    let policy = Policy::builder()
        .issuer(ISS)
        .audience(AUD)
        .require("scope")
        .build()
        .unwrap();
    for (scope, expected) in [(json!("read"), "ok"), (json!(null), "claim_missing")] {
        let mut claims = claims_json();
        claims["scope"] = scope;
        let token = hmac_key().sign(&claims).unwrap();
        assert_eq!(code(verify_with(policy.clone(), &token)), expected);
    }
}

#[test]
fn the_greatest_ages_are_exact_to_the_second() {
    let builder = || Policy::builder().issuer(ISS).audience(AUD);
    let minute = Duration::from_mins(1);
    let token_age = builder().max_token_age(minute);
    let auth_age = builder().max_auth_age(minute);
    for (claim, builder) in [("iat", token_age), ("auth_time", auth_age)] {
        for (age, leeway, expected) in [
            (0, 0, "ok"),
            (60, 0, "ok"),
            (61, 0, "token_too_old"),
            (90, 30, "ok"),
            (91, 30, "token_too_old"),
        ] {
            let policy = builder
                .clone()
                .leeway(Duration::from_secs(leeway))
                .build()
                .unwrap();
            let claims = claims_with(json!({ claim: NOW.unix_secs() - age }));
            let token = hmac_key().sign(&claims).unwrap();
            assert_eq!(
                code(verify_with(policy, &token)),
                expected,
                "{claim} {age} s ago, leeway {leeway} s"
            );
        }
        let absent = hmac_key()
            .sign(&claims_with(json!({ claim: null })))
            .unwrap();
        let policy = builder.build().unwrap();
        assert_eq!(code(verify_with(policy.clone(), &absent)), "claim_missing");
        let text = hmac_key()
            .sign(&claims_with(json!({ claim: "now" })))
            .unwrap();
        assert_eq!(code(verify_with(policy.clone(), &text)), "claim_type");
        let ahead = claims_with(json!({ claim: NOW.unix_secs() + 31 }));
        assert!(verify_with(policy, &hmac_key().sign(&ahead).unwrap()).is_err());
    }
}

#[test]
fn only_the_algorithms_of_the_policy_are_taken() {
    let policy = |algorithm| {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .algorithm(algorithm)
            .build()
            .unwrap()
    };
    let token = hmac_key().sign(&claims()).unwrap();
    assert_eq!(code(verify_with(policy(Algorithm::HS256), &token)), "ok");
    assert_eq!(
        code(verify_with(policy(Algorithm::ES256), &token)),
        "algorithm_refused"
    );
}

fn proof(changes: &Value, key: &SigningKey) -> String {
    let claims = DpopClaims::new("GET", HTU, "1", NOW).access_token("token");
    let mut claims = serde_json::to_value(claims).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    let jwk = key.verifying_key().to_public_jwk().unwrap();
    raw_proof(
        &json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": jwk}),
        &claims,
        key,
    )
}

/// A proof with any header, signed with the key's seed.
fn raw_proof(header: &Value, claims: &Value, key: &SigningKey) -> String {
    use aws_lc_rs::signature::Ed25519KeyPair;
    let jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&unb64(jwk["d"].as_str().unwrap())).unwrap();
    let input = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = pair.sign(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

#[test]
fn a_dpop_proof_is_for_one_request_one_token_and_one_minute() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let verifier = DpopVerifier::new("GET", HTU).access_token("token");
    let now = NOW.unix_secs();
    for (changes, expected) in [
        (json!({}), "ok"),
        (
            json!({"htu": "HTTPS://API.example:443/orders?page=2"}),
            "ok",
        ),
        (json!({"iat": now - 60}), "ok"),
        (json!({"iat": now - 61}), "token_too_old"),
        (json!({"iat": now + 30}), "ok"),
        (json!({"iat": now + 31}), "issued_in_future"),
        (json!({"iat": null}), "claim_missing"),
        (json!({"iat": "now"}), "claim_type"),
        (json!({"htm": "POST"}), "claim_mismatch"),
        (json!({"htm": "get"}), "claim_mismatch"),
        (json!({"htm": null}), "claim_missing"),
        (
            json!({"htu": "https://api.example/order"}),
            "claim_mismatch",
        ),
        (
            json!({"htu": "http://api.example/orders"}),
            "claim_mismatch",
        ),
        (
            json!({"htu": "https://evil.example/orders"}),
            "claim_mismatch",
        ),
        (json!({"htu": null}), "claim_missing"),
        (json!({"htu": 1}), "claim_type"),
        (json!({"ath": null}), "claim_missing"),
        (json!({"ath": "AAAA"}), "claim_mismatch"),
        (json!({"jti": null}), "claim_missing"),
        (json!({"jti": ""}), "claim_type"),
        (json!({"jti": 1}), "claim_type"),
        (json!({"exp": now}), "token_expired"),
    ] {
        let outcome = verifier.verify(&proof(&changes, &key), NOW);
        assert_eq!(code(outcome), expected, "{changes}");
    }
    let nonce = verifier.nonce("n");
    assert_eq!(
        code(nonce.verify(&proof(&json!({"nonce": "n"}), &key), NOW)),
        "ok"
    );
    for (changes, expected) in [
        (json!({}), "claim_missing"),
        (json!({"nonce": "m"}), "claim_mismatch"),
    ] {
        assert_eq!(code(nonce.verify(&proof(&changes, &key), NOW)), expected);
    }
}

#[test]
fn the_claim_types_read_every_legal_numeric_date_and_no_other() {
    fn read<C: serde::de::DeserializeOwned>(policy: Policy, token: &str) -> Result<C, Error> {
        Verifier::new(hmac_key().verifying_key(), policy)
            .verify::<C>(token, NOW)
            .map(Verified::into_claims)
    }
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let now = NOW.unix_secs();
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    for (iat, exp, times) in [
        (json!(now), json!(now + 300), (now, now + 300)),
        (
            json!(1_795_359_844.123),
            json!(1_795_360_145.9),
            (now, now + 300),
        ),
        (
            json!(1.795_359_845e9),
            json!(1.795_360_145e9),
            (now, now + 300),
        ),
    ] {
        let both = json!({"iat": iat, "exp": exp, "auth_time": iat});
        let token = changed("at+jwt", &access_token(), &both);
        let read_back: AccessToken = read(Policy::access_token(ISS, AUD), &token).unwrap();
        assert_eq!((read_back.iat, read_back.exp), times);
        assert_eq!(read_back.auth_time, Some(times.0));

        let token = changed("JWT", &id_token(), &both);
        let read_back: IdToken = read(Policy::id_token(ISS, AUD, NONCE), &token).unwrap();
        assert_eq!((read_back.iat, read_back.exp), times);
        assert_eq!(read_back.auth_time, Some(times.0));

        let logout = json!({"iss": ISS, "aud": AUD, "jti": "1", "sub": SUB, "events": {event: {}}});
        let token = changed("logout+jwt", &logout, &both);
        let read_back: LogoutToken = read(Policy::logout_token(ISS, AUD), &token).unwrap();
        assert_eq!((read_back.iat, read_back.exp), times);

        let token = changed("client-authentication+jwt", &client_assertion(), &both);
        let read_back: ClientAssertion = read(Policy::client_assertion(SUB, AUD), &token).unwrap();
        assert_eq!((read_back.iat, read_back.exp), (Some(times.0), times.1));

        let token = proof(&json!({ "iat": iat }), &key);
        let verifier = DpopVerifier::new("GET", HTU);
        assert!(verifier.explain(&token, NOW).valid);
        assert_eq!(verifier.verify(&token, NOW).unwrap().claims().iat, times.0);
    }
    // No check reads `auth_time` here: the type alone refuses it, and says of which kind it should be.
    for wrong in [json!("now"), json!(-1), json!(true), json!(1e300)] {
        let token = changed("JWT", &id_token(), &json!({"auth_time": wrong}));
        let outcome = read::<IdToken>(Policy::id_token(ISS, AUD, NONCE), &token);
        assert_eq!(code(outcome), "claims_shape", "{wrong}");
    }
}

#[test]
fn a_dpop_proof_names_its_algorithm_as_its_key_does() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    for (key, alg) in [
        (key.clone(), "EdDSA"),
        (key.with_fully_specified_alg(), "Ed25519"),
    ] {
        let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
        let parsed = countersign::Unverified::parse(&proof).unwrap();
        assert_eq!(parsed.header().alg(), alg);
        assert_eq!(parsed.header().get("jwk").unwrap()["alg"], alg);
        assert!(DpopVerifier::new("GET", HTU).verify(&proof, NOW).is_ok());
    }
}

#[test]
fn only_the_algorithms_of_a_dpop_verifier_are_taken() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
    let any = DpopVerifier::new("GET", HTU);
    let other = any.clone().algorithm(Algorithm::ES256);
    let both = other.clone().algorithm(Algorithm::EdDSA);
    for (verifier, expected) in [(any, "ok"), (other, "algorithm_refused"), (both, "ok")] {
        assert_eq!(code(verifier.verify(&proof, NOW)), expected);
        let report = verifier.explain(&proof, NOW);
        assert_eq!(report.valid, expected == "ok", "{report}");
    }
}

#[test]
fn a_dpop_proof_carries_a_public_key_and_is_signed_with_its_other_half() {
    let (key, other) = (
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
    );
    let claims = serde_json::to_value(DpopClaims::new("GET", HTU, "1", NOW)).unwrap();
    let public = |key: &SigningKey| {
        serde_json::to_value(key.verifying_key().to_public_jwk().unwrap()).unwrap()
    };
    let private: Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk = public(&key);
        jwk[name] = value;
        jwk
    };
    let header = |alg: &str, jwk: Value| json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk});
    let verifier = DpopVerifier::new("GET", HTU);
    for (header, expected) in [
        (header("EdDSA", public(&key)), "ok"),
        (header("EdDSA", public(&other)), "signature_invalid"),
        (header("EdDSA", private), "malformed_header_member"),
        (
            header("EdDSA", with("k", json!("AA"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", with("priv", json!("AA"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", with("use", json!("enc"))),
            "malformed_header_member",
        ),
        (
            header("EdDSA", json!({"kty": "oct", "k": b64(SECRET)})),
            "malformed_header_member",
        ),
        (header("EdDSA", json!({})), "malformed_header_member"),
        (header("EdDSA", json!("x")), "malformed_header_member"),
        (header("ES256", public(&key)), "malformed_header_member"),
        (header("HS256", public(&key)), "malformed_header_member"),
        (header("none", public(&key)), "unsecured"),
        (
            json!({"typ": "dpop+jwt", "alg": "EdDSA"}),
            "malformed_header_member",
        ),
        (
            json!({"typ": "JWT", "alg": "EdDSA", "jwk": public(&key)}),
            "type_mismatch",
        ),
        (
            json!({"alg": "EdDSA", "jwk": public(&key)}),
            "type_mismatch",
        ),
        (json!({"typ": "JWT", "alg": "EdDSA"}), "type_mismatch"),
    ] {
        let token = raw_proof(&header, &claims, &key);
        assert_eq!(code(verifier.verify(&token, NOW)), expected, "{header}");
        let report = verifier.explain(&token, NOW);
        assert_eq!(report.valid, expected == "ok", "{report}");
    }
    assert_eq!(
        code(DpopClaims::new("GET", HTU, "1", NOW).sign(&hmac_key())),
        "key_unfit"
    );
}

#[test]
fn a_bound_token_passes_with_the_proof_of_its_own_key_and_nothing_else() {
    let (key, other) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let proof = DpopClaims::new("GET", HTU, "1", NOW).sign(&key).unwrap();
    let proof = DpopVerifier::new("GET", HTU).verify(&proof, NOW).unwrap();
    assert_eq!(proof.key(), key.thumbprint());
    let jkt = key.thumbprint().to_string();
    for (cnf, expected) in [
        (json!({"jkt": jkt}), "ok"),
        (
            json!({"jkt": other.thumbprint().to_string()}),
            "claim_mismatch",
        ),
        (json!({"jkt": 1}), "claim_mismatch"),
        (json!({"jkt": jkt, "x5t#S256": "x"}), "proof_required"),
        (json!({"x5t#S256": "x"}), "proof_required"),
        (json!(jkt), "proof_required"),
        (json!({}), "proof_required"),
        (Value::Null, "claim_missing"),
    ] {
        let token = mac(
            r#"{"alg":"HS256","typ":"JWT"}"#,
            claims_with(json!({ "cnf": cnf })).to_string(),
        );
        let bound = policy().bound_to(proof.key());
        assert_eq!(code(verify_with(bound, &token)), expected, "{cnf}");
    }
}

#[test]
fn the_proofs_of_rfc_9449_verify_as_proofs_and_as_nothing_else() {
    let all: Vec<Value> = serde_json::from_str(include_str!("../data/rfc.json")).unwrap();
    let mut verified = 0;
    for vector in all.iter().filter(|vector| vector["typ"] == "dpop+jwt") {
        let proof = vector["compact"].as_str().unwrap();
        let claims: Value = serde_json::from_str(vector["payload"].as_str().unwrap()).unwrap();
        let (htm, htu) = (
            claims["htm"].as_str().unwrap(),
            claims["htu"].as_str().unwrap(),
        );
        let now = Timestamp::from_unix_secs(claims["iat"].as_i64().unwrap());
        let mut verifier = DpopVerifier::new(htm, htu);
        if let Some(token) = vector["access_token"].as_str() {
            assert_eq!(
                code(verifier.clone().access_token("other").verify(proof, now)),
                "claim_mismatch"
            );
            verifier = verifier.access_token(token);
        }
        let found = verifier.verify(proof, now).unwrap();
        assert_eq!(found.key().to_string(), vector["jkt"]);
        assert_eq!(found.claims().jti, claims["jti"]);
        for policy in [
            Policy::builder()
                .any_issuer()
                .any_audience()
                .without_expiry()
                .build()
                .unwrap(),
            Policy::builder()
                .any_issuer()
                .any_audience()
                .plain_or_access_token()
                .without_expiry()
                .build()
                .unwrap(),
            Policy::access_token(ISS, AUD),
            Policy::id_token(ISS, AUD, NONCE),
            Policy::logout_token(ISS, AUD),
            Policy::client_assertion(SUB, AUD),
        ] {
            let key = countersign::Jwk::parse(vector["key"].to_string().as_bytes())
                .and_then(|jwk| countersign::VerifyingKey::from_jwk(&jwk))
                .unwrap();
            let outcome = Verifier::new(key, policy).verify::<Value>(proof, now);
            assert_eq!(code(outcome), "type_mismatch");
        }
        verified += 1;
    }
    assert_eq!(verified, 3);
}
