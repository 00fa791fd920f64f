//! `countersign sign`.

mod sets;

use serde_json::{Value, json};

use crate::support::{Bench, SECRET};

/// A bench with a secret, and `sign --key secret --alg HS256` with further flags; the result is decoded.
fn signed(more: &[&str]) -> Value {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let run = bench.run(&[&["sign", "--key", "secret", "--alg", "HS256"], more].concat());
    bench.run(&["decode", "--json", run.ok().trim_end()]).json()
}

#[test]
fn sign_adds_iat_jti_and_a_quarter_of_an_hour() {
    let token = signed(&["--sub", "ada"]);
    let (header, claims) = (&token["header"], &token["claims"]);
    assert_eq!(*header, json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(claims["sub"], "ada");
    let iat = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap().checked_sub(iat), Some(900));
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
}

#[test]
fn every_token_has_a_jti_of_its_own() {
    assert_ne!(signed(&[])["claims"]["jti"], signed(&[])["claims"]["jti"]);
}

#[test]
fn sign_leaves_out_what_it_is_told_to() {
    let token = signed(&["--no-iat", "--no-jti", "--no-exp", "--iss", "i"]);
    assert_eq!(token["claims"], json!({ "iss": "i" }));
}

#[test]
fn flags_name_every_claim() {
    let token = signed(&[
        "--iss",
        "i",
        "--sub",
        "s",
        "--aud",
        "a",
        "--jti",
        "j",
        "--not-before",
        "1700000000",
        "--claim",
        "name=Ada = L",
        "--claim-json",
        "roles=[\"admin\"]",
        "--typ",
        "at+jwt",
        "--header",
        "cty=x",
        "--expires-in",
        "1h",
    ]);
    let claims = &token["claims"];
    let named = json!({ "iss": "i", "sub": "s", "aud": "a", "jti": "j", "nbf": 1_700_000_000, "name": "Ada = L", "roles": ["admin"] });
    for (name, value) in named.as_object().unwrap() {
        assert_eq!(claims[name], *value, "{name}");
    }
    let iat = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap().checked_sub(iat), Some(3600));
    assert_eq!(
        token["header"],
        json!({ "alg": "HS256", "typ": "at+jwt", "cty": "x" })
    );
}

#[test]
fn several_audiences_are_an_array() {
    let token = signed(&["--aud", "a", "--aud", "b"]);
    assert_eq!(token["claims"]["aud"], json!(["a", "b"]));
}

#[test]
fn claims_of_a_file_stay_and_flags_win_over_them() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let text = r#"{"iat":1,"jti":"mine","exp":4102444800,"sub":"eve"}"#;
    bench.write("claims.json", text);
    let args = ["sign", "--key", "secret", "--alg", "HS256", "--sub", "ada"];
    for (last, stdin) in [("claims.json", ""), ("-", text)] {
        let run = bench.run_with(&[&args[..], &[last]].concat(), &[], stdin);
        let token = run.ok().trim_end();
        assert_eq!(
            bench.run(&["decode", token]).json(),
            json!({ "iat": 1, "jti": "mine", "exp": 4_102_444_800_u32, "sub": "ada" })
        );
    }
}

#[test]
fn rejects_claims_that_are_no_json_object() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    for (text, problem) in [
        (
            "[]",
            "error: the claims are a list; a JWT needs an object\n",
        ),
        ("{", "not one JSON object"),
        (r#"{"sub":"ada","sub":"eve"}"#, "not one JSON object"),
    ] {
        bench.write("claims.json", text);
        bench
            .run(&["sign", "--key", "secret", "--alg", "HS256", "claims.json"])
            .fails(2, &[problem]);
    }
    bench
        .run(&["sign", "--key", "secret", "--alg", "HS256", "none.json"])
        .fails(4, &["cannot read none.json"]);
}

