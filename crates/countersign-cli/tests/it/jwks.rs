//! `countersign jwks`.

use serde_json::Value;

use crate::support::{Bench, SECRET};

#[test]
fn add_makes_a_set_of_public_keys_that_verifies() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.key("EdDSA", "ed");
    for key in ["ec.jwk", "ed.pub.jwk"] {
        let run = bench.run(&["jwks", "add", "--key", key, "set.json"]);
        assert_eq!(run.ok(), "");
        assert!(run.stderr.contains("to set.json"), "{run:?}");
    }
    let set: Value = serde_json::from_str(&bench.read("set.json")).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    assert!(!bench.read("set.json").contains("\"d\""));
    assert_eq!(
        bench
            .names()
            .iter()
            .filter(|name| name.contains("set"))
            .count(),
        1
    );
    let token = bench.token("ec.jwk", &[]);
    let args = [
        "verify",
        "--key",
        "set.json",
        "--any-iss",
        "--any-aud",
        &token,
    ];
    bench.run(&args).ok();
}

#[test]
fn a_key_without_a_kid_gets_its_thumbprint_or_the_one_that_is_asked_for() {
    let bench = Bench::new();
    let args = [
        "key", "generate", "RS256", "--format", "pem", "--out", "rsa.pem",
    ];
    bench.run(&args).ok();
    bench
        .run(&["jwks", "add", "--key", "rsa.pem", "set.json"])
        .fails(2, &["--alg", "PS256"]);
    assert_eq!(bench.names(), ["rsa.pem"]);
    let add = ["jwks", "add", "--key", "rsa.pem", "--alg"];
    bench.run(&[&add[..], &["RS256", "set.json"]].concat()).ok();
    bench
        .run(&[&add[..], &["PS256", "--kid", "7", "set.json"]].concat())
        .ok();
    let keys = bench.run(&["jwks", "list", "--json", "set.json"]).json();
    let thumbprint = bench.run(&["key", "thumbprint", "rsa.pem"]);
    assert_eq!(keys["keys"][0]["kid"], thumbprint.ok().trim_end());
    assert_eq!(
        (&keys["keys"][1]["kid"], &keys["keys"][1]["alg"]),
        (&"7".into(), &"PS256".into())
    );
}

#[test]
fn rejects_a_key_that_spoils_the_set_and_leaves_the_file_alone() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.write("secret", SECRET);
    let add = |more: &[&str]| bench.run(&[&["jwks", "add"], more, &["set.json"]].concat());
    add(&["--key", "ec.jwk"]).ok();
    let before = bench.read("set.json");
    add(&["--key", "ec.jwk"]).fails(3, &["this key is in the set already"]);
    bench.key("ES256", "other");
    let jwk: Value = serde_json::from_str(&bench.read("ec.jwk")).unwrap();
    let kid = jwk["kid"].as_str().unwrap();
    add(&["--key", "other.jwk", "--kid", kid]).fails(3, &["another key", "the same `kid`"]);
    add(&["--key", "secret", "--alg", "HS256"]).fails(3, &["shared secret"]);
    add(&["--key", "set.json"]).fails(3, &["JWK Set"]);
    add(&["--key", "missing"]).fails(4, &["cannot read the key: there is no such file"]);
    assert_eq!(bench.read("set.json"), before);
    bench.write("broken.json", "{\"keys\":1}");
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "broken.json"])
        .fails(3, &["no array `keys`"]);
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "no/set.json"])
        .fails(4, &["cannot create"]);
}

#[test]
fn what_the_set_holds_beside_stays_in_it() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.write(
        "set.json",
        r#"{"keys":[{"kty":"future","kid":"1"}],"issuer":"x"}"#,
    );
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "set.json"])
        .ok();
    let set: Value = serde_json::from_str(&bench.read("set.json")).unwrap();
    assert_eq!(
        (&set["issuer"], &set["keys"][0]["kty"]),
        (&"x".into(), &"future".into())
    );
    assert_eq!(set["keys"][1]["kty"], "EC");
}

