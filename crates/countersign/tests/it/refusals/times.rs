//! Times: of which JSON types, in which range, and that no arithmetic with them goes wrong.

use std::time::Duration;

use countersign::{Policy, Timestamp, Verifier};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::HEADER;
use crate::support::*;

#[test]
fn accepts_every_legal_numeric_date_and_rejects_every_other_number() {
    // As text: serde_json would write some of them differently.
    let at = |exp: &str| {
        let payload = format!(r#"{{"iss":"{ISS}","aud":"{AUD}","exp":{exp}}}"#);
        code(verify(&mac(HEADER, payload)))
    };
    for exp in [
        "1e10",
        "9999999999.5",
        "1E+10",
        "253402300799",
        "253402300798.5",
        "17953598460e-1",
    ] {
        assert_eq!(at(exp), "ok", "{exp}");
    }
    for exp in ["0", "0.5", "-0", "1795359845", "1795359844.5", "1e0"] {
        assert_eq!(at(exp), "token_expired", "{exp}");
    }
    for exp in [
        "-1",
        "-0.5",
        "-1e300",
        "1e300",
        "253402300800",
        "253402300799.5",
        "1795359845000",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "1e19",
    ] {
        assert_eq!(at(exp), "claim_type", "{exp}");
    }
    for exp in ["1e999", "NaN", "Infinity", "1_000", "+1"] {
        assert_eq!(at(exp), "malformed_json", "{exp}");
    }
}

#[test]
fn a_fraction_of_a_second_never_lengthens_a_life() {
    // `now` was rounded down: it may be 1795359845.9.
    for (claims, expected) in [
        (json!({"exp": 1_795_359_845.5}), "token_expired"),
        (json!({"exp": 1_795_359_846.5}), "ok"),
        (json!({"nbf": 1_795_359_844.5}), "ok"),
        (json!({"nbf": 1_795_359_845.5}), "token_not_yet_valid"),
        (json!({"iat": 1_795_359_874.5}), "ok"),
        (json!({"iat": 1_795_359_875.5}), "issued_in_future"),
    ] {
        let token = mac(HEADER, claims_with(claims.clone()).to_string());
        assert_eq!(code(verify(&token)), expected, "{claims}");
    }
}

#[test]
fn rejects_a_time_of_another_json_type_and_never_takes_it_for_absent() {
    let lax = || {
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .without_expiry()
            .build()
            .unwrap()
    };
    let mut looked_at = 0;
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!("9999999999"),
            json!(""),
            json!(null),
            json!(true),
            json!(false),
            json!([]),
            json!([9_999_999_999_u64]),
            json!({}),
            json!({"secs": 1}),
        ] {
            let mut claims = claims_json();
            claims[claim] = value.clone();
            let token = mac(HEADER, claims.to_string());
            assert_eq!(
                code(verify_with(lax(), &token)),
                "claim_type",
                "{claim} {value}"
            );
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 27);
}

#[test]
fn rejects_a_leeway_that_would_lengthen_every_life() {
    for (secs, expected) in [
        (0, "ok"),
        (300, "ok"),
        (301, "policy"),
        (u64::MAX, "policy"),
    ] {
        let leeway = Duration::from_secs(secs);
        assert_eq!(code(policy().with_leeway(leeway)), expected, "{secs}");
        let builder = Policy::builder().issuer(ISS).audience(AUD).leeway(leeway);
        assert_eq!(code(builder.build()), expected, "{secs}");
    }
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        (0i64..400).prop_map(|near| i64::MIN + near),
        (0i64..400).prop_map(|near| i64::MAX - near),
        (-400i64..400).prop_map(|near| NOW.unix_secs() + near),
        (-400i64..400).prop_map(|near| 253_402_300_799 + near),
        -400i64..400,
    ]
}

/// `exp`, `nbf`, `iat`, `auth_time` and now: of any size, and as close together as those of a token that is used.
fn times() -> impl Strategy<Value = (i64, i64, i64, i64, i64)> {
    let near = || (-200i64..200).prop_map(|near| NOW.unix_secs() + near);
    prop_oneof![
        (any_time(), any_time(), any_time(), any_time(), any_time()),
        (near(), near(), near(), near(), near()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_time_at_all_makes_an_expired_token_valid(
        (exp, nbf, iat, auth, now) in times(),
        leeway in 0u64..=300, age in prop_oneof![0u64..300, any::<u64>()],
    ) {
        let policy = Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .leeway(Duration::from_secs(leeway))
            .max_token_age(Duration::from_secs(age))
            .max_auth_age(Duration::from_secs(age))
            .build()
            .unwrap();
        let token = mac(
            HEADER,
            claims_with(json!({"exp": exp, "nbf": nbf, "iat": iat, "auth_time": auth})).to_string(),
        );
        let verifier = Verifier::new(hmac_key().verifying_key(), policy);
        let outcome = verifier.verify::<Value>(&token, Timestamp::from_unix_secs(now));
        let report = verifier.explain(&token, Timestamp::from_unix_secs(now));
        prop_assert_eq!(report.valid, outcome.is_ok());
        prop_assert!(!report.to_string().is_empty());
        // The rule once more, in integers that nothing here can leave.
        let [exp, nbf, iat, auth, now, leeway, age, ahead] =
            [exp.into(), nbf.into(), iat.into(), auth.into(), now.into(), leeway.into(), age.into(), leeway.max(30).into()]
                as [i128; 8];
        let legal = |time: i128| (0..=253_402_300_799).contains(&time);
        let holds = [exp, nbf, iat, auth].into_iter().all(legal)
            && now < exp + leeway
            && nbf - leeway <= now
            && iat - ahead <= now
            && now <= iat + age + leeway
            && auth - ahead <= now
            && now <= auth + age + leeway;
        prop_assert_eq!(outcome.is_ok(), holds);
    }
}
