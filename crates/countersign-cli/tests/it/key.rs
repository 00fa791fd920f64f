//! `countersign key`.

use crate::support::Bench;

#[test]
fn generate_prints_a_private_jwk_for_every_algorithm() {
    let bench = Bench::new();
    for (alg, kty) in [
        ("HS256", "oct"),
        ("HS384", "oct"),
        ("HS512", "oct"),
        ("RS256", "RSA"),
        ("RS384", "RSA"),
        ("RS512", "RSA"),
        ("PS256", "RSA"),
        ("PS384", "RSA"),
        ("PS512", "RSA"),
        ("ES256", "EC"),
        ("ES384", "EC"),
        ("ES512", "EC"),
        ("ES256K", "EC"),
        ("EdDSA", "OKP"),
        ("Ed25519", "OKP"),
        ("ML-DSA-44", "AKP"),
        ("ML-DSA-65", "AKP"),
        ("ML-DSA-87", "AKP"),
    ] {
        let run = bench.run(&["key", "generate", alg]);
        let jwk = run.json();
        assert_eq!(jwk["kty"], kty, "{alg}");
        let private = ["d", "k", "priv"];
        assert!(private.iter().any(|name| jwk[name].is_string()), "{alg}");
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn generate_writes_a_file_that_only_its_owner_reads_and_one_for_everybody() {
    let bench = Bench::new();
    let args = ["key", "generate", "ES256", "--format", "pem"];
    let run = bench.run(&[&args[..], &["--out", "key.pem", "--public-out", "pub.pem"]].concat());
    assert_eq!(run.ok(), "");
    assert!(
        bench
            .read("key.pem")
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    assert!(
        bench
            .read("pub.pem")
            .starts_with("-----BEGIN PUBLIC KEY-----\n")
    );
    #[cfg(unix)]
    {
        assert_eq!(mode(&bench, "key.pem"), 0o600);
        // What the umask of this run leaves of it.
        bench.write("any", "");
        let readable = mode(&bench, "any") & 0o644;
        assert_eq!(mode(&bench, "pub.pem"), readable);
    }
}

#[cfg(unix)]
fn mode(bench: &Bench, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let metadata = bench.path(name).metadata().unwrap();
    metadata.permissions().mode() & 0o777
}

#[test]
fn the_public_file_holds_no_private_member() {
    let bench = Bench::new();
    for alg in ["RS256", "ES256", "EdDSA"] {
        bench.key(alg, alg);
        let public: serde_json::Value =
            serde_json::from_str(&bench.read(&format!("{alg}.pub.jwk"))).unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(public.get(member).is_none(), "{alg} {member}");
        }
        assert!(public["kid"].is_string());
    }
}

#[test]
fn an_existing_file_is_not_overwritten_and_nothing_is_half_created() {
    let bench = Bench::new();
    bench.write("pub.jwk", "mine");
    let args = ["key", "generate", "ES256", "--out", "key.jwk"];
    bench
        .run(&[&args[..], &["--public-out", "pub.jwk"]].concat())
        .fails(4, &["pub.jwk exists", "choose another name"]);
    assert_eq!(bench.names(), ["pub.jwk"]);
    assert_eq!(bench.read("pub.jwk"), "mine");
}

#[test]
fn rejects_a_folder_that_does_not_exist() {
    Bench::new()
        .run(&["key", "generate", "ES256", "--out", "no/key.jwk"])
        .fails(4, &["cannot create no/key.jwk"]);
}

#[test]
fn rejects_forms_that_a_shared_secret_does_not_have() {
    let bench = Bench::new();
    bench
        .run(&["key", "generate", "HS256", "--public-out", "pub.jwk"])
        .fails(2, &["no public half"]);
    bench
        .run(&["key", "generate", "HS256", "--format", "pem"])
        .fails(2, &["no PEM form"]);
    assert!(bench.names().is_empty());
}

#[test]
fn bits_are_the_size_of_an_rsa_key() {
    let bench = Bench::new();
    let run = bench.run(&["key", "generate", "RS256", "--bits", "3072"]);
    assert_eq!(run.json()["n"].as_str().unwrap().len(), 512);
    bench
        .run(&["key", "generate", "RS256", "--bits", "1024"])
        .fails(2, &["2048"]);
    bench
        .run(&["key", "generate", "ES256", "--bits", "256"])
        .fails(2, &["--bits is for RSA"]);
}

#[test]
fn rejects_an_algorithm_that_does_not_exist() {
    for alg in ["none", "ES257", "foo"] {
        let run = Bench::new().run(&["key", "generate", alg]);
        run.misused(alg);
        for known in ["HS256", "ES256K", "EdDSA", "ML-DSA-87"] {
            assert!(run.stderr.contains(known), "no {known} in {run:?}");
        }
    }
}

#[test]
fn accepts_an_algorithm_in_any_case_and_keeps_the_name_that_was_given() {
    let bench = Bench::new();
    for (name, alg) in [
        ("es256", "ES256"),
        ("ed25519", "Ed25519"),
        ("eddsa", "EdDSA"),
        ("ml-dsa-44", "ML-DSA-44"),
    ] {
        assert_eq!(bench.run(&["key", "generate", name]).json()["alg"], alg);
    }
    let args = ["key", "generate", "ES256", "--out", "key.jwk"];
    bench.run(&args).ok();
    let sign = |alg| bench.run(&["sign", "--key", "key.jwk", "--alg", alg]);
    sign("es256").ok();
    sign("es257").misused("ES384");
}
