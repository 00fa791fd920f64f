use serde_json::json;

use crate::app::{EMAIL, PASSWORD, TestApp, claims};

#[tokio::test]
async fn signing_up_makes_an_account_that_can_log_in() {
    let app = TestApp::new().await;
    let answer = app
        .post(
            "/signup",
            &json!({"email": " Ada@Example.com", "password": PASSWORD, "name": "Ada"}),
        )
        .await;
    assert_eq!(answer.status, 201);
    let body = answer.json();
    assert_eq!(body["message"], "User created");
    assert_eq!(body["user"]["email"], EMAIL);
    assert_eq!(
        (&body["user"]["name"], &body["user"]["roles"]),
        (&json!("Ada"), &json!([]))
    );
    assert_eq!(body["user"]["sub"].as_str().unwrap().len(), 36);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.body.contains("argon2"));
    app.log_in(EMAIL).await;
}

#[tokio::test]
async fn rejects_an_address_that_has_an_account_in_any_case() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let answer = app
        .post(
            "/signup",
            &json!({"email": "ADA@example.com", "password": PASSWORD}),
        )
        .await;
    answer.is_problem(409, "email_taken", "Email already registered");
}

#[tokio::test]
async fn rejects_an_address_that_has_an_account_in_another_spelling() {
    let app = TestApp::new().await;
    for email in ["root@x.example", "ada@bücher.example"] {
        app.sign_up(email).await;
    }
    for email in [
        "root@\u{ff58}.example",
        "ada@xn--bcher-kva.example",
        "ada@bu\u{308}cher.example",
    ] {
        let answer = app
            .post("/signup", &json!({"email": email, "password": PASSWORD}))
            .await;
        answer.is_problem(409, "email_taken", "Email already registered");
        app.log_in(email).await;
    }
}

/// As an earlier version stored what was typed.
#[tokio::test]
async fn an_account_that_was_stored_in_another_spelling_goes_on_and_has_its_address_alone() {
    let app = TestApp::new().await;
    let store = "UPDATE users SET email = $1 WHERE email = 'old@x.example'";
    for (old, others) in [
        ("ada@xn--bcher-kva.example", &["ada@bücher.example"][..]),
        ("root@\u{ff58}.example", &[]),
    ] {
        app.sign_up("old@x.example").await;
        app.tamper(store, old).await;
        let sub = claims(&app.log_in(old).await.access)["sub"].clone();
        for other in others {
            assert_eq!(claims(&app.log_in(other).await.access)["sub"], sub);
        }
        for email in others.iter().chain([&old]) {
            let body = json!({"email": email, "password": PASSWORD});
            let answer = app.post("/signup", &body).await;
            answer.is_problem(409, "email_taken", "Email already registered");
        }
    }
    // One that was made beside another in the one form keeps what it was made with.
    app.sign_up("root@x.example").await;
    let (new, old) = (
        app.log_in("root@x.example").await,
        app.log_in("root@\u{ff58}.example").await,
    );
    assert_ne!(claims(&new.access)["sub"], claims(&old.access)["sub"]);
}

#[tokio::test]
async fn rejects_what_is_no_address() {
    let app = TestApp::new().await;
    for email in [
        "ada",
        "",
        "ada@",
        "ada@example.com\r\nx: y",
        "ada@mail.invalid",
    ] {
        let answer = app
            .post("/signup", &json!({"email": email, "password": PASSWORD}))
            .await;
        answer.is_problem(422, "invalid_email", "Invalid e-mail address");
    }
}

#[tokio::test]
async fn rejects_weak_passwords_and_says_why() {
    let app = TestApp::new().await;
    for password in [
        "short",
        "passwordpassword",
        "ada@example.com",
        &"x7$Qp!".repeat(50),
    ] {
        let answer = app
            .post("/signup", &json!({"email": EMAIL, "password": password}))
            .await;
        answer.is_problem(422, "weak_password", "Weak password");
        let body = answer.json();
        assert!(
            body["reasons"]
                .as_array()
                .unwrap()
                .iter()
                .all(|reason| reason.as_str().unwrap().ends_with('.')),
            "{body}"
        );
        assert!(!body["reasons"].as_array().unwrap().is_empty());
    }
}

#[tokio::test]
async fn names_of_the_service_and_of_the_address_make_no_password() {
    let app = TestApp::new().await;
    let sign_up = async |password| {
        let body = json!({"email": "quentin@widget-makers.example", "password": password});
        app.post("/signup", &body).await
    };
    for password in [
        "Countersign2026",
        "widget-makers.example",
        "Widget-Makers42",
        "quentin@widget-makers.example",
    ] {
        let answer = sign_up(password).await;
        assert_eq!(answer.status, 422, "{password}");
        answer.is_problem(422, "weak_password", "Weak password");
    }
    assert_eq!(sign_up("widgets for quentin to make").await.status, 201);
}

#[tokio::test]
async fn nobody_makes_themselves_an_administrator() {
    let app = TestApp::new().await;
    for extra in ["roles", "role", "disabled", "id"] {
        let mut body = json!({"email": EMAIL, "password": PASSWORD});
        body[extra] = json!(["admin"]);
        app.post("/signup", &body)
            .await
            .is_problem(400, "invalid_request", "Invalid request");
    }
    let answer = app
        .post("/login", &json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    answer.is_problem(401, "invalid_credentials", "Invalid credentials");
}

#[tokio::test]
async fn a_flood_of_sign_ups_from_one_network_has_to_wait() {
    let app = TestApp::new().await;
    let body = json!({"email": EMAIL, "password": "too short"});
    for _ in 0..20 {
        app.post("/signup", &body)
            .await
            .is_problem(422, "weak_password", "Weak password");
    }
    let answer = app.post("/signup", &body).await;
    answer.is_problem(429, "too_many_requests", "Too many requests");
    assert_eq!(answer.header("retry-after"), "30");
    app.wait(30);
    app.post("/signup", &body)
        .await
        .is_problem(422, "weak_password", "Weak password");
}
