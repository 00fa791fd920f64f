use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, CustomizedPasswordHasher as _, Params};
use serde_json::{Value, json};

use crate::app::{Answer, EMAIL, ISSUER, MINUTE, PASSWORD, START, TestApp, claims, post};

async fn attempt(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/login", &json!({"email": email, "password": password}))
        .await
}

#[tokio::test]
async fn logging_in_hands_out_both_tokens() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let answer = attempt(&app, "ADA@example.com ", PASSWORD).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (
            answer.header("cache-control"),
            answer.header("content-type")
        ),
        ("no-store", "application/json")
    );
    assert!(answer.cookies().is_empty());
    let body = answer.json();
    let members: Vec<_> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        [
            "access_token",
            "expires_in",
            "message",
            "refresh_token",
            "token",
            "token_type"
        ]
    );
    assert_eq!(
        (&body["message"], &body["token_type"]),
        (&json!("Login successful"), &json!("Bearer"))
    );
    assert_eq!(body["token"], body["access_token"]);
    assert!(body["refresh_token"].as_str().unwrap().starts_with("v1."));
}

#[tokio::test]
async fn an_access_token_says_what_rfc_9068_asks_for() {
    let (app, tokens) = TestApp::with_session().await;
    let decoded = countersign::dangerous::decode_unverified(&tokens.access).unwrap();
    assert_eq!(
        (decoded.header.typ(), decoded.header.alg()),
        (Some("at+jwt"), "ES256")
    );
    assert!(decoded.header.kid().is_some());
    let claims = claims(&tokens.access);
    let members: Vec<_> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        [
            "aud",
            "auth_time",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "roles",
            "sid",
            "status",
            "sub"
        ]
    );
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["client_id"]),
        (&json!(ISSUER), &json!(ISSUER), &json!("first-party"))
    );
    assert_eq!(
        (&claims["iat"], &claims["auth_time"], &claims["roles"]),
        (&json!(START), &json!(START), &json!([]))
    );
    let answer = attempt(&app, EMAIL, PASSWORD).await.json();
    let claims = crate::app::claims(answer["token"].as_str().unwrap());
    let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(answer["expires_in"], json!(lives));
    assert!((570..=600).contains(&lives));
}

#[tokio::test]
async fn every_log_in_is_a_session_of_its_own() {
    let (app, first) = TestApp::with_session().await;
    let second = app.log_in(EMAIL).await;
    let (first, second) = (claims(&first.access), claims(&second.access));
    assert_eq!(first["sub"], second["sub"]);
    assert_ne!(first["sid"], second["sid"]);
    assert_ne!(first["jti"], second["jti"]);
}

