//! Several issuers: none can speak for another.

use std::time::Duration;

use countersign::{
    Algorithm, ClaimsSet, Error, Issuers, JwkSet, Outcome, Policy, SigningHeader, SigningKey,
    Unverified, Verifier,
};
use serde_json::{Value, json};

use crate::support::*;

const OTHER: &str = "https://partner.example";

/// Two issuers whose keys have the same name and algorithm, for two audiences.
fn two() -> (SigningKey, SigningKey, Issuers) {
    let key = || {
        SigningKey::generate(Algorithm::ES256)
            .unwrap()
            .with_key_id("1")
    };
    let (ours, theirs) = (key(), key());
    let issuers = Issuers::new([
        Verifier::new(ours.verifying_key(), Policy::new(ISS, AUD)),
        Verifier::new(theirs.verifying_key(), Policy::new(OTHER, "partner-api")),
    ])
    .unwrap();
    (ours, theirs, issuers)
}

fn claims_of(iss: &str, aud: &str) -> ClaimsSet {
    ClaimsSet::new(iss, aud).expires_in(NOW, Duration::from_mins(10))
}

#[test]
fn accepts_a_token_of_each_issuer_under_its_own_key() {
    let (ours, theirs, issuers) = two();
    for (key, iss, aud) in [(&ours, ISS, AUD), (&theirs, OTHER, "partner-api")] {
        let token = key.sign(&claims_of(iss, aud)).unwrap();
        let verified = issuers.verify::<Value>(&token, NOW).unwrap();
        assert_eq!(verified.registered().iss(), Some(iss));
        assert!(issuers.explain(&token, NOW).valid);
    }
}

#[test]
fn the_place_of_an_issuer_is_that_of_its_verifier_and_says_nothing_of_the_token() {
    let (ours, theirs, issuers) = two();
    let keys: Vec<_> = issuers.verifiers().map(Verifier::keys).collect();
    let [first, second] = keys[..] else {
        panic!("{} verifiers", keys.len())
    };
    for (keys, key) in [(first, &ours), (second, &theirs)] {
        let thumbprints: Vec<_> = keys.keys().map(|key| key.thumbprint()).collect();
        assert_eq!(thumbprints, [key.verifying_key().thumbprint()]);
    }
    for (iss, place) in [
        (ISS, Ok(0)),
        (OTHER, Ok(1)),
        ("x", Err(Error::IssuerUnknown)),
    ] {
        let token = ours.sign(&claims_of(iss, AUD)).unwrap();
        let parsed = Unverified::parse(&token).unwrap();
        assert_eq!(issuers.position(&parsed), place);
    }
}

#[test]
fn rejects_an_issuer_mix_up_where_two_issuers_have_a_key_of_the_same_name() {
    let (ours, theirs, issuers) = two();
    for (key, iss, aud, expected) in [
        (&ours, OTHER, "partner-api", "signature_invalid"),
        (&theirs, ISS, AUD, "signature_invalid"),
        (&ours, ISS, "partner-api", "audience_mismatch"),
        (&theirs, OTHER, AUD, "audience_mismatch"),
        (&ours, "https://id.example/", AUD, "issuer_unknown"),
        (&ours, "", AUD, "issuer_unknown"),
    ] {
        let token = key.sign(&claims_of(iss, aud)).unwrap();
        assert_eq!(
            code(issuers.verify::<Value>(&token, NOW)),
            expected,
            "{iss}"
        );
        let report = issuers.explain(&token, NOW);
        assert_eq!(report.error().unwrap().code(), expected, "{report}");
    }
}

#[test]
fn a_kid_is_looked_up_among_the_keys_of_its_issuer_only() {
    let key = |kid: &str| {
        SigningKey::generate(Algorithm::ES256)
            .unwrap()
            .with_key_id(kid)
    };
    let (ours, theirs) = (key("ours"), key("theirs"));
    let issuers = Issuers::new([
        Verifier::new(JwkSet::new([ours.verifying_key()]), Policy::new(ISS, AUD)),
        Verifier::new(
            JwkSet::new([theirs.verifying_key()]),
            Policy::new(OTHER, AUD),
        ),
    ])
    .unwrap();
    let token = theirs.sign(&claims_of(ISS, AUD)).unwrap();
    assert_eq!(code(issuers.verify::<Value>(&token, NOW)), "key_not_found");
    let step = issuers
        .explain(&token, NOW)
        .steps
        .into_iter()
        .find(|step| step.name == "key")
        .unwrap();
    let kids: Vec<_> = step.keys.iter().map(|key| key.kid.as_deref()).collect();
    assert_eq!(kids, [Some("ours")]);
}

