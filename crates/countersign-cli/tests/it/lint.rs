//! `countersign lint`.

use serde_json::{Value, json};

use crate::support::{Bench, Run, SECRET};

/// Signs claims as they are and lints the token.
fn lint(claims: &Value, more: &[&str]) -> Run {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    bench.write("claims.json", claims.to_string());
    // As any octets: `sign` refuses what no verifier would take, and lint has to say what is wrong with it.
    let sign = [
        "jws",
        "sign",
        "--key",
        "secret",
        "--alg",
        "HS256",
        "--typ",
        "JWT",
        "claims.json",
    ];
    let token = bench.run(&sign);
    bench.run(&[&["lint"], more, &[token.ok().trim_end()]].concat())
}

fn good() -> Value {
    json!({"iss": "https://id.example", "sub": "ada", "aud": "orders-api", "iat": 1_795_359_600, "exp": 1_795_360_500})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

#[test]
fn accepts_a_token_that_has_what_it_needs_and_no_more() {
    let run = lint(&good(), &[]);
    assert_eq!(
        (run.ok(), run.stderr.as_str()),
        ("", "nothing to mend; nothing is verified\n")
    );
    let run = lint(&good(), &["--json"]);
    assert_eq!(run.json(), json!({"verified": false, "findings": []}));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn rejects_secrets_and_personal_data_in_a_payload() {
    for (name, value, code) in [
        ("password", json!("x"), "secret_in_payload"),
        ("ssn", json!("078-05-1120"), "personal_data_in_payload"),
        (
            "card",
            json!({"number": 4_111_111_111_111_111_u64}),
            "personal_data_in_payload",
        ),
        ("user", json!([{"apiKey": "x"}]), "secret_in_payload"),
        (
            "cnf",
            json!({"jwk": {"kty": "OKP", "d": "x"}}),
            "private_key_in_payload",
        ),
    ] {
        let run = lint(&with(name, value), &["--json"]);
        let findings = run.json()["findings"].clone();
        assert_eq!(
            (run.code, findings.as_array().unwrap().len()),
            (1, 1),
            "{run:?}"
        );
        assert_eq!(findings[0]["code"], code, "{name}");
    }
}

#[test]
fn rejects_a_long_life_milliseconds_and_missing_claims() {
    for (name, value, code) in [
        ("exp", json!(1_795_359_600 + 86_401), "long_life"),
        ("exp", json!(1_795_360_500_000_i64), "milliseconds"),
        ("exp", json!("1795360500"), "claim_type"),
        ("aud", json!("*"), "claim_weak"),
        ("sub", json!(""), "claim_weak"),
    ] {
        let run = lint(&with(name, value), &["--json"]);
        let findings = run.json()["findings"].clone();
        assert_eq!(
            (run.code, findings.as_array().unwrap().len()),
            (1, 1),
            "{run:?}"
        );
        assert_eq!(
            (&findings[0]["code"], &findings[0]["member"]),
            (&json!(code), &json!(name))
        );
    }
    let run = lint(&json!({}), &[]);
    assert_eq!((run.code, run.stdout.lines().count()), (1, 5), "{run:?}");
    let endless = json!({"iss": "i", "sub": "s", "aud": "a", "exp": 100_000});
    let at = |at| lint(&endless, &["--at", at]).stdout.lines().count();
    assert_eq!((at("0"), at("90000")), (2, 1));
}

#[test]
fn what_a_token_says_reaches_the_terminal_inert() {
    let run = lint(&with("pass\u{1b}[2J\u{9b}\n password", json!("x")), &[]);
    assert_eq!((run.code, run.stdout.lines().count()), (1, 1), "{run:?}");
    assert!(!run.stdout.contains(['\u{1b}', '\u{9b}']), "{run:?}");
}

#[test]
fn rejects_an_unsigned_token_and_what_is_no_token() {
    let bench = Bench::new();
    let run = bench.run(&["lint", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30."]);
    assert!(
        run.code == 1 && run.stdout.starts_with("unsigned: "),
        "{run:?}"
    );
    bench.run(&["lint", "no-token"]).fails(1, &["three parts"]);
    bench.run_with(&["lint", "-"], &[], "").fails(2, &["empty"]);
}

#[test]
fn rejects_a_token_too_large_for_the_headers_of_servers() {
    let run = lint(&with("roles", json!("x".repeat(4096))), &[]);
    assert!(
        run.code == 1 && run.stdout.starts_with("large: "),
        "{run:?}"
    );
}
