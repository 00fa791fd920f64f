use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::{Answer, EMAIL, MINUTE, PASSWORD, TestApp, claims};

const HOUR: i64 = 60 * MINUTE;

async fn code(app: &TestApp) -> String {
    app.server.offer_setup().await.unwrap().unwrap().to_string()
}

fn body(code: &str) -> Value {
    json!({"code": code, "email": EMAIL, "password": PASSWORD})
}

async fn post_form(app: &TestApp, fields: &str) -> Answer {
    let request = Request::post("/ui/setup")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://127.0.0.1:8080");
    app.send(request.body(Body::from(fields.to_owned())).unwrap())
        .await
}

#[tokio::test]
async fn the_code_makes_the_first_administrator() {
    let app = TestApp::new().await;
    let code = code(&app).await;
    let answer = app
        .post("/setup", &body(&code.to_lowercase().replace('-', "")))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["message"], "Administrator created");
    assert_eq!(
        (
            &answer.json()["user"]["email"],
            &answer.json()["user"]["roles"]
        ),
        (&json!(EMAIL), &json!(["admin"]))
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = app.log_in(EMAIL).await;
    assert_eq!(claims(&tokens.access)["roles"], json!(["admin"]));
    app.post("/setup", &body(&code)).await.is_problem(
        409,
        "administrator_exists",
        "Administrator exists",
    );
    assert!(app.server.offer_setup().await.unwrap().is_none());
}

#[tokio::test]
async fn rejects_a_wrong_code_and_one_that_is_over_or_replaced() {
    let app = TestApp::new().await;
    let refused =
        |answer: Answer| answer.is_problem(401, "invalid_setup_code", "Invalid setup code");
    refused(app.post("/setup", &body("")).await);
    let first = code(&app).await;
    refused(app.post("/setup", &body("0000-0000-0000-0000")).await);
    refused(app.post("/setup", &body("")).await);
    let second = code(&app).await;
    refused(app.post("/setup", &body(&first)).await);
    app.wait(HOUR);
    refused(app.post("/setup", &body(&second)).await);
    let third = code(&app).await;
    app.wait(HOUR - 1);
    assert_eq!(app.post("/setup", &body(&third)).await.status, 201);
}

#[tokio::test]
async fn a_mistake_does_not_spend_the_code() {
    let app = TestApp::new().await;
    let code = code(&app).await;
    let with =
        |email: &str, password: &str| json!({"code": code, "email": email, "password": password});
    app.post("/setup", &with("nobody", PASSWORD))
        .await
        .is_problem(422, "invalid_email", "Invalid e-mail address");
    app.post("/setup", &with(EMAIL, "weak")).await.is_problem(
        422,
        "weak_password",
        "Weak password",
    );
    app.sign_up("bob@example.com").await;
    app.post("/setup", &with("bob@example.com", PASSWORD))
        .await
        .is_problem(409, "email_taken", "Email already registered");
    assert_eq!(app.post("/setup", &with(EMAIL, PASSWORD)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_becomes_the_administrator() {
    let app = std::sync::Arc::new(TestApp::new().await);
    let code = code(&app).await;
    let mut racing = JoinSet::new();
    for i in 0..16 {
        let (app, code) = (std::sync::Arc::clone(&app), code.clone());
        let body =
            json!({"code": code, "email": format!("user{i}@example.com"), "password": PASSWORD});
        racing.spawn(async move { app.post("/setup", &body).await.status.as_u16() });
    }
    let mut statuses = racing.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[201].as_slice(), &[409; 15]].concat());
}

#[tokio::test]
async fn the_form_works_without_javascript() {
    let app = TestApp::new().await;
    let code = code(&app).await;
    let page = app.get("/setup").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    for text in [
        "method=\"post\" action=\"/ui/setup\"",
        "name=\"code\"",
        "name=\"email\"",
        "name=\"password\"",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let refused = post_form(
        &app,
        "code=wrong&email=%22%3E%3Cscript%3E%40example.com&password=correct+horse+battery+staple",
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("content-type")),
        (401, "text/html; charset=utf-8")
    );
    assert!(refused.body.contains("role=\"alert\"") && refused.body.contains("the code is wrong"));
    assert!(
        !refused.body.contains("<script>") && !refused.body.contains("battery"),
        "{}",
        refused.body
    );
    let weak = post_form(
        &app,
        &format!("code={code}&email=ada%40example.com&password=weak"),
    )
    .await;
    assert_eq!(weak.status, 422);
    assert!(
        weak.body.contains("at least 12 characters")
            && weak.body.contains(&code)
            && weak.body.contains("ada@example.com")
    );
    let made = post_form(
        &app,
        &format!("code={code}&email=ada%40example.com&password=correct+horse+battery+staple"),
    )
    .await;
    assert_eq!(
        (made.status.as_u16(), made.header("location")),
        (303, "/setup")
    );
    assert!(
        app.get("/setup")
            .await
            .body
            .contains("There is an administrator.")
    );
    app.log_in(EMAIL).await;
    let again = post_form(
        &app,
        &format!("code={code}&email=eve%40example.com&password=correct+horse+battery+staple"),
    )
    .await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn rejects_a_form_with_other_fields() {
    let app = TestApp::new().await;
    for fields in [
        "",
        "code=x",
        "code=x&code=y&email=a&password=b",
        "code=x&email=a&password=b&roles=admin",
    ] {
        let answer = post_form(&app, fields).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (400, "text/html; charset=utf-8"),
            "{fields}"
        );
    }
    let json = app.post("/ui/setup", &body("x")).await;
    assert_eq!(json.status, 415);
    let large = post_form(&app, &format!("code={}", "x".repeat(70_000))).await;
    assert_eq!(large.status, 413);
}
