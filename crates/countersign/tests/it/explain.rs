//! The report agrees with the verdict, and says what a person needs.

mod said;

use std::time::Duration;

use countersign::{Algorithm, JwkSet, Outcome, Policy, Report, SigningKey, Verifier};
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
    let text = report.to_string();
    assert!(text.ends_with("\nvalid"));
    // As many as were written, plain and with an escape.
    let count = claims_json().as_object().unwrap().len();
    let escaped = claims_json().to_string().replacen("iss", "\\u0069ss", 1);
    let escaped = mac(r#"{"alg":"HS256"}"#, escaped);
    let escaped = verifier().explain(&escaped, NOW).to_string();
    for text in [text, escaped] {
        assert!(
            text.contains(&format!("object of {count} claims")),
            "{text}"
        );
    }
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
    let in_a_row = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        in_a_row.contains("ask the issuer for one with audience orders-api"),
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
    assert_eq!(step.keys.len(), 1);
    assert_eq!(step.keys[0].kid.as_deref(), ours.key_id());
    assert_eq!(
        step.keys[0].refused.as_deref(),
        Some("the token names another kid")
    );
}

#[test]
fn without_a_fitting_key_the_claims_are_looked_at_all_the_same_and_nothing_is_called_verified() {
    let token = hmac_key()
        .sign(&claims_with(json!({"exp": NOW.unix_secs() - 1})))
        .unwrap();
    let report = Verifier::new(JwkSet::new([]), policy()).explain(&token, NOW);
    assert_eq!(report.error().unwrap().code(), "key_not_found");
    let outcome = |name| {
        let step = report.steps.iter().find(|step| step.name == name).unwrap();
        assert!(!step.verified, "{name}");
        step.outcome
    };
    for (name, expected) in [
        ("key", Outcome::Failed),
        ("algorithm", Outcome::Skipped),
        ("signature", Outcome::Skipped),
        ("iss", Outcome::Passed),
        ("exp", Outcome::Failed),
    ] {
        assert_eq!(outcome(name), expected, "{name}");
    }
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

/// A set that holds one key of every fate, and what is said of each.
#[test]
fn every_key_of_the_set_is_considered_and_says_why_it_was_not_taken() {
    let key = |algorithm, kid: &str| SigningKey::generate(algorithm).unwrap().with_key_id(kid);
    let (taken, other, curve) = (
        key(Algorithm::ES256, "a"),
        key(Algorithm::ES256, "b"),
        key(Algorithm::EdDSA, "c"),
    );
    let set = json!({"keys": [
        taken.verifying_key().to_public_jwk(), other.verifying_key().to_public_jwk(),
        curve.verifying_key().to_public_jwk(), {"kty": "EC", "crv": "P-257", "kid": "d"},
    ]});
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    let verifier = Verifier::new(set, policy());
    let reasons = |token: &str| {
        let report = verifier.explain(token, NOW);
        let step = report.steps.iter().find(|step| step.name == "key").unwrap();
        let keys = step.keys.iter();
        keys.map(|key| {
            (
                key.kid.clone().unwrap(),
                key.refused.clone().unwrap_or_default(),
            )
        })
        .map(|(kid, refused)| format!("{kid}: {refused}"))
        .collect::<Vec<_>>()
    };
    let unusable = "d: unusable: the key's `crv` is not P-256, P-384, P-521 or secp256k1";
    assert_eq!(
        reasons(&taken.sign(&claims()).unwrap()),
        [
            "a: ",
            "b: the token names another kid",
            "c: the token names another kid; the token's alg is another",
            unusable,
        ]
    );
    let nameless = taken.clone().without_key_id().sign(&claims()).unwrap();
    let ambiguous = "it fits, and so does another: nothing says which of them signed";
    assert_eq!(
        reasons(&nameless),
        [
            format!("a: {ambiguous}"),
            format!("b: {ambiguous}"),
            "c: the token's alg is another".to_owned(),
            unusable.to_owned(),
        ]
    );
    let text = verifier.explain(&nameless, NOW).to_string();
    assert!(
        text.contains(&format!("\n     key a (ES256): {ambiguous}\n")),
        "{text}"
    );
    assert!(text.contains(&format!("\n     key {unusable}\n")), "{text}");
}

#[test]
fn a_step_says_whether_the_signature_had_held() {
    let token = hmac_key().sign(&claims()).unwrap();
    let (input, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", b64([0u8; 32]));
    for (token, verified) in [(&token, true), (&forged, false)] {
        for step in verifier().explain(token, NOW).steps {
            let before = ["syntax", "header", "key", "algorithm"].contains(&step.name);
            assert_eq!(step.verified, verified && !before, "{}", step.name);
        }
    }
}

#[test]
fn a_step_about_a_time_says_how_far_the_clocks_are_apart() {
    let now = NOW.unix_secs();
    let claims = claims_with(json!({"exp": now - 192, "nbf": now + 5, "iat": now - 600}));
    let report = verifier().explain(&mac(r#"{"alg":"HS256"}"#, claims.to_string()), NOW);
    let differences: Vec<_> = report
        .steps
        .iter()
        .filter_map(|step| step.clock_difference_secs.map(|secs| (step.name, secs)))
        .collect();
    assert_eq!(differences, [("exp", -192), ("nbf", 5), ("iat", -600)]);
}

#[test]
fn a_redacted_report_holds_no_value_of_the_token() {
    let canary = "s3cr3t-canary";
    let any = || {
        Policy::builder()
            .any_issuer()
            .any_audience()
            .typ(canary)
            .max_auth_age(Duration::ZERO)
            .build()
            .unwrap()
    };
    let header = json!({"alg": "HS256", "kid": canary, "typ": canary});
    let now = NOW.unix_secs();
    let cases = [
        json!({"iss": canary, "aud": canary, "sub": canary, "jti": canary}),
        json!({"iss": canary, "exp": now - 7_654_321, "nbf": now + 7_654_321, "iat": now + 7_654_321}),
        json!({"exp": now + 7_654_321, "nbf": now - 7_654_321, "iat": now - 7_654_321}),
        json!({"auth_time": now - 7_654_321, "nonce": canary, "events": {"a": canary}}),
        json!({"cnf": {"jkt": canary}, "sub": ""}),
        json!({"exp": canary}),
    ];
    for changes in cases {
        let mut claims = claims_with(changes);
        claims["own"] = canary.into();
        let token = mac(header.to_string(), claims.to_string());
        let mut quoted = false;
        for policy in [
            any(),
            policy(),
            Policy::access_token(ISS, AUD),
            Policy::id_token(ISS, AUD, "n"),
            Policy::logout_token(ISS, AUD),
        ] {
            let own = policy == any();
            let key = hmac_key().verifying_key();
            let report = Verifier::new(key, policy).explain(&token, NOW);
            let written = |report: &Report| {
                let json = serde_json::to_value(report).unwrap();
                let mut text = format!("{report} {json} {report:?}");
                if own {
                    // The policy's own word stays.
                    for own in [
                        format!("typ is {canary}, as expected"),
                        format!("\"expected\":\"{canary}\""),
                        format!("expected: Some(\"{canary}\")"),
                    ] {
                        text = text.replace(&own, "");
                    }
                }
                text
            };
            quoted |= written(&report).contains(canary);
            let redacted = report.clone().redacted();
            assert_eq!(redacted.error(), report.error());
            let text = written(&redacted);
            for value in [canary, "88 d", "7654321", "2026-08", "2027-02"] {
                assert!(!text.contains(value), "{value}: {text}");
            }
        }
        assert!(quoted, "what is not quoted needs no redaction");
    }
}

#[test]
fn a_redacted_report_shows_no_time_of_the_token_in_debug() {
    let exp = NOW.unix_secs() - 192;
    let token = mac(
        r#"{"alg":"HS256"}"#,
        claims_with(json!({ "exp": exp })).to_string(),
    );
    let redacted = verifier().explain(&token, NOW).redacted();
    let text = format!("{redacted:?}");
    assert!(text.contains("token_expired"), "{text}");
    assert!(!text.contains(&exp.to_string()), "{text}");
}

#[test]
fn an_ambiguous_key_is_reported_without_a_word_about_the_kid_of_the_token() {
    let keys = ["a", "b"].map(|kid| {
        SigningKey::generate(Algorithm::HS256)
            .unwrap()
            .with_key_id(kid)
    });
    let token = keys[0]
        .clone()
        .without_key_id()
        .sign(&claims_json())
        .unwrap();
    let set = JwkSet::new(keys.map(|key| key.verifying_key()));
    let report = Verifier::new(set, policy()).explain(&token, NOW);
    let error = report.error().unwrap();
    assert_eq!(error.code(), "key_ambiguous");
    assert_eq!(
        error.to_string(),
        "2 keys of the set fit the token alike; give each key a `kid` of its own, and name it in the token"
    );
}

#[test]
fn the_ladder_fits_into_100_columns() {
    let long = "https://a.very.long.issuer.example/tenants/0199aa10-0000-7000-8000-000000000000/oauth2/v2.0";
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let policy = || {
        Policy::builder()
            .issuer(long)
            .audience(AUD)
            .build()
            .unwrap()
    };
    let verifier = Verifier::new(key.verifying_key(), policy());
    for claims in [
        claims_with(json!({"iss": long})),
        claims_with(json!({"iss": format!("{long}/x"), "aud": [long, long], "exp": 1})),
    ] {
        let text = verifier
            .explain(&key.sign(&claims).unwrap(), NOW)
            .to_string();
        for line in text.lines() {
            // One word of a sender's may be longer than a line; words of ours are not.
            let fits = line.chars().count() <= 100 || line.contains(long);
            assert!(fits, "{line}");
        }
        let rules = text
            .lines()
            .filter_map(|line| line.find("RFC ").map(|at| line[..at].chars().count()));
        let columns: Vec<_> = rules.filter(|column| *column > 40).collect();
        assert!(columns.len() > 8, "{text}");
    }
    let short = Verifier::new(key.verifying_key(), crate::support::policy());
    let text = short
        .explain(&key.sign(&claims_json()).unwrap(), NOW)
        .to_string();
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let columns: Vec<_> = text
        .lines()
        .filter_map(|line| line.find("RFC ").map(|at| line[..at].chars().count()))
        .collect();
    assert!(
        columns.len() > 8 && columns.iter().all(|column| *column == 82),
        "{text}"
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
