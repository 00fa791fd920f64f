//! JWS over any payload: compact, flattened and general, attached and detached, encoded or not.

mod properties;
mod syntax;

use countersign::{
    Algorithm, Error, JwkSet, Jws, JwsBuilder, JwsSigner, MAX_SIGNATURES, SigningHeader,
    SigningKey, Unverified, VerifiedJws,
};
use serde_json::{Value, json};

use crate::support::*;

/// A payload that is neither JSON nor UTF-8, and holds a dot.
const OCTETS: &[u8] = b"\0.\xff";

fn hmac_keys() -> JwkSet {
    hmac_key().verifying_key().into()
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

fn signed(payload: impl Into<Vec<u8>>) -> Jws {
    JwsBuilder::new(payload).signer(&hmac_key()).sign().unwrap()
}

fn unencoded(payload: impl Into<Vec<u8>>) -> Jws {
    let builder = JwsBuilder::new(payload).unencoded();
    builder.signer(&hmac_key()).sign().unwrap()
}

fn verify(text: &str) -> Result<VerifiedJws, Error> {
    Jws::parse(text)?.verify(&hmac_keys())
}

fn verify_detached(text: &str, payload: &[u8]) -> Result<VerifiedJws, Error> {
    Jws::parse(text)?
        .with_payload(payload)?
        .verify(&hmac_keys())
}

/// A flattened JWS of exactly these header octets, with a MAC that holds.
fn flattened(protected: &str, payload: &str) -> Value {
    let token = mac(protected, payload);
    let parts: Vec<&str> = token.split('.').collect();
    json!({"payload": parts[1], "protected": parts[0], "signature": parts[2]})
}

fn with(mut document: Value, changes: Value) -> String {
    for (name, value) in changes.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

#[test]
fn accepts_any_octets_in_every_form_and_under_every_kind_of_key() {
    for algorithm in [
        Algorithm::HS512,
        Algorithm::RS256,
        Algorithm::PS384,
        Algorithm::ES512,
        Algorithm::EdDSA,
    ] {
        let key = key(algorithm);
        for payload in [b"".as_slice(), b"{}", OCTETS] {
            let jws = JwsBuilder::new(payload).signer(&key).sign().unwrap();
            for text in [jws.to_compact(), jws.to_flattened(), jws.to_general()] {
                let parsed = Jws::parse(&text.unwrap()).unwrap();
                let verified = parsed.verify(&key.verifying_key().into()).unwrap();
                assert_eq!(verified.payload(), payload, "{algorithm}");
                let signature = verified.signature();
                assert_eq!(signature.header().algorithm(), Ok(algorithm));
                assert_eq!(signature.key().key_id(), key.key_id());
                assert!(signature.unprotected_header().is_none());
                assert_eq!(verified.into_payload(), payload);
            }
        }
    }
}

#[test]
fn rejects_a_key_that_did_not_sign() {
    for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA] {
        let text = signed_by(&key(algorithm).without_key_id()).to_general();
        let other = key(algorithm).without_key_id().verifying_key();
        let outcome = Jws::parse(&text.unwrap()).unwrap().verify(&other.into());
        assert_eq!(code(outcome), "signature_invalid", "{algorithm}");
    }
}

fn signed_by(key: &SigningKey) -> Jws {
    JwsBuilder::new(OCTETS).signer(key).sign().unwrap()
}

#[test]
fn the_header_holds_alg_and_kid_of_the_key_and_what_the_caller_adds() {
    let key = hmac_key().with_key_id("7");
    let header = |jws: Jws| jws.unverified_headers().next().unwrap().to_value();
    assert_eq!(header(signed_by(&key)), json!({"alg": "HS256", "kid": "7"}));
    let signer = JwsSigner::new(&key).header(SigningHeader::new().typ("receipt"));
    let jws = JwsBuilder::new("one coffee").signer(signer).sign();
    assert_eq!(
        header(jws.unwrap()),
        json!({"alg": "HS256", "kid": "7", "typ": "receipt"})
    );
}

#[test]
fn a_jws_in_json_is_never_a_token() {
    let token = hmac_key().sign(&claims()).unwrap();
    let jws = Jws::parse(&token).unwrap();
    assert_eq!(code(jws.verify(&hmac_keys())), "ok");
    assert_eq!(
        code(crate::support::verify(&jws.to_compact().unwrap())),
        "ok"
    );
    for text in [jws.to_flattened().unwrap(), jws.to_general().unwrap()] {
        assert_eq!(code(verify(&text)), "ok");
        assert_eq!(code(Unverified::parse(&text)), "malformed_segments");
    }
}

#[test]
fn an_unencoded_payload_is_never_a_token() {
    let text = unencoded(claims_json().to_string().replace('.', "-"));
    let text = text.to_compact().unwrap();
    assert_eq!(code(verify(&text)), "ok");
    assert_eq!(code(Unverified::parse(&text)), "unencoded_payload");
}

#[test]
fn a_detached_payload_is_handed_over_and_nothing_else_passes_for_it() {
    for jws in [signed(OCTETS), unencoded(OCTETS)] {
        let jws = jws.without_payload();
        for text in [jws.to_compact(), jws.to_flattened(), jws.to_general()] {
            let text = text.unwrap();
            assert!(Jws::parse(&text).unwrap().is_detached());
            let verified = verify_detached(&text, OCTETS).unwrap();
            assert_eq!(verified.payload(), OCTETS);
            for other in [b"".as_slice(), b"\0.", b"AC7_"] {
                assert_eq!(code(verify_detached(&text, other)), "signature_invalid");
            }
        }
        // Compact, a payload that is detached looks like one that is empty; in JSON it is absent.
        assert_eq!(
            code(verify(&jws.to_compact().unwrap())),
            "signature_invalid"
        );
        assert_eq!(code(verify(&jws.to_general().unwrap())), "payload_detached");
        assert_eq!(code(jws.verify_all(&hmac_keys())), "payload_detached");
    }
}

#[test]
fn rejects_a_detached_payload_beside_an_attached_one() {
    for jws in [signed("pay ada"), unencoded("pay ada")] {
        for text in [jws.to_compact(), jws.to_flattened(), jws.to_general()] {
            let text = text.unwrap();
            for payload in ["pay eve", "pay ada", ""] {
                assert_eq!(
                    code(verify_detached(&text, payload.as_bytes())),
                    "malformed_payload_twice"
                );
            }
        }
    }
}

#[test]
fn an_unencoded_payload_stands_in_the_text_as_it_is_and_crit_says_so() {
    let text = unencoded("$20 ~ one coffee").to_compact().unwrap();
    let (header, rest) = text.split_once('.').unwrap();
    assert_eq!(
        unb64(header),
        br#"{"alg":"HS256","b64":false,"crit":["b64"]}"#
    );
    assert!(rest.starts_with("$20 ~ one coffee."));
    assert_eq!(verify(&text).unwrap().payload(), b"$20 ~ one coffee");
    let text = unencoded("$.02 “\n”").to_flattened().unwrap();
    assert!(text.contains("$.02 “\\n”"));
    assert_eq!(verify(&text).unwrap().payload(), "$.02 “\n”".as_bytes());
}

#[test]
fn rejects_an_unencoded_payload_that_its_form_cannot_carry() {
    for payload in [".", "$.02", "a\nb", "\u{7f}", "é", "\0"] {
        let jws = unencoded(payload);
        assert_eq!(code(jws.to_compact()), "jws_unwritable", "{payload:?}");
        assert_eq!(code(jws.to_flattened()), "ok", "{payload:?}");
        let detached = jws.without_payload().to_compact().unwrap();
        let attached = detached.replacen("..", &format!(".{payload}."), 1);
        assert!(
            ["malformed_unencoded_payload", "malformed_segments"]
                .contains(&code(verify(&attached))),
            "{payload:?}"
        );
    }
    assert_eq!(code(unencoded(OCTETS).to_flattened()), "jws_unwritable");
    assert_eq!(code(unencoded(OCTETS).to_general()), "jws_unwritable");
}

#[test]
fn rejects_an_unprotected_alg_unless_it_is_asked_for_and_then_too_the_key_decides() {
    let (_, signature) = flattened_without_header();
    let text = |header: Value| {
        json!({"payload": b64("pay"), "header": header, "signature": signature}).to_string()
    };
    let good = text(json!({"alg": "HS256"}));
    assert_eq!(code(verify(&good)), "algorithm_unprotected");
    let jws = Jws::parse(&good).unwrap().allow_unprotected_alg();
    let verified = jws.verify(&hmac_keys()).unwrap();
    assert_eq!(verified.signature().header().to_value(), json!({}));
    let unprotected = verified.signature().unprotected_header().unwrap();
    assert_eq!(unprotected.alg(), "HS256");
    for (alg, expected) in [
        ("HS512", "algorithm_mismatch"),
        ("none", "unsecured"),
        ("x", "algorithm_unknown"),
    ] {
        let jws = Jws::parse(&text(json!({ "alg": alg }))).unwrap();
        let outcome = jws.allow_unprotected_alg().verify(&hmac_keys());
        assert_eq!(code(outcome), expected, "{alg}");
    }
}

/// The MAC over no header and the payload `pay`.
fn flattened_without_header() -> (String, String) {
    let token = mac_text(&format!(".{}", b64("pay")));
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.to_owned(), signature.to_owned())
}

