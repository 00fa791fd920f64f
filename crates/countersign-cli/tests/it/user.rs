//! `countersign user` and `countersign setup-link`.

use crate::support::server::{EMAIL, PASSWORD};
use crate::support::{Bench, Run, Server};

const DATA: [&str; 2] = ["--data", "data"];

/// A bench with a data folder that a server made and left.
fn bench() -> Bench {
    let bench = Bench::new();
    Server::start(&bench).stop();
    bench
}

fn add(bench: &Bench, email: &str, password: &str, more: &[&str]) -> Run {
    let args = [&["user", "add", email, "--password-stdin"], &DATA[..], more].concat();
    bench.run_with(&args, &[], password)
}

#[tokio::test]
async fn a_user_who_was_added_can_log_in_with_the_roles_that_were_given() {
    let bench = bench();
    add(&bench, EMAIL, PASSWORD, &["--role", "editor"]).ok();
    let server = Server::start(&bench);
    let token = server.log_in().await;
    let (status, body) = server
        .get("/profile", token["token"].as_str().unwrap())
        .await;
    assert_eq!(status, 200);
    assert_eq!(body["user"]["roles"], serde_json::json!(["editor"]));
}

#[test]
fn list_shows_users_and_role_replaces_their_roles() {
    let bench = bench();
    add(&bench, EMAIL, PASSWORD, &[]).ok();
    let list = || bench.run(&[&["user", "list"], &DATA[..]].concat());
    assert!(list().ok().starts_with("ada@example.com\t-\t"));
    let role = |roles: &[&str]| bench.run(&[&["user", "role", EMAIL], roles, &DATA[..]].concat());
    role(&["admin", "editor"]).ok();
    assert!(list().ok().starts_with("ada@example.com\tadmin,editor\t"));
    role(&["--none"]).ok();
    let run = bench.run(&[&["user", "list", "--json"], &DATA[..]].concat());
    assert_eq!(run.json()["users"][0]["roles"], serde_json::json!([]));
    role(&[]).fails(2, &["--none"]);
}

#[test]
fn rejects_users_that_cannot_be() {
    let bench = bench();
    add(&bench, EMAIL, "short", &[]).fails(3, &["12 characters"]);
    add(&bench, "nobody", PASSWORD, &[]).fails(2, &["e-mail"]);
    add(&bench, EMAIL, PASSWORD, &[]).ok();
    add(&bench, EMAIL, PASSWORD, &[]).fails(2, &[]);
    bench
        .run(&[&["user", "role", "eve@example.com", "admin"], &DATA[..]].concat())
        .fails(2, &[]);
}

#[test]
fn a_password_is_never_an_argument_and_never_guessed() {
    let bench = bench();
    bench
        .run(&[&["user", "add", EMAIL, PASSWORD], &DATA[..]].concat())
        .misused("unexpected argument");
    bench
        .run(&[&["user", "add", EMAIL], &DATA[..]].concat())
        .fails(2, &["--password-stdin"]);
}

#[test]
fn rejects_a_role_that_is_none_and_names_it() {
    let bench = bench();
    let told = ["\"Admin\" is no name of a role", "a-z"];
    add(
        &bench,
        EMAIL,
        PASSWORD,
        &["--role", "editor", "--role", "Admin"],
    )
    .fails(2, &told);
    add(&bench, EMAIL, PASSWORD, &[]).ok();
    let role = ["user", "role", EMAIL, "editor", "Admin"];
    bench.run(&[&role[..], &DATA[..]].concat()).fails(2, &told);
}

#[test]
fn setup_link_prints_a_code_while_there_is_no_administrator() {
    let bench = bench();
    let setup_link = || bench.run(&[&["setup-link"], &DATA[..]].concat());
    let (first, second) = (setup_link(), setup_link());
    assert!(first.ok().contains("/setup  code "), "{first:?}");
    assert_ne!(first.stdout, second.ok());
    assert!(second.stderr.contains("before is void"), "{second:?}");
    add(&bench, EMAIL, PASSWORD, &["--role", "admin"]).ok();
    setup_link().fails(2, &["administrator"]);
}

#[test]
fn who_takes_the_role_from_the_last_administrator_is_warned() {
    let bench = bench();
    let other = "grace@example.com";
    for email in [EMAIL, other] {
        add(&bench, email, PASSWORD, &["--role", "admin"]).ok();
    }
    let role = |email: &str, roles: &[&str]| {
        let run = bench.run(&[&["user", "role", email], roles, &DATA[..]].concat());
        run.ok();
        run.stderr
    };
    assert_eq!(role(other, &["--none"]), "");
    assert_eq!(role(other, &["editor"]), "");
    assert_eq!(role(EMAIL, &["admin", "editor"]), "");
    let warning = role(EMAIL, &["editor"]);
    assert!(
        warning.starts_with("warning: nobody is an administrator now")
            && warning.contains("setup-link")
            && warning.lines().count() == 1,
        "{warning}"
    );
    assert_eq!(role(EMAIL, &["--none"]), "");
    bench.run(&[&["setup-link"], &DATA[..]].concat()).ok();
}

#[test]
fn rejects_a_data_folder_that_is_not_there_and_makes_none() {
    let bench = Bench::new();
    for args in [
        &["user", "list"][..],
        &["user", "role", EMAIL, "admin"],
        &["setup-link"],
    ] {
        bench.run(&[args, &DATA[..]].concat()).fails(4, &["data"]);
    }
    add(&bench, EMAIL, PASSWORD, &[]).fails(4, &["data"]);
    assert!(bench.names().is_empty());
}
