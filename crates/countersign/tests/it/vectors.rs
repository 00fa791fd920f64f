//! The examples of the RFCs.

use countersign::{
    Algorithm, Jwk, JwkSet, Jws, JwsBuilder, Policy, SigningKey, Timestamp, Unverified,
    VerifyingKey,
};
use serde_json::Value;

use crate::support::{code, unb64};

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
fn signatures_of_the_rfcs_verify_whatever_their_payload_is() {
    let mut verified = 0;
    for vector in vectors("jws")
        .iter()
        .filter(|vector| vector["valid"] == true)
    {
        let jws = Jws::parse(vector["compact"].as_str().unwrap()).unwrap();
        assert_eq!(
            payload_of(&jws, vector),
            payload(vector),
            "{}",
            name(vector)
        );
        verified += 1;
    }
    assert_eq!(verified, 13);
}

#[test]
fn signatures_in_json_verify_and_are_never_tokens() {
    let mut verified = 0;
    for vector in vectors("jws-json") {
        let text = vector["json"].to_string();
        let jws = Jws::parse(&text).unwrap();
        let keys = key_set(&vector["key"]);
        for outcome in [jws.verify(&keys), jws.verify_all(&keys)] {
            assert_eq!(
                outcome.unwrap().payload(),
                payload(&vector),
                "{}",
                name(&vector)
            );
        }
        assert!(Unverified::parse(&text).is_err(), "{}", name(&vector));
        verified += 1;
    }
    assert_eq!(verified, 2);
}

#[test]
fn an_unencoded_payload_verifies_where_crit_names_it_and_is_never_a_token() {
    let mut codes = Vec::new();
    for vector in vectors("jws-b64false") {
        let text = vector["json"].to_string();
        let outcome = Jws::parse(&text).map(|jws| payload_of(&jws, &vector));
        if let Ok(octets) = &outcome {
            assert_eq!(octets, &payload(&vector), "{}", name(&vector));
        }
        codes.push(code(outcome));
        if let Some(compact) = vector["compact"].as_str() {
            let jws = Jws::parse(compact).unwrap().with_payload(payload(&vector));
            assert_eq!(payload_of(&jws.unwrap(), &vector), payload(&vector));
            assert_eq!(code(Unverified::parse(compact)), "unencoded_payload");
        }
    }
    assert_eq!(codes, ["ok", "critical_unsupported"]);
}

#[test]
fn deterministic_signatures_come_out_as_in_the_rfcs() {
    // RFC 8037 §A.4, RFC 7797 §4.1 and §4.2: the headers are ours, octet by octet.
    let mut signed = 0;
    for vector in vectors("jws").iter().chain(&vectors("jws-b64false")) {
        let (8037 | 7797, true) = (vector["rfc"].as_u64().unwrap(), vector["valid"] == true) else {
            continue;
        };
        let algorithm = vector["alg"].as_str().unwrap().parse().unwrap();
        let key = SigningKey::from_jwk_as(&jwk(vector), algorithm).unwrap();
        let mut builder = JwsBuilder::new(payload(vector)).signer(&key);
        if vector["kind"] == "jws-b64false" {
            builder = builder.unencoded();
        }
        let mut jws = builder.sign().unwrap();
        if vector["detached"] == true {
            jws = jws.without_payload();
        }
        assert_eq!(
            jws.to_compact().unwrap(),
            vector["compact"],
            "{}",
            name(vector)
        );
        signed += 1;
    }
    assert_eq!(signed, 3);
}

fn payload(vector: &Value) -> Vec<u8> {
    unb64(vector["payload_b64u"].as_str().unwrap())
}

/// The payload, verified with the vector's own key.
fn payload_of(jws: &Jws, vector: &Value) -> Vec<u8> {
    let algorithm = vector["alg"].as_str().unwrap().parse().unwrap();
    let key = VerifyingKey::from_jwk_as(&jwk(vector), algorithm).unwrap();
    jws.verify(&key.into()).unwrap().into_payload()
}

fn key_set(set: &Value) -> JwkSet {
    let keys = set["keys"].as_array().unwrap().iter().map(|key| {
        let jwk = Jwk::parse(key.to_string().as_bytes()).unwrap();
        VerifyingKey::from_jwk_as(&jwk, algorithm_of(key)).unwrap()
    });
    JwkSet::new(keys)
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
