//! What a verifier refuses: each test is one weakness, and says so in its name.

mod claims;
mod signature;
mod syntax;
mod times;

use std::time::Duration;

use countersign::{
    Algorithm, ClaimsSet, Critical, Error, Malformed, Policy, PolicyBuilder, SigningHeader,
    SigningKey, Timestamp, Unverified, Verifier,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn verify_claims(claims: Value) -> &'static str {
    code(verify(&mac(HEADER, claims.to_string())))
}

#[test]
fn accepts_the_token_that_the_other_tests_spoil() {
    assert_eq!(code(verify(&mac(HEADER, claims_json().to_string()))), "ok");
    assert_eq!(code(verify(&hmac_key().sign(&claims()).unwrap())), "ok");
}

#[test]
fn rejects_tokens_of_another_kind() {
    let token = |typ: &str| {
        hmac_key()
            .sign_with(&SigningHeader::new().typ(typ), &claims())
            .unwrap()
    };
    let plain = policy();
    let access = Policy::access_token(ISS, AUD);
    for typ in [
        "at+jwt",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "JOSE",
        "",
    ] {
        assert_eq!(
            code(verify_with(plain.clone(), &token(typ))),
            "type_mismatch",
            "{typ}"
        );
    }
    for typ in ["JWT", "logout+jwt", "at+jwt;x=1"] {
        assert_eq!(
            code(verify_with(access.clone(), &token(typ))),
            "type_mismatch",
            "{typ}"
        );
    }
    assert_eq!(code(verify_with(plain, &token("application/jwt"))), "ok");
    let untyped = hmac_key()
        .sign_with(&SigningHeader::new().without_typ(), &claims())
        .unwrap();
    assert_eq!(code(verify(&untyped)), "ok");
    assert_eq!(code(verify_with(access, &untyped)), "type_mismatch");
}

#[test]
fn an_access_token_needs_the_claims_of_rfc_9068() {
    let full = json!({"client_id": "web", "jti": "1"});
    let token = |changes: Value| {
        mac(
            r#"{"alg":"HS256","typ":"at+jwt"}"#,
            claims_with(changes).to_string(),
        )
    };
    let access = || Policy::access_token(ISS, AUD);
    assert_eq!(code(verify_with(access(), &token(full.clone()))), "ok");
    for claim in ["sub", "client_id", "iat", "jti", "exp", "iss", "aud"] {
        let mut changes = full.clone();
        changes[claim] = Value::Null;
        assert_eq!(
            code(verify_with(access(), &token(changes))),
            "claim_missing",
            "{claim}"
        );
    }
}

#[test]
fn a_claim_that_is_waived_may_be_absent_and_must_be_right_where_it_is_there() {
    let full = json!({"client_id": "web", "jti": "1"});
    let verdict = |policy: &PolicyBuilder, typ: &str, claim: &str, value: Value| {
        let mut changes = full.clone();
        changes[claim] = value;
        let header = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
        let token = mac(&header, claims_with(changes).to_string());
        code(verify_with(policy.clone().build().unwrap(), &token))
    };
    let named = || Policy::builder().issuer(ISS).audience(AUD);
    let kinds = [named().access_token(), named().migrating_to_access_token()];
    let mut looked_at = 0;
    for strict in kinds {
        for claim in ["sub", "client_id", "jti"] {
            let policy = strict.clone().without_claim(claim);
            assert_eq!(
                verdict(&strict, "at+jwt", claim, Value::Null),
                "claim_missing"
            );
            assert_eq!(
                verdict(&policy, "at+jwt", claim, Value::Null),
                "ok",
                "{claim}"
            );
            assert_eq!(
                verdict(&policy, "at+jwt", claim, json!("x")),
                "ok",
                "{claim}"
            );
            for wrong in [json!(""), json!(1), json!(["x"])] {
                for policy in [&strict, &policy] {
                    let found = verdict(policy, "at+jwt", claim, wrong.clone());
                    assert_eq!(found, "claim_type", "{claim} {wrong}");
                }
            }
            for other in ["sub", "client_id", "jti", "iat", "exp", "iss", "aud"] {
                let expected = if other == claim {
                    "ok"
                } else {
                    "claim_missing"
                };
                assert_eq!(verdict(&policy, "at+jwt", other, Value::Null), expected);
                looked_at += 1;
            }
        }
    }
    assert_eq!(looked_at, 42);
}

