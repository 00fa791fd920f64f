//! `countersign verify`.

mod texts;

use std::process::{Command, Stdio};

use crate::support::{Bench, Run, SECRET};

const ISS: [&str; 4] = ["--iss", "https://id.example", "--aud", "orders-api"];

/// A bench with a key pair for ES256 and a token that it signed.
fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    let token = bench.token("ec.jwk", &[]);
    (bench, token)
}

fn verify(bench: &Bench, key: &str, token: &str, more: &[&str]) -> Run {
    bench.run(&[&["verify", "--key", key], &ISS[..], more, &[token]].concat())
}

#[test]
fn accepts_a_good_token_and_prints_its_claims() {
    let (bench, token) = bench();
    let run = verify(&bench, "ec.pub.jwk", &token, &[]);
    assert_eq!(run.json()["sub"], "ada");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn accepts_a_key_in_every_form() {
    let (bench, token) = bench();
    let jwk = bench.read("ec.pub.jwk");
    bench.write("set.json", format!("{{\"keys\":[{jwk}]}}"));
    for key in ["ec.pub.jwk", "ec.jwk", "set.json", "env:KEY"] {
        let args = [&["verify", "--key", key], &ISS[..], &[&token]].concat();
        let run = bench.run_with(&args, &[("KEY", &jwk)], "");
        assert_eq!(run.json()["sub"], "ada", "{key}");
    }
    let args = ["key", "generate", "EdDSA", "--format", "pem", "--out"];
    bench
        .run(&[&args[..], &["ed.pem", "--public-out", "ed.pub.pem"]].concat())
        .ok();
    let token = bench.token("ed.pem", &[]);
    for key in ["ed.pub.pem", "ed.pem"] {
        assert_eq!(verify(&bench, key, &token, &[]).json()["sub"], "ada");
    }
}

#[test]
fn accepts_every_algorithm_that_it_signs_with() {
    let bench = Bench::new();
    for alg in [
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
    ] {
        bench.key(alg, alg);
        let key = format!("{alg}.jwk");
        let token = bench.token(&key, &[]);
        assert_eq!(
            verify(&bench, &key, &token, &[]).json()["sub"],
            "ada",
            "{alg}"
        );
    }
}

#[test]
fn rejects_a_verification_that_decides_neither_issuer_nor_audience() {
    let (bench, token) = bench();
    let run =
        |args: &[&str]| bench.run(&[&["verify", "--key", "ec.pub.jwk"], args, &[&token]].concat());
    run(&["--aud", "a"]).fails(2, &["--iss ISSUER", "--any-iss"]);
    run(&["--any-iss"]).fails(2, &["--aud AUDIENCE", "--no-aud", "--any-aud"]);
    run(&["--iss", "i", "--any-iss", "--any-aud"]).misused("cannot be used with");
    run(&["--any-iss", "--any-aud", "--no-aud"]).misused("cannot be used with");
    run(&["--any-iss", "--any-aud", "--aud", "a"]).misused("cannot be used with");
    run(&["--any-iss", "--any-aud"]).ok();
}

#[test]
fn rejects_what_the_policy_does_not_take_with_a_code_of_its_own() {
    let (bench, token) = bench();
    let policy = |iss, aud| {
        bench.run(&[
            "verify",
            "--json",
            "--key",
            "ec.pub.jwk",
            "--iss",
            iss,
            "--aud",
            aud,
            &token,
        ])
    };
    let refused = |run: Run, code: &str| {
        assert_eq!(run.code, 1, "{run:?}");
        let answer = run.json();
        assert_eq!(answer["valid"], false);
        assert_eq!(answer["code"], code);
        assert!(answer["message"].is_string() && answer["checks"].is_array());
        assert_eq!(run.stderr, "");
    };
    refused(
        policy("https://evil.example", "orders-api"),
        "issuer_mismatch",
    );
    refused(
        policy("https://id.example", "billing-api"),
        "audience_mismatch",
    );
    refused(
        verify(
            &bench,
            "ec.pub.jwk",
            &token,
            &["--json", "--at", "4102444800"],
        ),
        "token_expired",
    );
    refused(
        verify(&bench, "ec.pub.jwk", &token, &["--json", "--typ", "at+jwt"]),
        "type_mismatch",
    );
    bench.key("ES256", "other");
    bench.write(
        "set.json",
        format!("{{\"keys\":[{}]}}", bench.read("other.pub.jwk")),
    );
    refused(
        verify(&bench, "set.json", &token, &["--json"]),
        "key_not_found",
    );
    let other = bench.token("ec.jwk", &["--claim", "name=eve"]);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    refused(
        verify(&bench, "ec.pub.jwk", &forged, &["--json"]),
        "signature_invalid",
    );
}

#[test]
fn a_refusal_without_json_is_one_line_on_standard_error() {
    let (bench, token) = bench();
    let run = verify(
        &bench,
        "ec.pub.jwk",
        &token,
        &["--at", "2100-01-01T00:00:00Z"],
    );
    run.fails(1, &["token refused (token_expired)", "--explain"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn json_answers_with_header_and_claims_on_one_line() {
    let (bench, token) = bench();
    let run = verify(&bench, "ec.pub.jwk", &token, &["--json"]);
    let answer = run.json();
    assert_eq!(answer["valid"], true);
    assert_eq!(answer["header"]["alg"], "ES256");
    assert_eq!(answer["claims"]["aud"], "orders-api");
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn explain_prints_every_check_of_a_good_and_of_a_refused_token() {
    let (bench, token) = bench();
    let run = verify(&bench, "ec.pub.jwk", &token, &["--explain"]);
    assert!(run.ok().contains(" 1 ✓ three parts"), "{run:?}");
    let args = [
        "verify",
        "--key",
        "ec.pub.jwk",
        "--explain",
        "--any-iss",
        "--aud",
        "billing-api",
    ];
    let run = bench.run(&[&args[..], &["--at", "4102444800", &token]].concat());
    assert_eq!(run.code, 1);
    for part in [
        "✗",
        "billing-api",
        "refused: audience_mismatch (and 1 more)",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
}

#[test]
fn typ_is_absent_jwt_or_at_jwt_unless_one_is_asked_for() {
    let (bench, plain) = bench();
    let access = bench.token("ec.jwk", &["--typ", "at+jwt"]);
    let logout = bench.token("ec.jwk", &["--typ", "logout+jwt"]);
    let code = |token: &str, more: &[&str]| verify(&bench, "ec.pub.jwk", token, more).code;
    assert_eq!(
        (code(&plain, &[]), code(&access, &[]), code(&logout, &[])),
        (0, 0, 1)
    );
    let only = ["--typ", "at+jwt"];
    assert_eq!(
        (
            code(&plain, &only),
            code(&access, &only),
            code(&logout, &only)
        ),
        (1, 0, 1)
    );
}

#[test]
fn no_aud_takes_only_tokens_that_name_nobody() {
    let (bench, token) = bench();
    let nobody = bench
        .run(&["sign", "--key", "ec.jwk"])
        .ok()
        .trim_end()
        .to_owned();
    let run = |token| {
        bench.run(&[
            "verify",
            "--key",
            "ec.pub.jwk",
            "--any-iss",
            "--no-aud",
            token,
        ])
    };
    run(&nobody).ok();
    run(&token).fails(1, &["audience_unexpected"]);
}

#[test]
fn allow_no_exp_takes_a_token_without_exp_and_still_no_expired_one() {
    let (bench, token) = bench();
    let endless = bench.token("ec.jwk", &["--no-exp"]);
    verify(&bench, "ec.pub.jwk", &endless, &[]).fails(
        1,
        &["claim_missing", "--allow-no-exp takes it all the same"],
    );
    verify(&bench, "ec.pub.jwk", &endless, &["--allow-no-exp"]).ok();
    let late = ["--allow-no-exp", "--at", "4102444800"];
    verify(&bench, "ec.pub.jwk", &token, &late).fails(1, &["token_expired"]);
}

#[test]
fn leeway_is_at_most_five_minutes() {
    let (bench, _) = bench();
    let exp = ["--claim-json", "exp=1700000000", "--allow-expired"];
    let token = bench.token("ec.jwk", &[&["--no-iat"], &exp[..]].concat());
    let at = |more: &[&str]| {
        verify(
            &bench,
            "ec.pub.jwk",
            &token,
            &[&["--at", "1700000030"], more].concat(),
        )
    };
    at(&[]).fails(1, &["token_expired"]);
    at(&["--leeway", "31s"]).ok();
    at(&["--leeway", "301s"]).fails(2, &["300 s"]);
    at(&["--leeway", "soon"]).misused("length of time");
    verify(&bench, "ec.pub.jwk", &token, &["--at", "soon"]).misused("expected a time");
}

#[test]
fn rejects_a_key_of_another_algorithm_than_asked_for() {
    let (bench, token) = bench();
    bench.write(
        "set.json",
        format!("{{\"keys\":[{}]}}", bench.read("ec.pub.jwk")),
    );
    for key in ["ec.pub.jwk", "set.json"] {
        verify(&bench, key, &token, &["--alg", "ES256"]).ok();
        verify(&bench, key, &token, &["--alg", "RS256"]).fails(3, &["RS256"]);
        verify(&bench, key, &token, &["--alg", "HS256"]).fails(3, &["HS256"]);
    }
}

#[test]
fn rejects_what_is_no_key() {
    let (bench, token) = bench();
    for (name, text, code) in [
        ("broken.jwk", "{\"kty\":", 3),
        ("empty.jwks", "{\"keys\":[]}", 3),
        (
            "broken.pem",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            3,
        ),
        ("short", "secret", 2),
    ] {
        bench.write(name, text);
        verify(&bench, name, &token, &[]).fails(code, &[]);
    }
    verify(&bench, "missing.jwk", &token, &[])
        .fails(4, &["cannot read the key: there is no such file"]);
}

#[test]
fn a_key_of_a_set_that_cannot_be_used_is_named_and_the_rest_works() {
    let (bench, token) = bench();
    let good = bench.read("ec.pub.jwk");
    bench.write(
        "set.json",
        format!("{{\"keys\":[{{\"kty\":\"EC\"}},{good}]}}"),
    );
    let run = verify(&bench, "set.json", &token, &[]);
    assert_eq!(run.json()["sub"], "ada");
    assert!(
        run.stderr.contains("warning: key 1 of the set is left out"),
        "{run:?}"
    );
}

#[test]
fn of_several_keys_the_kid_picks_and_at_most_one_is_standard_input() {
    let (bench, token) = bench();
    bench.key("ES256", "other");
    bench.key("EdDSA", "ed");
    let run = |keys: &[&str], stdin: &str| {
        let keys: Vec<&str> = keys.iter().flat_map(|key| ["--key", key]).collect();
        let args = [&["verify"], &keys[..], &ISS, &[&token]].concat();
        bench.run_with(&args, &[], stdin)
    };
    run(&["other.pub.jwk", "ed.jwk", "ec.pub.jwk"], "").ok();
    run(&["other.pub.jwk", "-"], &bench.read("ec.pub.jwk")).ok();
    run(&["other.pub.jwk", "ed.jwk"], "").fails(1, &["key_not_found"]);
    run(&["-", "-"], "").fails(2, &["only one key"]);
    run(&["ec.pub.jwk", "missing.jwk"], "").fails(4, &["there is no such file"]);
    run(&[], "").misused("--key");
}

#[test]
fn alg_decides_for_the_keys_of_a_set_that_leave_it_open() {
    let bench = Bench::new();
    bench.key("PS256", "rsa");
    let token = bench.token("rsa.jwk", &[]);
    let open = bench.read("rsa.pub.jwk").replace(r#""alg":"PS256","#, "");
    assert!(!open.contains("alg"));
    bench.write("set.json", format!("{{\"keys\":[{open}]}}"));
    bench.write("open.jwk", &open);
    for key in ["set.json", "open.jwk"] {
        verify(&bench, key, &token, &["--alg", "PS256"]).ok();
        verify(&bench, key, &token, &["--alg", "RS256"]).fails(1, &["algorithm_mismatch"]);
    }
    verify(&bench, "set.json", &token, &[]).fails(1, &["algorithm_mismatch"]);
    verify(&bench, "open.jwk", &token, &[]).fails(2, &["RSA public key", "--alg", "PS256"]);
}

#[test]
fn colour_marks_the_checks_where_it_is_wanted_and_nowhere_else() {
    let (bench, token) = bench();
    let args = [&["verify", "--key", "ec.pub.jwk", "--explain"], &ISS[..]].concat();
    let args = [&args[..], &["--at", "4102444800", &token]].concat();
    let run = |env: &[(&str, &str)]| bench.run_with(&args, env, "");
    let coloured = run(&[("CLICOLOR_FORCE", "1")]).stdout;
    for mark in ["\u{1b}[32m✓", "\u{1b}[31m✗"] {
        assert!(coloured.contains(mark), "{coloured:?}");
    }
    for env in [
        &[][..],
        &[("CLICOLOR", "1")],
        &[("NO_COLOR", "1"), ("CLICOLOR", "1")],
    ] {
        let plain = run(env);
        assert!(
            plain.stdout.contains(" 1 ✓ ") && !plain.stdout.contains('\u{1b}'),
            "{plain:?}"
        );
        assert_eq!(plain.code, 1);
    }
}

#[test]
fn the_token_comes_as_an_argument_or_from_standard_input_but_not_beside_the_key() {
    let (bench, token) = bench();
    let args = [&["verify", "--key", "ec.pub.jwk"], &ISS[..]].concat();
    let run = bench.run_with(&args, &[], &format!("Authorization: Bearer {token}\n"));
    assert_eq!(run.json()["sub"], "ada");
    let args = [&["verify", "--key", "-"], &ISS[..]].concat();
    bench
        .run_with(&args, &[], SECRET)
        .fails(2, &["only one of the key and the token"]);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let (bench, token) = bench();
    let mut child = bench
        .command()
        .args(["decode", "--json", &token])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        !stderr.contains("panic") && !stderr.contains("error:"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_command_line_without_a_command_is_misuse_and_help_is_not() {
    let bench = Bench::new();
    assert_eq!(bench.run(&[]).code, 2);
    bench.run(&["frobnicate"]).misused("frobnicate");
    assert!(bench.run(&["--help"]).ok().contains("Exit codes"));
    assert!(bench.run(&["--version"]).ok().starts_with("countersign "));
    assert!(
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("-V")
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn rejects_octets_of_any_kind_and_size_as_a_token_and_not_as_a_call() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    for octets in [vec![0xff; 1_000], vec![b'a'; 3 << 20]] {
        let mut command = bench.command();
        command.args([
            "verify",
            "--key",
            "k.pub.jwk",
            "--any-iss",
            "--any-aud",
            "--json",
            "-",
        ]);
        let mut child = command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // The command need not read it all.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), &octets);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["valid"], false);
    }
}

#[test]
fn a_key_that_is_named_twice_is_one() {
    let (bench, token) = bench();
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "one.json"])
        .ok();
    let args = [
        "verify",
        "--any-iss",
        "--any-aud",
        "--key",
        "ec.jwk",
        "--key",
        "ec.pub.jwk",
    ];
    bench
        .run(&[&args[..], &["--key", "one.json", &token]].concat())
        .ok();
}

#[test]
fn asks_for_the_keys_and_names_both_ways_to_them() {
    let (bench, token) = bench();
    let run = bench.run(&["verify", &token]);
    run.fails(2, &["--issuer URL", "--key SPEC"]);
    let run = bench.run(&["verify", "--json", &token]);
    assert_eq!((run.code, &run.json()["valid"]), (2, &false.into()));
}

#[test]
fn says_of_a_token_with_a_status_list_that_it_was_not_looked_at() {
    let (bench, plain) = bench();
    let status = r#"status={"status_list":{"idx":7,"uri":"https://id.example/status-lists/1"}}"#;
    let token = bench.token("ec.jwk", &["--claim-json", status]);
    for more in [&[][..], &["--explain"], &["--json"]] {
        let run = verify(&bench, "ec.pub.jwk", &token, more);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            run.stderr
                .starts_with("warning: the token names a status list"),
            "{run:?}"
        );
        assert_eq!(verify(&bench, "ec.pub.jwk", &plain, more).stderr, "");
    }
    let revocation =
        |token| verify(&bench, "ec.pub.jwk", token, &["--json"]).json()["revocation"].clone();
    assert_eq!(revocation(&token), "not_checked");
    assert!(revocation(&plain).is_null());
    let last = |token| {
        let run = verify(&bench, "ec.pub.jwk", token, &["--explain"]);
        run.stdout
            .trim_end()
            .ends_with("; whether it was revoked since is not known")
    };
    assert!(last(&token) && !last(&plain));
    assert!(bench.run(&["verify", "--help"]).ok().contains("revoked"));
}

#[test]
fn one_key_that_does_not_fit_is_not_called_a_set() {
    let (bench, token) = bench();
    bench.key("ES256", "other");
    let run = verify(&bench, "other.pub.jwk", &token, &[]);
    run.fails(1, &["key_not_found", "the one key that was given"]);
}
