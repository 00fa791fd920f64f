//! Texts that are no JWS, and texts that are too much of one.

use countersign::{Jws, MAX_JWS_BYTES, MAX_SIGNATURES};
use serde_json::{Value, json};

use super::{flattened, signed, unencoded, verify, with};
use crate::support::*;

#[test]
fn rejects_json_that_is_not_one_of_the_two_forms() {
    let good = flattened(r#"{"alg":"HS256"}"#, "pay");
    assert_eq!(code(verify(&good.to_string())), "ok");
    let own = json!({"protected": good["protected"], "signature": good["signature"]});
    let general = json!({"payload": good["payload"], "signatures": [own]});
    assert_eq!(code(verify(&general.to_string())), "ok");
    for changes in [
        json!({"signatures": []}),
        json!({"signatures": {}}),
        json!({"signatures": [own, 1]}),
        json!({"signatures": [own, {"protected": own["protected"]}]}),
        json!({"signature": own["signature"]}),
        json!({"protected": own["protected"]}),
        json!({"header": {"kid": "7"}}),
        json!({"payload": null}),
        json!({"payload": 1}),
        json!({"ciphertext": "AAAA"}),
    ] {
        let text = with(general.clone(), changes);
        assert_eq!(code(verify(&text)), "malformed_jws_member", "{text}");
    }
    for changes in [
        json!({"signature": null}),
        json!({"signature": ["AAAA"]}),
        json!({"protected": {"alg": "HS256"}}),
        json!({"header": "e30"}),
        json!({"header": {}}),
        json!({"signatures": [own]}),
    ] {
        let text = with(good.clone(), changes);
        assert_eq!(code(verify(&text)), "malformed_jws_member", "{text}");
    }
    assert_eq!(code(verify(&with(good, json!({"more": [1]})))), "ok");
    assert_eq!(code(verify("{}")), "malformed_jws_member");
    assert_eq!(code(verify(" {}")), "malformed_segments");
    assert_eq!(code(verify("[]")), "malformed_segments");
}

#[test]
fn rejects_members_that_stand_twice_at_any_depth() {
    let text = flattened(r#"{"alg":"HS256"}"#, "pay").to_string();
    let inner = text.strip_prefix('{').unwrap();
    for twice in [
        r#"{"payload":"","#,
        r#"{"p\u0061yload":"","#,
        r#"{"signature":"","#,
        r#"{"header":{"kid":"1","kid":"2"},"#,
        r#"{"more":{"a":1,"a":1},"#,
    ] {
        let text = format!("{twice}{inner}");
        assert_eq!(code(verify(&text)), "malformed_duplicate_member", "{text}");
    }
    let text = flattened(r#"{"alg":"none","alg":"HS256"}"#, "pay").to_string();
    assert_eq!(code(verify(&text)), "malformed_duplicate_member");
}

#[test]
fn rejects_headers_that_overlap_and_crit_that_is_not_protected() {
    let good = flattened(r#"{"alg":"HS256","kid":"7"}"#, "pay");
    for (header, expected) in [
        (json!({"cty": "text"}), "ok"),
        (json!({"kid": "7"}), "malformed_headers_overlap"),
        (json!({"alg": "HS256"}), "malformed_headers_overlap"),
        (json!({"crit": ["b64"]}), "malformed_header_member"),
        (json!({"b64": false}), "malformed_header_member"),
        (json!({"typ": 1}), "malformed_header_member"),
    ] {
        let text = with(good.clone(), json!({ "header": header }));
        assert_eq!(code(verify(&text)), expected, "{text}");
    }
    for crit in [
        r#"[]"#,
        r#"["x"]"#,
        r#"["alg"]"#,
        r#"["b64","b64"]"#,
        r#""b64""#,
    ] {
        let header = format!(r#"{{"alg":"HS256","x":1,"b64":true,"crit":{crit}}}"#);
        let text = flattened(&header, "pay").to_string();
        assert_eq!(code(verify(&text)), "critical_unsupported", "{crit}");
    }
    let known = flattened(r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#, "pay");
    assert_eq!(code(verify(&known.to_string())), "ok");
}

#[test]
fn rejects_what_is_larger_than_the_limits_before_looking_into_it() {
    for text in [
        ".".repeat(MAX_JWS_BYTES + 1),
        format!("{{{}", " ".repeat(MAX_JWS_BYTES)),
    ] {
        assert_eq!(code(Jws::parse(&text)), "malformed_too_large");
    }
    let large = signed(vec![0; MAX_JWS_BYTES / 4 * 3]);
    assert_eq!(code(large.to_compact()), "jws_unwritable");
    assert_eq!(code(large.to_general()), "jws_unwritable");
    assert_eq!(code(large.without_payload().to_general()), "ok");
    assert_eq!(
        code(
            signed(vec![0; 700_000])
                .to_flattened()
                .and_then(|text| verify(&text))
        ),
        "ok"
    );

    let own = flattened(r#"{"alg":"HS256"}"#, "pay");
    let repeated = |times| {
        let one = json!({"protected": own["protected"], "signature": own["signature"]});
        json!({"payload": own["payload"], "signatures": vec![one; times]}).to_string()
    };
    assert_eq!(code(verify(&repeated(MAX_SIGNATURES))), "ok");
    assert_eq!(
        code(verify(&repeated(MAX_SIGNATURES + 1))),
        "malformed_too_many_signatures"
    );
    // Counted before any of them is read.
    let unread = json!({"signatures": vec![1; MAX_SIGNATURES + 1]}).to_string();
    assert_eq!(code(verify(&unread)), "malformed_too_many_signatures");
    let long = with(own.clone(), json!({"header": {"x": "x".repeat(4096)}}));
    assert_eq!(code(verify(&long)), "malformed_too_large");
    let long = with(own.clone(), json!({"protected": "A".repeat(6000)}));
    assert_eq!(code(verify(&long)), "malformed_too_large");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code(verify(&deep)), "malformed_too_deep");
}

#[test]
fn the_octets_as_received_are_verified_and_not_ours() {
    for header in [
        "{\"alg\":\"HS256\"}",
        " {\r\n \"alg\" : \"\\u0048S256\" }\n",
    ] {
        let text = flattened(header, "pay").to_string();
        assert_eq!(verify(&text).unwrap().payload(), b"pay", "{header}");
    }
    let text = with(
        flattened(r#"{"alg":"HS256"}"#, "pay"),
        json!({"protected": b64(r#"{"alg": "HS256"}"#)}),
    );
    assert_eq!(code(verify(&text)), "signature_invalid");
    // One text for the octets: `cGF5` is "pay", and a payload of one octet leaves bits over.
    let document = flattened(r#"{"alg":"HS256"}"#, "p");
    assert_eq!(document["payload"], "cA");
    for spelling in ["cB", "cA=", "cA==", "cA\n"] {
        let text = with(document.clone(), json!({ "payload": spelling }));
        assert_ne!(code(verify(&text)), "ok", "{spelling:?}");
    }
}

#[test]
fn rejects_none_in_every_form() {
    let header = b64(r#"{"alg":"none"}"#);
    let document = json!({"protected": header, "payload": "", "signature": ""}).to_string();
    assert_eq!(code(verify(&document)), "unsecured");
    assert_eq!(code(verify(&format!("{header}.."))), "unsecured");
}

#[test]
fn rejects_b64_without_crit_and_signatures_that_disagree_about_b64() {
    let encoded = |text: &str| b64(text);
    let bare = encoded(r#"{"alg":"HS256","b64":false}"#);
    let token = mac_text(&format!("{bare}.pay"));
    assert_eq!(code(verify(&token)), "critical_unsupported");
    let (_, signature) = token.rsplit_once('.').unwrap();
    let document = json!({"protected": bare, "payload": "pay", "signature": signature});
    assert_eq!(code(verify(&document.to_string())), "critical_unsupported");
    let signature_of = |jws: &Jws| {
        let text = jws.to_general().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["signatures"][0].clone()
    };
    let both = [
        signature_of(&signed("AAAA")),
        signature_of(&unencoded("AAAA")),
    ];
    let document = json!({"payload": "AAAA", "signatures": both});
    assert_eq!(
        code(verify(&document.to_string())),
        "malformed_header_member"
    );
    let alone = json!({"payload": "AAAA", "signatures": [both[1]]});
    assert_eq!(code(verify(&alone.to_string())), "ok");
}
