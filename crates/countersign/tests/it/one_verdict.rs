//! Two ways to read a token, one verdict: `verify`, which remembers headers and reads claims in one pass, and `explain`, which
//! reads everything anew into a tree.

use countersign::{
    Algorithm, Error, JwkSet, NoClaims, Policy, Scratch, SigningKey, Timestamp, Unverified,
    Verifier, dangerous,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    AUD, ISS, NOW, b64, claims_json, claims_with, hmac_key, mac, mac_text, policy, unb64,
};

#[derive(Debug, Deserialize)]
struct Borrowed<'s> {
    #[serde(borrow)]
    sub: Option<std::borrow::Cow<'s, str>>,
}

/// The verdicts on a token that is seen for the first time and again; all of them are that of `explain`.
fn agreed(verifier: &Verifier, token: &str, now: Timestamp) -> Option<Error> {
    let explained = verifier.explain(token, now).error().cloned();
    let mut scratch = Scratch::new();
    for _ in 0..2 {
        let verified = verifier.verify::<Value>(token, now);
        assert_eq!(verified.as_ref().err(), explained.as_ref(), "{token}");
        if let Ok(verified) = &verified {
            let decoded = dangerous::decode_unverified(token).unwrap();
            assert_eq!(verified.claims(), &decoded.claims, "{token}");
            assert_eq!(verified.header(), &decoded.header, "{token}");
            let text = |name: &str| decoded.claims.get(name).and_then(Value::as_str);
            let registered = verified.registered();
            assert_eq!(
                (registered.iss(), registered.sub(), registered.jti()),
                (text("iss"), text("sub"), text("jti")),
                "{token}"
            );
            let again = verified.deserialize::<Value>().unwrap();
            assert_eq!(again.claims(), &decoded.claims, "{token}");
            assert_eq!(again.registered(), registered);
        }
        let alone = verifier.verify_in::<NoClaims>(&mut scratch, token, now);
        assert_eq!(alone.as_ref().err(), explained.as_ref(), "{token}");
        let owned = alone.ok().map(|alone| {
            let registered = format!("{:?}", alone.registered());
            let owned = alone.into_owned();
            assert_eq!(format!("{:?}", owned.registered()), registered, "{token}");
            owned
        });
        if let Some(owned) = owned {
            let borrowed = verifier.verify_in::<Borrowed<'_>>(&mut scratch, token, now);
            if let Ok(borrowed) = borrowed {
                assert_eq!(borrowed.sub.as_deref(), owned.registered().sub(), "{token}");
                assert_eq!(*borrowed.registered(), owned.registered(), "{token}");
            }
        }
        // In two steps, as a service does that looks for the key in between.
        let in_steps = Unverified::parse(token).and_then(|parsed| {
            let key = verifier.keys().find(parsed.header())?;
            parsed.verify::<Value>(key, verifier.policy(), now)
        });
        assert_eq!(in_steps.err(), explained, "{token}");
    }
    explained
}

