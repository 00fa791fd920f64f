//! `/admin/users`: the accounts, for administrators.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::error::Error;
use crate::routes::member::Administrator;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::when::When;
use crate::routes::{next, trouble, users};
use crate::rules::email;
use crate::store::users::UserRow;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    shell: Shell,
    /// What was looked for.
    email: String,
    users: Vec<User>,
    /// The query of the page after this one.
    next: Option<String>,
    is_first: bool,
}

struct User {
    id: String,
    email: String,
    /// The address in ASCII, where it is not.
    in_ascii: Option<String>,
    name: Option<String>,
    roles: Vec<String>,
    is_disabled: bool,
    since: When,
}

#[derive(Deserialize)]
pub(crate) struct Window {
    email: Option<String>,
    after: Option<String>,
}

/// `/admin`, which people type: the first of the pages for administrators.
pub(crate) async fn first(_: Administrator) -> Redirect {
    Redirect::to("/admin/users")
}

pub(crate) async fn get(
    State(app): State<App>,
    _: Administrator,
    window: Result<Query<Window>, QueryRejection>,
    shell: Shell,
) -> Response {
    let Ok(Query(window)) = window else {
        let problem = Error::Query("the query takes `email` and `after`, each once");
        return trouble::trouble(shell, &problem);
    };
    let email = window.email.unwrap_or_default().trim().to_owned();
    let after = window.after.unwrap_or_default();
    let (rows, next) = match users::some(&app, &email, &after, users::DEFAULT_LIMIT).await {
        Ok(found) => found,
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let now = app.now();
    let users = Users {
        shell,
        next: next.map(|next| format!("?email={}&after={next}", next::escape(&email))),
        email,
        users: rows.into_iter().map(|row| User::of(row, now)).collect(),
        is_first: after.is_empty(),
    };
    page(StatusCode::OK, &users)
}

impl User {
    fn of(row: UserRow, now: i64) -> Self {
        Self {
            roles: row.roles(),
            since: When::of(row.created_at, now),
            id: row.id,
            in_ascii: email::in_ascii(&row.email),
            email: row.email,
            name: row.name,
            is_disabled: row.disabled,
        }
    }
}
