//! `countersign decode`.

use crate::support::{Bench, SECRET};

fn bench_with_token() -> (Bench, String) {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let token = bench.token("secret", &["--alg", "HS256"]);
    (bench, token)
}

#[test]
fn decode_prints_the_claims_and_says_that_nothing_is_verified() {
    let (bench, token) = bench_with_token();
    let run = bench.run(&["decode", &token]);
    assert_eq!(run.code, 0);
    assert_eq!(run.json()["sub"], "ada");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(
        matches!(lines.as_slice(), [warning, r#"header: {"alg":"HS256","typ":"JWT"}"#] if warning.contains("NOT VERIFIED")),
        "{run:?}"
    );
}

#[test]
fn decode_as_json_says_so_too() {
    let (bench, token) = bench_with_token();
    let run = bench.run(&["decode", "--json", &token]);
    let answer = run.json();
    assert_eq!(answer["verified"], false);
    assert_eq!(answer["header"]["alg"], "HS256");
    assert_eq!(answer["claims"]["iss"], "https://id.example");
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(run.stderr.contains("NOT VERIFIED"), "{run:?}");
}

#[test]
fn accepts_a_token_from_standard_input_as_people_paste_it() {
    let (bench, token) = bench_with_token();
    for text in [
        format!("{token}\n"),
        format!("Bearer {token}"),
        format!("  authorization: bearer {token}\r\n"),
    ] {
        for args in [&["decode"][..], &["decode", "-"]] {
            assert_eq!(bench.run_with(args, &[], &text).json()["sub"], "ada");
        }
    }
}

#[test]
fn rejects_what_is_no_token() {
    let bench = Bench::new();
    bench
        .run(&["decode", "not-a-token"])
        .fails(1, &["three parts"]);
    bench.run(&["decode", ""]).fails(2, &["the token is empty"]);
    bench.run(&["decode"]).fails(2, &["the token is empty"]);
}

#[test]
fn no_colour_appears_where_there_is_no_terminal() {
    let (bench, token) = bench_with_token();
    let run = bench.run_with(&["decode", &token], &[("CLICOLOR", "1")], "");
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
}

#[test]
fn nothing_in_a_token_acts_on_a_terminal() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let hostile = "\u{9b}2J\u{1b}]0;x\u{7}\u{202e}";
    let token = bench.token(
        "secret",
        &[
            "--alg",
            "HS256",
            "--claim",
            &format!("name={hostile}"),
            "--header",
            &format!("cty={hostile}"),
        ],
    );
    for args in [&["decode", &token][..], &["decode", "--json", &token]] {
        let run = bench.run_with(args, &[("CLICOLOR_FORCE", "1")], "");
        let text = run.ok();
        assert!(
            !text.contains(['\u{9b}', '\u{1b}', '\u{202e}', '\u{7}']),
            "{text:?}"
        );
        let said = run.stderr.replace("\u{1b}[", "");
        assert!(
            !said.contains(['\u{9b}', '\u{1b}', '\u{202e}', '\u{7}']),
            "{said:?}"
        );
        let json = run.json();
        let claims = json.get("claims").unwrap_or(&json);
        assert_eq!(claims["name"], hostile);
    }
}

#[test]
fn a_number_that_is_shown_as_another_one_is_warned_of() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    bench.write("claims", r#"{"n":123456789012345678901234567890}"#);
    let args = ["jws", "sign", "--key", "k.jwk", "--typ", "JWT", "claims"];
    let token = bench.run(&args).ok().trim_end().to_owned();
    let verify = [
        "verify",
        "--key",
        "k.jwk",
        "--any-iss",
        "--any-aud",
        "--allow-no-exp",
    ];
    for args in [&["decode"][..], &verify] {
        let run = bench.run(&[args, &[&token]].concat());
        assert!(run.ok().contains("1.2345678901234568e"), "{run:?}");
        assert!(
            run.stderr.contains("line 1, column 6 of the payload"),
            "{run:?}"
        );
    }
    let run = bench.run(&["lint", "--json", &token]);
    let findings = run.json()["findings"].to_string();
    assert!(
        run.code == 1 && findings.contains("number_rounded"),
        "{run:?}"
    );
}
