//! What a verifier refuses: each test is one weakness, and says so in its name.

mod claims;
mod times;

use std::time::Duration;

use countersign::{
    Algorithm, ClaimsSet, Critical, Error, Malformed, Policy, SigningHeader, SigningKey, Timestamp,
    Unverified, Verifier,
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
fn rejects_every_number_of_parts_but_three() {
    for parts in (0..=10usize).filter(|parts| *parts != 3) {
        let token = vec!["e30"; parts].join(".");
        let expected = if parts == 5 {
            Malformed::Encrypted
        } else {
            Malformed::Segments
        };
        assert_eq!(
            Unverified::parse(&token).unwrap_err(),
            Error::Malformed(expected),
            "{parts}"
        );
    }
}

#[test]
fn rejects_a_token_larger_than_the_limit_before_looking_into_it() {
    let token = ".".repeat(countersign::MAX_TOKEN_BYTES + 1);
    assert_eq!(code(Unverified::parse(&token)), "malformed_too_large");
}

#[test]
fn rejects_json_serialisation_as_a_token() {
    let token = hmac_key().sign(&claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let json =
        json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string();
    assert_eq!(code(verify(&json)), "malformed_segments");
    let polyglot = format!("{{\"a\":\"{}.{}.{}\"}}", parts[0], parts[1], parts[2]);
    assert_eq!(code(verify(&polyglot)), "malformed_alphabet");
}

#[test]
fn rejects_a_payload_that_is_no_json_object() {
    for payload in ["[]", "\"{}\"", "1", "null", "true"] {
        assert_eq!(
            code(verify(&mac(HEADER, payload))),
            "malformed_not_object",
            "{payload}"
        );
    }
    assert_eq!(code(verify(&mac("[]", "{}"))), "malformed_not_object");
}

#[test]
fn rejects_members_that_stand_twice_in_header_and_payload() {
    for header in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","t\u0079p":"JWT"}"#,
    ] {
        assert_eq!(
            code(verify(&mac(header, claims_json().to_string()))),
            "malformed_duplicate_member",
            "{header}"
        );
    }
    for payload in [
        r#"{"exp":1,"exp":9999999999}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"sub":"a","su\u0062":"b"}"#,
    ] {
        assert_eq!(
            code(verify(&mac(HEADER, payload))),
            "malformed_duplicate_member",
            "{payload}"
        );
    }
}

#[test]
fn rejects_deep_nesting_in_header_and_payload() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(code(verify(&mac(HEADER, &deep))), "malformed_too_deep");
    let deep = format!(
        "{{\"alg\":\"HS256\",\"a\":{}1{}}}",
        "[".repeat(1_000),
        "]".repeat(1_000)
    );
    assert_eq!(code(verify(&mac(deep, "{}"))), "malformed_too_deep");
}

#[test]
fn rejects_none_in_every_case_with_and_without_a_signature() {
    for alg in ["none", "None", "NONE", "nOnE", "noNE"] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let claims = claims_json().to_string();
        assert_eq!(
            code(verify(&format!("{}.{}.", b64(&header), b64(&claims)))),
            "unsecured",
            "{alg}"
        );
        assert_eq!(code(verify(&mac(&header, &claims))), "unsecured", "{alg}");
    }
}

#[test]
fn rejects_an_algorithm_that_is_not_known() {
    for alg in ["", "hs256", "HS256 ", "RS1", "ES25", "A256KW", "HS256\u{0}"] {
        let header = json!({ "alg": alg }).to_string();
        assert_eq!(
            code(verify(&mac(header, claims_json().to_string()))),
            "algorithm_unknown",
            "{alg:?}"
        );
    }
}

#[test]
fn rejects_an_empty_signature_and_every_length_of_a_truncated_one() {
    let token = hmac_key().sign(&claims()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let full = unb64(signature);
    for length in (0..full.len()).chain([33, 64]) {
        let mut cut = full.clone();
        cut.resize(length, 0);
        assert_eq!(
            code(verify(&format!("{input}.{}", b64(cut)))),
            "signature_invalid",
            "{length}"
        );
    }
}

#[test]
fn rejects_a_tampered_payload_and_a_dropped_signature() {
    for algorithm in [
        Algorithm::HS256,
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let verifier = Verifier::new(key.verifying_key(), policy());
        let token = key.sign(&claims()).unwrap();
        assert_eq!(
            code(verifier.verify::<Value>(&token, NOW)),
            "ok",
            "{algorithm}"
        );
        let parts: Vec<&str> = token.split('.').collect();
        let tampered = format!(
            "{}.{}.{}",
            parts[0],
            b64(claims_with(json!({"sub": "eve"})).to_string()),
            parts[2]
        );
        assert_eq!(
            code(verifier.verify::<Value>(&tampered, NOW)),
            "signature_invalid",
            "{algorithm}"
        );
        let dropped = format!("{}.{}.", parts[0], parts[1]);
        assert_eq!(
            code(verifier.verify::<Value>(&dropped, NOW)),
            "signature_invalid",
            "{algorithm}"
        );
    }
}

#[test]
fn rejects_hs256_made_with_the_bytes_of_a_public_key() {
    let key = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .without_key_id();
    let public = key.verifying_key();
    for secret in [
        public.to_pem().unwrap(),
        public.to_public_jwk().unwrap().to_json(),
    ] {
        assert_eq!(
            code(SigningKey::from_secret(Algorithm::HS256, &secret)),
            "key_weak"
        );
        use aws_lc_rs::hmac;
        let input = format!("{}.{}", b64(HEADER), b64(claims_json().to_string()));
        let forged = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            input.as_bytes(),
        );
        let token = format!("{input}.{}", b64(forged));
        let verifier = Verifier::new(public.clone(), policy());
        assert_eq!(
            verifier.verify::<Value>(&token, NOW).unwrap_err(),
            Error::AlgorithmMismatch {
                key: Algorithm::RS256
            }
        );
        let parsed = Unverified::parse(&token).unwrap();
        assert_eq!(
            code(parsed.verify::<Value>(&public, &policy(), NOW)),
            "algorithm_mismatch"
        );
    }
}

