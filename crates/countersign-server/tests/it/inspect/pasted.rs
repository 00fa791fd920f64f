//! What is pasted where a token is expected, over HTTP: the same rule for the page's script and for the form without one.

use countersign::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::{SECRET, as_form, explain, secret, token};
use crate::app::{START, TestApp};

/// Anything as a field of a form.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn page(app: &TestApp, pasted: &str) -> String {
    let form = format!("token={}&form=text&key={SECRET}", escaped(pasted));
    app.send(as_form(&form)).await.body
}

/// What stands in the token's field.
fn field(page: &str) -> &str {
    let (_, rest) = page.split_once("<textarea id=\"token\"").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once("</textarea>").unwrap().0
}

#[tokio::test]
async fn a_token_is_taken_out_of_what_was_pasted_with_a_script_and_without() {
    let app = TestApp::new().await;
    let token = token(60);
    let (start, end) = token.split_at(70);
    for (pasted, from) in [
        (
            format!("Bearer {token}"),
            "the value of an Authorization header",
        ),
        (format!("Cookie: at={token}; a=b"), "a cookie named at"),
        (
            json!({"message": "hello", "token": token}).to_string(),
            "the member token of a JSON answer",
        ),
        (format!("export TOKEN={token}\n"), "a variable named TOKEN"),
        (
            format!("{start}\r\n{end}"),
            "text of several lines, put together of 2 pieces",
        ),
    ] {
        let answer = explain(&app, &json!({"token": pasted, "key": secret()})).await;
        assert_eq!(answer["verdict"]["kind"], "valid", "{pasted}");
        assert_eq!(answer["pasted"]["token"], token, "{pasted}");
        assert_eq!(answer["pasted"]["note"], format!("Taken out of {from}."));
        let page = page(&app, &pasted).await;
        assert_eq!(field(&page), token, "{pasted}");
        for text in [
            "Signature and times hold; issuer and audience were not checked.",
            from,
            "&#34;sub&#34;: &#34;ada&#34;",
            "&#34;alg&#34;: &#34;HS256&#34;",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
    }
    let plain = explain(&app, &json!({"token": token, "key": secret()})).await;
    assert_eq!(
        (&plain["pasted"], &plain["is_token"]),
        (&Value::Null, &json!(true))
    );
    assert!(!page(&app, &token).await.contains("Taken out of"));
}

#[tokio::test]
async fn of_two_tokens_the_first_is_taken_and_the_other_is_said() {
    let app = TestApp::new().await;
    let (one, two) = (token(60), token(-1));
    let answer = explain(
        &app,
        &json!({"token": format!("{one}\n{two}"), "key": secret()}),
    )
    .await;
    assert_eq!(answer["pasted"]["token"], one);
    assert_eq!(answer["verdict"]["kind"], "valid");
    let note = answer["pasted"]["note"].as_str().unwrap();
    assert!(
        note.ends_with("Left out: 1 more token, of the 2 that stand there. This is number 1."),
        "{note}"
    );
}

#[tokio::test]
async fn a_key_or_a_secret_in_the_tokens_field_is_named_and_shown_nowhere() {
    let app = TestApp::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let pem = key.to_pem().unwrap();
    let jwk = key.to_jwk().to_json();
    let letters = jwk
        .split("\"d\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    for (pasted, hidden) in [
        (pem.as_str(), pem.lines().nth(1).unwrap()),
        (jwk.as_str(), letters),
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "YWRhOmh1bnRlcjI"),
    ] {
        let answer = explain(&app, &json!({"token": pasted})).await;
        assert_eq!(answer["verdict"]["kind"], "refused", "{answer}");
        assert_eq!(
            (&answer["is_token"], &answer["report"], &answer["live"]),
            (&json!(false), &Value::Null, &json!(false))
        );
        assert_eq!(answer["pasted"]["token"], "");
        assert!(!answer.to_string().contains(hidden));
        let page = page(&app, pasted).await;
        assert!(
            page.contains("and no token") && page.contains("taken out of the field"),
            "{page}"
        );
        assert!(!page.contains(hidden) && field(&page).is_empty());
    }
    let public = key.verifying_key().to_pem().unwrap();
    let answer = explain(&app, &json!({"token": public})).await;
    assert_eq!(answer["verdict"]["title"], "A key, and no token");
    assert_eq!(
        (&answer["verdict"]["kind"], &answer["pasted"]),
        (&json!("unverified"), &Value::Null)
    );
}

