//! The examples of RFC 7520 and their companions, where `COUNTERSIGN_VECTORS` names a folder that holds `cookbook/`.

use std::path::PathBuf;
use std::sync::Once;

use countersign::{
    Algorithm, Error, Jwk, JwkSet, Jws, JwsBuilder, JwsSigner, SigningKey, VerifiedJws,
    VerifyingKey,
};
use serde_json::Value;

use crate::support::{b64, code};

/// The files of one folder, by name; `None` where there are none to read.
fn files(folder: &str) -> Option<Vec<(String, Value)>> {
    static SKIPPED: Once = Once::new();
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map(PathBuf::from);
    let Some(root) = root
        .map(|root| root.join("cookbook"))
        .filter(|root| root.is_dir())
    else {
        SKIPPED.call_once(|| {
            println!("skipped: COUNTERSIGN_VECTORS names no folder that holds cookbook/");
        });
        return None;
    };
    let mut files: Vec<(String, Value)> = std::fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read(&path).unwrap();
            (name, serde_json::from_slice(&text).unwrap())
        })
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(files)
}

/// The keys of an example, each with its algorithm: `key` and `alg` are one value or one list.
fn keys(example: &Value) -> Vec<(Jwk, Algorithm)> {
    let list = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let algorithm = |alg: &Value| alg.as_str().unwrap().parse().unwrap();
    list(&example["input"]["key"])
        .iter()
        .zip(list(&example["input"]["alg"]))
        .map(|(key, alg)| {
            (
                Jwk::parse(key.to_string().as_bytes()).unwrap(),
                algorithm(&alg),
            )
        })
        .collect()
}

fn key_set(example: &Value) -> JwkSet {
    let key = |(jwk, algorithm): &(Jwk, Algorithm)| VerifyingKey::from_jwk_as(jwk, *algorithm);
    JwkSet::new(keys(example).iter().map(|pair| key(pair).unwrap()))
}

/// The texts of an example's JWS: compact, general and flattened, as many as it has.
fn texts(example: &Value) -> Vec<String> {
    let output = |form: &str| match &example["output"][form] {
        Value::Null => None,
        Value::String(compact) => Some(compact.clone()),
        document => Some(document.to_string()),
    };
    ["compact", "json", "json_flat"]
        .into_iter()
        .filter_map(output)
        .collect()
}

/// Parses, hands over the payload where it is detached, and verifies every signature.
fn verify_all(example: &Value, text: &str) -> Result<VerifiedJws, Error> {
    let mut jws = Jws::parse(text)?;
    if jws.is_detached() {
        jws = jws.with_payload(payload(example))?;
    }
    jws.verify_all(&key_set(example))
}

fn payload(example: &Value) -> &str {
    example["input"]["payload"].as_str().unwrap()
}

#[test]
fn signatures_of_the_cookbook_verify_in_each_of_their_forms() {
    let (Some(mut examples), Some(curve25519), Some(rfc7797)) =
        (files("jws"), files("curve25519"), files("rfc7797"))
    else {
        return;
    };
    examples.extend(
        curve25519
            .into_iter()
            .filter(|(name, _)| name == "jws.json"),
    );
    examples.extend(
        rfc7797
            .into_iter()
            .filter(|(name, _)| !name.starts_with("4.2")),
    );
    let (mut verified, mut unprotected) = (0, 0);
    for (name, example) in &examples {
        for text in texts(example) {
            let outcome = verify_all(example, &text);
            // 4.7 and one signature of 4.8 have `alg` outside the protected header.
            if name.starts_with("4_7") || name.starts_with("4_8") {
                assert_eq!(code(outcome), "algorithm_unprotected", "{name}");
                let jws = Jws::parse(&text).unwrap().allow_unprotected_alg();
                let outcome = jws.verify_all(&key_set(example)).unwrap();
                assert_eq!(outcome.payload(), payload(example).as_bytes(), "{name}");
                assert_eq!(outcome.signatures().count(), keys(example).len(), "{name}");
                unprotected += 1;
                continue;
            }
            assert_eq!(
                outcome.unwrap().payload(),
                payload(example).as_bytes(),
                "{name}"
            );
            let spoiled = text.replacen(&b64(&payload(example)[..9]), &b64("It is one"), 1);
            if spoiled != text {
                assert_eq!(
                    code(verify_all(example, &spoiled)),
                    "signature_invalid",
                    "{name}"
                );
            }
            verified += 1;
        }
    }
    // Five of 4.1 to 4.5 in three forms, 4.6 in two, Ed25519 and `b64` in three; 4.7 in two, 4.8 in one.
    assert_eq!((examples.len(), verified, unprotected), (10, 23, 3));
}

