//! What is no token: parts, sizes, JSON, the types of header members.

use super::*;

#[test]
fn rejects_every_number_of_parts_but_three() {
    for parts in (0..=10usize).filter(|parts| *parts != 3) {
        let token = vec!["e30"; parts].join(".");
        let expected = if parts == 5 {
            Malformed::Encrypted
        } else {
            Malformed::Segments
        };
        assert_eq!(
            Unverified::parse(&token).unwrap_err(),
            Error::Malformed(expected),
            "{parts}"
        );
    }
}

#[test]
fn rejects_a_token_larger_than_the_limit_before_looking_into_it() {
    let token = ".".repeat(countersign::MAX_TOKEN_BYTES + 1);
    assert_eq!(code(Unverified::parse(&token)), "malformed_too_large");
}

#[test]
fn rejects_json_serialisation_as_a_token() {
    let token = hmac_key().sign(&claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let json =
        json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string();
    assert_eq!(code(verify(&json)), "malformed_segments");
    let polyglot = format!("{{\"a\":\"{}.{}.{}\"}}", parts[0], parts[1], parts[2]);
    assert_eq!(code(verify(&polyglot)), "malformed_alphabet");
}

#[test]
fn rejects_a_payload_that_is_no_json_object() {
    for payload in ["[]", "\"{}\"", "1", "null", "true"] {
        assert_eq!(
            code(verify(&mac(HEADER, payload))),
            "malformed_not_object",
            "{payload}"
        );
    }
    assert_eq!(code(verify(&mac("[]", "{}"))), "malformed_not_object");
}

#[test]
fn rejects_members_that_stand_twice_in_header_and_payload() {
    for header in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","t\u0079p":"JWT"}"#,
    ] {
        assert_eq!(
            code(verify(&mac(header, claims_json().to_string()))),
            "malformed_duplicate_member",
            "{header}"
        );
    }
    for payload in [
        r#"{"exp":1,"exp":9999999999}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"sub":"a","su\u0062":"b"}"#,
    ] {
        assert_eq!(
            code(verify(&mac(HEADER, payload))),
            "malformed_duplicate_member",
            "{payload}"
        );
    }
}

#[test]
fn rejects_deep_nesting_in_header_and_payload() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(code(verify(&mac(HEADER, &deep))), "malformed_too_deep");
    let deep = format!(
        "{{\"alg\":\"HS256\",\"a\":{}1{}}}",
        "[".repeat(1_000),
        "]".repeat(1_000)
    );
    assert_eq!(code(verify(&mac(deep, "{}"))), "malformed_too_deep");
}

#[test]
fn rejects_what_lax_json_parsers_forgive_in_header_and_payload() {
    let (header, payload) = (HEADER, claims_json().to_string());
    let spoil = |json: &str| {
        let inside = &json[..json.len() - 1];
        [
            format!("{json}x"),
            format!("{json} {json}"),
            format!("{json}\0"),
            format!("{inside},}}"),
            format!("{inside}/* c */}}"),
            format!("// c\n{json}"),
            format!("{inside},\"n\":NaN}}"),
            format!("{inside},\"n\":-Infinity}}"),
            format!("{inside},\"n\":0x10}}"),
            format!("{inside},\"n\":01}}"),
            format!("{inside},\"n\":1e999}}"),
            format!("{inside},n:1}}"),
            format!("{inside},'n':1}}"),
            String::new(),
        ]
    };
    for header in spoil(header) {
        assert_eq!(
            code(verify(&mac(&header, &payload))),
            "malformed_json",
            "{header}"
        );
    }
    for payload in spoil(&payload) {
        assert_eq!(
            code(verify(&mac(header, &payload))),
            "malformed_json",
            "{payload}"
        );
    }
    assert_eq!(
        code(verify(&mac(
            format!(" {header}\n"),
            format!("\t{payload}\r")
        ))),
        "ok"
    );
}

#[test]
fn rejects_header_members_of_the_wrong_type_also_where_nobody_reads_them() {
    let members = [
        "alg", "kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256", "jwk", "x5c", "b64",
    ];
    for member in members {
        let mut refused = 0;
        for value in [
            json!(1),
            json!(null),
            json!(["x"]),
            json!({"a": 1}),
            json!("x"),
            json!(true),
        ] {
            let mut header = json!({"alg": "HS256"});
            header[member] = value.clone();
            let outcome = code(verify(&mac(header.to_string(), claims_json().to_string())));
            refused += usize::from(outcome == "malformed_header_member");
            if !value.is_string() && !value.is_boolean() && !value.is_array() && !value.is_object()
            {
                assert_eq!(outcome, "malformed_header_member", "{member} {value}");
            }
        }
        assert_eq!(refused, 5, "{member} has one type");
    }
}
