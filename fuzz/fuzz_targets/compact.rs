//! A text where a compact token should be: parsing, verifying and explaining agree, whoever signed it.
#![no_main]

use countersign::dangerous::decode_unverified;
use countersign::{Jws, Unverified};
use countersign_fuzz::{signed_text, verifier, verify_and_explain, within_memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    check(text);
    // The same header and payload under a MAC that holds.
    if let Some((signing_input, _)) = text.rsplit_once('.') {
        check(&signed_text(signing_input));
    }
    within_memory(text.len(), || Unverified::parse(text));
});

fn check(text: &str) {
    let parsed = Unverified::parse(text);
    let outcome = verify_and_explain(&verifier(), text);
    let decoded = decode_unverified(text);
    match (&parsed, &outcome) {
        (Err(syntax), Err(error)) => assert_eq!(syntax, error),
        (Err(error), Ok(_)) => panic!("verified, and not parsed: {error}"),
        (Ok(_), _) => {}
    }
    if let Ok(verified) = &outcome {
        let decoded = decoded.as_ref().expect("what verifies can be decoded");
        assert_eq!(decoded.claims, *verified.claims());
        assert_eq!(decoded.header, *verified.header());
    }
    assert!(parsed.is_ok() || decoded.is_err());
    // A token is a JWS, and a JWS has one compact text.
    if let Ok(parsed) = parsed {
        let jws = Jws::parse(text).expect("a token is a JWS");
        assert_eq!(jws.unverified_headers().next(), Some(parsed.header()));
        assert_eq!(jws.to_compact().as_deref(), Ok(text));
    }
}
