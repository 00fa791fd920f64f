//! jsonwebtoken: `verify` reads tokens and writes what it says of them, `sign` reads keys and writes tokens.

use std::io::{BufRead as _, stdin};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

fn main() {
    let lines = stdin()
        .lock()
        .lines()
        .map(|line| serde_json::from_str(&line.expect("text")).expect("a line of JSON"));
    match std::env::args().nth(1).as_deref() {
        Some("verify") => lines.for_each(|row| println!("{}", verify(&row))),
        Some("sign") => sign(&lines.collect::<Vec<Value>>()),
        _ => panic!("usage: peer-jsonwebtoken verify | sign"),
    }
}

fn verify(row: &Value) -> Value {
    // It reads the clock and cannot be told the time.
    if row["clock"] == true {
        return json!({"id": row["id"], "accepted": null});
    }
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let mut expected = Validation::new(text("alg").parse().expect("an algorithm"));
    expected.leeway = 0;
    expected.validate_nbf = true;
    expected.set_issuer(&[text("iss")]);
    expected.set_audience(&[text("aud")]);
    expected.set_required_spec_claims(&["exp", "iss", "aud"]);
    let jwk = serde_json::from_value(row["key"].clone()).expect("a JWK");
    let key = DecodingKey::from_jwk(&jwk).expect("a key");
    match jsonwebtoken::decode::<Value>(text("token"), &key, &expected) {
        Ok(token) => {
            let claims = (row["ours"] == "ok").then_some(token.claims);
            json!({"id": row["id"], "accepted": true, "claims": claims})
        }
        Err(error) => json!({"id": row["id"], "accepted": false, "error": error.to_string()}),
    }
}

fn sign(keys: &[Value]) {
    for at in 0..1_000 {
        let key = &keys[at % keys.len()];
        let alg: Algorithm = key["alg"].as_str().and_then(|alg| alg.parse().ok()).expect("an algorithm");
        let mut header = Header::new(alg);
        header.typ = (at % 3 > 0).then(|| "JWT".to_owned());
        header.kid = (at % 5 == 0).then(|| format!("key-{at}"));
        header.extras.insert("trace", at);
        let aud = if at % 2 == 0 { json!("orders-api") } else { json!(["billing-api", "orders-api"]) };
        let claims = json!({"iss": "https://id.example", "aud": aud, "exp": 4_102_444_800_u64 + at as u64, "iat": 1_500_000_000,
            "sub": format!("Ada Łukasz {at} \u{1f600}"), "nested": {"at": [at, -0.5, null, {"deep": "a\"\\\n"}]}});
        let token = jsonwebtoken::encode(&header, &claims, &own(key, alg)).expect("a signature");
        println!("{}", json!({"alg": key["alg"], "token": token, "claims": claims}));
    }
}

fn own(key: &Value, alg: Algorithm) -> EncodingKey {
    let pem = key["pem"].as_str().unwrap_or_default().as_bytes();
    match alg {
        Algorithm::RS256 | Algorithm::PS256 => EncodingKey::from_rsa_pem(pem),
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem),
        _ => {
            let jwk = serde_json::from_value(key["private"].clone()).expect("a JWK");
            let secret = DecodingKey::from_jwk(&jwk).expect("a secret");
            return EncodingKey::from_secret(secret.try_get_as_bytes().expect("a secret"));
        }
    }
    .expect("a key")
}
