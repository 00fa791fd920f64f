//! The rows of docs/THREATS.md that no other module covers: one weakness for each test. Here, the text of a token.

mod documents;
mod keys;
mod memory;
mod paddings;
mod sources;

use std::net::TcpListener;

use countersign::{Algorithm, Error, Malformed, SigningKey, Unverified, Verifier, VerifyingKey};
use serde_json::{Value, json};

use crate::support::*;

const HEADER: &str = r#"{"alg":"HS256"}"#;

/// What a token that says `text` in its header, and one that says it in its payload, are refused for; both MACs hold.
fn in_both_parts(text: &[u8]) -> [&'static str; 2] {
    [
        code(verify(&mac(text, claims_json().to_string()))),
        code(verify(&mac(HEADER, text))),
    ]
}

fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

fn utf_32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars()
        .flat_map(|letter| order(letter.into()))
        .collect()
}

#[test]
fn accepts_a_token_of_exactly_the_limit_and_rejects_one_byte_more() {
    let sized = |bytes: usize| {
        // Of a claim of any length; base64url makes four characters of three octets.
        let filled = |fill: usize| {
            mac(
                HEADER,
                claims_with(json!({"x": "x".repeat(fill)})).to_string(),
            )
        };
        let short = bytes - filled(0).len();
        (short / 4 * 3..=short)
            .map(filled)
            .find(|token| token.len() >= bytes)
            .unwrap()
    };
    let (fits, too_large) = (
        sized(countersign::MAX_TOKEN_BYTES),
        sized(countersign::MAX_TOKEN_BYTES + 1),
    );
    assert_eq!((fits.len(), too_large.len()), (16_384, 16_385));
    assert_eq!(code(verify(&fits)), "ok");
    assert_eq!(code(verify(&too_large)), "malformed_too_large");
}

