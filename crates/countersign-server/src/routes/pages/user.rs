//! `/admin/users/{id}`: one account, for administrators; [`super::user_changes`] is what its forms do.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::session::Session;
use crate::app::App;
use crate::body::Named;
use crate::error::Error;
use crate::routes::form::{Field, Form};
use crate::routes::member::Administrator;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::when::When;
use crate::rules::email;
use crate::rules::session::Both;

#[derive(Template)]
#[template(path = "user.html")]
pub(super) struct User {
    shell: Shell,
    id: String,
    email: String,
    /// The address in ASCII, where it is not.
    in_ascii: Option<String>,
    name: Option<String>,
    roles: Vec<String>,
    is_disabled: bool,
    /// Whether it is the account of whoever looks.
    is_own: bool,
    /// The address of whoever looks, so that a password manager fills in the right password.
    own_email: String,
    since: When,
    sessions: Vec<Session>,
    pub(super) forms: Forms,
}

/// What can be done to an account, each with the password of whoever does it.
pub(super) struct Forms {
    pub(super) roles: Form,
    pub(super) sessions: Form,
    /// Disables or enables.
    pub(super) access: Form,
    pub(super) delete: Form,
}

impl Forms {
    fn of(roles: &str) -> Self {
        let confirmed = |prefix| Form::new([own_password()]).with_prefix(prefix);
        let roles = Field {
            value: roles.to_owned(),
            is_required: false,
            about: &["argument_invalid", "last_administrator"],
            help: "Names with a space between them. An empty field takes all roles away."
                .to_owned(),
            ..Field::text("roles", "Roles")
        };
        Self {
            roles: Form::new([roles, own_password()]).with_prefix("roles-"),
            sessions: confirmed("sessions-"),
            access: confirmed("access-"),
            delete: confirmed("delete-"),
        }
    }
}

fn own_password() -> Field {
    Field::present_password("password", "Your own password")
}

pub(crate) async fn get(
    State(app): State<App>,
    Administrator(both): Administrator,
    id: Result<Named, Error>,
    shell: Shell,
) -> Response {
    let Ok(Named(id)) = id else {
        return trouble::trouble(shell, &Error::UserUnknown);
    };
    match User::of(&app, &both, &id, shell).await {
        Ok(user) => page(StatusCode::OK, &user),
        Err((shell, problem)) => trouble::trouble(shell, &problem),
    }
}

impl User {
    /// The page of an account, or what to say instead of it.
    pub(super) async fn of(
        app: &App,
        by: &Both,
        id: &str,
        shell: Shell,
    ) -> Result<Self, (Shell, Error)> {
        let now = app.now();
        let read = async {
            let user = app.store.user_by_id(id).await?;
            let user = user.ok_or(Error::UserUnknown)?;
            Ok((user, app.store.living_sessions(id, now).await?))
        };
        let (user, sessions) = match read.await {
            Ok(read) => read,
            Err(problem) => return Err((shell, problem)),
        };
        let this = by.session.id.as_str();
        let sessions = sessions.into_iter();
        Ok(Self {
            shell,
            roles: user.roles(),
            is_own: user.id == by.user.id,
            own_email: by.user.email.clone(),
            since: When::of(user.created_at, now),
            sessions: sessions.map(|row| Session::of(row, this, now)).collect(),
            forms: Forms::of(&user.roles().join(" ")),
            id: user.id,
            in_ascii: email::in_ascii(&user.email),
            email: user.email,
            name: user.name,
            is_disabled: user.disabled,
        })
    }
}
