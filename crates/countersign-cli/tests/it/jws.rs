//! `countersign jws`.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Bench, Run, SECRET};

/// A bench with a key pair for ES256 and a file `doc` of octets that are no text.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.write("doc", DOC);
    bench
}

const DOC: &[u8] = b"\x00\xff\x1b[2J any\noctets\r\n\n";

fn sign(bench: &Bench, more: &[&str]) -> String {
    let args = [&["jws", "sign", "--key", "ec.jwk"], more, &["doc"]].concat();
    bench.run(&args).ok().trim_end().to_owned()
}

fn verify(bench: &Bench, more: &[&str], token: &str) -> Run {
    bench.run(&[&["jws", "verify", "--key", "ec.pub.jwk"], more, &[token]].concat())
}

/// What the command writes to standard output, as octets.
fn octets(bench: &Bench, args: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut command = bench.command();
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs no input may end before it is written: no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    output.stdout
}

#[test]
fn any_octets_come_out_as_they_went_in() {
    let bench = bench();
    for form in [&[][..], &["--json-serialization"]] {
        let text = sign(&bench, form);
        assert_eq!(text.starts_with('{'), !form.is_empty());
        let args = ["jws", "verify", "--key", "ec.pub.jwk", &text];
        assert_eq!(octets(&bench, &args, b""), DOC);
        let piped = ["jws", "verify", "--key", "ec.pub.jwk"];
        assert_eq!(octets(&bench, &piped, format!(" {text}\n").as_bytes()), DOC);
    }
}

#[test]
fn the_payload_comes_from_a_file_or_standard_input() {
    let bench = bench();
    bench.key("EdDSA", "ed");
    let signed = |args: &[&str]| {
        let args = [&["jws", "sign", "--key", "ed.jwk"], args].concat();
        octets(&bench, &args, DOC)
    };
    assert_eq!(signed(&["doc"]), signed(&["-"]));
    assert_eq!(signed(&["doc"]), signed(&[]));
    bench
        .run_with(&["jws", "sign", "--key", "-"], &[], &bench.read("ed.jwk"))
        .fails(2, &["only one of the key and the payload"]);
    bench
        .run(&["jws", "sign", "--key", "ed.jwk", "missing"])
        .fails(4, &["cannot read missing"]);
}

#[test]
fn accepts_keys_public_private_secret_and_of_a_set() {
    let bench = bench();
    bench.key("ES256", "other");
    bench.write("secret", SECRET);
    let text = sign(&bench, &[]);
    let set = format!(
        r#"{{"keys":[{},{}]}}"#,
        bench.read("other.pub.jwk"),
        bench.read("ec.pub.jwk")
    );
    bench.write("set.json", set);
    for key in ["ec.pub.jwk", "ec.jwk", "set.json"] {
        bench
            .run(&["jws", "verify", "--json", "--key", key, &text])
            .ok();
    }
    bench
        .run(&["jws", "verify", "--key", "other.jwk", &text])
        .fails(1, &["key_not_found"]);
    let secret = ["--key", "secret", "--alg", "HS256"];
    let text = bench.run(&[&["jws", "sign"], &secret[..], &["doc"]].concat());
    let text = text.ok().trim_end().to_owned();
    bench
        .run(&[&["jws", "verify", "--json"], &secret[..], &[&text]].concat())
        .ok();
    bench
        .run(&["jws", "verify", "--key", "secret", &text])
        .fails(2, &["--alg"]);
}

