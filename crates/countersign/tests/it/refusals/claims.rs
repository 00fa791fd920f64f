//! Claims and kinds: who a token is about, of which kind it is, and that minting cannot be talked into another claim.

use countersign::{Policy, SigningHeader, Verifier};
use proptest::prelude::*;
use serde_json::json;

use super::HEADER;
use crate::support::*;

#[test]
fn rejects_a_sub_that_names_nobody_where_somebody_relies_on_it() {
    let requires = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .require("sub")
            .build()
            .unwrap()
    };
    for (sub, relied, otherwise) in [
        (json!("ada"), "ok", "ok"),
        (json!(""), "claim_type", "ok"),
        (json!(0), "claim_type", "claim_type"),
        (json!(["ada"]), "claim_type", "claim_type"),
    ] {
        let token = mac(HEADER, claims_with(json!({ "sub": sub })).to_string());
        assert_eq!(code(verify_with(requires(), &token)), relied, "{sub}");
        assert_eq!(code(verify(&token)), otherwise, "{sub}");
    }
    let access = |sub: &str| {
        let claims = claims_with(json!({"sub": sub, "client_id": "web", "jti": "1"}));
        let token = mac(r#"{"alg":"HS256","typ":"at+jwt"}"#, claims.to_string());
        code(verify_with(Policy::access_token(ISS, AUD), &token))
    };
    assert_eq!((access("ada"), access("")), ("ok", "claim_type"));
}

#[test]
fn rejects_an_expected_subject_that_is_another_or_absent() {
    let expects = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .subject("ada")
            .build()
            .unwrap()
    };
    for (sub, expected) in [
        (json!("ada"), "ok"),
        (json!("Ada"), "subject_mismatch"),
        (json!("ada "), "subject_mismatch"),
        (json!(""), "subject_mismatch"),
        (json!(null), "claim_missing"),
    ] {
        let token = mac(HEADER, claims_with(json!({ "sub": sub })).to_string());
        assert_eq!(code(verify_with(expects(), &token)), expected, "{sub}");
    }
}

#[test]
fn a_waived_issuer_or_audience_frees_the_value_and_not_the_claim() {
    let any = || Policy::builder().any_issuer();
    let policies = [
        (
            any().any_audience().access_token().build().unwrap(),
            "at+jwt",
            "claim_missing",
        ),
        (
            any().audience(AUD).id_token().any_nonce().build().unwrap(),
            "JWT",
            "claim_missing",
        ),
        (
            any().audience(AUD).logout_token().build().unwrap(),
            "logout+jwt",
            "claim_missing",
        ),
        (any().any_audience().build().unwrap(), "JWT", "ok"),
    ];
    for (policy, typ, without) in policies {
        let verdict = |changes| {
            let mut claims = claims_with(changes);
            if typ != "JWT" {
                claims["client_id"] = "web".into();
                claims["jti"] = "1".into();
            }
            if typ == "logout+jwt" {
                claims["events"] =
                    json!({"http://schemas.openid.net/event/backchannel-logout": {}});
            }
            let header = json!({"alg": "HS256", "typ": typ}).to_string();
            code(verify_with(
                policy.clone(),
                &mac(header, claims.to_string()),
            ))
        };
        assert_eq!(
            verdict(json!({"iss": "https://any.example"})),
            "ok",
            "{typ}"
        );
        assert_eq!(verdict(json!({"iss": null})), without, "{typ}");
        assert_eq!(verdict(json!({"aud": null})), without, "{typ}");
    }
}