#[test]
fn rejects_padding_and_unused_bits_in_every_part() {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // Parts whose last character carries unused bits: lengths of 2 and 3 modulo 4.
    let token = mac(r#"{"alg":"HS256"} "#, format!("{} ", claims_json()));
    let parts: Vec<&str> = token.split('.').collect();
    let mut others = 0;
    for at in 0..3 {
        let with = |part: String| {
            let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            changed[at] = part;
            changed.join(".")
        };
        assert_ne!(parts[at].len() % 4, 0, "part {at} has no unused bits");
        let padding = "=".repeat(4 - parts[at].len() % 4);
        assert_eq!(
            code(verify(&with(format!("{}{padding}", parts[at])))),
            "malformed_base64url",
            "part {at}"
        );
        let (head, last) = parts[at].split_at(parts[at].len() - 1);
        let last = LETTERS
            .iter()
            .position(|letter| *letter == last.as_bytes()[0])
            .unwrap();
        let unused = if parts[at].len() % 4 == 2 { 16 } else { 4 };
        for other in
            (last - last % unused..last - last % unused + unused).filter(|other| *other != last)
        {
            let spelling = with(format!("{head}{}", char::from(LETTERS[other])));
            assert_eq!(
                code(verify(&spelling)),
                "malformed_base64url",
                "part {at}: {spelling}"
            );
            others += 1;
        }
    }
    assert_eq!(others, 15 + 15 + 3);
}

#[test]
fn verifies_the_octets_that_were_received_and_not_what_they_mean() {
    // Members in another order, spaces, an escape: nothing that a writer of JSON would make again.
    let header = "{ \"typ\" : \"JWT\",\n\"alg\":\"HS\\u0032\\u00356\" }";
    let payload = claims_json().to_string().replace(',', " ,\t");
    let token = mac(header, &payload);
    assert_eq!(code(verify(&token)), "ok");
    let signature = token.rsplit('.').next().unwrap();
    let rewritten = |header: &str, payload: &str| {
        assert_eq!(code(verify(&mac(header, payload))), "ok");
        code(verify(&format!(
            "{}.{}.{signature}",
            b64(header),
            b64(payload)
        )))
    };
    assert_eq!(
        rewritten(r#"{"alg":"HS256","typ":"JWT"}"#, &payload),
        "signature_invalid"
    );
    assert_eq!(
        rewritten(header, &claims_json().to_string()),
        "signature_invalid"
    );
}

#[test]
fn rejects_text_that_is_not_utf_8() {
    for text in [
        HEADER.to_owned(),
        claims_json().to_string(),
        r#"{"alg":"HS256","é":1}"#.to_owned(),
    ] {
        for (order, octets) in [
            ("UTF-16, big end first", utf_16(&text, u16::to_be_bytes)),
            ("UTF-16, little end first", utf_16(&text, u16::to_le_bytes)),
            (
                "UTF-16 after its mark",
                [&[0xff, 0xfe][..], &utf_16(&text, u16::to_le_bytes)].concat(),
            ),
            ("UTF-32, big end first", utf_32(&text, u32::to_be_bytes)),
            ("UTF-32, little end first", utf_32(&text, u32::to_le_bytes)),
        ] {
            for outcome in in_both_parts(&octets) {
                assert!(
                    ["malformed_utf8", "malformed_json"].contains(&outcome),
                    "{order}: {outcome}"
                );
            }
        }
    }
    assert_eq!(
        in_both_parts(b"{\"alg\":\"HS256\",\"sub\":\"\xe9\"}"),
        ["malformed_utf8"; 2]
    );
}

#[test]
fn rejects_a_byte_order_mark() {
    for text in [HEADER.to_owned(), claims_json().to_string()] {
        assert_eq!(
            in_both_parts(format!("\u{feff}{text}").as_bytes()),
            ["malformed_json"; 2]
        );
    }
}

#[test]
fn rejects_half_of_a_surrogate_pair() {
    for half in [
        "\\ud834",
        "\\udd1e",
        "\\ud834\\ud834",
        "\\udd1e\\ud834",
        "\\ud834x",
        "\\ud834\\n",
    ] {
        for text in [
            format!(r#"{{"alg":"HS256","kid":"{half}"}}"#),
            format!(r#"{{"alg":"HS256","{half}":1}}"#),
            format!(r#"{{"alg":"HS256","a":["{half}"]}}"#),
        ] {
            assert_eq!(
                in_both_parts(text.as_bytes()),
                ["malformed_json"; 2],
                "{text}"
            );
        }
    }
    let both = claims_with(json!({"name": "\u{1d11e}"}))
        .to_string()
        .replace('\u{1d11e}', "\\ud834\\udd1e");
    assert_eq!(verify(&mac(HEADER, both)).unwrap()["name"], "\u{1d11e}");
}

#[test]
fn a_number_that_no_integer_type_holds_is_a_typed_error_and_never_another_number() {
    #[derive(Debug, serde::Deserialize)]
    struct Order {
        order: u64,
    }
    let read = |number: &str| {
        let payload = claims_with(json!({"order": "#"}))
            .to_string()
            .replace("\"#\"", number);
        Verifier::new(hmac_key().verifying_key(), policy())
            .verify::<Order>(&mac(HEADER, payload), NOW)
    };
    assert_eq!(read("18446744073709551615").unwrap().order, u64::MAX);
    for number in [
        "18446744073709551616",
        "1e300",
        "-1",
        "1.5",
        "1e2",
        "123456789012345678901234567890",
    ] {
        assert_eq!(code(read(number)), "claims_shape", "{number}");
    }
    assert_eq!(code(read("1e999")), "malformed_json");
    for claim in ["exp", "nbf", "iat"] {
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "1e300",
            "-1e300",
        ] {
            let payload = claims_with(json!({ claim: "#" }))
                .to_string()
                .replace("\"#\"", number);
            assert_eq!(
                code(verify(&mac(HEADER, payload))),
                "claim_type",
                "{claim} {number}"
            );
        }
    }
}

#[test]
fn a_kid_is_a_name_and_neither_a_path_nor_part_of_a_query() {
    for kid in [
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "file:///etc/hostname",
        "' UNION SELECT 'secret'; --",
        "\" OR \"1\"=\"1",
        "*)(objectClass=*",
        "|sleep 10",
        "$(id)",
        "key\r\nSet-Cookie: a=b",
        "key\u{0}",
        "\u{1b}[2J",
        "{{7*7}}",
        "%2e%2e%2f",
        "",
    ] {
        let key = hmac_key();
        let token = key.clone().with_key_id(kid).sign(&claims()).unwrap();
        let named = Verifier::new(key.clone().with_key_id(kid).verifying_key(), policy());
        assert_eq!(code(named.verify::<Value>(&token, NOW)), "ok", "{kid:?}");
        let other = Verifier::new(key.with_key_id("other").verifying_key(), policy());
        let error = other.verify::<Value>(&token, NOW).unwrap_err();
        assert_eq!(error, Error::KeyNotFound, "{kid:?}");
        assert_eq!(
            error.to_string(),
            "no key of the set fits the `kid` and `alg` of the token"
        );
    }
}

/// A token of `key` with a header of any kind, which the library itself would not write.
fn signed_under(key: &SigningKey, header: &Value) -> String {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let input = format!(
        "{}.{}",
        b64(header.to_string()),
        b64(claims_json().to_string())
    );
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.to_der().unwrap()).unwrap();
    let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    format!("{input}.{}", b64(signature))
}

#[test]
fn rejects_a_signature_by_a_key_that_the_header_brings() {
    let (ours, attackers) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let jwk: Value =
        serde_json::from_str(&attackers.verifying_key().to_public_jwk().unwrap().to_json())
            .unwrap();
    let verifier = Verifier::new(ours.verifying_key().without_key_id(), policy());
    let control = signed_under(&attackers, &json!({"alg": "ES256"}));
    let theirs = Verifier::new(attackers.verifying_key().without_key_id(), policy());
    assert_eq!(code(theirs.verify::<Value>(&control, NOW)), "ok");
    for (member, value) in [
        ("jwk", jwk.clone()),
        (
            "x5c",
            json!([base64_of(&attackers.verifying_key().to_der().unwrap())]),
        ),
        ("x5t", json!(attackers.thumbprint().to_string())),
        ("x5t#S256", json!(attackers.thumbprint().to_string())),
        ("kid", json!(attackers.key_id())),
    ] {
        let token = signed_under(&attackers, &json!({"alg": "ES256", member: value}));
        assert_eq!(
            code(verifier.verify::<Value>(&token, NOW)),
            "signature_invalid",
            "{member}"
        );
    }
    // A secret that the header brings, for an HMAC that anybody can make.
    let header = json!({"alg": "HS256", "jwk": {"kty": "oct", "k": b64(&SECRET[..32])}});
    let token = mac(header.to_string(), claims_json().to_string());
    assert_eq!(
        code(verifier.verify::<Value>(&token, NOW)),
        "algorithm_mismatch"
    );
    let other = VerifyingKey::from_secret(Algorithm::HS256, &SECRET[32..64]).unwrap();
    assert_eq!(
        code(Verifier::new(other, policy()).verify::<Value>(&token, NOW)),
        "signature_invalid"
    );
}

fn base64_of(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

#[test]
fn no_url_of_a_header_is_fetched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let attackers = SigningKey::generate(Algorithm::ES256).unwrap();
    let ours = SigningKey::generate(Algorithm::ES256).unwrap();
    let verifier = Verifier::new(ours.verifying_key().without_key_id(), policy());
    for url in [
        url.as_str(),
        "file:///etc/hostname",
        "data:application/json,{\"keys\":[]}",
        "https://169.254.169.254/",
    ] {
        for member in ["jku", "x5u"] {
            let token = signed_under(&attackers, &json!({"alg": "ES256", member: url}));
            assert_eq!(
                code(verifier.verify::<Value>(&token, NOW)),
                "signature_invalid",
                "{member} {url}"
            );
            assert!(!verifier.explain(&token, NOW).valid);
        }
    }
    let none = listener.accept().unwrap_err().kind();
    assert_eq!(
        none,
        std::io::ErrorKind::WouldBlock,
        "somebody came for the keys"
    );
}

#[test]
fn rejects_claims_that_were_encrypted_to_the_public_key() {
    let tokens: Vec<Value> = serde_json::from_str(include_str!("../data/encrypted.json")).unwrap();
    for token in &tokens {
        let key = match token["key"].as_str().unwrap() {
            "rsa" => {
                VerifyingKey::from_pem(Algorithm::RS256, include_str!("../data/keys/rsa-spki.pem"))
            }
            _ => {
                VerifyingKey::from_pem(Algorithm::ES256, include_str!("../data/keys/p256-spki.pem"))
            }
        };
        let text = token["token"].as_str().unwrap();
        let verifier = Verifier::new(key.unwrap(), policy());
        let refused = Error::Malformed(Malformed::Encrypted);
        assert_eq!(
            verifier.verify::<Value>(text, NOW).unwrap_err(),
            refused,
            "{}",
            token["alg"]
        );
        assert_eq!(
            verifier.explain(text, NOW).error(),
            Some(&refused),
            "{}",
            token["alg"]
        );
        // Nor by its first three parts.
        let cut = text.splitn(4, '.').take(3).collect::<Vec<_>>().join(".");
        assert!(
            Unverified::parse(&cut)
                .and_then(|_| verifier.verify::<Value>(&cut, NOW))
                .is_err()
        );
    }
    assert_eq!(tokens.len(), 8);
}
