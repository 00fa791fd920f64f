//! A document where a JWK Set should be: every key is usable or has a reason, and what is published is public.
#![no_main]

use countersign::JwkSet;
use countersign_fuzz::within_memory;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|document: &[u8]| {
    if let Ok(set) = JwkSet::parse(document) {
        check(document, &set);
    }
    within_memory(document.len(), || JwkSet::parse(document));
});

fn check(document: &[u8], set: &JwkSet) {
    let parsed: Value = serde_json::from_slice(document).expect("JSON");
    let count = parsed["keys"].as_array().expect("an array of keys").len();
    assert_eq!(set.keys().count() + set.unusable().len(), count);
    let asymmetric = set.keys().filter(|key| !key.algorithm().is_symmetric()).count();
    assert!(asymmetric == 0 || asymmetric == set.keys().count());

    let public = set.to_public_json();
    for private in ["\"d\":", "\"k\":", "\"p\":", "\"priv\":"] {
        assert!(!public.contains(private), "{public}");
    }
    let published = JwkSet::parse(public.as_bytes()).expect("what is published can be read");
    assert_eq!(published.unusable(), []);
    assert_eq!(published.keys().count(), asymmetric);
    for (before, after) in set.keys().zip(published.keys()) {
        if asymmetric > 0 {
            assert_eq!(before.algorithm(), after.algorithm());
            assert_eq!(before.key_id(), after.key_id());
            assert_eq!(before.thumbprint(), after.thumbprint());
        }
    }
}