/// Texts with an escape are read into a tree, and others where they stand: one after the other, in every order.
#[test]
fn a_scratch_keeps_nothing_of_the_token_before() {
    let verifier = verifier();
    let mut scratch = Scratch::new();
    let signed = |payload: &str| mac(r#"{"alg":"HS256"}"#, payload);
    let payload =
        |sub: &str| format!(r#"{{"iss":"{ISS}","aud":"{AUD}","exp":4102444800,"sub":"{sub}"}}"#);
    let tokens = ["ada", "gr\\u0061ce", "mary", "\\u0061lan", "k\\u0061th"]
        .map(|sub| (sub.replace("\\u0061", "a"), signed(&payload(sub))));
    for (first, one) in &tokens {
        for (second, other) in &tokens {
            for (sub, token) in [(first, one), (second, other)] {
                let verified = verifier.verify_in::<Borrowed<'_>>(&mut scratch, token, NOW);
                let verified = verified.unwrap();
                assert_eq!(verified.registered().sub(), Some(sub.as_str()));
                assert_eq!(verified.claims().sub.as_deref(), Some(sub.as_str()));
            }
        }
        // One that fails leaves nothing behind either.
        let expired = payload("\\u0061nn").replace("4102444800", "1");
        let expired = signed(&expired);
        assert!(
            verifier
                .verify_in::<NoClaims>(&mut scratch, &expired, NOW)
                .is_err()
        );
    }
}

fn verifier() -> Verifier {
    Verifier::new(hmac_key().verifying_key(), policy())
}

const HEADERS: [&str; 12] = [
    r#"{"alg":"HS256"}"#,
    r#"{"alg":"HS256","typ":"JWT"}"#,
    r#"{"alg":"HS256","typ":"at+jwt","kid":"7"}"#,
    r#"{"alg":"HS512"}"#,
    r#"{"alg":"none"}"#,
    r#"{"alg":"HS256","kid":7}"#,
    r#"{"alg":"HS256","crit":["x"],"x":1}"#,
    r#"{"alg":"HS256","alg":"HS256"}"#,
    r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
    r#"{"typ":"JWT"}"#,
    "[]",
    "",
];

/// Payloads of every kind that a check, a parser or a type could trip over.
fn payloads() -> Vec<String> {
    let secs = NOW.unix_secs();
    let mut payloads: Vec<String> = [
        json!({}),
        json!({"iss": null}),
        json!({"iss": 7}),
        json!({"iss": "other"}),
        json!({"iss": "\u{1}\n"}),
        json!({"sub": ""}),
        json!({"sub": "e\u{301}\"\\"}),
        json!({"sub": ["x"]}),
        json!({"aud": [AUD, "b"]}),
        json!({"aud": ["b", AUD]}),
        json!({"aud": ["b\n", AUD]}),
        json!({"aud": []}),
        json!({"aud": [AUD, 1]}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"exp": null}),
        json!({"exp": secs}),
        json!({"exp": secs + 1}),
        json!({"exp": secs as f64 + 0.5}),
        json!({"exp": 1e300}),
        json!({"exp": "7"}),
        json!({"exp": -1}),
        json!({"exp": {}}),
        json!({"nbf": secs}),
        json!({"nbf": secs + 1}),
        json!({"nbf": false}),
        json!({"iat": secs + 31}),
        json!({"iat": secs + 30}),
        json!({"jti": 7}),
        json!({"jti": "j\\/"}),
        json!({"nonce": "n"}),
        json!({"events": {}}),
        json!({"cnf": {"jkt": "x"}}),
        json!({"cnf": null}),
        json!({"client_id": "c"}),
        json!({"more": {"deep": [[[{"a": 1.5, "b": [true, null]}]]]}}),
    ]
    .into_iter()
    .map(|changes| claims_with(changes).to_string())
    .collect();
    payloads.extend(texts());
    payloads
}

/// Payloads that no JSON value is written as.
fn texts() -> Vec<String> {
    let mut payloads = Vec::new();
    let usual = claims_json().to_string();
    let inside = |members: &str| format!("{},{members}}}", &usual[..usual.len() - 1]);
    let deep = |levels: usize| format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels));
    for members in [
        "\"exp\":1",
        "\"\\u0065xp\":1",
        "\"x\":1,\"x\":2",
        "\"x\":{\"y\":1,\"y\":1}",
        "\"e\\u0078p2\":1",
        "\"x\":1e999",
        "\"x\":\"\\ud834\"",
        "\"x\":\"\\ud834\\udd1e\"",
        "\"x\":01",
        "\"x\":\"\t\"",
        "\"x\":18446744073709551616",
        &deep(31),
        &deep(32),
    ] {
        payloads.push(inside(members));
    }
    for text in [
        "",
        "null",
        "[]",
        "7",
        "{",
        "{}x",
        " {} ",
        "\u{feff}{}",
        "{\"a\":1,}",
        "{'a':1}",
    ] {
        payloads.push(text.to_owned());
    }
    payloads.push(format!(
        "  {}\n",
        usual.replace(',', " ,\t").replace(':', " : ")
    ));
    payloads.push(usual.replace("https://", "https:\\/\\/"));
    payloads.push(usual);
    payloads
}

#[test]
fn every_header_with_every_payload_gets_one_verdict_from_every_policy() {
    let policies = [
        policy(),
        Policy::access_token(ISS, AUD),
        Policy::id_token(ISS, AUD, "n"),
        Policy::logout_token(ISS, AUD),
        Policy::client_assertion("ada", AUD),
        Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .migrating_to_access_token()
            .without_claim("client_id")
            .build()
            .unwrap(),
        Policy::builder()
            .any_issuer()
            .any_audience()
            .build()
            .unwrap(),
        Policy::builder()
            .any_issuer()
            .no_audience()
            .without_expiry()
            .require("jti")
            .build()
            .unwrap(),
    ];
    let (mut taken, mut refused) = (0, 0);
    for policy in policies {
        let verifier = Verifier::new(hmac_key().verifying_key(), policy);
        // With the headers remembered that can be.
        for header in HEADERS {
            let _ = verifier.verify::<Value>(&mac(header, claims_json().to_string()), NOW);
        }
        for header in HEADERS {
            for payload in payloads() {
                match agreed(&verifier, &mac(header, payload), NOW) {
                    None => taken += 1,
                    Some(_) => refused += 1,
                }
            }
        }
    }
    assert!(taken > 80 && refused > 4_000, "{taken} {refused}");
}

