//! `--json`: one object on standard output for every outcome of every command that has it.

use serde_json::{Value, json};

use crate::support::{Bench, Run, SECRET};

/// Every command with `--json`, the member that says how it went, and what it needs to succeed.
const COMMANDS: [(&str, &str, &[&str]); 10] = [
    (
        "verify",
        "valid",
        &["--key", "k.pub.jwk", "--any-iss", "--any-aud", "TOKEN"],
    ),
    ("decode", "verified", &["TOKEN"]),
    ("lint", "verified", &["TOKEN"]),
    ("jws verify", "valid", &["--key", "k.pub.jwk", "TOKEN"]),
    ("key inspect", "usable", &["k.jwk"]),
    ("key check", "usable", &["k.jwk"]),
    ("key thumbprint", "", &["k.jwk"]),
    ("jwks list", "", &["set.json"]),
    ("jwks check", "usable", &["set.json"]),
    ("user list", "", &["--data", "data"]),
];

fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.key("ES256", "k");
    bench.write("secret", SECRET);
    bench
        .run(&["jwks", "add", "--key", "k.jwk", "set.json"])
        .ok();
    let token = bench.token("k.jwk", &[]);
    (bench, token)
}

fn run(bench: &Bench, command: &str, args: &[&str]) -> Run {
    let words: Vec<&str> = command.split(' ').collect();
    bench.run(&[&words[..], &["--json"], args].concat())
}

/// The one object that a run printed, which is one line.
fn object(run: &Run) -> Value {
    assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
    let answer = run.json();
    assert!(answer.is_object(), "{run:?}");
    answer
}

/// A failure with a code, a message and, where the command gives one, its verdict.
fn failed(run: &Run, verdict: &str, exit: i32, code: &str) {
    let answer = object(run);
    assert_eq!((run.code, &answer["code"]), (exit, &json!(code)), "{run:?}");
    assert!(!answer["message"].as_str().unwrap().is_empty(), "{run:?}");
    if !verdict.is_empty() {
        assert_eq!(answer[verdict], false, "{run:?}");
    }
}

#[test]
fn every_command_with_the_flag_is_in_this_table() {
    let bench = Bench::new();
    bench.run(&["man", "--out", "man"]).ok();
    for name in bench_names(&bench) {
        let page = bench.read(&format!("man/{name}"));
        let listed = COMMANDS
            .iter()
            .any(|(command, ..)| name == format!("countersign-{}.1", command.replace(' ', "-")));
        let has_flag = page.contains("\\fB\\-\\-json\\fR\n");
        assert_eq!(has_flag, listed, "{name}");
    }
}

fn bench_names(bench: &Bench) -> Vec<String> {
    std::fs::read_dir(bench.path("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_run_that_succeeds_prints_one_object() {
    let (bench, token) = bench();
    for (command, verdict, args) in COMMANDS {
        if command == "user list" {
            continue;
        }
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "TOKEN" { &token } else { *arg })
            .collect();
        let run = run(&bench, command, &args);
        let answer = object(&run);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(answer.get("code").is_none(), "{run:?}");
        if ["valid", "usable"].contains(&verdict) {
            assert_eq!(answer[verdict], true, "{run:?}");
        }
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_an_object_too() {
    let bench = Bench::new();
    for (command, verdict, _) in COMMANDS {
        let run = run(&bench, command, &["--no-such-flag"]);
        failed(&run, verdict, 2, "usage");
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
    let missing = run(&bench, "jws verify", &[]);
    assert_eq!(
        missing.json()["message"],
        "the following required arguments were not provided: --key <SPEC>"
    );
    let help = bench.run(&["decode", "--json", "--help"]);
    assert!(
        help.code == 0 && help.stdout.starts_with("Show what a token says"),
        "{help:?}"
    );
}

#[test]
fn what_cannot_be_read_is_an_object() {
    let (bench, token) = bench();
    for (command, verdict, args) in COMMANDS {
        let args: Vec<&str> = match command {
            "decode" | "lint" => continue,
            "user list" => vec!["--data", "set.json"],
            _ => args
                .iter()
                .map(|arg| match *arg {
                    "TOKEN" => &token,
                    name if name.contains('.') => "missing",
                    flag => flag,
                })
                .collect(),
        };
        let run = run(&bench, command, &args);
        let answer = object(&run);
        assert_eq!(run.code, 4, "{run:?}");
        assert!(answer["code"].is_string() && answer["message"].is_string());
        if !verdict.is_empty() {
            assert_eq!(answer[verdict], false, "{run:?}");
        }
        assert_eq!(run.stderr, "", "{run:?}");
    }
}

#[test]
fn what_is_no_token_is_an_object() {
    let (bench, token) = bench();
    for (command, verdict, args) in COMMANDS {
        if !args.contains(&"TOKEN") {
            continue;
        }
        let with = |token: &'static str| {
            let args: Vec<&str> = args
                .iter()
                .map(|arg| if *arg == "TOKEN" { token } else { *arg })
                .collect();
            run(&bench, command, &args)
        };
        failed(&with("no-token"), verdict, 1, "malformed_segments");
        failed(&with("a.b.c"), verdict, 1, "malformed_base64url");
        failed(&with(""), verdict, 2, "usage");
    }
    let detached = token.split('.').collect::<Vec<_>>();
    let detached = format!("{}..{}", detached[0], detached[2]);
    let run = run(&bench, "jws verify", &["--key", "k.jwk", &detached]);
    failed(&run, "valid", 2, "payload_detached");
}

#[test]
fn a_key_that_is_not_to_be_had_or_refused_is_an_object() {
    let (bench, token) = bench();
    let weak = "b64:c2VjcmV0";
    let verify = |key: &str, more: &[&str]| {
        let policy = ["--any-iss", "--any-aud", "--key", key];
        run(&bench, "verify", &[&policy[..], more, &[&token]].concat())
    };
    failed(&verify("env:NOPE", &[]), "valid", 3, "key_unavailable");
    failed(&verify("b64:&", &[]), "valid", 3, "key_format");
    failed(&verify("secret", &[]), "valid", 2, "usage");
    failed(&verify(weak, &["--alg", "HS256"]), "valid", 3, "key_weak");
    failed(
        &verify("k.jwk", &["--alg", "ES384"]),
        "valid",
        3,
        "key_unfit",
    );
    failed(&verify("k.jwk", &["--leeway", "1h"]), "valid", 2, "policy");
    let args = ["--key", "k.jwk", token.as_str()];
    failed(&run(&bench, "verify", &args), "valid", 2, "usage");
    for (command, code) in [("jwks check", "usable"), ("jwks list", "")] {
        failed(&run(&bench, command, &["k.jwk"]), code, 3, "key_unfit");
        failed(&run(&bench, command, &["secret"]), code, 3, "key_format");
        failed(
            &run(&bench, command, &["env:NOPE"]),
            code,
            3,
            "key_unavailable",
        );
    }
    failed(&run(&bench, "key check", &[weak]), "usable", 3, "key_weak");
    failed(
        &run(&bench, "key check", &["set.json"]),
        "usable",
        3,
        "key_unfit",
    );
    failed(
        &run(&bench, "key thumbprint", &["env:NOPE"]),
        "",
        3,
        "key_unavailable",
    );
}