#[test]
fn rejects_a_token_that_says_no_issuer_or_says_it_wrongly() {
    let (ours, _, issuers) = two();
    for (claims, expected) in [
        (json!({"aud": AUD}), "claim_missing"),
        (json!({"iss": [ISS]}), "claim_type"),
        (json!({"iss": null}), "claim_type"),
    ] {
        let token = ours.sign(&claims).unwrap();
        assert_eq!(code(issuers.verify::<Value>(&token, NOW)), expected);
        let report = issuers.explain(&token, NOW);
        assert_eq!(report.error().unwrap().code(), expected);
        let issuer = report
            .steps
            .iter()
            .find(|step| step.name == "issuer")
            .unwrap();
        assert_eq!(issuer.outcome, Outcome::Failed);
    }
    assert_eq!(
        code(issuers.verify::<Value>("e30.e30", NOW)),
        "malformed_segments"
    );
    assert!(!issuers.explain("e30.e30", NOW).valid);
}

#[test]
fn each_issuer_has_its_own_kind_of_token_and_algorithms() {
    let (ours, theirs) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::EdDSA).unwrap(),
    );
    let both = || JwkSet::new([ours.verifying_key(), theirs.verifying_key()]);
    let es256 = Policy::builder()
        .issuer(ISS)
        .audience(AUD)
        .algorithm(Algorithm::ES256)
        .build()
        .unwrap();
    let typed = Policy::builder()
        .issuer(OTHER)
        .audience(AUD)
        .typ("x+jwt")
        .build()
        .unwrap();
    let issuers =
        Issuers::new([Verifier::new(both(), es256), Verifier::new(both(), typed)]).unwrap();
    let sign = |key: &SigningKey, iss, typ| {
        let header = SigningHeader::new().typ(typ);
        key.sign_with(&header, &claims_of(iss, AUD)).unwrap()
    };
    for (token, expected) in [
        (sign(&ours, ISS, "JWT"), "ok"),
        (sign(&theirs, ISS, "JWT"), "algorithm_refused"),
        (sign(&theirs, OTHER, "x+jwt"), "ok"),
        (sign(&theirs, OTHER, "JWT"), "type_mismatch"),
    ] {
        assert_eq!(code(issuers.verify::<Value>(&token, NOW)), expected);
    }
}

#[test]
fn rejects_issuers_that_are_not_told_apart() {
    let verifier = |policy| Verifier::new(hmac_key().verifying_key(), policy);
    let any = || {
        Policy::builder()
            .any_issuer()
            .audience(AUD)
            .build()
            .unwrap()
    };
    let several = Policy::builder()
        .issuer("a")
        .issuer("b")
        .audience(AUD)
        .build()
        .unwrap();
    for verifiers in [
        vec![],
        vec![verifier(any())],
        vec![verifier(Policy::new(ISS, AUD)), verifier(any())],
        vec![
            verifier(Policy::new(ISS, AUD)),
            verifier(Policy::access_token(ISS, "b")),
        ],
        vec![verifier(several.clone()), verifier(Policy::new("b", AUD))],
    ] {
        assert_eq!(code(Issuers::new(verifiers)), "policy");
    }
    assert!(Issuers::new([verifier(several), verifier(Policy::new("c", AUD))]).is_ok());
}

#[test]
fn the_report_says_that_the_issuer_is_so_far_only_claimed() {
    let (ours, _, issuers) = two();
    let token = ours.sign(&claims_of(ISS, AUD)).unwrap();
    let report = issuers.explain(&token, NOW);
    let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
    assert_eq!(names[..4], ["syntax", "header", "issuer", "key"]);
    assert!(!report.steps[2].verified && report.steps.last().unwrap().verified);
    let token = ours.sign(&claims_of("https://evil.example", AUD)).unwrap();
    let text = issuers.explain(&token, NOW).to_string();
    assert!(
        text.contains("✗ iss is \"https://evil.example\", which is not known here"),
        "{text}"
    );
    assert!(text.ends_with("refused: issuer_unknown"), "{text}");
}

#[test]
fn each_issuer_has_its_own_limit_of_size_whatever_another_ones_is() {
    let key = hmac_key();
    let policy = |iss: &str, bytes| {
        let policy = Policy::builder().issuer(iss).audience(AUD);
        policy.max_token_bytes(bytes).build().unwrap()
    };
    let verifier = |iss, bytes| Verifier::new(key.verifying_key(), policy(iss, bytes));
    let issuers = Issuers::new([verifier(ISS, 1_000), verifier(OTHER, 100_000)]).unwrap();
    for (iss, expected) in [(ISS, "malformed_too_large"), (OTHER, "ok")] {
        let claims = claims_of(iss, AUD).claim("x", "x".repeat(2_000)).unwrap();
        let token = key.sign(&claims).unwrap();
        assert_eq!(code(issuers.verify::<Value>(&token, NOW)), expected);
        assert_eq!(issuers.explain(&token, NOW).valid, expected == "ok");
    }
}