#[test]
fn every_algorithm_remembers_its_header_and_refuses_a_changed_signature_under_it() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let verifier = Verifier::new(key.verifying_key(), policy());
        let token = key.sign(&claims_json()).unwrap();
        assert_eq!(agreed(&verifier, &token, NOW), None, "{algorithm}");
        assert!(
            format!("{verifier:?}").contains("headers: 1"),
            "{verifier:?}"
        );
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut octets = unb64(signature);
        octets[7] ^= 1;
        for forged in [
            format!("{input}.{}", b64(&octets)),
            format!("{input}."),
            format!("{input}.{}", b64(&octets[1..])),
        ] {
            assert_eq!(
                agreed(&verifier, &forged, NOW),
                Some(Error::SignatureInvalid),
                "{algorithm}"
            );
        }
        assert!(
            format!("{verifier:?}").contains("headers: 1"),
            "{verifier:?}"
        );
    }
}

#[test]
fn a_header_is_remembered_only_where_its_token_passed_and_for_its_own_key() {
    let keys: Vec<SigningKey> = (0..3)
        .map(|_| SigningKey::generate(Algorithm::EdDSA).unwrap())
        .collect();
    let set = JwkSet::new(keys.iter().map(SigningKey::verifying_key));
    let verifier = Verifier::new(set, policy());
    let headers = |count: usize| format!("headers: {count}");
    let sign =
        |key: &SigningKey, kid: &str| key.clone().with_key_id(kid).sign(&claims_json()).unwrap();
    let kid = |at: usize| keys[at].key_id().unwrap();
    // Signed by one key in the name of another: refused, and nothing is remembered.
    assert_eq!(
        agreed(&verifier, &sign(&keys[0], kid(1)), NOW),
        Some(Error::SignatureInvalid)
    );
    assert!(format!("{verifier:?}").contains(&headers(0)));
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(agreed(&verifier, &sign(key, kid(at)), NOW), None);
        assert!(format!("{verifier:?}").contains(&headers(at + 1)));
    }
    // And again, now that the header of the other key is remembered.
    assert_eq!(
        agreed(&verifier, &sign(&keys[0], kid(1)), NOW),
        Some(Error::SignatureInvalid)
    );
}

#[test]
fn a_larger_token_passes_where_the_policy_says_so_and_only_there() {
    let claims = claims_with(json!({"x": "x".repeat(20_000)}));
    let token = mac(HEADERS[0], claims.to_string());
    let sized = |bytes| {
        let policy = Policy::builder()
            .issuer(ISS)
            .audience(AUD)
            .max_token_bytes(bytes)
            .build()?;
        Ok::<_, Error>(Verifier::new(hmac_key().verifying_key(), policy))
    };
    let code = |verifier: &Verifier| {
        let refused = verifier.verify::<Value>(&token, NOW).err();
        assert_eq!(refused.as_ref(), verifier.explain(&token, NOW).error());
        refused.map(|error| error.code())
    };
    assert_eq!(code(&verifier()), Some("malformed_too_large"));
    assert_eq!(
        code(&sized(token.len() - 1).unwrap()),
        Some("malformed_too_large")
    );
    assert_eq!(code(&sized(token.len()).unwrap()), None);
    assert_eq!(sized(0).unwrap_err().code(), "policy");
    assert_eq!(sized(1024 * 1024 + 1).unwrap_err().code(), "policy");
    assert!(sized(1024 * 1024).is_ok());
}

proptest! {
    #[test]
    fn a_changed_character_gets_one_verdict(at: prop::sample::Index, to: prop::sample::Index, resign: bool) {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+ ";
        let verifier = verifier();
        let token = mac(HEADERS[1], claims_json().to_string());
        prop_assert_eq!(agreed(&verifier, &token, NOW), None);
        let mut changed = token.clone().into_bytes();
        changed[at.index(token.len())] = ALPHABET[to.index(ALPHABET.len())];
        let mut changed = String::from_utf8(changed).unwrap();
        if resign && changed.matches('.').count() == 2 {
            changed = mac_text(changed.rsplit_once('.').unwrap().0);
        }
        let verdict = agreed(&verifier, &changed, NOW);
        prop_assert!(resign || changed == token || verdict.is_some());
    }

    #[test]
    fn a_changed_byte_of_the_claims_gets_one_verdict(at: prop::sample::Index, byte: u8, which: prop::sample::Index) {
        let payloads = payloads();
        let mut payload = payloads[which.index(payloads.len())].clone().into_bytes();
        if !payload.is_empty() {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        agreed(&verifier(), &mac(HEADERS[1], payload), NOW);
    }
}
