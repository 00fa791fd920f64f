//! What every step says, and what is said beside the verdict.

use std::collections::BTreeSet;

use countersign::{Algorithm, JwkSet, Outcome, Policy, Verifier};
use serde_json::json;

use super::verifier;
use crate::support::*;

/// What every step says: of a token that passes, of one that is forged, and of one that cannot be read.
#[test]
fn every_step_says_the_rule_in_words_and_one_that_looked_says_what_it_found_and_what_it_expected() {
    let good = hmac_key().sign(&claims()).unwrap();
    let (input, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", b64([0u8; 32]));
    let late = mac(
        r#"{"alg":"HS256"}"#,
        claims_with(json!({"exp": null, "nbf": NOW.unix_secs() + 9})).to_string(),
    );
    for token in [&good, &forged, &late, "nonsense"] {
        let report = verifier().explain(token, NOW);
        let rules: BTreeSet<_> = report.steps.iter().map(|step| step.rule).collect();
        assert_eq!(rules.len(), report.steps.len(), "each has its own");
        let full = format!("{report:#}");
        for step in &report.steps {
            assert!(step.rule.split(' ').count() > 5, "{}", step.name);
            assert!(step.expected.is_some(), "{}: {report}", step.name);
            if step.outcome != Outcome::Skipped {
                assert!(step.found.is_some(), "{}: {report}", step.name);
            }
            assert_eq!(step.rule.trim_end_matches('.'), step.rule, "{}", step.name);
        }
        let labels = |label: &str| full.matches(&format!("\n     {label} ")).count();
        assert_eq!(labels("rule"), report.steps.len(), "{full}");
        let found = report.steps.iter().filter(|step| step.found.is_some());
        assert_eq!(labels("found"), found.count(), "{full}");
        assert!(
            full.lines().all(|line| line.chars().count() <= 100),
            "{full}"
        );
        let brief = report.to_string();
        assert_eq!(
            brief.matches("\n     rule ").count(),
            report.failures(),
            "{brief}"
        );
    }
    let said = |token: &str, name: &str| {
        let report = verifier().explain(token, NOW);
        let step = report
            .steps
            .into_iter()
            .find(|step| step.name == name)
            .unwrap();
        (
            step.found.unwrap_or_default(),
            step.expected.unwrap_or_default(),
        )
    };
    for (name, found, expected) in [
        ("algorithm", "\"HS256\"", "HS256"),
        ("iss", "\"https://id.example\"", "\"https://id.example\""),
        ("aud", "\"orders-api\"", "\"orders-api\""),
        (
            "exp",
            "2026-11-22 15:14:05 UTC",
            "later than 2026-11-22 15:04:05 UTC",
        ),
        (
            "iat",
            "2026-11-22 15:04:05 UTC",
            "not more than 30 s after 2026-11-22 15:04:05 UTC: clocks differ",
        ),
    ] {
        assert_eq!(said(&good, name), (found.to_owned(), expected.to_owned()));
    }
    assert_eq!(said(&late, "exp").0, "absent");
}

#[test]
fn a_step_that_had_nothing_to_look_at_says_what_it_would_have_expected() {
    let token = hmac_key().sign(&claims()).unwrap();
    let keyless = Verifier::new(JwkSet::new([]), policy());
    let expected = |verifier: &Verifier, token: &str| {
        let steps = verifier.explain(token, NOW).steps.into_iter();
        let skipped = steps.filter(|step| step.outcome == Outcome::Skipped);
        skipped
            .map(|step| format!("{}: {}", step.name, step.expected.unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        expected(&keyless, &token),
        [
            "algorithm: the one algorithm of its key",
            "signature: one that its key makes"
        ]
    );
    let unread = expected(&verifier(), "nonsense");
    assert!(
        unread.contains(&"key: the key of the set".to_owned()),
        "{unread:?}"
    );
    let listed = Policy::builder()
        .issuer(ISS)
        .audience(AUD)
        .algorithm(Algorithm::ES256)
        .algorithm(Algorithm::EdDSA);
    let listed = Verifier::new(JwkSet::new([]), listed.build().unwrap());
    assert_eq!(expected(&listed, &token)[0], "algorithm: ES256 or EdDSA");
}

#[test]
fn the_rule_that_a_kind_of_token_breaks_is_that_of_its_kind() {
    let rule_of = |policy: Policy, token: &str| {
        let report = Verifier::new(hmac_key().verifying_key(), policy).explain(token, NOW);
        let step = report.steps.iter().find(|step| step.name == "kind");
        step.unwrap_or_else(|| panic!("{report}")).rule
    };
    let foreign = hmac_key()
        .sign(&claims_with(json!({"nonce": "n"})))
        .unwrap();
    let plain = rule_of(policy(), &foreign);
    assert!(plain.contains("another kind") && !plain.contains("logout"));
    let logout = Policy::builder().issuer(ISS).audience(AUD).logout_token();
    let of_logout = rule_of(logout.build().unwrap(), &foreign);
    assert!(of_logout.contains("back-channel logout"), "{of_logout}");
}

#[test]
fn what_the_policy_did_not_ask_for_is_said_beside_the_verdict() {
    let token = hmac_key().sign(&claims()).unwrap();
    let endless = mac(
        r#"{"alg":"HS256"}"#,
        claims_with(json!({"exp": null})).to_string(),
    );
    let any = || Policy::builder().any_issuer().any_audience();
    let iss = || Policy::builder().issuer(ISS);
    for (token, policy, unchecked, words) in [
        (
            &token,
            policy(),
            &[][..],
            "signature, issuer, audience and times hold",
        ),
        (
            &token,
            any().build().unwrap(),
            &["iss", "aud"],
            "signature and times hold; issuer and audience were not checked",
        ),
        (
            &token,
            iss().any_audience().build().unwrap(),
            &["aud"],
            "signature, issuer and times hold; audience was not checked",
        ),
        (
            &endless,
            any().without_expiry().build().unwrap(),
            &["iss", "aud", "exp"],
            "signature holds; issuer and audience were not checked; without exp it never ends",
        ),
        (
            &endless,
            iss().audience(AUD).without_expiry().build().unwrap(),
            &["exp"],
            "signature, issuer and audience hold; without exp it never ends",
        ),
    ] {
        let report = Verifier::new(hmac_key().verifying_key(), policy).explain(token, NOW);
        assert_eq!(report.conclusion().as_deref(), Some(words));
        assert_eq!(report.unchecked, unchecked);
        // What nobody looked at has no tick.
        let marked: Vec<_> = (report.steps.iter().zip(report.to_string().lines()))
            .filter(|(_, line)| line.contains(" – "))
            .map(|(step, _)| step.name)
            .collect();
        assert_eq!(marked, unchecked);
        let last = report.to_string().lines().last().unwrap().to_owned();
        assert_eq!(
            last,
            if unchecked.is_empty() {
                "valid".to_owned()
            } else {
                format!("valid: {words}")
            }
        );
    }
    let refused = Verifier::new(hmac_key().verifying_key(), any().build().unwrap());
    let refused = refused.explain(&endless, NOW);
    assert_eq!(refused.conclusion(), None);
    assert!(refused.to_string().ends_with("\nrefused: claim_missing"));
}

#[test]
fn a_place_in_a_part_is_counted_in_characters_from_1() {
    let header = b64(r#"{"alg":"HS256"}"#);
    for (payload, place) in [(" 30", 1), ("e3 0", 3), ("e3é0", 3)] {
        let report = verifier().explain(&format!("{header}.{payload}.AA"), NOW);
        let words =
            format!("the payload holds a character outside base64url: character {place} of it");
        assert_eq!(report.steps[0].summary, words);
    }
}