#[test]
fn without_a_kid_the_only_key_that_fits_is_taken_and_two_are_an_error() {
    let bench = bench();
    bench.key("ES256", "other");
    bench.key("EdDSA", "ed");
    let jwk: Value = serde_json::from_str(&bench.read("ec.jwk")).unwrap();
    let mut nameless = jwk.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    bench.write("nameless.jwk", nameless.to_string());
    let text = bench.run(&["jws", "sign", "--key", "nameless.jwk", "doc"]);
    let text = text.ok().trim_end().to_owned();
    let set = |names: &[&str]| {
        let keys: Vec<String> = names
            .iter()
            .map(|name| bench.read(&format!("{name}.pub.jwk")))
            .collect();
        bench.write("set.json", format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
        bench.run(&["jws", "verify", "--json", "--key", "set.json", &text])
    };
    set(&["ec", "ed"]).ok();
    let run = set(&["ec", "other"]);
    assert_eq!(
        (run.code, run.json()["code"].as_str()),
        (1, Some("key_ambiguous"))
    );
    let run = set(&["ed"]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn a_detached_payload_is_handed_over() {
    let bench = bench();
    bench.write("changed", "other octets");
    for form in [&["--detached"][..], &["--detached", "--json-serialization"]] {
        let text = sign(&bench, form);
        assert!(text.contains("..") || !text.contains("payload"), "{text}");
        let args = ["jws", "verify", "--key", "ec.pub.jwk", "--payload"];
        assert_eq!(
            octets(&bench, &[&args[..], &["doc", &text]].concat(), b""),
            DOC
        );
        assert_eq!(
            octets(&bench, &[&args[..], &["-", &text]].concat(), DOC),
            DOC
        );
        verify(&bench, &["--payload", "changed"], &text).fails(1, &["signature_invalid"]);
        verify(&bench, &[], &text).fails(2, &["--payload FILE"]);
        verify(&bench, &["--payload", "missing"], &text).fails(4, &["cannot read missing"]);
        verify(&bench, &["--payload", "-"], "-").fails(2, &["only one of"]);
    }
    verify(&bench, &["--payload", "doc"], &sign(&bench, &[]))
        .fails(1, &["another one was handed over"]);
}

#[test]
fn an_unencoded_payload_is_signed_as_it_is() {
    let bench = bench();
    bench
        .run(&["jws", "sign", "--key", "ec.jwk", "--unencoded", "doc"])
        .fails(2, &["cannot be written"]);
    let text = sign(&bench, &["--unencoded", "--detached"]);
    verify(&bench, &["--json", "--payload", "doc"], &text).ok();
    bench.write("doc", "plain $1");
    let text = sign(&bench, &["--unencoded"]);
    assert!(text.contains(".plain $1."), "{text}");
    assert_eq!(verify(&bench, &[], &text).ok(), "plain $1");
    let flattened = sign(&bench, &["--unencoded", "--json-serialization"]);
    assert!(flattened.contains(r#""payload":"plain $1""#), "{flattened}");
    assert_eq!(verify(&bench, &[], &flattened).ok(), "plain $1");
}

#[test]
fn of_several_signatures_one_that_holds_is_enough_and_only_its_header_comes_out() {
    let bench = bench();
    bench.key("EdDSA", "eve");
    let one: Value = serde_json::from_str(&sign(&bench, &["--json-serialization"])).unwrap();
    let args = [
        "jws",
        "sign",
        "--key",
        "eve.jwk",
        "--header",
        "role=admin",
        "--json-serialization",
        "doc",
    ];
    let two: Value = bench.run(&args).json();
    let signature =
        |jws: &Value| json!({"protected": jws["protected"], "signature": jws["signature"]});
    let general =
        json!({"payload": one["payload"], "signatures": [signature(&two), signature(&one)]});
    let answer = verify(&bench, &["--json"], &general.to_string()).json();
    assert_eq!(answer["valid"], true);
    assert_eq!(answer["header"]["alg"], "ES256");
    assert_eq!(answer["header"]["role"], Value::Null);
    let forged = json!({"payload": "AAAA", "signatures": [signature(&two), signature(&one)]});
    let run = verify(&bench, &["--json"], &forged.to_string());
    assert_eq!(
        run.json(),
        json!({"valid": false, "code": "signature_invalid", "message": "the signature does not hold"})
    );
    assert_eq!(run.code, 1);
}

#[test]
fn several_keys_make_a_general_jws_that_each_of_them_verifies() {
    let bench = bench();
    bench.key("EdDSA", "ed");
    let sign = |more: &[&str]| {
        let keys = ["jws", "sign", "--key", "ec.jwk", "--key", "ed.jwk"];
        let file: &[&str] = if more.ends_with(&["-"]) {
            &[]
        } else {
            &["doc"]
        };
        bench.run(&[&keys[..], more, file].concat())
    };
    let run = sign(&["--json-serialization=general", "--typ", "contract"]);
    let general = run.json();
    assert_eq!(general["signatures"].as_array().unwrap().len(), 2);
    for (key, alg) in [("ec.pub.jwk", "ES256"), ("ed.jwk", "EdDSA")] {
        let args = [
            "jws",
            "verify",
            "--json",
            "--key",
            key,
            run.stdout.trim_end(),
        ];
        let answer = bench.run(&args).json();
        assert_eq!(answer["header"]["alg"], alg);
        assert_eq!(answer["header"]["typ"], "contract");
    }
    for form in [
        &[][..],
        &["--json-serialization"],
        &["--json-serialization=flattened"],
    ] {
        sign(form).fails(2, &["--json-serialization=general"]);
    }
    let detached = sign(&["--json-serialization=general", "--detached"]);
    assert!(detached.json().get("payload").is_none());
    let args = [
        "jws",
        "verify",
        "--json",
        "--key",
        "ed.jwk",
        "--payload",
        "doc",
    ];
    bench
        .run(&[&args[..], &[detached.stdout.trim_end()]].concat())
        .ok();
    sign(&["--json-serialization=general", "--key", "-", "-"]).fails(2, &["only one of"]);
    let twice = ["--json-serialization=general", "--key", "-", "--key", "-"];
    sign(&twice).fails(2, &["only one key"]);
}

#[test]
fn the_form_of_one_signature_is_that_which_is_asked_for() {
    let bench = bench();
    let form = |flag: &str| -> Value { serde_json::from_str(&sign(&bench, &[flag])).unwrap() };
    for flattened in ["--json-serialization", "--json-serialization=flattened"] {
        assert!(form(flattened)["signature"].is_string());
    }
    let general = form("--json-serialization=general");
    assert_eq!(general["signatures"].as_array().unwrap().len(), 1);
    assert!(general.get("signature").is_none());
    let args = [
        "jws",
        "sign",
        "--key",
        "ec.jwk",
        "--json-serialization=yaml",
    ];
    bench
        .run(&[&args[..], &["doc"]].concat())
        .misused("[possible values: flattened, general]");
}

#[test]
fn rejects_what_is_no_jws_and_what_is_signed_by_nobody() {
    let bench = bench();
    verify(&bench, &[], "no-jws").fails(1, &["three parts"]);
    verify(&bench, &[], "{}").fails(1, &["JWS refused"]);
    verify(&bench, &[], "eyJhbGciOiJub25lIn0.AAAA.").fails(1, &["unsecured"]);
    verify(&bench, &["--alg", "RS256"], &sign(&bench, &[])).fails(3, &["ES256"]);
    bench
        .run(&["jws", "sign", "--key", "ec.pub.jwk", "doc"])
        .fails(3, &[]);
    bench
        .run(&[
            "jws", "sign", "--key", "ec.jwk", "--header", "crit=x", "doc",
        ])
        .fails(2, &["--header does not set `crit`"]);
}
