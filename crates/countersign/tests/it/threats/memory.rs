//! What a hostile text can make the library allocate.

use allocation_counter::measure;
use countersign::{MAX_TOKEN_BYTES, Unverified, Verifier};
use serde_json::Value;

use crate::support::*;

#[test]
fn a_text_without_three_parts_is_refused_without_an_allocation() {
    for text in [
        ".".repeat(MAX_TOKEN_BYTES),
        ".".repeat(1_000_000),
        "A.".repeat(MAX_TOKEN_BYTES / 2),
        "A".repeat(MAX_TOKEN_BYTES),
        "A".repeat(10_000_000),
    ] {
        let used = measure(|| assert!(Unverified::parse(&text).is_err()));
        assert_eq!(used.count_total, 0, "{} bytes: {used:?}", text.len());
    }
}

#[test]
fn a_header_beyond_its_limit_is_refused_before_it_is_decoded() {
    let header = "A".repeat(MAX_TOKEN_BYTES - 2);
    for text in [
        format!("{header}.."),
        format!("{header}.A"),
        format!("{}..{}", &header[..8_000], &header[..8_000]),
    ] {
        let used = measure(|| assert!(Unverified::parse(&text).is_err()));
        assert_eq!(used.count_total, 0, "{used:?}");
    }
}

#[test]
fn the_most_expensive_token_takes_less_than_a_megabyte() {
    let verifier = Verifier::new(hmac_key().verifying_key(), policy());
    let mut measured = 0;
    for unit in [
        "0,",
        "[],",
        "{},",
        "\"\",",
        "[0],",
        "{\"\":0},",
        "{\"\":{\"\":0}},",
        "[[[[[[0]]]]]],",
    ] {
        // As much of it as a token holds, and as much as passes beside text of no cost.
        for (count, text) in [
            (11_000 / unit.len(), 0),
            (400, 2_000),
            (500, 6_000),
            (200, 9_000),
        ] {
            let claims = format!(
                "{{\"a\":[{}1],\"b\":\"{}\"}}",
                unit.repeat(count),
                "x".repeat(text)
            );
            let token = mac(r#"{"alg":"HS256"}"#, claims);
            if token.len() > MAX_TOKEN_BYTES {
                continue;
            }
            // The MAC holds, so that everything is read.
            let mut outcome = "";
            let used = measure(|| outcome = code(verifier.verify::<Value>(&token, NOW)));
            assert!(
                ["claim_missing", "malformed_too_many_values"].contains(&outcome),
                "{unit}: {outcome}"
            );
            assert!(used.bytes_max < 1_000_000, "{unit}: {used:?}");
            assert_eq!(used.bytes_current, 0, "{unit}: {used:?}");
            measured += 1;
        }
    }
    assert_eq!(measured, 31);
}
