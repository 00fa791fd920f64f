use std::time::SystemTime;

use countersign::Timestamp;
use countersign_server::offline::{self, NewUser};
use countersign_server::{Flags, Settings};

use crate::app::{EMAIL, PASSWORD, TestApp};

fn new_user(email: &str, roles: &[&str]) -> NewUser {
    let mut user = NewUser::new(email, PASSWORD.to_owned().into());
    user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
    user
}

#[tokio::test]
async fn a_user_who_is_added_can_log_in() {
    let app = TestApp::new().await;
    let user = offline::add_user(&app.settings(), new_user("Ada@Example.com", &["editor"]))
        .await
        .unwrap();
    assert_eq!(
        (user.email.as_str(), user.roles.as_slice()),
        (EMAIL, ["editor".to_owned()].as_slice())
    );
    app.log_in(EMAIL).await;
    let users = offline::list_users(&app.settings()).await.unwrap();
    assert_eq!(
        users.iter().map(|user| &user.email).collect::<Vec<_>>(),
        [EMAIL]
    );
}

#[tokio::test]
async fn rejects_users_that_cannot_be() {
    let app = TestApp::new().await;
    app.sign_up(EMAIL).await;
    let mut weak = new_user("bob@example.com", &[]);
    weak.password = "weak".to_owned().into();
    for (user, code, exit_code) in [
        (new_user(EMAIL, &[]), "email_taken", 2),
        (new_user("bob", &[]), "invalid_email", 2),
        (
            new_user("bob@example.com", &["Not A Role"]),
            "argument_invalid",
            2,
        ),
        (weak, "weak_password", 3),
    ] {
        let error = offline::add_user(&app.settings(), user).await.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), (code, exit_code));
    }
    let error = offline::set_roles(&app.settings(), "nobody@example.com", &[])
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("user_unknown", 2));
}

#[tokio::test]
async fn a_setup_link_is_printed_while_there_is_no_administrator() {
    let app = TestApp::new().await;
    // The command reads the machine's clock, so here the server does so too.
    app.wait(Timestamp::from(SystemTime::now()).unix_secs() - app.now());
    let first = offline::setup_link(&app.settings()).await.unwrap();
    let second = offline::setup_link(&app.settings()).await.unwrap();
    // A server inside another program says nothing of where that is.
    assert_eq!(second.url, "http://127.0.0.1:8080/setup");
    assert!(second.is_assumed);
    let body =
        |code: String| serde_json::json!({"code": code, "email": EMAIL, "password": PASSWORD});
    let answer = app.post("/setup", &body(first.code.to_string())).await;
    answer.is_problem(401, "invalid_setup_code", "Invalid setup code");
    assert_eq!(
        app.post("/setup", &body(second.code.to_string()))
            .await
            .status,
        201
    );
    let error = offline::setup_link(&app.settings()).await.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("administrator_exists", 2)
    );
}

#[tokio::test]
async fn an_administrator_made_by_the_command_counts_and_one_unmade_does_not() {
    let app = TestApp::new().await;
    offline::add_user(&app.settings(), new_user(EMAIL, &["admin"]))
        .await
        .unwrap();
    assert_eq!(
        offline::setup_link(&app.settings())
            .await
            .unwrap_err()
            .code(),
        "administrator_exists"
    );
    offline::set_roles(&app.settings(), EMAIL, &["editor".to_owned()])
        .await
        .unwrap();
    assert!(offline::setup_link(&app.settings()).await.is_ok());
    offline::set_roles(
        &app.settings(),
        EMAIL,
        &["editor".to_owned(), "admin".to_owned()],
    )
    .await
    .unwrap();
    assert_eq!(
        offline::setup_link(&app.settings())
            .await
            .unwrap_err()
            .code(),
        "administrator_exists"
    );
}

#[tokio::test]
async fn a_folder_without_a_database_stays_empty() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("typo");
    let settings = Settings::load(
        Flags {
            data: Some(data.clone()),
            ..Flags::default()
        },
        [],
    )
    .unwrap();
    let errors = [
        offline::setup_link(&settings).await.unwrap_err(),
        offline::add_user(&settings, new_user(EMAIL, &[]))
            .await
            .unwrap_err(),
        offline::list_users(&settings).await.unwrap_err(),
        offline::set_roles(&settings, EMAIL, &[]).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.code(), error.exit_code()), ("database_missing", 4));
    }
    assert!(!data.exists());
}

#[tokio::test]
async fn roles_that_the_operator_changes_stand_in_the_audit_trail_and_the_same_again_do_not() {
    let app = TestApp::in_present().await;
    app.sign_up(EMAIL).await;
    let roles = ["editor".to_owned()];
    for _ in 0..2 {
        let user = offline::set_roles(&app.settings(), EMAIL, &roles).await;
        assert_eq!(user.unwrap().roles, roles);
    }
    let entries = "SELECT group_concat(event || (about = '{\"user\":\"' || users.id || '\",\"roles\":[\"editor\"]}')) FROM audit, users";
    assert_eq!(app.look_up(entries).await, "roles_changed1");
}