#[test]
fn one_signature_that_holds_is_enough_and_only_its_headers_come_out() {
    let (ada, eve) = (key(Algorithm::ES256), key(Algorithm::ES256));
    let admin = SigningHeader::new().param("role", json!("admin")).unwrap();
    let jws = JwsBuilder::new("pay")
        .signer(JwsSigner::new(&eve).header(admin))
        .signer(&ada)
        .sign()
        .unwrap();
    let text = jws.to_general().unwrap();
    let parsed = Jws::parse(&text).unwrap();
    let keys = ada.verifying_key().into();
    let verified = parsed.verify(&keys).unwrap();
    assert_eq!(verified.signatures().count(), 1);
    assert_eq!(verified.signature().header().kid(), ada.key_id());
    assert_eq!(verified.signature().header().get("role"), None);
    assert_eq!(code(parsed.verify_all(&keys)), "key_not_found");

    let keys = JwkSet::new([ada.verifying_key(), eve.verifying_key()]);
    let verified = parsed.verify(&keys).unwrap();
    assert_eq!(verified.signature().header().kid(), eve.key_id());
    let verified = parsed.verify_all(&keys).unwrap();
    let kids: Vec<_> = verified
        .signatures()
        .map(|one| one.key().key_id())
        .collect();
    assert_eq!(kids, [eve.key_id(), ada.key_id()]);
}

