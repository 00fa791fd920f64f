//! The examples of the RFCs.

use countersign::{
    Algorithm, Jwk, JwkSet, Policy, SigningKey, Timestamp, Unverified, VerifyingKey,
};
use serde_json::Value;

use crate::support::code;

fn vectors(kind: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../data/rfc.json")).unwrap();
    all.into_iter()
        .filter(|vector| vector["kind"] == kind)
        .collect()
}

fn name(vector: &Value) -> String {
    format!("RFC {} {}", vector["rfc"], vector["section"])
}

fn jwk(vector: &Value) -> Jwk {
    Jwk::parse(vector["key"].to_string().as_bytes()).unwrap()
}

#[test]
fn signed_tokens_of_the_rfcs_verify_with_their_keys() {
    // RFC 7515 §A.1 to §A.3 and RFC 7519 §3.1 expire on 2011-03-22; RFC 7797 §4.1 carries no claims.
    let before_expiry = Timestamp::from_unix_secs(1_300_819_379);
    let at_expiry = Timestamp::from_unix_secs(1_300_819_380);
    let policy = Policy::builder()
        .issuer("joe")
        .no_audience()
        .build()
        .unwrap();
    let mut verified = 0;
    for vector in vectors("jws")
        .iter()
        .filter(|vector| vector["payload"].as_str().unwrap_or("").contains("joe"))
    {
        let token = Unverified::parse(vector["compact"].as_str().unwrap()).unwrap();
        let Ok(algorithm) = token.header().algorithm() else {
            continue;
        };
        let key = VerifyingKey::from_jwk_as(&jwk(vector), algorithm).unwrap();
        let claims = token.verify::<Value>(&key, &policy, before_expiry).unwrap();
        assert_eq!(
            claims["http://example.com/is_root"],
            true,
            "{}",
            name(vector)
        );
        assert_eq!(
            code(token.verify::<Value>(&key, &policy, at_expiry)),
            "token_expired",
            "{}",
            name(vector)
        );
        verified += 1;
    }
    assert_eq!(verified, 4);
}

#[test]
fn tokens_that_the_rfcs_want_refused_are_refused() {
    let key = SigningKey::generate(Algorithm::ES256)
        .unwrap()
        .verifying_key();
    let policy = Policy::builder()
        .any_issuer()
        .any_audience()
        .build()
        .unwrap();
    let mut refused = Vec::new();
    for vector in vectors("jws")
        .iter()
        .filter(|vector| vector["valid"] == false)
    {
        let outcome = Unverified::parse(vector["compact"].as_str().unwrap())
            .and_then(|token| token.verify::<Value>(&key, &policy, Timestamp::from_unix_secs(0)));
        refused.push(code(outcome));
    }
    assert_eq!(refused, ["unsecured", "unsecured", "critical_unsupported"]);
}

#[test]
fn deterministic_signatures_come_out_as_in_the_rfcs() {
    // RFC 8037 §A.4: the payload is text, so the signature is compared through a token with the same key and our header.
    let [vector] = &vectors("jwk")
        .into_iter()
        .filter(|vector| vector["rfc"] == 8037)
        .collect::<Vec<_>>()[..]
    else {
        panic!("RFC 8037 has one key");
    };
    let key = SigningKey::from_jwk(&jwk(vector)).unwrap();
    let (first, second) = (
        key.sign(&serde_json::json!({})).unwrap(),
        key.sign(&serde_json::json!({})).unwrap(),
    );
    assert_eq!(first, second);
}

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let mut compared = 0;
    for vector in vectors("thumbprint") {
        let key = VerifyingKey::from_jwk_as(&jwk(&vector), algorithm_of(&vector["key"])).unwrap();
        assert_eq!(
            key.thumbprint().to_string(),
            vector["thumbprint"],
            "{}",
            name(&vector)
        );
        compared += 1;
    }
    for vector in vectors("thumbprint-uri") {
        let key = VerifyingKey::from_jwk_as(&jwk(&vector), algorithm_of(&vector["key"])).unwrap();
        assert_eq!(
            key.thumbprint().to_uri(),
            vector["thumbprint"],
            "{}",
            name(&vector)
        );
        compared += 1;
    }
    assert_eq!(compared, 3);
}

fn algorithm_of(jwk: &Value) -> Algorithm {
    match jwk["kty"].as_str().unwrap() {
        "RSA" => Algorithm::RS256,
        "EC" => Algorithm::ES256,
        _ => Algorithm::EdDSA,
    }
}

#[test]
fn key_sets_of_rfc_7517_are_read_and_published_without_private_members() {
    let mut read = 0;
    for vector in vectors("jwkset") {
        let set = JwkSet::parse(vector["key"].to_string().as_bytes()).unwrap();
        let public = set.to_public_json();
        for member in [
            "\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\"",
        ] {
            assert!(!public.contains(member), "{}: {member}", name(&vector));
        }
        read += 1;
    }
    assert_eq!(read, 3);
}