#[test]
fn a_policy_for_a_change_of_kind_takes_what_either_takes_and_nothing_else() {
    let named = || Policy::builder().issuer(ISS).audience(AUD);
    let plain = named().build().unwrap();
    // What is waived is waived of access tokens: plain ones have nothing to lose by it.
    for (waived, expected) in [(None, 16), (Some("jti"), 18)] {
        let [access, changing] =
            [named().access_token(), named().migrating_to_access_token()].map(|kind| {
                let kind = waived
                    .into_iter()
                    .fold(kind, |kind, claim| kind.without_claim(claim));
                kind.build().unwrap()
            });
        let mut passed = 0;
        for typ in [
            "",
            "JWT",
            "at+jwt",
            "application/AT+JWT",
            "dpop+jwt",
            "logout+jwt",
        ] {
            for changes in [
                json!({}),
                json!({"client_id": "web", "jti": "1"}),
                json!({"client_id": "web", "jti": null}),
                json!({"client_id": "web", "jti": "1", "sub": null}),
                json!({"client_id": 7, "jti": "1"}),
                json!({"client_id": "web", "jti": ""}),
                json!({"client_id": "web", "jti": "1", "nonce": "n"}),
                json!({"nonce": "n"}),
                json!({"events": {}}),
                json!({"aud": "other"}),
            ] {
                let header = match typ {
                    "" => HEADER.to_owned(),
                    typ => format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#),
                };
                let token = mac(&header, claims_with(changes.clone()).to_string());
                let either =
                    [&plain, &access].map(|policy| verify_with(policy.clone(), &token).is_ok());
                let found = verify_with(changing.clone(), &token);
                assert_eq!(
                    found.is_ok(),
                    either.contains(&true),
                    "{typ} {changes} {found:?}"
                );
                passed += usize::from(found.is_ok());
            }
        }
        assert_eq!(passed, expected, "{waived:?}");
    }
}

#[test]
fn exp_and_nbf_are_exact_to_the_second() {
    for (exp, leeway, expected) in [
        (1, 0, "ok"),
        (0, 0, "token_expired"),
        (-1, 0, "token_expired"),
        (-29, 30, "ok"),
        (-30, 30, "token_expired"),
    ] {
        let policy = policy().with_leeway(Duration::from_secs(leeway)).unwrap();
        let token = mac(
            HEADER,
            claims_with(json!({"exp": NOW.unix_secs() + exp})).to_string(),
        );
        assert_eq!(
            code(verify_with(policy, &token)),
            expected,
            "exp {exp} leeway {leeway}"
        );
    }
    for (nbf, leeway, expected) in [
        (0, 0, "ok"),
        (1, 0, "token_not_yet_valid"),
        (30, 30, "ok"),
        (31, 30, "token_not_yet_valid"),
    ] {
        let policy = policy().with_leeway(Duration::from_secs(leeway)).unwrap();
        let token = mac(
            HEADER,
            claims_with(json!({"nbf": NOW.unix_secs() + nbf})).to_string(),
        );
        assert_eq!(
            code(verify_with(policy, &token)),
            expected,
            "nbf {nbf} leeway {leeway}"
        );
    }
    assert_eq!(
        verify_claims(claims_with(json!({"iat": NOW.unix_secs() + 30}))),
        "ok"
    );
    assert_eq!(
        verify_claims(claims_with(json!({"iat": NOW.unix_secs() + 31}))),
        "issued_in_future"
    );
}

#[test]
fn rejects_a_token_without_exp_unless_the_policy_says_so_in_words() {
    let token = mac(HEADER, claims_with(json!({"exp": null})).to_string());
    assert_eq!(code(verify(&token)), "claim_missing");
    let immortal = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .without_expiry()
            .build()
            .unwrap()
    };
    assert_eq!(code(verify_with(immortal(), &token)), "ok");
    let expired = mac(
        HEADER,
        claims_with(json!({"exp": NOW.unix_secs() - 1})).to_string(),
    );
    assert_eq!(code(verify_with(immortal(), &expired)), "token_expired");
}

#[test]
fn rejects_registered_claims_of_the_wrong_type_also_where_they_are_waived() {
    let waived = || {
        Policy::builder()
            .any_issuer()
            .any_audience()
            .without_expiry()
            .build()
            .unwrap()
    };
    for (claim, value) in [
        ("iss", json!(["https://id.example"])),
        ("sub", json!(0)),
        ("aud", json!([])),
        ("aud", json!([1])),
        ("exp", json!("9999999999")),
        ("exp", json!(1e300)),
        ("nbf", json!({})),
        ("iat", json!(false)),
        ("jti", json!(7)),
    ] {
        let token = mac(HEADER, claims_with(json!({ claim: value })).to_string());
        assert_eq!(
            code(verify_with(waived(), &token)),
            "claim_type",
            "{claim} {value}"
        );
    }
}

#[test]
fn rejects_an_issuer_that_is_not_the_exact_string() {
    for iss in [
        "https://id.example/",
        "https://ID.example",
        "https://id.exampl",
        "https://id.example.evil",
        "",
        "x https://id.example",
    ] {
        assert_eq!(
            verify_claims(claims_with(json!({ "iss": iss }))),
            "issuer_mismatch",
            "{iss}"
        );
    }
    assert_eq!(
        verify_claims(claims_with(json!({"iss": null}))),
        "claim_missing"
    );
}