#[test]
fn rejects_a_claim_that_is_given_twice_or_has_no_value() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let sign =
        |more: &[&str]| bench.run(&[&["sign", "--key", "secret", "--alg", "HS256"], more].concat());
    sign(&["--sub", "a", "--claim", "sub=b"]).fails(2, &["\"sub\" is given twice"]);
    sign(&["--claim", "name"]).misused("expected NAME=TEXT");
    sign(&["--claim-json", "name=Ada"]).misused("not JSON");
    for (claim, flag) in [
        ("iat=x", "--claim-json iat="),
        ("exp=1795360500", "--expires-in"),
        ("nbf=x", "--not-before"),
    ] {
        sign(&["--claim", claim]).misused(flag);
    }
    for length in ["soon", "-5m", "-5"] {
        sign(&["--expires-in", length]).misused("length of time");
    }
    sign(&["--expires-in", "15"]).misused("15s or 15m");
    sign(&["--expires-in", "1h", "--no-exp"]).misused("cannot be used with");
}

#[test]
fn rejects_a_header_member_that_belongs_to_the_key() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    for member in ["alg=none", "kid=x", "jku=x", "crit=x"] {
        bench
            .run(&[
                "sign", "--key", "secret", "--alg", "HS256", "--header", member,
            ])
            .fails(
                2,
                &["--header does not set", member.split_once('=').unwrap().0],
            );
    }
}

