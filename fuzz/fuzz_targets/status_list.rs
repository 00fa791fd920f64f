//! An object where a status list should be: what is read is bounded, reads as itself, and says something of every index that
//! it has and of no other.
#![no_main]

use countersign::{EncodedStatusList, StatusList, StatusReference, parse_strict};
use countersign_fuzz::{base64url, within_memory};
use libfuzzer_sys::fuzz_target;

/// The bound of an inflated list.
const LIMIT: usize = 64 * 1024;

fuzz_target!(|document: &[u8]| {
    if let Ok(encoded) = parse_strict::<EncodedStatusList>(document) {
        check(&encoded);
    }
    // The octets themselves as a stream, so that the fuzzer need not write base64url.
    for bits in [1, 2, 4, 8] {
        check(&EncodedStatusList { bits, lst: base64url(document) });
    }
    if let Ok(reference) = parse_strict::<StatusReference>(document) {
        let written = serde_json::to_vec(&reference).expect("a reference is JSON");
        assert_eq!(parse_strict::<StatusReference>(&written), Ok(reference));
    }
    within_memory(document.len(), || parse_strict::<EncodedStatusList>(document));
});

fn check(encoded: &EncodedStatusList) {
    within_memory(encoded.lst.len(), || StatusList::decode(encoded, LIMIT));
    let Ok(list) = StatusList::decode(encoded, LIMIT) else {
        return;
    };
    assert!(list.as_bytes().len() <= LIMIT);
    let (bits, entries) = (u64::from(list.bits().number()), list.entries());
    assert_eq!(entries * bits, list.as_bytes().len() as u64 * 8);
    for index in [0, 1, 7, 8, entries / 2, entries.saturating_sub(1), entries, entries + 1, u64::MAX] {
        assert_eq!(list.get(index).is_ok(), index < entries);
    }
    assert_eq!(StatusList::decode(&list.encode(), LIMIT), Ok(list));
}
