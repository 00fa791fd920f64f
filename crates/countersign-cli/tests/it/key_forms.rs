//! `countersign key public`, `convert`, `thumbprint`, `inspect` and `check`, and keys in every format.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Bench, Run, SECRET};

/// The keys that the library's own tests read, as OpenSSL wrote them.
fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../countersign/tests/data/keys");
    folder.join(name)
}

/// A bench with copies of such keys, under their names.
fn bench(names: &[&str]) -> Bench {
    let bench = Bench::new();
    for name in names {
        bench.write(name, fs::read(fixture(name)).unwrap());
    }
    bench
}

fn key(bench: &Bench, args: &[&str]) -> Run {
    bench.run(&[&["key"], args].concat())
}

#[test]
fn a_key_goes_through_every_form_and_stays_itself() {
    let bench = Bench::new();
    for alg in [
        "RS256",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "ML-DSA-44",
    ] {
        bench.key(alg, alg);
        let source = format!("{alg}.jwk");
        let (pem, der, back) = (
            format!("{alg}.pem"),
            format!("{alg}.der"),
            format!("{alg}.back.jwk"),
        );
        key(&bench, &["convert", &source, "--out", &pem]).ok();
        key(&bench, &["convert", &pem, "--format", "der", "--out", &der]).ok();
        key(
            &bench,
            &["convert", &der, "--alg", alg, "--kid", "7", "--out", &back],
        )
        .ok();
        let thumbprint = |file: &str| key(&bench, &["thumbprint", file]).ok().to_owned();
        for file in [&pem, &der, &back] {
            assert_eq!(thumbprint(file), thumbprint(&source), "{file}");
        }
        let mut original: serde_json::Value = serde_json::from_str(&bench.read(&source)).unwrap();
        original["kid"] = "7".into();
        let converted: serde_json::Value = serde_json::from_str(&bench.read(&back)).unwrap();
        assert_eq!(converted, original, "{alg}");
        let token = bench.token(&der, &["--alg", alg]);
        let args = [
            "verify",
            "--key",
            &der,
            "--alg",
            alg,
            "--any-iss",
            "--any-aud",
            &token,
        ];
        bench.run(&args).ok();
    }
}