#[test]
fn one_of_several_signatures_is_enough_and_its_headers_alone_come_out() {
    let Some(examples) = files("jws") else {
        return;
    };
    let (_, example) = examples
        .iter()
        .find(|(name, _)| name.starts_with("4_8"))
        .unwrap();
    let mut verified = 0;
    for (jwk, algorithm) in keys(example) {
        let key = VerifyingKey::from_jwk_as(&jwk, algorithm).unwrap();
        let jws = Jws::parse(&texts(example)[0]).unwrap();
        let outcome = jws.verify(&key.clone().into());
        if algorithm == Algorithm::ES512 {
            assert_eq!(code(outcome), "algorithm_unprotected");
            continue;
        }
        let outcome = outcome.unwrap();
        assert_eq!(outcome.signatures().count(), 1);
        assert_eq!(outcome.signature().header().algorithm(), Ok(algorithm));
        assert_eq!(outcome.signature().key().key_id(), key.key_id());
        verified += 1;
    }
    assert_eq!(verified, 2);
}

#[test]
fn signatures_that_are_deterministic_come_out_as_in_the_cookbook() {
    let (Some(mut examples), Some(curve25519), Some(rfc7797)) =
        (files("jws"), files("curve25519"), files("rfc7797"))
    else {
        return;
    };
    examples.extend(curve25519);
    examples.extend(rfc7797);
    let mut signed = 0;
    // 4.7 protects no `alg`, which is never written here; the `b64` example without `crit` neither.
    for (name, example) in examples.iter().filter(|(name, example)| {
        example["reproducible"] == true
            && !["4_7", "4.2", "ecdh"]
                .iter()
                .any(|other| name.starts_with(other))
    }) {
        let (jwk, algorithm) = keys(example).remove(0);
        let mut key = SigningKey::from_jwk_as(&jwk, algorithm).unwrap();
        let unprotected = example["signing"]["unprotected"]["kid"].as_str();
        if unprotected.is_some() {
            key = key.without_key_id();
        }
        let mut signer = JwsSigner::new(&key);
        if let Some(kid) = unprotected {
            signer = signer.unprotected("kid", kid.into()).unwrap();
        }
        let mut builder = JwsBuilder::new(payload(example)).signer(signer);
        if example["signing"]["protected"]["b64"] == false {
            builder = builder.unencoded();
        }
        let mut jws = builder.sign().unwrap();
        if example["output"]["json"].get("payload").is_none() {
            jws = jws.without_payload();
        }
        let json =
            |text: Result<String, Error>| serde_json::from_str::<Value>(&text.unwrap()).unwrap();
        if let Some(compact) = example["output"]["compact"].as_str() {
            assert_eq!(jws.to_compact().unwrap(), compact, "{name}");
        }
        assert_eq!(json(jws.to_general()), example["output"]["json"], "{name}");
        assert_eq!(
            json(jws.to_flattened()),
            example["output"]["json_flat"],
            "{name}"
        );
        signed += 1;
    }
    assert_eq!(signed, 6);
}

#[test]
fn rejects_the_unencoded_payload_of_the_cookbook_that_crit_does_not_name() {
    let Some(examples) = files("rfc7797") else {
        return;
    };
    let mut refused = 0;
    for (_, example) in examples.iter().filter(|(name, _)| name.starts_with("4.2")) {
        for text in texts(example) {
            assert_eq!(code(Jws::parse(&text)), "critical_unsupported");
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
}

#[test]
fn keys_of_the_cookbook_are_read() {
    let Some(examples) = files("jwk") else {
        return;
    };
    let mut private = Vec::new();
    for (name, example) in &examples {
        let jwk = Jwk::parse(example.to_string().as_bytes()).unwrap();
        assert_eq!(jwk.key_id(), example["kid"].as_str(), "{name}");
        if jwk.is_private() {
            private.push(name.split('.').next().unwrap());
        }
    }
    assert_eq!(examples.len(), 6);
    assert_eq!(private, ["3_2", "3_4", "3_5", "3_6"]);
}
