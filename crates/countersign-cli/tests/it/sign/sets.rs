//! Which key of a JWK Set signs, and under which name.

use serde_json::{Value, json};

use crate::support::Bench;

/// What was written under these names, in one set.
fn set(bench: &Bench, names: &[&str]) {
    let keys: Vec<String> = names
        .iter()
        .map(|name| bench.read(&format!("{name}.jwk")))
        .collect();
    bench.write("set.json", format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
}

#[test]
fn the_only_key_of_a_set_that_can_sign_signs() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.key("EdDSA", "ed");
    let (ec, ed) = (bench.read("ec.jwk"), bench.read("ed.jwk"));
    let signs = |more: &[&str]| {
        let run = bench.run(&[&["sign", "--key", "set.json"], more].concat());
        let token = run.ok().trim_end().to_owned();
        bench.run(&["decode", "--json", &token]).json()["header"].clone()
    };
    for names in [&["ec"][..], &["ed.pub", "ec"], &["ec", "ed.pub"]] {
        set(&bench, names);
        let header = signs(&[]);
        assert_eq!(header["alg"], "ES256");
        assert!(ec.contains(header["kid"].as_str().unwrap()));
    }
    set(&bench, &["ec", "ed"]);
    assert_eq!(signs(&["--alg", "EdDSA"])["alg"], "EdDSA");
    let jwk: Value = serde_json::from_str(&ed).unwrap();
    let kid = jwk["kid"].as_str().unwrap();
    assert_eq!(signs(&["--kid", kid])["kid"], *kid);
    bench.write("doc", "text");
    let args = ["jws", "sign", "--key", "set.json", "--kid", kid, "doc"];
    bench.run(&args).ok();
}

#[test]
fn rejects_a_set_that_does_not_say_which_key_signs() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.key("EdDSA", "ed");
    let kid = |name: &str| {
        let jwk: Value = serde_json::from_str(&bench.read(&format!("{name}.jwk"))).unwrap();
        jwk["kid"].as_str().unwrap().to_owned()
    };
    let sign = |more: &[&str]| bench.run(&[&["sign", "--key", "set.json"], more].concat());
    set(&bench, &["ec", "ed"]);
    sign(&[]).fails(2, &["2 keys", "--kid", &kid("ec"), &kid("ed")]);
    sign(&["--kid", "mine"]).fails(3, &["no key named mine", &kid("ec")]);
    sign(&["--alg", "ES384"]).fails(3, &["no private key that can sign with ES384"]);
    set(&bench, &["ec.pub", "ed.pub"]);
    sign(&[]).fails(3, &["no private key that can sign"]);
    sign(&["--kid", &kid("ec")]).fails(3, &[&kid("ec"), "no private key"]);
    // Two keys of one name and algorithm are unusable, and a secret beside key pairs is.
    set(&bench, &["ec", "ec"]);
    sign(&[]).fails(3, &["the same `kid`"]);
    bench.key("HS256", "secret");
    set(&bench, &["ec.pub", "secret"]);
    sign(&[]).fails(3, &["shared secret does not belong"]);
}

#[test]
fn an_rsa_key_of_a_set_signs_with_the_algorithm_that_is_named() {
    let bench = Bench::new();
    bench.key("RS256", "rsa");
    let mut jwk: Value = serde_json::from_str(&bench.read("rsa.jwk")).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    bench.write("set.json", json!({ "keys": [jwk] }).to_string());
    bench
        .run(&["sign", "--key", "set.json"])
        .fails(2, &["--alg", "PS256"]);
    let run = bench.run(&["sign", "--key", "set.json", "--alg", "PS384"]);
    let shown = bench.run(&["decode", "--json", run.ok().trim_end()]).json();
    assert_eq!(shown["header"]["alg"], "PS384");
}

#[test]
fn a_key_without_a_name_gets_the_one_that_is_given_and_keeps_its_own() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let args = [
        "key", "convert", "k.jwk", "--format", "pem", "--out", "k.pem",
    ];
    bench.run(&args).ok();
    let run = bench.run(&["sign", "--key", "k.pem", "--kid", "2026-11"]);
    let shown = bench.run(&["decode", "--json", run.ok().trim_end()]).json();
    assert_eq!(shown["header"]["kid"], "2026-11");
    bench
        .run(&["sign", "--key", "k.jwk", "--kid", "2026-11"])
        .fails(3, &["not 2026-11"]);
}

/// One thumbprint of 64 begins like an option of the command.
#[test]
fn the_name_of_a_key_may_begin_with_a_hyphen() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let mut jwk: Value = serde_json::from_str(&bench.read("k.jwk")).unwrap();
    jwk["kid"] = json!("-s");
    bench.write("k.jwk", jwk.to_string());
    set(&bench, &["k"]);
    let pem = [
        "key", "convert", "k.jwk", "--format", "pem", "--out", "k.pem",
    ];
    bench.run(&pem).ok();
    bench
        .run(&["sign", "--key", "set.json", "--kid", "-s"])
        .ok();
    for name in ["-s", "--kid", "-"] {
        let public = ["key", "public", "k.pem", "--format", "jwk", "--kid", name];
        assert_eq!(bench.run(&public).json()["kid"], name);
        let form = ["key", "convert", "k.pem", "--format", "jwk", "--kid", name];
        assert_eq!(bench.run(&form).json()["kid"], name);
        let add = [
            "jwks",
            "add",
            "--key",
            "k.pem",
            "--kid",
            name,
            "public.json",
        ];
        bench.run(&add).ok();
    }
}
