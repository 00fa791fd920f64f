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
async fn trying_codes_has_to_wait_and_the_right_one_counts_for_nothing() {
    let app = TestApp::new().await;
    let code = code(&app).await;
    let weak = json!({"code": code, "email": EMAIL, "password": "weak"});
    for _ in 0..12 {
        assert_eq!(app.post("/setup", &weak).await.status, 422);
    }
    let from_elsewhere = |code: &str| {
        let request = crate::app::post("/setup", &body(code));
        app.send_from("203.0.113.9:1", request)
    };
    for _ in 0..10 {
        let answer = from_elsewhere("0000-0000-0000-0000").await;
        answer.is_problem(401, "invalid_setup_code", "Invalid setup code");
    }
    for guess in ["0000-0000-0000-0001", &code] {
        let answer = from_elsewhere(guess).await;
        answer.is_problem(429, "too_many_requests", "Too many requests");
        assert_eq!(answer.header("retry-after"), "30");
    }
    assert_eq!(app.post("/setup", &body(&code)).await.status, 201);
    // Who comes too late is told so without a charge.
    for _ in 0..12 {
        assert_eq!(app.post("/setup", &body(&code)).await.status, 409);
    }
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
    let taken = app.post("/setup", &with("bob@example.com", PASSWORD)).await;
    assert!(
        taken
            .body
            .contains("`countersign user role EMAIL admin --data DIR`"),
        "{taken:?}"
    );
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
        "code=wrong&email=%22%3E%3Cscript%3E%40example.com&password=lantern+orbit+quilt+mosaic+42",
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("content-type")),
        (401, "text/html; charset=utf-8")
    );
    assert!(
        refused.problem_of("code-problem")
            == "The code is wrong or its hour is over. Print a new one with <code>countersign setup-link --data DIR</code>."
    );
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
        weak.body.to_lowercase().contains("at least 12 characters")
            && weak.body.contains(&code)
            && weak.body.contains("ada@example.com")
    );
    let made = post_form(
        &app,
        &format!("code={code}&email=ada%40example.com&password=lantern+orbit+quilt+mosaic+42"),
    )
    .await;
    made.leads_to("/log-in");
    assert!(made.cookies()[0].starts_with("notice=administrator-made;"));
    assert!(
        app.get("/setup")
            .await
            .body
            .contains("There is an administrator.")
    );
    app.log_in(EMAIL).await;
    let again = post_form(
        &app,
        &format!("code={code}&email=eve%40example.com&password=lantern+orbit+quilt+mosaic+42"),
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

#[tokio::test]
async fn a_browser_is_answered_with_pages() {
    let app = TestApp::new().await;
    // Before it is done, nobody is told that they did it.
    let early = app.get("/setup").await;
    assert!(early.body.contains("action=\"/ui/setup\""));
    let form = app.get("/ui/setup").await;
    assert_eq!(
        (form.status.as_u16(), form.header("location")),
        (303, "/setup")
    );
    let request = Request::post("/ui/setup")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://elsewhere.example");
    let refused = app.send(request.body(Body::from("code=x")).unwrap()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("content-type")),
        (403, "text/html; charset=utf-8")
    );
    assert!(refused.body.contains("This form did not come from here."));
    // The API stays JSON.
    let request = Request::post("/login").header("origin", "https://elsewhere.example");
    let refused = app.send(request.body(Body::empty()).unwrap()).await;
    refused.is_problem(403, "cross_site", "Cross-site request refused");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_in_sentences() {
    let app = TestApp::new().await;
    for (fields, place) in [
        ("code=x", "problem"),
        ("code=x&email=a&password=b", "code-problem"),
    ] {
        let refused = post_form(&app, fields).await;
        let problem = refused.problem_of(place);
        assert!(
            problem.starts_with(char::is_uppercase) && problem.ends_with('.'),
            "{problem}"
        );
        assert!(
            !problem.contains('`') && !problem.contains("; "),
            "{problem}"
        );
    }
}