#[cfg(unix)]
#[test]
fn key_files_are_their_owners() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.key("ES256", "ec");
    key(&bench, &["convert", "ec.jwk", "--out", "ec.pem"]).ok();
    key(&bench, &["public", "ec.jwk", "--out", "public.jwk"]).ok();
    for name in ["ec.pem", "public.jwk"] {
        let mode = bench.path(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    key(&bench, &["convert", "ec.jwk", "--out", "ec.pem"]).fails(4, &["exists"]);
}

#[test]
fn public_holds_no_private_member_and_keeps_the_form() {
    let bench = bench(&["p256-pkcs8.pem", "rsa-pkcs1.pem", "p521-x509.pem"]);
    bench.key("ES256", "ec");
    let jwk = key(&bench, &["public", "ec.jwk"]).json();
    assert_eq!((&jwk["d"], &jwk["use"]), (&json!(null), &json!("sig")));
    for file in ["p256-pkcs8.pem", "rsa-pkcs1.pem", "p521-x509.pem"] {
        let pem = key(&bench, &["public", file]);
        assert!(
            pem.ok().starts_with("-----BEGIN PUBLIC KEY-----\n"),
            "{pem:?}"
        );
        let jwk = key(&bench, &["public", file, "--format", "jwk"]).json();
        assert_eq!(jwk["d"], json!(null));
        assert_eq!(jwk["alg"].is_string(), file != "rsa-pkcs1.pem", "{jwk}");
    }
    bench.write("secret", SECRET);
    key(&bench, &["public", "secret", "--alg", "HS256"]).fails(3, &["no public half"]);
}

#[test]
fn inspect_says_what_it_saw_in_every_format_and_shows_no_secret() {
    let said = [
        (
            "rsa-pkcs1.pem",
            "an RSA private key of 2048 bits (PKCS#1, PEM)",
        ),
        ("p384-sec1.pem", "an EC private key on P-384 (SEC1, PEM)"),
        ("p521-x509.pem", "an EC public key on P-521 (X.509, PEM)"),
        ("ed25519-spki.pem", "an Ed25519 public key (SPKI, PEM)"),
        (
            "secp256k1-pkcs8.pem",
            "an EC private key on secp256k1 (PKCS#8, PEM)",
        ),
    ];
    let bench = bench(&said.map(|(name, _)| name));
    for (name, said) in said {
        assert_eq!(
            key(&bench, &["inspect", name]).ok().lines().next(),
            Some(said)
        );
        let seen = key(&bench, &["inspect", "--json", name]).json();
        assert_eq!((&seen["key"], &seen["pem"]), (&json!(said), &json!(true)));
        assert_eq!(seen["private"], said.contains("private"));
        assert!(seen["thumbprint"].is_string() && seen["d"].is_null());
    }
    bench.write("secret", SECRET);
    let seen = key(&bench, &["inspect", "--json", "secret", "--alg", "HS256"]);
    assert_eq!(seen.json()["thumbprint"], json!(null));
    assert!(!seen.stdout.contains(SECRET), "{seen:?}");
}

#[test]
fn inspect_says_whether_the_key_can_be_used_and_why_not() {
    let bench = bench(&["rsa-1024-pkcs8.pem", "p384-sec1.pem"]);
    bench.key("ES256", "ec");
    bench.key("ES256", "other");
    let mut mixed: serde_json::Value = serde_json::from_str(&bench.read("ec.jwk")).unwrap();
    let other: serde_json::Value = serde_json::from_str(&bench.read("other.jwk")).unwrap();
    mixed["d"] = other["d"].clone();
    bench.write("mixed.jwk", mixed.to_string());
    mixed["alg"] = "ECDH-ES".into();
    bench.write("foreign.jwk", mixed.to_string());
    bench.write("secret", SECRET);
    bench.write("short", "lantern");
    for (file, words) in [
        ("ec.jwk", "signs and verifies ES256"),
        ("ec.pub.jwk", "verifies ES256"),
        ("p384-sec1.pem", "signs and verifies ES384"),
        ("secret", "signs and verifies HS256"),
    ] {
        let run = key(&bench, &["inspect", file]);
        let last = format!("usable      {words}\n");
        assert!(run.ok().ends_with(&last), "{run:?}");
        let seen = key(&bench, &["inspect", "--json", file]).json();
        assert_eq!(seen["usable"], true, "{seen}");
        assert!(words.ends_with(seen["algorithms"][0].as_str().unwrap()));
    }
    for (file, code, why) in [
        (
            "rsa-1024-pkcs8.pem",
            "key_weak",
            "the RSA key has 1024 bits",
        ),
        ("mixed.jwk", "key_unfit", "the EC key is not usable"),
        ("foreign.jwk", "key_unfit", "names no signature algorithm"),
        ("short", "key_weak", "the secret has 7 bytes"),
    ] {
        let run = key(&bench, &["inspect", file]);
        assert!(run.ok().contains("\nunusable    "), "{run:?}");
        assert!(run.stdout.contains(why), "{run:?}");
        let seen = key(&bench, &["inspect", "--json", file]).json();
        assert_eq!(
            (&seen["usable"], &seen["code"]),
            (&json!(false), &json!(code))
        );
        assert!(seen["message"].as_str().unwrap().contains(why), "{seen}");
    }
}

#[test]
fn inspect_and_check_print_no_private_member_of_any_key() {
    let bench = bench(&["rsa-pkcs8.pem", "ed25519-pkcs8.pem", "p521-sec1.pem"]);
    for alg in ["HS512", "ES256", "ML-DSA-44"] {
        bench.key(alg, alg);
    }
    for name in bench.names().iter().filter(|name| !name.contains(".pub.")) {
        let jwk = key(
            &bench,
            &["convert", name, "--alg", alg_of(name), "--format", "jwk"],
        );
        let jwk = jwk.json();
        let private: Vec<&str> = ["d", "p", "q", "dp", "dq", "qi", "k", "priv"]
            .iter()
            .filter_map(|member| jwk[member].as_str())
            .collect();
        assert!(!private.is_empty(), "{name}");
        for args in [
            &["inspect"][..],
            &["inspect", "--json"],
            &["check"],
            &["check", "--json"],
        ] {
            let run = key(&bench, &[args, &[name.as_str()]].concat());
            for number in &private {
                assert!(!run.ok().contains(number), "{name}: {run:?}");
            }
        }
    }
}

/// The algorithm of a file of keys here.
fn alg_of(name: &str) -> &str {
    match name.split(['-', '.']).next() {
        Some("rsa") => "RS256",
        Some("ed25519") => "EdDSA",
        Some("p521") => "ES512",
        Some("ML") => "ML-DSA-44",
        Some(alg) => alg,
        None => "",
    }
}

#[test]
fn the_password_of_an_encrypted_key_comes_from_a_file_or_the_environment() {
    let bench = bench(&["rsa-encrypted.pem"]);
    bench.write("password", "lantern\nmore");
    bench.write("wrong", "lamp");
    let sign = |more: &[&str], env: &[(&str, &str)]| {
        let args = ["sign", "--alg", "RS256", "--key", "rsa-encrypted.pem"];
        bench.run_with(&[&args[..], more].concat(), env, "")
    };
    sign(&["--password-file", "password"], &[]).ok();
    sign(&["--password-env", "P"], &[("P", "lantern")]).ok();
    sign(&[], &[]).fails(3, &["encrypted", "--password-file"]);
    sign(&["--password-file", "wrong"], &[]).fails(3, &["does not open it"]);
    sign(&["--password-env", "P"], &[]).fails(3, &["P is not set"]);
    let run = sign(&["--password-file", "hunter2-hunter2"], &[]);
    run.fails(4, &["there is no such file", "--password-env NAME"]);
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    sign(&["--password-file", "password", "--password-env", "P"], &[]).misused("cannot be used");
    let convert = [
        "convert",
        "rsa-encrypted.pem",
        "--password-file",
        "password",
        "--format",
        "pem",
    ];
    let run = key(&bench, &convert);
    assert!(
        run.ok().starts_with("-----BEGIN PRIVATE KEY-----\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("without a password"), "{run:?}");
}

#[test]
fn check_accepts_sound_keys_and_names_what_they_are_good_for() {
    let bench = bench(&["p256-spki.pem", "rsa-pkcs8.pem"]);
    bench.write("secret", SECRET);
    let check = |args: &[&str]| key(&bench, &[&["check"], args].concat());
    assert!(
        check(&["p256-spki.pem"])
            .ok()
            .ends_with(" verifies ES256\n")
    );
    assert!(
        check(&["rsa-pkcs8.pem"])
            .ok()
            .contains(" signs and verifies RS256, ")
    );
    let answer = check(&["--json", "--alg", "HS256", "secret"]).json();
    assert_eq!(answer["algorithms"], json!(["HS256"]));
}

#[test]
fn check_rejects_weak_broken_and_contradicting_keys() {
    let bench = bench(&[
        "rsa-1024-pkcs8.pem",
        "ed448-pkcs8.pem",
        "rsa-legacy-encrypted.pem",
    ]);
    bench.key("ES256", "ec");
    bench.key("ES256", "other");
    let mut mixed: serde_json::Value = serde_json::from_str(&bench.read("ec.jwk")).unwrap();
    let other: serde_json::Value = serde_json::from_str(&bench.read("other.jwk")).unwrap();
    mixed["d"] = other["d"].clone();
    bench.write("mixed.jwk", mixed.to_string());
    bench.write("alg.jwk", bench.read("ec.jwk").replace("ES256", "ES384"));
    bench.write("ssh", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ada@example");
    for (file, code) in [
        ("rsa-1024-pkcs8.pem", "key_weak"),
        ("ed448-pkcs8.pem", "key_format"),
        ("rsa-legacy-encrypted.pem", "key_format"),
        ("mixed.jwk", "key_unfit"),
        ("alg.jwk", "key_unfit"),
        ("ssh", "key_format"),
    ] {
        let run = key(&bench, &["check", "--json", file]);
        assert_eq!(
            (run.code, &run.json()["usable"]),
            (3, &json!(false)),
            "{run:?}"
        );
        assert_eq!(run.json()["code"], code, "{file}: {run:?}");
        key(&bench, &["check", file]).fails(3, &[]);
    }
    key(&bench, &["check", "missing"]).fails(4, &["cannot read the key: there is no such file"]);
}

#[test]
fn text_of_openssh_and_text_in_utf_16_are_told_with_the_way_out() {
    let bench = bench(&["p256-pkcs8.pem"]);
    bench.key("ES256", "ec");
    bench.write(
        "ssh",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 ada@example\n",
    );
    for name in ["p256-pkcs8.pem", "ec.jwk"] {
        let units: Vec<u16> = "\u{feff}"
            .encode_utf16()
            .chain(bench.read(name).encode_utf16())
            .collect();
        let octets: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        bench.write(&format!("16-{name}"), octets);
    }
    for (file, way) in [
        ("ssh", "`ssh-keygen -e -m PKCS8 -f FILE`"),
        ("16-p256-pkcs8.pem", "Set-Content -Encoding ascii"),
        ("16-ec.jwk", "Set-Content -Encoding ascii"),
    ] {
        for command in [
            &["key", "inspect", file][..],
            &["sign", "--alg", "RS256", "--key", file],
        ] {
            let run = bench.run(command);
            run.fails(3, &[way]);
            assert!(!run.stderr.contains("::"), "{run:?}");
        }
    }
}

#[test]
fn an_algorithm_that_is_not_the_keys_own_is_refused_with_what_the_key_is() {
    let bench = bench(&["p384-sec1.pem"]);
    let sign = |alg| bench.run(&["sign", "--key", "p384-sec1.pem", "--alg", alg]);
    sign("ES256").fails(3, &["an EC private key on P-384 (SEC1, PEM)", "ES256"]);
    sign("RS256").fails(3, &["P-384", "RS256"]);
    sign("HS384").fails(3, &["P-384", "HS384"]);
    sign("ES384").ok();
}

#[test]
fn a_der_file_that_ends_in_a_newline_octet_is_read_whole() {
    let bench = Bench::new();
    // A key pair whose public key ends in 0x0a comes up once in 256 times; its SPKI ends in the same octet.
    let found = (0..4000).any(|_| {
        let _ = fs::remove_file(bench.path("ed.der"));
        let key = countersign::SigningKey::generate(countersign::Algorithm::EdDSA).unwrap();
        let der = key.verifying_key().to_der().unwrap();
        bench.write("ed.der", &der);
        der.last() == Some(&b'\n')
    });
    assert!(found);
    key(&bench, &["check", "ed.der"]).ok();
}

#[test]
fn a_key_for_pss_alone_stays_one_in_every_form() {
    let bench = bench(&["rsa-pss-pkcs8.pem", "rsa-pss-sha256-spki.pem"]);
    let file = "rsa-pss-pkcs8.pem";
    let algorithms = "PS256, PS384, PS512\n";
    assert!(key(&bench, &["check", file]).ok().ends_with(algorithms));
    bench
        .run(&["sign", "--key", file])
        .fails(2, &["RSA-PSS", "one of PS256, PS384, PS512"]);
    bench
        .run(&["sign", "--key", file, "--alg", "RS256"])
        .fails(3, &["RSA-PSS", "RS256"]);
    bench.run(&["sign", "--key", file, "--alg", "PS384"]).ok();
    key(&bench, &["convert", file, "--format", "jwk"]).fails(2, &["--alg", "PS512"]);
    key(&bench, &["public", file, "--out", "pub.pem"]).ok();
    assert!(
        key(&bench, &["check", "pub.pem"])
            .ok()
            .ends_with(algorithms)
    );
    let jwk = key(
        &bench,
        &["convert", file, "--format", "jwk", "--alg", "PS384"],
    );
    assert_eq!(jwk.json()["alg"], "PS384");
    let jwk = key(&bench, &["convert", "rsa-pss-sha256-spki.pem"]);
    assert_eq!(jwk.json()["alg"], "PS256");
}

#[test]
fn a_chain_of_certificates_verifies_as_its_first_and_other_bundles_are_named() {
    let bench = bench(&["p256-x509-chain.pem", "p256-pkcs8.pem", "p384-x509.pem"]);
    let token = bench.token("p256-pkcs8.pem", &[]);
    let verify = |file: &str| {
        let args = ["verify", "--any-iss", "--any-aud", "--key", file, &token];
        bench.run(&args)
    };
    verify("p256-x509-chain.pem").ok();
    let seen = key(&bench, &["inspect", "--json", "p256-x509-chain.pem"]);
    assert_eq!(seen.json()["format"], "X.509 chain");
    let bundle = bench.read("p256-pkcs8.pem") + &bench.read("p256-x509-chain.pem");
    bench.write("bundle.pem", bundle);
    verify("bundle.pem").fails(3, &["1 PRIVATE KEY, 3 CERTIFICATE"]);
    let roots = bench.read("p384-x509.pem") + &bench.read("p256-x509-chain.pem");
    bench.write("roots.pem", roots);
    verify("roots.pem").fails(3, &["4 certificates", "not one chain"]);
}

#[test]
fn thumbprints_are_the_rfcs() {
    let bench = Bench::new();
    // RFC 8037, Appendix A.3.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    bench.write("ed.jwk", jwk);
    let thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert_eq!(
        key(&bench, &["thumbprint", "ed.jwk"]).ok(),
        format!("{thumbprint}\n")
    );
    let uri = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}");
    assert_eq!(
        key(&bench, &["thumbprint", "--uri", "ed.jwk"]).ok(),
        format!("{uri}\n")
    );
    let both = json!({"thumbprint": thumbprint, "uri": uri});
    assert_eq!(
        key(&bench, &["thumbprint", "--json", "ed.jwk"]).json(),
        both
    );
    bench.write("secret", SECRET);
    let run = key(&bench, &["thumbprint", "--alg", "HS256", "secret"]);
    assert!(
        run.code == 0 && run.stderr.starts_with("warning: "),
        "{run:?}"
    );
}