#[test]
fn an_expectation_that_is_empty_matches_no_token() {
    let nobody = json!({
        "iss": "", "aud": "", "sub": "", "client_id": "web", "jti": "1",
        "iat": NOW.unix_secs(), "exp": NOW.unix_secs() + 600,
    });
    let with = |name: &str, value: &str| {
        let mut claims = nobody.clone();
        claims[name] = value.into();
        claims
    };
    let assertion = "client-authentication+jwt";
    for (policy, typ, claims, expected) in [
        (
            Policy::new("", ""),
            "JWT",
            nobody.clone(),
            "issuer_mismatch",
        ),
        (
            Policy::new(ISS, ""),
            "JWT",
            with("iss", ISS),
            "audience_mismatch",
        ),
        (
            Policy::access_token("", AUD),
            "at+jwt",
            with("aud", AUD),
            "issuer_mismatch",
        ),
        (
            Policy::client_assertion("", AUD),
            assertion,
            with("aud", AUD),
            "issuer_mismatch",
        ),
        (
            Policy::client_assertion("web", ""),
            assertion,
            with("iss", "web"),
            "audience_mismatch",
        ),
        (Policy::new(ISS, AUD), "JWT", claims_json(), "ok"),
    ] {
        let header = json!({"alg": "HS256", "typ": typ}).to_string();
        let token = mac(header, claims.to_string());
        assert_eq!(
            code(verify_with(policy.clone(), &token)),
            expected,
            "{policy:?}"
        );
        let report = Verifier::new(hmac_key().verifying_key(), policy).explain(&token, NOW);
        assert_eq!(report.valid, expected == "ok", "{report}");
    }
    let report = Verifier::new(
        hmac_key().verifying_key(),
        Policy::client_assertion("", AUD),
    )
    .explain(
        &mac(
            json!({"alg": "HS256", "typ": assertion}).to_string(),
            with("aud", AUD).to_string(),
        ),
        NOW,
    );
    let codes: Vec<_> = report.steps.iter().filter_map(|step| step.code).collect();
    assert_eq!(codes, ["issuer_mismatch", "subject_mismatch"]);
}

#[test]
fn rejects_in_a_plain_token_the_claims_of_other_kinds() {
    for claim in ["nonce", "at_hash", "c_hash", "s_hash", "events"] {
        let token = mac(HEADER, claims_with(json!({ claim: "x" })).to_string());
        assert_eq!(code(verify(&token)), "claim_foreign", "{claim}");
    }
    let own = mac(
        HEADER,
        claims_with(json!({"auth_time": 1, "sid": "x", "azp": "x"})).to_string(),
    );
    assert_eq!(code(verify(&own)), "ok");
}

#[test]
fn typ_is_compared_as_a_media_type_without_parameters() {
    let access = |typ: &str| {
        let claims = claims_with(json!({"client_id": "web", "jti": "1"}));
        let header = json!({"alg": "HS256", "typ": typ}).to_string();
        let token = mac(header, claims.to_string());
        code(verify_with(Policy::access_token(ISS, AUD), &token))
    };
    for typ in [
        "at+jwt",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "APPLICATION/AT+jwt",
    ] {
        assert_eq!(access(typ), "ok", "{typ}");
    }
    for typ in [
        "at+jwt ",
        " at+jwt",
        "at+jwt;v=1",
        "application/at+jwt; charset=utf-8",
        "text/at+jwt",
        "application/application/at+jwt",
        "at jwt",
        "atjwt",
        "at+jwt\u{0}",
        "jwt",
        "",
    ] {
        assert_eq!(access(typ), "type_mismatch", "{typ:?}");
    }
}

#[test]
fn a_name_of_a_users_choice_overwrites_no_claim_and_no_header_member() {
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"] {
        assert_eq!(code(claims().claim(name, "x")), "reserved_name", "{name}");
    }
    for name in [
        "alg", "kid", "typ", "b64", "crit", "jwk", "jku", "x5u", "x5c",
    ] {
        assert_eq!(
            code(SigningHeader::new().param(name, json!("x"))),
            "reserved_name",
            "{name}"
        );
    }
    let header = SigningHeader::new()
        .param("x\r\nSet-Cookie: a", json!("b\r\nc"))
        .unwrap();
    let token = hmac_key().sign_with(&header, &claims()).unwrap();
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    );
}

proptest! {
    #[test]
    fn a_claim_of_any_name_leaves_the_registered_ones_alone(name: String, value: String) {
        if let Ok(claims) = claims().claim(name.clone(), value.clone()) {
            let verified = verify_with(
                Policy::builder().issuer(ISS).audience(AUD).typ("JWT").build().unwrap(),
                &hmac_key().sign(&claims).unwrap(),
            );
            prop_assume!(name != "cnf");
            let verified = verified.unwrap();
            prop_assert_eq!(verified.registered().iss(), Some(ISS));
            prop_assert_eq!(verified.registered().sub(), Some("ada"));
            prop_assert_eq!(&verified[name.as_str()], &json!(value));
        } else {
            prop_assert!(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"].contains(&name.as_str()));
        }
    }
}