#[cfg(unix)]
#[test]
fn a_new_set_is_its_owners_and_an_old_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench.key("EdDSA", "ed");
    let mode = || {
        bench
            .path("set.json")
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "set.json"])
        .ok();
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(bench.path("set.json"), PermissionsExt::from_mode(0o644)).unwrap();
    bench
        .run(&["jwks", "add", "--key", "ed.jwk", "set.json"])
        .ok();
    assert_eq!(mode(), 0o644);
}

#[test]
fn list_and_check_say_which_keys_cannot_be_used_and_why() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    let good = bench.read("ec.pub.jwk");
    let set = format!(
        r#"{{"keys":[{{"kty":"EC","kid":"a\u001b[2J b"}},{good},{{"kty":"oct","k":"OXZLcS0ybVh3N1J0X2NaNExoMFlwOEJuRDVzR2ZKM2U","alg":"HS256"}}]}}"#
    );
    bench.write("set.json", set);
    let run = bench.run(&["jwks", "list", "set.json"]);
    let lines: Vec<&str> = run.ok().lines().collect();
    assert!(
        lines[0].starts_with("1\t") && lines[0].contains("unusable: "),
        "{run:?}"
    );
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert!(
        lines[1].contains("ES256\tan EC public key on P-256 (JWK)"),
        "{run:?}"
    );
    assert!(
        lines[2].contains("unusable: a shared secret does not belong"),
        "{run:?}"
    );
    let run = bench.run(&["jwks", "check", "set.json"]);
    assert_eq!(run.code, 3);
    assert!(run.stdout.starts_with("usable: 1 of 3\n"), "{run:?}");
    assert!(
        run.stderr.contains("key 3 is private") && run.stderr.contains("key 3 has no kid"),
        "{run:?}"
    );
    let run = bench.run(&["jwks", "check", "--json", "set.json"]);
    let answer = run.json();
    assert_eq!((run.code, &answer["usable"]), (3, &false.into()));
    assert_eq!(answer["keys"][0]["code"], "key_format");
    assert_eq!(answer["keys"][1]["usable"], true);
}

#[test]
fn check_accepts_a_good_set_and_rejects_what_is_none() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    bench
        .run(&["jwks", "add", "--key", "ec.jwk", "set.json"])
        .ok();
    let check = |file| bench.run(&["jwks", "check", file]);
    assert_eq!(check("set.json").ok(), "usable: 1 of 1\n");
    check("ec.jwk").fails(3, &["no JWK Set"]);
    bench.write("secret", SECRET);
    check("secret").fails(3, &["no JWK Set"]);
    bench.write("empty.json", "{\"keys\":[]}");
    assert_eq!(check("empty.json").code, 3);
    check("missing.json").fails(4, &["cannot read"]);
}

#[test]
fn an_rsa_key_without_alg_is_said_to_be_taken_for_rs256() {
    let bench = Bench::new();
    bench.key("PS384", "rsa");
    let token = bench.token("rsa.jwk", &[]);
    let mut jwk: Value = serde_json::from_str(&bench.read("rsa.pub.jwk")).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let set = serde_json::json!({ "keys": [jwk] });
    bench.write("set.json", set.to_string());
    let args = ["--key", "set.json", "--any-iss", "--any-aud"];
    let verify = |more: &[&str]| bench.run(&[&["verify"], &args[..], more, &[&token]].concat());
    verify(&[]).fails(1, &["taken", "RS256", "no `alg`", "--alg"]);
    let answer = verify(&["--json"]).json();
    assert_eq!(answer["code"], "algorithm_mismatch");
    assert!(answer["message"].as_str().unwrap().contains("--alg"));
    let explained = verify(&["--explain"]);
    assert!(
        explained
            .stdout
            .contains("RS256, for which the key is taken"),
        "{explained:?}"
    );
    verify(&["--alg", "PS384"]).ok();
    bench
        .run(&["jws", "verify", "--key", "set.json", &token])
        .fails(1, &["RS256", "--alg"]);
    let listed = bench.run(&["jwks", "list", "--json", "set.json"]).json();
    assert_eq!(listed["keys"][0]["alg_assumed"], true);
    let checked = bench.run(&["jwks", "check", "set.json"]);
    assert!(checked.ok().starts_with("usable: 1 of 1"));
    assert!(checked.stderr.contains("taken for RS256"), "{checked:?}");
}
