//! The report agrees with the verdict, and says what a person needs.

use countersign::{Algorithm, Outcome, SigningKey, Verifier};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

fn verifier() -> Verifier {
    Verifier::new(hmac_key().verifying_key(), policy())
}

fn failed(token: &str) -> Vec<(&'static str, &'static str)> {
    let report = verifier().explain(token, NOW);
    report
        .steps
        .iter()
        .filter_map(|step| step.code.map(|code| (step.name, code)))
        .collect()
}

#[test]
fn a_good_token_passes_every_step() {
    let report = verifier().explain(&hmac_key().sign(&claims()).unwrap(), NOW);
    assert!(report.valid && report.error().is_none());
    let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
    assert_eq!(
        names,
        [
            "syntax",
            "header",
            "key",
            "algorithm",
            "signature",
            "typ",
            "claims",
            "iss",
            "aud",
            "exp",
            "iat"
        ]
    );
    assert!(
        report
            .steps
            .iter()
            .all(|step| step.outcome == Outcome::Passed)
    );
    assert!(report.to_string().ends_with("\nvalid"));
}

#[test]
fn every_fault_is_reported_and_the_first_is_the_error() {
    let claims = claims_with(json!({"aud": "billing-api", "exp": NOW.unix_secs() - 192}));
    let token = mac(r#"{"alg":"HS256","typ":"JWT"}"#, claims.to_string());
    assert_eq!(
        failed(&token),
        [("aud", "audience_mismatch"), ("exp", "token_expired")]
    );
    let report = verifier().explain(&token, NOW);
    let text = report.to_string();
    assert!(
        text.contains("✗ aud is \"billing-api\", expected \"orders-api\""),
        "{text}"
    );
    assert!(
        text.contains("ask the issuer for one with audience orders-api"),
        "{text}"
    );
    assert!(
        text.contains("✗ exp passed 3 min 12 s ago (2026-11-22 15:00:53 UTC); leeway 0 s"),
        "{text}"
    );
    assert!(
        text.ends_with("refused: audience_mismatch (and 1 more)"),
        "{text}"
    );
}

#[test]
fn a_forged_token_is_explained_to_the_end() {
    let token = hmac_key().sign(&claims()).unwrap();
    let (input, _) = token.rsplit_once('.').unwrap();
    let report = verifier().explain(&format!("{input}.{}", b64([0u8; 32])), NOW);
    assert_eq!(report.error().unwrap().code(), "signature_invalid");
    assert_eq!(report.failures(), 1);
}

#[test]
fn a_payload_that_cannot_be_read_fails_one_step_and_skips_the_rest() {
    let token = mac(r#"{"alg":"HS256"}"#, "[1]");
    assert_eq!(failed(&token), [("claims", "malformed_not_object")]);
    let report = verifier().explain(&token, NOW);
    assert!(
        report
            .steps
            .iter()
            .any(|step| step.outcome == Outcome::Skipped && step.name == "exp")
    );
}

#[test]
fn a_key_that_is_not_found_names_the_keys_that_were_looked_at() {
    let (ours, theirs) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let report = Verifier::new(ours.verifying_key(), policy())
        .explain(&theirs.sign(&claims()).unwrap(), NOW);
    let step = report.steps.iter().find(|step| step.name == "key").unwrap();
    assert_eq!(step.code, Some("key_not_found"));
    assert!(
        step.expected
            .as_ref()
            .unwrap()
            .contains(ours.key_id().unwrap())
    );
}

#[test]
fn the_report_is_written_as_json_with_stable_names() {
    let report = verifier().explain("nonsense", NOW);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!(json["steps"][0]["name"], "syntax");
    assert_eq!(json["steps"][0]["outcome"], "failed");
    assert_eq!(json["steps"][0]["code"], "malformed_segments");
    assert_eq!(json["steps"][1]["outcome"], "skipped");
}

#[test]
fn hostile_values_reach_no_terminal_unescaped() {
    let hostile = "\u{1b}[2J\u{202e}\r\n\u{7}";
    let header = json!({"alg": "HS256", "typ": hostile, "kid": hostile}).to_string();
    let token = mac(
        header,
        claims_with(json!({"iss": hostile, "aud": hostile})).to_string(),
    );
    let text = verifier().explain(&token, NOW).to_string();
    assert!(
        text.chars()
            .all(|letter| letter == '\n' || (!letter.is_control() && letter != '\u{202e}')),
        "{text:?}"
    );
}

fn mutated() -> impl Strategy<Value = String> {
    let changes = prop_oneof![
        Just(json!({})),
        Just(json!({"exp": null})),
        Just(json!({"exp": "soon"})),
        (-100i64..100).prop_map(|secs| json!({"exp": NOW.unix_secs() + secs})),
        (-100i64..100).prop_map(|secs| json!({"nbf": NOW.unix_secs() + secs})),
        (-100i64..100).prop_map(|secs| json!({"iat": NOW.unix_secs() + secs})),
        Just(json!({"iss": "x"})),
        Just(json!({"aud": ["x"]})),
        Just(json!({"aud": []})),
        Just(json!({"cnf": {}})),
    ];
    let header = prop::sample::select(vec![
        json!({"alg": "HS256"}),
        json!({"alg": "HS256", "typ": "at+jwt"}),
        json!({"alg": "HS512"}),
        json!({"alg": "none"}),
        json!({"alg": "HS256", "crit": ["x"]}),
    ]);
    (header, changes, any::<bool>(), any::<prop::sample::Index>()).prop_map(
        |(header, changes, spoil, at)| {
            let token = mac(header.to_string(), claims_with(changes).to_string());
            let mut octets = token.into_bytes();
            if spoil {
                let at = at.index(octets.len());
                octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
            }
            String::from_utf8(octets).unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn explain_and_verify_never_disagree(token in mutated()) {
        let report = verifier().explain(&token, NOW);
        match verifier().verify::<Value>(&token, NOW) {
            Ok(_) => prop_assert!(report.valid, "{}", report),
            Err(error) => prop_assert_eq!(report.error(), Some(&error), "{}", report),
        }
    }
}
