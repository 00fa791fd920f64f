//! What is said of a key that cannot be used, of what was not asked for, and of where a token breaks.

use countersign::{Algorithm, JwsBuilder, JwsSigner, SigningHeader, SigningKey};
use serde_json::{Value, json};

use super::{SECRET, as_form, explain, secret, token};
use crate::app::{START, TestApp};

fn step(answer: &Value, name: &str) -> Value {
    let steps = answer["report"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    step.clone()
}

/// A key that cannot be used and no key at all are two things, and neither is a set in which none fits.
#[tokio::test]
async fn the_step_of_the_key_names_what_is_wrong_with_the_one_that_was_given() {
    let app = TestApp::new().await;
    let weak = json!({"token": token(60), "key": {"form": "text", "text": "secret"}});
    let key = step(&explain(&app, &weak).await, "key");
    assert_eq!(key["code"], "key_weak");
    let summary = key["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("the key that was given cannot be used: the secret has 6 bytes, and HS256 needs at least 32")
            && summary.contains("by trying") && summary.contains("stays open"),
        "{summary}"
    );
    let none = json!({"token": token(60)});
    let key = step(&explain(&app, &none).await, "key");
    assert_eq!(key["summary"], "no key was given to verify with");
    let keys = [Algorithm::ES256, Algorithm::EdDSA].map(|alg| {
        let key = SigningKey::generate(alg).unwrap().verifying_key();
        serde_json::to_value(key.to_public_jwk().unwrap()).unwrap()
    });
    let set = json!({"keys": keys});
    let other = json!({"token": token(60), "key": {"form": "jwks", "text": set.to_string()}});
    let key = step(&explain(&app, &other).await, "key");
    assert_eq!(
        key["summary"],
        "no key of the set fits the `kid` and `alg` of the token"
    );
}

#[tokio::test]
async fn an_encrypted_pem_says_how_it_is_decrypted_and_asks_for_no_password() {
    let app = TestApp::new().await;
    let pem = include_str!("../../../../countersign/tests/data/keys/rsa-encrypted.pem");
    let asked = json!({"token": token(60), "key": {"form": "pem", "text": pem}});
    let answer = explain(&app, &asked).await;
    let message = answer["key_problem"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("this PEM is encrypted: decrypt it first with `openssl pkey -in"),
        "{message}"
    );
    assert!(!message.contains("password"), "{message}");
    assert_eq!(answer["key_problem"]["code"], "key_encrypted");
    for text in [&answer["verdict"]["text"], &step(&answer, "key")["summary"]] {
        assert!(text.as_str().unwrap().contains(message), "{text}");
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_said_beside_the_verdict_with_a_script_and_without() {
    let app = TestApp::new().await;
    for (policy, fields, words) in [
        (
            json!({}),
            "iss=&aud=",
            "Signature and times hold; issuer and audience were not checked.",
        ),
        (
            json!({"aud": ["orders-api"]}),
            "iss=&aud=orders-api",
            "Signature, audience and times hold; issuer was not checked.",
        ),
        (
            json!({"iss": "https://id.example", "aud": ["orders-api"]}),
            "iss=https%3A%2F%2Fid.example&aud=orders-api",
            "Signature, issuer, audience and times hold.",
        ),
    ] {
        let asked = json!({"token": token(60), "key": secret(), "policy": policy});
        assert_eq!(explain(&app, &asked).await["verdict"]["text"], words);
        let form = format!("token={}&form=text&key={SECRET}&{fields}", token(60));
        let page = app.send(as_form(&form)).await.body;
        assert!(
            page.contains(&format!("<p class=\"why\">{words}</p>")),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_fault_is_placed_in_its_part_and_in_the_token_by_one_count() {
    let app = TestApp::new().await;
    let asked = json!({"token": "eyJhbGciOiJIUzI1NiJ9.e3*0.AA", "key": secret()});
    let text = explain(&app, &asked).await["verdict"]["text"].clone();
    assert_eq!(
        text,
        "The payload holds a character outside base64url: character 3 of it. That is character 24 of the token."
    );
}

#[tokio::test]
async fn a_token_without_an_end_is_refused_with_the_way_to_take_it_and_taken_where_that_is_wanted()
{
    let app = TestApp::new().await;
    let token = super::key().sign(&json!({"sub": "1234567890"})).unwrap();
    let mut asked = json!({"token": token, "key": secret()});
    let text = explain(&app, &asked).await["verdict"]["text"].clone();
    let text = text.as_str().unwrap();
    assert!(
        text.starts_with("The signature holds, but claim `exp` is missing. "),
        "{text}"
    );
    assert!(text.contains("tick “A token without exp, too”"), "{text}");
    assert!(!text.contains("the rest"), "{text}");
    asked["policy"] = json!({"allow_no_exp": true});
    let verdict = explain(&app, &asked).await["verdict"].clone();
    assert_eq!(
        (&verdict["kind"], &verdict["text"]),
        (
            &json!("valid"),
            &json!(
                "Signature holds; issuer and audience were not checked; without exp it never ends."
            )
        )
    );
    let form = |more: &str| format!("token={token}&form=text&key={SECRET}{more}");
    for (more, class) in [("", "is-refused"), ("&endless=on", "is-valid")] {
        let page = app.send(as_form(&form(more))).await.body;
        assert!(page.contains(&format!("verdict {class}")), "{page}");
        assert!(page.contains("A token without <code>exp</code>, too"));
    }
}

/// A token whose payload is this text, signed with the secret of these tests.
fn signed(header: &str, payload: &str) -> String {
    let key = super::key();
    let header = serde_json::from_str::<Value>(header).unwrap();
    let cty = header["cty"].as_str().map(str::to_owned);
    let mut signing = SigningHeader::new().without_typ();
    if let Some(cty) = cty {
        signing = signing.param("cty", json!(cty)).unwrap();
    }
    let signer = JwsSigner::new(&key).header(signing);
    let jws = JwsBuilder::new(payload).signer(signer).sign().unwrap();
    jws.to_compact().unwrap()
}

#[tokio::test]
async fn the_place_of_a_fault_stands_behind_its_own_sentence_alone() {
    let app = TestApp::new().await;
    let whole = signed("{}", "{\"a\":");
    let (start, signature) = whole.rsplit_once('.').unwrap();
    let forged = format!("{start}.{}", "A".repeat(signature.len()));
    let broken = "The payload is not JSON, at line 1, column 5. That is character";
    for (token, key, words) in [
        (&whole, secret(), String::new()),
        (&whole, Value::Null, String::new()),
        (
            &forged,
            secret(),
            format!(
                "Signature does not hold over the first {} bytes. ",
                start.len()
            ),
        ),
    ] {
        let answer = explain(&app, &json!({"token": token, "key": key})).await;
        let text = answer["verdict"]["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("{words}{broken}")), "{text}");
        assert_eq!(text.matches("That is character").count(), 1, "{text}");
        assert_eq!(answer["fault"]["part"], "payload");
    }
}

#[tokio::test]
async fn a_token_inside_of_a_token_is_nested_and_not_broken() {
    let app = TestApp::new().await;
    let inner = token(60);
    for cty in ["JWT", "jwt"] {
        let nested = signed(&format!("{{\"cty\":\"{cty}\"}}"), &inner);
        for (key, words) in [
            (Value::Null, "a key tells."),
            (secret(), "The signature around it holds."),
        ] {
            let answer = explain(&app, &json!({"token": nested, "key": key})).await;
            let verdict = &answer["verdict"];
            assert_eq!(verdict["title"], "Nested", "{verdict}");
            let text = verdict["text"].as_str().unwrap();
            assert!(
                text.starts_with("Nothing is broken") && text.ends_with(words),
                "{text}"
            );
            assert!(answer["fault"].is_null(), "{answer}");
        }
        let other = json!({"form": "text", "text": "Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJgtf2"});
        let answer = explain(&app, &json!({"token": nested, "key": other})).await;
        assert_eq!(answer["verdict"]["kind"], "forged", "{answer}");
    }
    // Without a word of it in the header, or without a token in the payload, it is what it was.
    for token in [
        signed("{}", &inner),
        signed("{\"cty\":\"JWT\"}", "no.token"),
    ] {
        let answer = explain(&app, &json!({"token": token})).await;
        assert_eq!(answer["verdict"]["title"], "Broken", "{answer}");
    }
}

#[tokio::test]
async fn a_pem_is_taken_as_people_have_it_and_what_was_undone_is_said() {
    let app = TestApp::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.sign(&json!({"exp": START + 60})).unwrap();
    let pem = key.verifying_key().to_pem().unwrap();
    let base64: String = pem.lines().filter(|line| !line.contains('-')).collect();
    for (text, words) in [
        (pem.clone(), "(SPKI, PEM)"),
        (
            format!("\"{}\"", pem.trim().replace('\n', "\\n")),
            "(undone in its PEM: `\\n` for line breaks, quotes)",
        ),
        (
            pem.trim().replace('\n', " "),
            "(undone in its PEM: all on one line)",
        ),
        (
            format!("    {}", pem.replace('\n', "\n    ")),
            "(undone in its PEM: spaces before its lines)",
        ),
        (
            base64,
            "(read from base64 without its -----BEGIN and -----END lines)",
        ),
    ] {
        let asked = json!({"token": token, "key": {"form": "pem", "text": text}});
        let answer = explain(&app, &asked).await;
        assert_eq!(answer["verdict"]["kind"], "valid", "{text} {answer}");
        let what = answer["key"]["what"].as_str().unwrap();
        assert!(what.ends_with(words), "{what}");
    }
    let asked = json!({"token": token, "key": {"form": "pem", "text": "MAMCAQA="}});
    let problem = explain(&app, &asked).await["key_problem"]["message"].clone();
    assert!(
        problem
            .as_str()
            .unwrap()
            .ends_with("between -----BEGIN PUBLIC KEY----- and -----END PUBLIC KEY-----"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_secret_for_a_token_that_wants_a_public_key_is_told_so_and_not_that_it_is_short() {
    let app = TestApp::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = key.sign(&json!({"exp": START + 60})).unwrap();
    for text in ["junk1ng", SECRET] {
        let asked = json!({"token": token, "key": {"form": "text", "text": text}});
        let problem = explain(&app, &asked).await["key_problem"].clone();
        let message = problem["message"].as_str().unwrap();
        assert!(
            message.starts_with("the token says ES256, which wants a public key"),
            "{message}"
        );
        assert_eq!(problem["code"], "key_unfit");
    }
}

#[tokio::test]
async fn padding_is_to_be_removed() {
    let app = TestApp::new().await;
    let asked = json!({"token": "eyJhbGciOiJIUzI1NiJ9.e30=.AA", "key": secret()});
    let text = explain(&app, &asked).await["verdict"]["text"].clone();
    assert_eq!(
        text,
        "The payload is not base64url without padding, cut to its exact length. That is character 25 of the token: remove the `=`, there and wherever else a part ends with it."
    );
}

/// As the page's script shows them: words between backticks are code, and what nobody asked for has no tick.
#[tokio::test]
async fn without_a_script_sentences_and_marks_are_those_of_the_script() {
    let app = TestApp::new().await;
    let form = format!("token={}&form=text&key={SECRET}", token(60));
    let page = app.send(as_form(&form)).await.body;
    assert_eq!(page.matches("class=\"unchecked\"").count(), 2, "{page}");
    assert_eq!(page.matches("not checked: </span>").count(), 2);
    assert!(page.contains(">–</span>") && page.contains("0 to 300 seconds"));
    let form = format!("token={}&form=text&key=short", token(60));
    let page = app.send(as_form(&form)).await.body;
    assert!(
        page.contains("<code>countersign key generate HS256</code>"),
        "{page}"
    );
    let (_, shown) = page.split_once("<form id=\"bench\"").unwrap();
    assert!(!shown.contains('`'), "{shown}");
}