#[tokio::test]
async fn five_parts_are_encrypted_where_the_header_says_so() {
    let app = TestApp::new().await;
    let encrypted = explain(
        &app,
        &json!({"token": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AA.AA.AA"}),
    )
    .await;
    assert_eq!(encrypted["verdict"]["kind"], "encrypted");
    for other in ["a.b.c.d.e", "eyJhbGciOiJIUzI1NiJ9.e30.AA.AA.AA"] {
        let answer = explain(&app, &json!({"token": other})).await;
        assert_eq!(answer["verdict"]["kind"], "broken");
        assert!(
            answer["verdict"]["text"]
                .as_str()
                .unwrap()
                .contains("`enc`"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn without_a_script_what_a_token_says_is_text_letter_by_letter() {
    let app = TestApp::new().await;
    let claims = json!({"a": "<img src=x>", "rtl": "\u{202e}evil", "exp": START + 60});
    let token = super::key().sign(&claims).unwrap();
    let page = page(&app, &token).await;
    assert!(
        page.contains("&#60;img src=x&#62;") && !page.contains("<img"),
        "{page}"
    );
    assert!(
        page.contains("\\u202eevil") && !page.contains('\u{202e}'),
        "{page}"
    );
}

/// The text of each button, and the value of the hidden field.
fn choices(page: &str) -> (Vec<&str>, &str) {
    let buttons = page.split("name=\"pick\"").skip(1).map(|rest| {
        let (_, text) = rest.split_once('>').unwrap();
        text.split_once('<').unwrap().0
    });
    let (_, hidden) = page.split_once("name=\"among\" value=\"").unwrap();
    (buttons.collect(), hidden.split_once('"').unwrap().0)
}

#[tokio::test]
async fn without_a_script_several_tokens_are_told_apart_and_nothing_else_is_sent_again() {
    let app = TestApp::new().await;
    let [ada, eve] = ["ada", "eve\u{202e}"].map(|sub| {
        let claims = json!({"iss": "i", "sub": sub, "exp": START + 60});
        super::key().sign(&claims).unwrap()
    });
    let pasted = format!("first {ada}\nand my password is hunter2\n{eve}\n");
    let first = page(&app, &pasted).await;
    let (buttons, hidden) = choices(&first);
    assert_eq!(buttons, ["1: sub ada", "2: sub eve\\u202e"]);
    assert_eq!(hidden, format!("{ada} sub ada\n{eve} sub eve\u{202e}"));
    let text = hidden.replace('\n', "\r\n");
    let form = format!(
        "token={ada}&form=text&key={SECRET}&pick=2&among={}",
        escaped(&text)
    );
    let second = app.send(as_form(&form)).await.body;
    assert_eq!(field(&second), eve);
    assert_eq!(choices(&second), (buttons, hidden));
    assert!(second.contains("Number 2 of the 2 tokens that were pasted."));
    assert!(second.contains("is-valid"), "{second}");
    // What is no choice is none.
    for pick in ["0", "3", "x", "-1"] {
        let form = format!("token={ada}&form=text&key={SECRET}&pick={pick}&among=a");
        let other = app.send(as_form(&form)).await.body;
        assert_eq!(field(&other), ada, "{pick}");
    }
}

#[tokio::test]
async fn without_a_script_a_choice_that_no_page_gave_is_not_shown_back() {
    let app = TestApp::new().await;
    let (ada, key) = (token(60), SigningKey::generate(Algorithm::ES256).unwrap());
    let (pem, jwk) = (key.to_pem().unwrap(), key.to_jwk().to_json());
    let one_line = pem.replace('\n', " ");
    let begin = pem.lines().next().unwrap();
    for (crafted, hidden) in [
        (pem.as_str(), "PRIVATE KEY"),
        (one_line.as_str(), "PRIVATE KEY"),
        (begin, "PRIVATE KEY"),
        (jwk.as_str(), "&#34;d&#34;"),
    ] {
        for among in [
            format!("{crafted}\n{ada} sub ada"),
            format!("{ada} sub ada\n{crafted}"),
        ] {
            for pick in ["1", "2"] {
                let form = format!(
                    "token=&form=text&key={SECRET}&pick={pick}&among={}",
                    escaped(&among)
                );
                let page = app.send(as_form(&form)).await.body;
                assert!(!page.contains(hidden), "{pick} of {among}: {page}");
            }
        }
    }
}
