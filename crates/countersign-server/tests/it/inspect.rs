//! The inspector: what it says of tokens, to whom, and what it keeps to itself.

mod attempts;
mod issuers;
mod pasted;
mod programs;
mod said;
mod sessions;

use countersign::{Algorithm, SigningKey, Timestamp};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, ISSUER, START, TestApp, post};

const SECRET: &str = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";

fn key() -> SigningKey {
    SigningKey::from_secret(Algorithm::HS256, SECRET).unwrap()
}

fn token(life: i64) -> String {
    let exp = START.saturating_add(life);
    let claims = json!({
        "iss": "https://id.example", "sub": "ada", "aud": "orders-api", "iat": START, "exp": exp,
    });
    key().sign(&claims).unwrap()
}

fn secret() -> Value {
    json!({"form": "text", "text": SECRET})
}

async fn explain(app: &TestApp, question: &Value) -> Value {
    let answer = app.post("/inspect/explain", question).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn kind(app: &TestApp, question: &Value) -> String {
    let answer = explain(app, question).await;
    answer["verdict"]["kind"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_fate_of_a_token_has_its_word() {
    let app = TestApp::new().await;
    let (good, over) = (token(60), token(-1));
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let elsewhere = SigningKey::generate(Algorithm::ES256).unwrap();
    let elsewhere = elsewhere.sign(&json!({"exp": START + 60})).unwrap();
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AA.AA.AA";
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    let not_yet = json!({"token": good, "key": secret(), "at": START - 60});
    for (question, expected) in [
        (json!({"token": good, "key": secret()}), "valid"),
        (json!({"token": over, "key": secret()}), "expired"),
        (
            json!({"token": good, "key": secret(), "at": START + 60}),
            "expired",
        ),
        (not_yet, "not_yet"),
        (json!({"token": good}), "unverified"),
        (json!({"token": over}), "expired"),
        (
            json!({"token": format!("{good}AAAA"), "key": secret()}),
            "forged",
        ),
        (json!({"token": unsigned, "key": secret()}), "forged"),
        (
            json!({"token": elsewhere, "key": {"form": "jwk", "text": *other.to_jwk().to_json()}}),
            "refused",
        ),
        (
            json!({"token": good, "key": secret(), "policy": {"aud": ["billing-api"]}}),
            "refused",
        ),
        (json!({"token": "nonsense", "key": secret()}), "broken"),
        (json!({"token": encrypted, "key": secret()}), "encrypted"),
    ] {
        assert_eq!(kind(&app, &question).await, expected, "{question}");
    }
}

#[tokio::test]
async fn the_steps_are_those_of_the_engine_and_what_was_signed_stands_beside_them() {
    let app = TestApp::new().await;
    let token = token(60);
    let answer = explain(&app, &json!({"token": token, "key": secret()})).await;
    let verifier = countersign::Verifier::new(
        key().verifying_key(),
        countersign::Policy::builder()
            .any_issuer()
            .any_audience()
            .plain_or_access_token()
            .build()
            .unwrap(),
    );
    let report = verifier.explain(&token, Timestamp::from_unix_secs(START));
    assert_eq!(answer["report"], serde_json::to_value(&report).unwrap());
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(answer["signature"]["signed_bytes"], signed.len());
    assert_eq!(answer["signature"]["bytes"], 32);
    assert_eq!(answer["signature"]["hex"].as_str().unwrap().len(), 64);
    assert_eq!(answer["now"], START);
    assert_eq!(answer["live"], true);
}

#[tokio::test]
async fn keys_are_taken_in_the_form_that_is_stated_and_in_no_other() {
    let app = TestApp::new().await;
    let token = token(60);
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    for (form, text) in [
        ("text", SECRET.to_owned()),
        ("hex", hex),
        ("jwk", (*key().to_jwk().to_json()).clone()),
    ] {
        let question = json!({"token": token, "key": {"form": form, "text": text}});
        assert_eq!(kind(&app, &question).await, "valid", "{form}");
    }
    // The same letters as base64 are another secret, and that is said.
    let base64 = json!({"token": token, "key": {"form": "base64", "text": SECRET}});
    let told = explain(&app, &base64).await;
    assert_eq!(told["verdict"]["kind"], "unverified");
    assert_eq!(
        told["hint"],
        "The signature holds where the secret is read as text, letter by letter."
    );
    let told = explain(
        &app,
        &json!({"token": token, "key": {"form": "text", "text": format!("{SECRET}\n")}}),
    )
    .await;
    assert_eq!(
        told["hint"],
        "The signature holds where the secret is taken without the space around it."
    );
    let signing = SigningKey::generate(Algorithm::ES256).unwrap();
    let signed = signing.sign(&json!({"exp": START + 60})).unwrap();
    let pem = signing.verifying_key().to_pem().unwrap();
    let question = json!({"token": signed, "key": {"form": "pem", "text": pem}});
    assert_eq!(kind(&app, &question).await, "valid");
    let set = json!({"keys": [serde_json::from_str::<Value>(&signing.verifying_key().to_public_jwk().unwrap().to_json()).unwrap()]});
    let question = json!({"token": signed, "key": {"form": "jwks", "text": set.to_string()}});
    assert_eq!(kind(&app, &question).await, "valid");
    let wrong = explain(
        &app,
        &json!({"token": signed, "key": {"form": "jwk", "text": pem}}),
    )
    .await;
    assert_eq!(wrong["verdict"]["kind"], "unverified");
    assert!(
        wrong["key_problem"]["message"]
            .as_str()
            .unwrap()
            .contains("no JWK")
    );
}

#[tokio::test]
async fn a_secret_that_is_too_short_says_how_many_bytes_it_lacks() {
    let app = TestApp::new().await;
    let answer = explain(
        &app,
        &json!({"token": token(60), "key": {"form": "text", "text": "secret"}}),
    )
    .await;
    assert_eq!(answer["key_problem"]["code"], "key_weak");
    assert!(
        answer["key_problem"]["message"]
            .as_str()
            .unwrap()
            .contains("6 bytes")
    );
    assert_eq!(answer["verdict"]["kind"], "unverified");
}

#[tokio::test]
async fn the_servers_own_tokens_are_verified_with_its_own_keys() {
    let (app, tokens) = TestApp::with_session().await;
    let question = json!({"token": tokens.access, "key": {"form": "issuer", "text": ISSUER}});
    let answer = explain(&app, &question).await;
    assert_eq!(answer["verdict"]["kind"], "valid", "{answer}");
}

#[tokio::test]
async fn only_an_administrator_sends_the_server_out_for_the_keys_of_others() {
    let app = TestApp::new().await;
    // Nothing listens there: to be refused and not to be reached are told apart.
    let question =
        json!({"token": token(60), "key": {"form": "issuer", "text": "http://127.0.0.1:1"}});
    let guest = explain(&app, &question).await;
    assert!(
        guest["key_problem"]["message"]
            .as_str()
            .unwrap()
            .contains("only an administrator"),
        "{guest}"
    );
    let administrator = app.administrator().await;
    let request = post("/inspect/explain", &question);
    let answer = as_member(&app, request, &administrator.access).await.json();
    let message = answer["key_problem"]["message"].as_str().unwrap();
    assert!(!message.contains("administrator"), "{message}");
}

async fn as_member(app: &TestApp, mut request: Request<axum::body::Body>, token: &str) -> Answer {
    let headers = request.headers_mut();
    let cookies = format!("at={token}; __Host-at={token}");
    headers.insert("cookie", cookies.parse().unwrap());
    headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
    app.send(request).await
}

#[tokio::test]
async fn what_was_edited_is_signed_when_it_is_asked_for_with_the_key_that_was_given() {
    let app = TestApp::new().await;
    let payload = r#"{ "sub":"eve",  "exp":4102444800 }"#;
    let edited = json!({"header": r#"{"alg":"none","typ":"at+jwt","kid":"mine"}"#, "payload": payload, "key": {"form": "text", "text": SECRET, "alg": "HS256"}});
    let answer = app.post("/inspect/sign", &edited).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        kind(&app, &json!({"token": token, "key": secret()})).await,
        "valid"
    );
    let header = countersign::Unverified::parse(&token).unwrap();
    assert_eq!(
        (
            header.header().alg(),
            header.header().typ(),
            header.header().kid()
        ),
        ("HS256", Some("at+jwt"), Some("mine"))
    );
    // Letter by letter.
    let sent = token.split('.').nth(1).unwrap();
    assert_eq!(sent, base64url(payload));
    let public = SigningKey::generate(Algorithm::ES256)
        .unwrap()
        .verifying_key()
        .to_pem()
        .unwrap();
    let edited = json!({"header": "{}", "payload": "{}", "key": {"form": "pem", "text": public}});
    let refused = app.post("/inspect/sign", &edited).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn claims_named_like_what_objects_inherit_and_markup_are_said_as_they_are_and_do_nothing() {
    let app = TestApp::new().await;
    let claims = json!({"__proto__": {"isAdmin": true}, "constructor": "x", "toString": "<img src=x onerror=alert(1)>", "exp": START + 60});
    let token = key().sign(&claims).unwrap();
    assert_eq!(
        kind(&app, &json!({"token": token, "key": secret()})).await,
        "valid"
    );
    let form = format!(
        "token={token}&form=text&key={SECRET}&alg=&iss=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&aud=&typ=&leeway=&at="
    );
    let page = app.send(as_form(&form)).await;
    assert!(
        page.body.contains("&#60;img src=x") && !page.body.contains("<img"),
        "{}",
        page.body
    );
    // A member of our own answer by such a name is one that we do not know.
    let strange = r#"{"token":"a.b.c","__proto__":{"at":1}}"#;
    let request = Request::post("/inspect/explain").header("content-type", "application/json");
    let answer = app
        .send(request.body(strange.to_owned().into()).unwrap())
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

fn as_form(fields: &str) -> Request<axum::body::Body> {
    let request = Request::post("/ui/inspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    request.body(fields.to_owned().into()).unwrap()
}

#[tokio::test]
async fn the_page_works_without_a_script() {
    let app = TestApp::new().await;
    let page = app.get("/inspect").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.body.contains("action=\"/ui/inspect\"") && page.body.contains("No token"));
    let form = format!(
        "token={}&form=text&key={SECRET}&alg=&iss=&aud=billing-api&typ=&leeway=&at=",
        token(60)
    );
    let page = app.send(as_form(&form)).await;
    for text in [
        "Refused",
        "billing-api",
        "RFC 7519 §4.1.3",
        "ask the issuer for one with audience",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    // A token that ended 299 seconds ago would pass with 300 of leeway.
    let over = token(-299);
    for (leeway, text) in [
        ("300", "Valid"),
        ("-300", "The leeway is below zero"),
        ("-1", "The leeway is below zero"),
        ("-9223372036854775808", "The leeway is below zero"),
        ("x", "The leeway is no whole number of seconds"),
        ("1.5", "The leeway is no whole number of seconds"),
    ] {
        let form =
            format!("token={over}&form=text&key={SECRET}&alg=&iss=&aud=&typ=&leeway={leeway}&at=");
        let page = app.send(as_form(&form)).await.body;
        assert!(page.contains(text), "{leeway}: {page}");
        assert_eq!(page.contains("is-valid"), text == "Valid", "{leeway}");
    }
}

/// What makes markup or a script of a text, keeps something, or asks in a way that no policy of ours has seen.
const FORBIDDEN: [&str; 23] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacent",
    "document.write",
    "DOMParser",
    "setHTML",
    "srcdoc",
    "createContextualFragment",
    "createElement(\"script",
    "setAttribute(\"on",
    "el(\"script",
    "eval(",
    "new Function",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "document.cookie",
    "caches.",
    "import(",
    "XMLHttpRequest",
    "WebSocket",
    "sendBeacon",
    "EventSource",
];

/// Every module under a folder.
fn modules(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.extension() {
            None => modules(&path),
            Some(end) if end == "js" => vec![path],
            Some(_) => vec![],
        })
        .collect()
}

/// A module without its comments, which may name what it does not do.
fn code_of(module: &str) -> String {
    let lines = module.lines().map(str::trim_start);
    let code = lines.filter(|line| !["//", "/*", "*"].iter().any(|mark| line.starts_with(mark)));
    code.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_modules_of_the_page_make_no_markup_keep_nothing_and_are_small() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/js");
    let all = modules(folder.as_ref());
    for known in ["inspect/main.js", "flow/main.js", "theme.js", "session.js"] {
        assert!(all.iter().any(|path| path.ends_with(known)), "{known}");
    }
    for path in all {
        let code = code_of(&std::fs::read_to_string(&path).unwrap());
        for forbidden in FORBIDDEN {
            assert!(!code.contains(forbidden), "{} {forbidden}", path.display());
        }
    }
    let app = TestApp::new().await;
    let page = app.get("/inspect").await.body;
    let loaded: std::collections::BTreeSet<&str> = page
        .split('"')
        .filter(|part| part.starts_with("/assets/js/"))
        .collect();
    assert!(loaded.len() > 10, "{loaded:?}");
    let mut bytes = 0;
    for path in loaded {
        bytes += app.get(path).await.body.len();
    }
    assert!(bytes < 60_000, "{bytes}");
}

#[tokio::test]
async fn what_an_issuer_might_mend_is_said_beside_the_verdict() {
    let app = TestApp::new().await;
    let claims = json!({"iss": "i", "email": "ada@example.com", "exp": START + 60});
    let token = key().sign(&claims).unwrap();
    let answer = explain(&app, &json!({"token": token, "key": secret()})).await;
    let members: Vec<&str> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["member"].as_str())
        .collect();
    assert!(members.contains(&"email"), "{answer}");
    assert_eq!(answer["verdict"]["kind"], "valid");
    let broken = explain(&app, &json!({"token": "a.b"})).await;
    assert_eq!(broken["findings"], json!([]));
}

#[tokio::test]
async fn what_is_asked_is_in_no_cache_and_no_log() {
    let app = TestApp::new().await;
    for (path, body) in [
        ("/inspect/explain", json!({"token": token(60)})),
        (
            "/inspect/experiment",
            json!({"attempt": "alg_none", "token": token(60)}),
        ),
    ] {
        let answer = app.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn pages_of_other_origins_ask_nothing_here_also_those_on_the_list() {
    let app = TestApp::with(&[("CORS_ORIGIN", "https://app.example")]).await;
    for origin in ["https://app.example", "https://evil.example", "null"] {
        let mut request = post("/inspect/explain", &json!({"token": "a.b.c"}));
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn who_may_open_it_is_a_setting() {
    let live = [("INSPECTOR", "signed-in")];
    let app = TestApp::with(&live).await;
    let guest = app.get("/inspect").await;
    assert_eq!(
        (guest.status.as_u16(), guest.header("location")),
        (303, "/log-in?next=/inspect")
    );
    let answer = app
        .post("/inspect/explain", &json!({"token": "a.b.c"}))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["code"], "log_in_needed");
    assert!(!app.get("/").await.body.contains("href=\"/inspect\""));
    app.sign_up(crate::app::EMAIL).await;
    let tokens = app.log_in(crate::app::EMAIL).await;
    let question = post(
        "/inspect/explain",
        &json!({"token": token(60), "key": secret()}),
    );
    assert_eq!(
        as_member(&app, question, &tokens.access).await.status,
        StatusCode::OK
    );
    let off = TestApp::with(&[("INSPECTOR", "off")]).await;
    assert_eq!(off.get("/inspect").await.status, StatusCode::NOT_FOUND);
    assert!(!off.get("/").await.body.contains("href=\"/inspect\""));
    let public = TestApp::new().await;
    assert!(public.get("/").await.body.contains("href=\"/inspect\""));
}

#[tokio::test]
async fn a_question_may_be_large_and_not_without_end() {
    let app = TestApp::new().await;
    let large = format!("eyJhbGciOiJIUzI1NiJ9.{}.AA", "A".repeat(1_400_000));
    let answer = explain(&app, &json!({"token": large, "key": secret()})).await;
    assert_eq!(answer["verdict"]["code"], "malformed_too_large");
    let answer = app
        .post(
            "/inspect/explain",
            &json!({"token": "A".repeat(2 * 1024 * 1024)}),
        )
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_network_that_asks_without_end_has_to_wait_also_where_nobody_can_read_what_it_asks() {
    let app = TestApp::new().await;
    let mut refused = None;
    for number in 0..1_300 {
        let request = match number % 4 {
            0 => post("/inspect/explain", &json!({"token": "a"})),
            1 => post("/inspect/sign", &json!({"what": "else"})),
            2 => Request::post("/inspect/program").body("{".into()).unwrap(),
            _ => as_form("x=1"),
        };
        let answer = app.send_from("192.0.2.7:5", request).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some((number, answer));
            break;
        }
    }
    let (number, refused) = refused.unwrap();
    assert_eq!(
        (number, refused.header("retry-after")),
        (1_200, "1"),
        "{refused:?}"
    );
    let page = app.send_from("192.0.2.7:5", as_form("token=a")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.body.contains("too many attempts"), "{}", page.body);
    let request = post("/inspect/explain", &json!({"token": "a"}));
    assert_eq!(
        app.send_from("198.51.100.7:5", request).await.status,
        StatusCode::OK
    );
}

/// A server that others reach over TLS, where who comes from a private address may be a proxy for everybody.
async fn live(inspector: &str) -> TestApp {
    TestApp::with(&[
        ("PUBLIC_URL", "https://id.example"),
        ("INSPECTOR", inspector),
    ])
    .await
}

#[tokio::test]
async fn an_account_that_asks_without_end_has_to_wait_wherever_it_asks_from() {
    let app = live("signed-in").await;
    app.sign_up(crate::app::EMAIL).await;
    app.sign_up("eve@example.com").await;
    let ada = app.log_in(crate::app::EMAIL).await;
    let eve = app.log_in("eve@example.com").await;
    let ask = async |tokens: &crate::app::Tokens, peer: &str| {
        let mut request = post("/inspect/explain", &json!({"token": "a"}));
        let cookie = format!("__Host-at={}", tokens.access);
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        app.send_from(peer, request).await.status.as_u16()
    };
    for number in 0..1_200 {
        let peer = ["10.0.0.7:5", "127.0.0.1:5", "192.0.2.7:5"][number % 3];
        assert_eq!(ask(&ada, peer).await, 200, "{number}");
    }
    for peer in ["10.0.0.7:5", "198.51.100.7:5"] {
        assert_eq!(ask(&ada, peer).await, 429, "{peer}");
    }
    assert_eq!(ask(&eve, "10.0.0.7:5").await, 200);
}

#[tokio::test]
async fn strangers_who_cannot_be_told_apart_wait_together_and_nobody_else_with_them() {
    let app = live("public").await;
    let ask = async |peer: &str| {
        let request = post("/inspect/explain", &json!({"token": "a"}));
        app.send_from(peer, request).await.status.as_u16()
    };
    for number in 0..1_200 {
        let peer = ["10.0.0.7:5", "127.0.0.1:5", "[fd00::7]:5"][number % 3];
        assert_eq!(ask(peer).await, 200, "{number}");
    }
    for peer in ["10.0.0.7:5", "192.168.1.1:5"] {
        assert_eq!(ask(peer).await, 429, "{peer}");
    }
    assert_eq!(ask("198.51.100.7:5").await, 200);
}
