//! What holds for every JWS and every text.

use countersign::{Jws, JwsBuilder, JwsSigner};
use proptest::prelude::*;
use serde_json::json;

use super::{hmac_keys, signed, unencoded, verify};
use crate::support::{code, hmac_key};

/// A JWS of every shape that can be signed.
fn any_jws() -> impl Strategy<Value = Jws> {
    let names = proptest::option::of("[a-z]{1,8}");
    let signers = proptest::collection::vec((names, proptest::option::of("\\PC{0,8}")), 1..4);
    let payload = proptest::option::of(any::<String>());
    (payload, any::<bool>(), signers).prop_map(|(payload, raw, signers)| {
        let mut builder = JwsBuilder::new(payload.clone().unwrap_or_default());
        if raw {
            builder = builder.unencoded();
        }
        for (kid, note) in signers {
            let key = match kid {
                Some(kid) => hmac_key().with_key_id(kid),
                None => hmac_key(),
            };
            let signer = match note {
                Some(note) => JwsSigner::new(&key)
                    .unprotected("note", json!(note))
                    .unwrap(),
                None => JwsSigner::new(&key),
            };
            builder = builder.signer(signer);
        }
        let jws = builder.sign().unwrap();
        match payload {
            Some(_) => jws,
            None => jws.without_payload(),
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_as_itself(jws in any_jws()) {
        let general = jws.to_general().unwrap();
        let parsed = Jws::parse(&general).unwrap();
        prop_assert_eq!(&parsed.to_general().unwrap(), &general);
        prop_assert!(parsed == jws);
        for text in [jws.to_flattened(), jws.to_compact()].into_iter().flatten() {
            let parsed = Jws::parse(&text).unwrap();
            let again = if text.starts_with('{') { parsed.to_flattened() } else { parsed.to_compact() };
            prop_assert_eq!(again.unwrap(), text);
        }
    }

    #[test]
    fn no_text_does_harm(
        start in r#"(|\{|\{"signatures":|\{"payload":"AA","signature":"AA",|eyJhbGciOiJIUzI1NiJ9\.)"#,
        text in r#"(\PC|["\\{}\[\]:,.]|"(header|protected|payload|signatures?)"){0,40}"#,
    ) {
        for text in [format!("{start}{text}"), text] {
            if let Ok(jws) = Jws::parse(&text) {
                prop_assert!(jws.verify(&hmac_keys()).is_err());
                let again = Jws::parse(&jws.to_general().unwrap()).unwrap();
                prop_assert!(again == jws);
            }
        }
    }

    #[test]
    fn a_spoiled_character_never_verifies(
        raw: bool,
        form in 0..3usize,
        at: prop::sample::Index,
        by in prop::char::range(' ', '~'),
    ) {
        let jws = if raw { unencoded("pay ada 20") } else { signed("pay ada 20") };
        let text = [jws.to_compact(), jws.to_flattened(), jws.to_general()][form].clone().unwrap();
        prop_assert_eq!(code(verify(&text)), "ok");
        let mut spoiled: Vec<char> = text.chars().collect();
        let at = at.index(spoiled.len());
        prop_assume!(spoiled[at] != by);
        spoiled[at] = by;
        let spoiled: String = spoiled.into_iter().collect();
        prop_assert_ne!(code(verify(&spoiled)), "ok", "{}", spoiled);
    }
}