#[test]
fn rejects_another_algorithm_of_the_same_family() {
    let key = SigningKey::generate(Algorithm::RS256)
        .unwrap()
        .without_key_id();
    let as_pss = countersign::VerifyingKey::from_pem(
        Algorithm::PS256,
        &key.verifying_key().to_pem().unwrap(),
    )
    .unwrap();
    let token = key.sign(&claims()).unwrap();
    assert_eq!(
        code(Verifier::new(as_pss, policy()).verify::<Value>(&token, NOW)),
        "algorithm_mismatch"
    );
}

#[test]
fn rejects_a_key_that_the_token_brings_itself() {
    let attacker = SigningKey::generate(Algorithm::ES256).unwrap();
    let jwk: Value =
        serde_json::from_str(&attacker.verifying_key().to_public_jwk().unwrap().to_json()).unwrap();
    for member in ["jwk", "jku", "x5u", "x5c"] {
        assert!(
            SigningHeader::new().param(member, jwk.clone()).is_err(),
            "{member}"
        );
    }
    let ours = SigningKey::generate(Algorithm::ES256).unwrap();
    let header = json!({"alg": "ES256", "jwk": jwk}).to_string();
    let token = format!(
        "{}.{}.{}",
        b64(header),
        b64(claims_json().to_string()),
        b64([0u8; 64])
    );
    assert_eq!(
        code(
            Verifier::new(ours.verifying_key().without_key_id(), policy())
                .verify::<Value>(&token, NOW)
        ),
        "signature_invalid"
    );
}

#[test]
fn rejects_crit_and_unencoded_payloads() {
    let header = r#"{"alg":"HS256","crit":["x"],"x":1}"#;
    assert_eq!(
        verify(&mac(header, "{}")).unwrap_err(),
        Error::Critical(Critical::Unknown)
    );
    assert_eq!(
        code(verify(&mac(
            r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
            "{}"
        ))),
        "unencoded_payload"
    );
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
        (json!("s3cret"), "expected u32"),
        (json!(-1), "expected u32"),
        (json!(4_294_967_296u64), "expected u32"),
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

#[test]
fn rejects_what_lax_json_parsers_forgive_in_header_and_payload() {
    let (header, payload) = (HEADER, claims_json().to_string());
    let spoil = |json: &str| {
        let inside = &json[..json.len() - 1];
        [
            format!("{json}x"),
            format!("{json} {json}"),
            format!("{json}\0"),
            format!("{inside},}}"),
            format!("{inside}/* c */}}"),
            format!("// c\n{json}"),
            format!("{inside},\"n\":NaN}}"),
            format!("{inside},\"n\":-Infinity}}"),
            format!("{inside},\"n\":0x10}}"),
            format!("{inside},\"n\":01}}"),
            format!("{inside},\"n\":1e999}}"),
            format!("{inside},n:1}}"),
            format!("{inside},'n':1}}"),
            String::new(),
        ]
    };
    for header in spoil(header) {
        assert_eq!(
            code(verify(&mac(&header, &payload))),
            "malformed_json",
            "{header}"
        );
    }
    for payload in spoil(&payload) {
        assert_eq!(
            code(verify(&mac(header, &payload))),
            "malformed_json",
            "{payload}"
        );
    }
    assert_eq!(
        code(verify(&mac(
            format!(" {header}\n"),
            format!("\t{payload}\r")
        ))),
        "ok"
    );
}

#[test]
fn rejects_header_members_of_the_wrong_type_also_where_nobody_reads_them() {
    let members = [
        "alg", "kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256", "jwk", "x5c", "b64",
    ];
    for member in members {
        let mut refused = 0;
        for value in [
            json!(1),
            json!(null),
            json!(["x"]),
            json!({"a": 1}),
            json!("x"),
            json!(true),
        ] {
            let mut header = json!({"alg": "HS256"});
            header[member] = value.clone();
            let outcome = code(verify(&mac(header.to_string(), claims_json().to_string())));
            refused += usize::from(outcome == "malformed_header_member");
            if !value.is_string() && !value.is_boolean() && !value.is_array() && !value.is_object()
            {
                assert_eq!(outcome, "malformed_header_member", "{member} {value}");
            }
        }
        assert_eq!(refused, 5, "{member} has one type");
    }
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
