//! RSA signatures whose padding is not the one that RFC 8017 wants. They were made with the private key of
//! `tests/data/keys/rsa-pkcs8.pem`, so that nothing but the padding is wrong.

use countersign::{Algorithm, Verifier, VerifyingKey};
use serde_json::Value;

use crate::support::*;

#[test]
fn rejects_every_padding_of_rsa_but_the_one_of_its_scheme() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../data/rsa-padding.json")).unwrap();
    let mut accepted = Vec::new();
    for vector in &vectors {
        let algorithm: Algorithm = vector["alg"].as_str().unwrap().parse().unwrap();
        let key = VerifyingKey::from_pem(algorithm, include_str!("../../data/keys/rsa-spki.pem"))
            .unwrap();
        let token = format!(
            "{}.{}",
            vector["input"].as_str().unwrap(),
            vector["signature"].as_str().unwrap()
        );
        let expected = if vector["holds"] == true {
            "ok"
        } else {
            "signature_invalid"
        };
        let outcome = code(Verifier::new(key, policy()).verify::<Value>(&token, NOW));
        assert_eq!(outcome, expected, "{algorithm}: {}", vector["what"]);
        if outcome == "ok" {
            accepted.push(algorithm);
        }
    }
    assert_eq!(
        (vectors.len(), accepted),
        (32, vec![Algorithm::RS256, Algorithm::PS256])
    );
}
