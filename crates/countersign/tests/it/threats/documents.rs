//! What a hostile document of a megabyte, or of four, can make the library hold: keys, sets of keys, a JWS in JSON.

use allocation_counter::measure;
use countersign::{ImportedKey, Jwk, JwkSet, Jws, MAX_JWKS_BYTES, MAX_JWS_BYTES, parse_strict};
use serde_json::Value;

use crate::support::code;

/// A reader, the document before and after what the attacker puts into it, and the largest one that is looked at.
struct Door {
    head: &'static str,
    tail: &'static str,
    limit: usize,
    read: fn(&[u8]) -> &'static str,
}

const KEY_BYTES: usize = 64 * 1024;

const DOORS: [Door; 5] = [
    Door {
        head: r#"{"kty":"oct","k":"AAAA","x":["#,
        tail: "0]}",
        limit: KEY_BYTES,
        read: |json| code(Jwk::parse(json)),
    },
    Door {
        head: r#"{"kty":"oct","k":"AAAA","x":["#,
        tail: "0]}",
        limit: KEY_BYTES,
        read: |json| code(ImportedKey::read(json)),
    },
    Door {
        head: r#"{"keys":["#,
        tail: "0]}",
        limit: MAX_JWKS_BYTES,
        read: |json| code(JwkSet::parse(json)),
    },
    Door {
        head: r#"{"payload":"","signature":"","protected":"e30","x":["#,
        tail: "0]}",
        limit: MAX_JWS_BYTES,
        read: |json| code(Jws::parse(std::str::from_utf8(json).unwrap())),
    },
    Door {
        head: "[",
        tail: "0]",
        limit: usize::MAX,
        read: |json| code(parse_strict::<Value>(json)),
    },
];

/// About so many bytes of what costs the most memory for its length: as much of it as there is room for, or as much as
/// passes beside text of no cost.
fn bodies(bytes: usize) -> Vec<String> {
    let nested = format!("{}0{},", "{\"a\":".repeat(20), "}".repeat(20));
    let mut bodies = Vec::new();
    for unit in [
        "0,",
        "[],",
        "[0],",
        "{\"\":0},",
        "\"a few more words\",",
        &nested,
    ] {
        for share in [bytes, bytes / 4] {
            let text = "x".repeat(bytes - share);
            bodies.push(format!("\"{text}\",{}", unit.repeat(share / unit.len())));
        }
    }
    for width in [4, 7, 16] {
        let mut object = String::from("{");
        for member in 0..bytes / (width + 5) {
            object.push_str(&format!("\"{member:0width$}\":0,"));
        }
        bodies.push(object + "\"\":0},");
    }
    bodies
}

#[test]
fn a_document_takes_at_most_eight_times_its_size_beyond_a_megabyte() {
    let mut measured = 0;
    for bytes in [KEY_BYTES, 1 << 20] {
        // Room for what stands around.
        for body in bodies(bytes - 128) {
            for door in DOORS.iter().filter(|door| bytes <= door.limit) {
                let document = format!("{}{body}{}", door.head, door.tail);
                within_bounds(door, &document);
                measured += 1;
            }
        }
    }
    assert_eq!(measured, 120);
}

#[test]
fn so_does_one_of_four_megabytes() {
    let [.., strict] = &DOORS;
    // Arrays without an item beside text, and the object of many members: the most expensive of them.
    let bodies = bodies(4 << 20);
    for body in [&bodies[3], &bodies[13]] {
        within_bounds(strict, &format!("{}{body}{}", strict.head, strict.tail));
    }
}

fn within_bounds(door: &Door, document: &str) {
    let used = measure(|| {
        (door.read)(document.as_bytes());
    });
    let shown: String = document.chars().take(60).collect();
    let most = (1 << 20) + 8 * document.len() as u64;
    assert!(
        used.bytes_max <= most,
        "{} {shown}: {used:?}",
        document.len()
    );
    assert_eq!(used.bytes_current, 0, "{} {shown}", document.len());
}

#[test]
fn a_document_beyond_its_limit_is_refused_without_reading_it() {
    for door in DOORS.iter().filter(|door| door.limit < usize::MAX) {
        for bytes in [door.limit + 1, 4 << 20] {
            let filler = bytes - door.head.len() - door.tail.len();
            let document = format!("{}{}{}", door.head, " ".repeat(filler), door.tail);
            assert_eq!(document.len(), bytes);
            let mut outcome = "";
            let used = measure(|| outcome = (door.read)(document.as_bytes()));
            assert!(
                ["key_format", "malformed_too_large"].contains(&outcome),
                "{outcome}"
            );
            assert!(used.bytes_max < 256, "{}: {used:?}", door.head);
        }
    }
}

#[test]
fn a_document_of_exactly_its_limit_is_read() {
    for (document, limit, read) in [
        (r#"{"kty":"oct","k":"AAAA"}"#, KEY_BYTES, DOORS[0].read),
        (r#"{"keys":[]}"#, MAX_JWKS_BYTES, DOORS[2].read),
    ] {
        let padded = format!("{document}{}", " ".repeat(limit - document.len()));
        assert_eq!(read(padded.as_bytes()), "ok");
        assert_eq!(read(format!("{padded} ").as_bytes()), "key_format");
    }
}