#[test]
fn rejects_weak_secrets() {
    let bench = Bench::new();
    let weak = ["password", &"a".repeat(64), &"0123456789".repeat(7)];
    for secret in weak {
        bench.write("secret", secret);
        let run = bench.run(&["sign", "--key", "secret", "--alg", "HS256"]);
        run.fails(3, &["openssl rand -hex 32"]);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn rejects_a_public_key_as_the_secret_of_hs256() {
    let bench = Bench::new();
    bench.key("RS256", "rsa");
    bench
        .run(&["sign", "--key", "rsa.pub.jwk", "--alg", "HS256"])
        .fails(3, &[]);
    bench.run(&["sign", "--key", "rsa.pub.jwk"]).fails(3, &[]);
}

#[test]
fn the_key_comes_from_a_file_standard_input_the_environment_or_base64() {
    let bench = Bench::new();
    bench.write("secret", format!("{SECRET}\n"));
    let sign = |spec: &str| {
        bench.run_with(
            &[
                "sign", "--alg", "HS256", "--key", spec, "--no-iat", "--no-exp", "--no-jti",
            ],
            &[("KEY", SECRET)],
            // What is piped in is the key where the key is asked for, and else the claims.
            &if spec == "-" {
                format!("{SECRET}\n")
            } else {
                String::new()
            },
        )
    };
    let encoded = "b64:OXZLcS0ybVh3N1J0X2NaNExoMFlwOEJuRDVzR2ZKM2U=";
    let tokens: Vec<String> = ["secret", "-", "env:KEY", encoded]
        .map(|spec| sign(spec).ok().to_owned())
        .into();
    assert!(
        tokens.windows(2).all(|pair| pair[0] == pair[1]),
        "{tokens:?}"
    );
}

#[test]
fn rejects_a_key_that_is_not_to_be_had() {
    let bench = Bench::new();
    let sign = |spec| {
        let args = ["sign", "--alg", "HS256", "--key", spec];
        bench.run_with(&args, &[("EMPTY", "")], "")
    };
    sign("missing.pem").fails(4, &["cannot read the key: there is no such file"]);
    sign("env:MISSING").fails(3, &["MISSING is not set"]);
    sign("b64:&&&").fails(3, &["not base64"]);
    sign("env:EMPTY").fails(3, &["variable EMPTY is empty"]);
    sign("-").fails(3, &["standard input is empty"]);
    sign("b64:").fails(3, &["after b64: is empty"]);
    for content in ["", "\n"] {
        bench.write("empty.pem", content);
        sign("empty.pem").fails(3, &["the file empty.pem is empty"]);
    }
    sign("env:").misused("name of a variable");
}

#[test]
fn rejects_a_key_that_leaves_its_algorithm_open() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    bench
        .run(&["sign", "--key", "secret"])
        .fails(2, &["--alg", "HS256, HS384, HS512"]);
    let args = ["key", "generate", "RS256", "--format", "pem", "--out"];
    bench.run(&[&args[..], &["rsa.pem"]].concat()).ok();
    bench
        .run(&["sign", "--key", "rsa.pem"])
        .fails(2, &["--alg", "RS256", "PS512"]);
    bench
        .run(&["sign", "--key", "rsa.pem", "--alg", "PS384"])
        .ok();
}

#[test]
fn rejects_an_algorithm_that_is_not_the_keys_own() {
    let bench = Bench::new();
    bench.key("ES256", "ec");
    for alg in ["ES384", "RS256", "HS256", "EdDSA"] {
        bench
            .run(&["sign", "--key", "ec.jwk", "--alg", alg])
            .fails(3, &[]);
    }
    bench
        .run(&["sign", "--key", "ec.jwk", "--alg", "ES256"])
        .ok();
}

#[test]
fn standard_input_is_read_at_most_once() {
    let bench = Bench::new();
    bench
        .run_with(&["sign", "--key", "-", "--alg", "HS256", "-"], &[], SECRET)
        .fails(2, &["only one of the key and the claims"]);
}

#[test]
fn claims_that_are_piped_in_are_signed() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let signed = bench.run_with(&["sign", "--key", "k.jwk"], &[], r#"{"piped":1}"#);
    let shown = bench.run(&["decode", "--json", signed.ok().trim()]);
    let shown: serde_json::Value = serde_json::from_str(shown.ok()).unwrap();
    assert_eq!(shown["claims"]["piped"], 1);
    bench
        .run_with(&["sign", "--key", "k.jwk"], &[], "[1]")
        .fails(2, &["a JWT needs an object"]);
}

#[test]
fn an_ed25519_key_writes_the_name_that_was_asked_for() {
    let bench = Bench::new();
    for name in ["EdDSA", "Ed25519"] {
        let file = format!("{name}.jwk");
        bench.run(&["key", "generate", name, "--out", &file]).ok();
        assert!(
            bench.read(&file).contains(&format!(r#""alg":"{name}""#)),
            "{name}"
        );
        let token = bench.run(&["sign", "--key", &file]).ok().trim().to_owned();
        let shown = bench.run(&["decode", "--json", &token]);
        let shown: serde_json::Value = serde_json::from_str(shown.ok()).unwrap();
        assert_eq!(shown["header"]["alg"], name);
    }
}

#[test]
fn rejects_numbers_that_would_be_signed_as_others() {
    let bench = Bench::new();
    bench.write("secret", SECRET);
    let args = ["sign", "--key", "secret", "--alg", "HS256"];
    for number in [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "0.1234567890123456789",
    ] {
        let claims = format!(r#"{{"n":{number}}}"#);
        let flag = format!("n={number}");
        bench
            .run(&[&args[..], &["--claim-json", &flag]].concat())
            .misused("would become another one");
        bench
            .run_with(&args, &[], &claims)
            .fails(2, &["line 1, column 6", "write it as text"]);
        bench.write("claims.json", &claims);
        bench
            .run(&[&args[..], &["claims.json"]].concat())
            .fails(2, &["line 1, column 6"]);
    }
    let largest = signed(&["--claim-json", "n=18446744073709551615"]);
    assert_eq!(largest["claims"]["n"], u64::MAX);
    assert_eq!(signed(&["--claim-json", "n=0.10"])["claims"]["n"], 0.1);
}

#[test]
fn rejects_a_token_that_nobody_would_ever_take() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let sign = |more: &[&str]| bench.run(&[&["sign", "--key", "k.jwk"], more].concat());
    for claim in [
        "exp=\"soon\"",
        "exp=-1",
        "nbf=[]",
        "iat=true",
        "iss=7",
        "sub={}",
        "aud=[]",
        "aud=[7]",
        "jti=null",
    ] {
        let (name, _) = claim.split_once('=').unwrap();
        let run = sign(&["--claim-json", claim]);
        run.fails(2, &["no verifier would take", &format!("`{name}`")]);
        assert_eq!(run.stdout, "");
    }
    for typ in ["JWT", "at+jwt", "logout+jwt"] {
        let expired = ["--typ", typ, "--claim-json", "exp=1795360500"];
        let run = sign(&expired);
        run.fails(2, &["expired at birth", "--allow-expired"]);
        assert_eq!(run.stdout, "");
    }
    sign(&["--expires-in", "0s"]).fails(2, &["expired at birth"]);
    let never = ["--not-before", "2100-01-01T00:00:00Z", "--claim-json"];
    sign(&[&never[..], &["exp=4102444800"]].concat()).fails(2, &["valid at no time"]);
}

#[test]
fn accepts_an_expired_token_in_words_and_says_it() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let args = ["sign", "--key", "k.jwk", "--allow-expired"];
    let run = bench.run(&[&args[..], &["--claim-json", "exp=1000000000"]].concat());
    assert!(run.ok().starts_with("eyJ"));
    assert_eq!(
        run.stderr,
        "warning: the token is expired at birth: exp was 2001-09-09 01:46:40 UTC\n"
    );
    assert_eq!(bench.run(&args).stderr, "");
    bench
        .run(&[&args[..], &["--claim-json", "exp=\"x\""]].concat())
        .fails(2, &["no verifier would take"]);
}

#[test]
fn a_life_begins_where_the_token_becomes_valid() {
    let exp = |more: &[&str]| signed(more)["claims"]["exp"].as_i64().unwrap();
    let start = 4_102_444_800;
    let ahead = ["--not-before", "2100-01-01T00:00:00Z"];
    assert_eq!(exp(&ahead), start + 900);
    assert_eq!(
        exp(&[&ahead[..], &["--expires-in", "1h"]].concat()),
        start + 3600
    );
    assert_eq!(exp(&["--claim-json", "nbf=4102444800"]), start + 900);
    assert!(exp(&["--not-before", "2001-01-01T00:00:00Z"]) < start);
}

/// No policy could name it.
#[test]
fn rejects_an_empty_kind_of_token() {
    let bench = Bench::new();
    bench.key("ES256", "k");
    let run = bench.run(&["sign", "--key", "k.jwk", "--typ", ""]);
    assert!(run.code == 2 && run.stderr.contains("--typ"), "{run:?}");
}

#[test]
fn a_secret_that_is_given_in_place_of_its_name_is_not_shown() {
    let bench = Bench::new();
    for key in [
        SECRET.to_owned(),
        format!("env:{SECRET}"),
        SECRET.repeat(20),
    ] {
        for args in [
            &["sign", "--alg", "HS256", "--key", &key][..],
            &["jws", "sign", "--alg", "HS256", "--key", &key, "-"],
            &["verify", "--any-iss", "--any-aud", "--key", &key, "a.b.c"],
            &[
                "verify",
                "--json",
                "--any-iss",
                "--any-aud",
                "--key",
                &key,
                "a.b.c",
            ],
            &["jws", "verify", "--key", &key, "a.b.c"],
            &["key", "inspect", &key],
            &["key", "thumbprint", &key],
            &["jwks", "check", &key],
            &["jwks", "add", "--key", &key, "set.json"],
        ] {
            let run = bench.run(args);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(matches!(run.code, 3 | 4), "{run:?}");
            assert!(said.contains("not shown"), "{run:?}");
            assert!(!said.contains(SECRET), "{run:?}");
        }
    }
    let run = bench.run(&["sign", "--alg", "HS256", "--key", SECRET]);
    run.fails(4, &["there is no such file", "env:NAME", "b64:…"]);
}
