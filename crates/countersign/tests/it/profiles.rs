//! The kinds of token exclude each other: what passes as one passes as no other.

mod dpop;
mod id_token;

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
fn a_claim_of_another_kind_is_refused_in_the_words_of_the_kind_that_is_expected() {
    let of = |typ: &str, claims: Value, policy: Policy| {
        let token = changed(typ, &claims, &json!({"events": {}, "nonce": NONCE}));
        let report = Verifier::new(hmac_key().verifying_key(), policy).explain(&token, NOW);
        let step = report
            .steps
            .iter()
            .find(|step| step.name == "kind")
            .unwrap();
        (report.error().unwrap().to_string(), step.rfc)
    };
    assert_eq!(
        of("JWT", claims_json(), Policy::new(ISS, AUD)),
        (
            "claim `nonce` does not belong into a plain token".to_owned(),
            "RFC 8725 §3.12"
        )
    );
    assert_eq!(
        of(
            "JWT",
            serde_json::to_value(id_token()).unwrap(),
            Policy::id_token(ISS, AUD, NONCE)
        ),
        (
            "claim `events` does not belong into an ID token".to_owned(),
            "OIDC Core §2"
        )
    );
    assert_eq!(
        of(
            "logout+jwt",
            claims_with(json!({"jti": "1", "sub": SUB})),
            Policy::logout_token(ISS, AUD)
        ),
        (
            "claim `nonce` does not belong into a logout token".to_owned(),
            "OIDC Logout §2.4"
        )
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

        let token = dpop::proof(&json!({ "iat": iat }), &key);
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