#[tokio::test]
async fn unknown_and_wrong_are_one_answer() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let mut answers: Vec<(Vec<String>, String)> = Vec::new();
    let too_long = "x".repeat(300);
    for (email, password) in [
        (EMAIL, "wrong horse battery staple"),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
        (EMAIL, ""),
        (EMAIL, &too_long),
    ] {
        let answer = attempt(&app, email, password).await;
        answer.is_problem(401, "invalid_credentials", "Invalid credentials");
        let names = answer
            .headers
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        answers.push((names, answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn rejects_a_body_with_a_member_missing_unknown_or_misshapen() {
    let app = TestApp::new().await;
    let bodies: [Value; 7] = [
        json!({}),
        json!({"email": EMAIL}),
        json!({"password": PASSWORD}),
        json!({"email": 1, "password": PASSWORD}),
        json!({"email": EMAIL, "password": PASSWORD, "session": "both"}),
        json!({"email": EMAIL, "password": PASSWORD, "admin": true}),
        json!([EMAIL, PASSWORD, "token"]),
    ];
    for body in bodies {
        let answer = app.post("/login", &body).await;
        answer.is_problem(400, "invalid_request", "Invalid request");
        assert!(!answer.body.contains(PASSWORD) && !answer.body.contains(EMAIL));
    }
    let answer = app.post("/login", &json!({"email": EMAIL})).await;
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("`password`"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn guessing_has_to_wait_and_the_right_password_too_but_not_for_long() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for _ in 0..10 {
        attempt(&app, EMAIL, "wrong horse battery staple")
            .await
            .is_problem(401, "invalid_credentials", "Invalid credentials");
    }
    let answer = attempt(&app, EMAIL, PASSWORD).await;
    answer.is_problem(429, "too_many_requests", "Too many requests");
    assert_eq!(answer.header("retry-after"), "30");
    app.wait(30);
    assert_eq!(attempt(&app, EMAIL, PASSWORD).await.status, 200);
    // The success gave everything back.
    for _ in 0..10 {
        attempt(&app, EMAIL, "wrong horse battery staple")
            .await
            .is_problem(401, "invalid_credentials", "Invalid credentials");
    }
}

#[tokio::test]
async fn guesses_at_one_account_are_counted_together_however_its_address_is_spelled() {
    let app = TestApp::new().await;
    app.sign_up("ada@bücher.example").await;
    let spellings = [
        "ada@bücher.example",
        "ada@xn--bcher-kva.example",
        "ada@b\u{fc}cher.\u{ff45}xample",
        " ADA@BU\u{308}CHER.example",
    ];
    for spelling in spellings.iter().cycle().take(10) {
        attempt(&app, spelling, "wrong horse battery staple")
            .await
            .is_problem(401, "invalid_credentials", "Invalid credentials");
    }
    for spelling in spellings {
        attempt(&app, spelling, PASSWORD).await.is_problem(
            429,
            "too_many_requests",
            "Too many requests",
        );
    }
    app.wait(30);
    assert_eq!(attempt(&app, spellings[3], PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_stranger_elsewhere_does_not_lock_anybody_out_and_an_unknown_account_is_limited_alike() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        let mut answered = Vec::new();
        for _ in 0..12 {
            let request = post(
                "/login",
                &json!({"email": email, "password": "wrong horse battery staple"}),
            );
            answered.push(
                app.send_from("203.0.113.9:1", request)
                    .await
                    .status
                    .as_u16(),
            );
        }
        assert_eq!(
            answered,
            [[401; 10].as_slice(), &[429; 2]].concat(),
            "{email}"
        );
    }
    assert_eq!(attempt(&app, EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn strangers_on_many_networks_do_not_lock_out_where_the_owner_logs_in_from() {
    let (app, _) = TestApp::with_session().await;
    let wrong = json!({"email": EMAIL, "password": "wrong horse battery staple"});
    let mut refused = 0;
    for i in 0..60 {
        let request = post("/login", &wrong);
        let answer = app.send_from(&format!("203.0.{i}.9:1"), request).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10);
    assert_eq!(attempt(&app, EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn behind_a_proxy_on_this_machine_one_client_does_not_lock_out_the_others() {
    let app = TestApp::with(&[("PUBLIC_URL", "https://id.example")]).await;
    app.sign_up(EMAIL).await;
    for i in 0..110 {
        let nobody = format!("nobody{i}@example.com");
        let answer = attempt(&app, &nobody, "").await;
        answer.is_problem(401, "invalid_credentials", "Invalid credentials");
    }
    assert_eq!(attempt(&app, EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_however_often_it_is_refreshed() {
    let app = TestApp::with(&[("SESSION_TTL", "1h"), ("SESSION_IDLE_TTL", "50m")]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    app.wait(45 * MINUTE);
    let answer = app.refresh(&tokens.refresh).await;
    assert_eq!(answer.status, 200);
    app.wait(10 * MINUTE);
    let answer = app
        .refresh(answer.json()["refresh_token"].as_str().unwrap())
        .await;
    // The access token never outlives the session.
    assert_eq!(answer.json()["expires_in"], 5 * MINUTE);
    app.wait(5 * MINUTE);
    let answer = app
        .refresh(answer.json()["refresh_token"].as_str().unwrap())
        .await;
    answer.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_earlier() {
    let app = TestApp::with(&[("SESSION_TTL", "1h"), ("SESSION_IDLE_TTL", "50m")]).await;
    app.sign_up(EMAIL).await;
    let tokens = app.log_in(EMAIL).await;
    app.wait(50 * MINUTE);
    app.refresh(&tokens.refresh).await.is_problem(
        401,
        "invalid_refresh_token",
        "Invalid refresh token",
    );
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_answered_like_an_unknown_one() {
    let (app, tokens) = TestApp::with_session().await;
    app.tamper("UPDATE users SET disabled = TRUE WHERE email = $1", EMAIL)
        .await;
    app.get_as("/profile", &tokens.access)
        .await
        .is_problem(401, "token_revoked", "Invalid token");
    let refreshed = app.refresh(&tokens.refresh).await;
    refreshed.is_problem(401, "invalid_refresh_token", "Invalid refresh token");
    let disabled = attempt(&app, EMAIL, PASSWORD).await;
    let unknown = attempt(&app, "nobody@example.com", PASSWORD).await;
    disabled.is_problem(401, "invalid_credentials", "Invalid credentials");
    assert_eq!(disabled.body, unknown.body);
}

#[tokio::test]
async fn a_hash_of_older_parameters_is_renewed_by_a_log_in_and_by_nothing_else() {
    const HASH: &str = "SELECT password_hash FROM users";
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    // The same password under less work: 8 MiB and one pass.
    let less = Params::new(8192, 1, 1, Some(32)).unwrap();
    let older: PasswordHash = Argon2::default()
        .hash_password_with_params(PASSWORD.as_bytes(), &[5; 16], less)
        .unwrap();
    app.tamper("UPDATE users SET password_hash = $1", &older.to_string())
        .await;
    attempt(&app, EMAIL, "wrong horse battery staple").await;
    assert_eq!(app.look_up(HASH).await, older.to_string());
    app.log_in(EMAIL).await;
    let renewed = app.look_up(HASH).await;
    assert!(
        renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{renewed}"
    );
    app.log_in(EMAIL).await;
    assert_eq!(app.look_up(HASH).await, renewed);
}