#[test]
fn a_signature_that_fails_lends_its_headers_to_no_other() {
    let (ada, ben) = (key(Algorithm::ES256), key(Algorithm::EdDSA));
    let jws = JwsBuilder::new("pay").signer(&ada).signer(&ben).sign();
    let mut document: Value = serde_json::from_str(&jws.unwrap().to_general().unwrap()).unwrap();
    document["signatures"][0]["signature"] = json!(b64([1; 64]));
    document["signatures"][0]["header"] = json!({"role": "admin"});
    let keys = JwkSet::new([ada.verifying_key(), ben.verifying_key()]);
    let parsed = Jws::parse(&document.to_string()).unwrap();
    let verified = parsed.verify(&keys).unwrap();
    assert_eq!(verified.signatures().count(), 1);
    assert_eq!(verified.signature().header().kid(), ben.key_id());
    assert!(verified.signature().unprotected_header().is_none());
    assert_eq!(code(parsed.verify_all(&keys)), "signature_invalid");
    document["signatures"][1]["signature"] = json!("");
    let parsed = Jws::parse(&document.to_string()).unwrap();
    assert_eq!(code(parsed.verify(&keys)), "signature_invalid");
    // The refusal is that of the signature for which there was a key.
    let outcome = parsed.verify(&ben.verifying_key().into());
    assert_eq!(code(outcome), "signature_invalid");
}

#[test]
fn keys_of_a_set_are_found_by_kid_and_without_one_only_where_one_fits() {
    let (ada, ben) = (key(Algorithm::ES256), key(Algorithm::ES256));
    let keys = JwkSet::new([ada.verifying_key(), ben.verifying_key()]);
    let named = signed_by(&ben).to_flattened().unwrap();
    assert_eq!(code(Jws::parse(&named).unwrap().verify(&keys)), "ok");
    let nameless = signed_by(&ben.clone().without_key_id());
    let text = nameless.to_flattened().unwrap();
    let parsed = Jws::parse(&text).unwrap();
    assert_eq!(code(parsed.verify(&keys)), "key_ambiguous");
    let only = JwkSet::new([ben.verifying_key(), key(Algorithm::EdDSA).verifying_key()]);
    assert_eq!(code(parsed.verify(&only)), "ok");
    // A `kid` that is not protected selects too: it is a hint either way.
    let document: Value = serde_json::from_str(&text).unwrap();
    for (kid, expected) in [
        (ben.key_id(), "ok"),
        (ada.key_id(), "signature_invalid"),
        (Some("7"), "key_not_found"),
    ] {
        let text = with(document.clone(), json!({"header": {"kid": kid}}));
        assert_eq!(code(Jws::parse(&text).unwrap().verify(&keys)), expected);
    }
}

#[test]
fn rejects_signers_and_forms_that_do_not_go_together() {
    let named = hmac_key().with_key_id("7");
    let sign = |builder: JwsBuilder| code(builder.sign());
    assert_eq!(sign(JwsBuilder::new("pay")), "jws_unwritable");
    let many = |times| (0..times).fold(JwsBuilder::new("pay"), |all, _| all.signer(&named));
    assert_eq!(sign(many(MAX_SIGNATURES)), "ok");
    assert_eq!(sign(many(MAX_SIGNATURES + 1)), "jws_unwritable");
    let kid = |key: &SigningKey| JwsSigner::new(key).unprotected("kid", json!("7")).unwrap();
    assert_eq!(
        sign(JwsBuilder::new("pay").signer(kid(&named))),
        "jws_unwritable"
    );
    assert_eq!(sign(JwsBuilder::new("pay").signer(kid(&hmac_key()))), "ok");
    for name in ["alg", "crit", "b64", "typ", "jwk", "jku", "x5u", "x5c"] {
        let outcome = JwsSigner::new(&named).unprotected(name, json!("x"));
        assert_eq!(code(outcome), "reserved_name", "{name}");
    }
    let two = many(2).sign().unwrap();
    assert_eq!(code(two.to_compact()), "jws_unwritable");
    assert_eq!(code(two.to_flattened()), "jws_unwritable");
    assert_eq!(code(two.to_general()), "ok");
    let unprotected = JwsBuilder::new("pay")
        .signer(kid(&hmac_key()))
        .sign()
        .unwrap();
    assert_eq!(code(unprotected.to_compact()), "jws_unwritable");
    assert_eq!(code(unprotected.to_flattened()), "ok");
}
