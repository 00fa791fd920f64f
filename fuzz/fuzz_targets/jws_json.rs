//! A text where a JWS should be, in any serialisation: what is read is written as it was, and reads as itself.
#![no_main]

use countersign::{JwkSet, Jws};
use countersign_fuzz::{key, within_memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(jws) = Jws::parse(text) {
        check(text, jws);
    }
    within_memory(text.len(), || Jws::parse(text));
});

fn check(text: &str, jws: Jws) {
    let general = jws.to_general().expect("what was read can be written");
    let again = Jws::parse(&general).expect("what was written can be read");
    assert!(again == jws);
    assert_eq!(again.to_general().as_deref(), Ok(general.as_str()));
    for written in [jws.to_flattened(), jws.to_compact()].into_iter().flatten() {
        let again = Jws::parse(&written).expect("what was written can be read");
        // The compact form cannot tell an absent payload from an empty one.
        assert!(again == jws || jws.is_detached());
    }
    if !text.starts_with('{') {
        assert_eq!(jws.to_compact().as_deref(), Ok(text));
    }
    let keys = JwkSet::from(key());
    let any = jws.verify(&keys);
    let all = jws.verify_all(&keys);
    assert!(any.is_ok() || all.is_err());
    if let Ok(all) = all {
        assert_eq!(all.signatures().count(), jws.unverified_headers().count());
    }
    let detached = jws.without_payload();
    assert!(detached.is_detached() && detached.verify(&keys).is_err());
    if let (Ok(any), Ok(attached)) =
        (&any, detached.with_payload(any.as_ref().map_or(&b""[..], |any| any.payload())))
    {
        let verified = attached.verify(&keys).expect("the same payload, handed over");
        assert_eq!(verified.payload(), any.payload());
    }
}