#[test]
fn rejects_an_audience_that_does_not_name_this_service() {
    for aud in [
        json!("orders-api/"),
        json!("Orders-api"),
        json!("orders"),
        json!(""),
        json!(["a", "b"]),
    ] {
        assert_eq!(
            verify_claims(claims_with(json!({ "aud": aud }))),
            "audience_mismatch",
            "{aud}"
        );
    }
    assert_eq!(verify_claims(claims_with(json!({"aud": ["a", AUD]}))), "ok");
    assert_eq!(
        verify_claims(claims_with(json!({"aud": null}))),
        "claim_missing"
    );
    let none = Policy::builder().issuer(ISS).no_audience().build().unwrap();
    assert_eq!(
        code(verify_with(none, &hmac_key().sign(&claims()).unwrap())),
        "audience_unexpected"
    );
}

#[test]
fn rejects_a_token_bound_to_its_sender_as_a_plain_bearer() {
    for cnf in [json!({"jkt": "x"}), json!({}), json!(1)] {
        assert_eq!(
            verify_claims(claims_with(json!({ "cnf": cnf }))),
            "proof_required"
        );
    }
}

#[test]
fn rejects_claims_that_do_not_fit_the_type_and_quotes_no_value() {
    #[derive(Debug, serde::Deserialize)]
    struct Order {
        #[expect(dead_code, reason = "only its type is looked at")]
        order: u32,
    }
    let verifier = Verifier::new(hmac_key().verifying_key(), policy());
    for (value, reason) in [
        (json!("s3cret"), "`order`: expected u32"),
        (json!(-1), "`order`: expected u32"),
        (json!(4_294_967_296u64), "`order`: expected u32"),
    ] {
        let token = hmac_key()
            .sign(&claims().claim("order", value.clone()).unwrap())
            .unwrap();
        let error = verifier.verify::<Order>(&token, NOW).unwrap_err();
        assert_eq!(
            error,
            Error::ClaimsShape {
                reason: reason.to_owned()
            },
            "{value}"
        );
    }
}

#[test]
fn errors_name_expectations_and_never_what_the_token_says() {
    let canary = "s3cr3t-canary";
    for changes in [
        json!({"iss": canary}),
        json!({"aud": canary}),
        json!({"exp": canary}),
        json!({"sub": [canary]}),
    ] {
        let error = verify(&mac(HEADER, claims_with(changes).to_string())).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    }
}

#[test]
fn the_same_token_read_at_other_times_is_not_yet_valid_valid_and_expired() {
    let token = hmac_key()
        .sign(
            &ClaimsSet::new(ISS, AUD)
                .issued_at(NOW)
                .not_before(NOW)
                .expires_at(NOW.saturating_add(Duration::from_secs(60))),
        )
        .unwrap();
    let at = |secs: i64| {
        let now = Timestamp::from_unix_secs(NOW.unix_secs() + secs);
        code(Verifier::new(hmac_key().verifying_key(), policy()).verify::<Value>(&token, now))
    };
    assert_eq!(
        [at(-1), at(0), at(59), at(60)],
        ["token_not_yet_valid", "ok", "ok", "token_expired"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_change_of_one_byte_of_a_valid_token_is_refused(at: prop::sample::Index, byte: u8) {
        let token = hmac_key().sign(&claims()).unwrap();
        let mut octets = token.clone().into_bytes();
        let at = at.index(octets.len());
        prop_assume!(octets[at] != byte);
        octets[at] = byte;
        if let Ok(changed) = String::from_utf8(octets) {
            prop_assert!(verify(&changed).is_err(), "{}", changed);
        }
    }

    #[test]
    fn any_text_at_all_is_refused_without_a_panic(text: String) {
        prop_assert!(verify(&text).is_err());
        prop_assert!(!Verifier::new(hmac_key().verifying_key(), policy()).explain(&text, NOW).valid);
    }

    #[test]
    fn any_byte_outside_the_alphabet_is_refused(at: prop::sample::Index, letter: char) {
        prop_assume!(!letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
        let token = hmac_key().sign(&claims()).unwrap();
        let at = at.index(token.len());
        let spoiled = format!("{}{letter}{}", &token[..at], &token[at..]);
        prop_assert!(verify(&spoiled).unwrap_err().code().starts_with("malformed_"));
    }
}

#[test]
fn a_token_of_another_kind_is_told_which_kinds_are_taken() {
    let token = hmac_key()
        .sign_with(&SigningHeader::new().typ("logout+jwt"), &claims())
        .unwrap();
    for (policy, kinds) in [
        (policy(), "absent or JWT"),
        (Policy::access_token(ISS, AUD), "at+jwt"),
    ] {
        let error = verify_with(policy, &token).unwrap_err();
        let said = format!("`typ` is not {kinds}: the token is of another kind");
        assert_eq!(error.to_string(), said);
    }
}

/// What a `main` that returns it prints, and an `unwrap`.
#[test]
fn an_error_that_is_printed_for_a_programmer_says_what_to_do() {
    let error = SigningKey::from_secret(Algorithm::HS256, "changeme").unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{error} (key_weak)"));
    assert!(error.to_string().contains("openssl rand -hex 32"));
}
