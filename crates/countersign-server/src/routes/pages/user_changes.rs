//! `POST /ui/admin/users/{id}/…`: what an administrator does to an account. Each time the password is asked for again,
//! because a session that was left open or stolen must not be enough.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use serde::Deserialize;

use super::user::{Forms, User};
use crate::app::App;
use crate::body::{Named, PageForm, Peer};
use crate::error::Error;
use crate::routes::form::Form;
use crate::routes::member::Administrator;
use crate::routes::notice::Notice;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::rules::account::change::{self, Change};
use crate::rules::account::proof;
use crate::rules::password::Password;
use crate::rules::secret::Secret;
use crate::rules::session::{self, Both};
use crate::rules::throttle::{Attempt, Limits};

/// What a form of these is sent as.
type Sent<T> = Result<PageForm<T>, Error>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoles {
    roles: String,
    password: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmed {
    password: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndSessions {
    /// The identifier of one, or [`ALL`].
    which: String,
    password: Secret,
}

const ALL: &str = "all";

/// An administrator who is about to change an account.
pub(crate) struct Acting {
    app: App,
    by: Arc<Both>,
    peer: Option<IpAddr>,
    id: String,
    shell: Shell,
}

/// Why nothing was changed.
enum Refusal {
    Misshapen(Error),
    Said(Error),
}

impl From<Error> for Refusal {
    fn from(problem: Error) -> Self {
        Self::Said(problem)
    }
}

impl FromRequestParts<App> for Acting {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Administrator(by) = Administrator::from_request_parts(parts, app).await?;
        let shell = match Shell::from_request_parts(parts, app).await {
            Ok(shell) => shell,
            Err(never) => match never {},
        };
        let peer = Peer::from_request_parts(parts, app).await;
        let Ok(Named(id)) = Named::from_request_parts(parts, app).await else {
            return Err(trouble::trouble(shell, &Error::UserUnknown));
        };
        Ok(Self {
            app: app.clone(),
            by,
            peer: peer.ok().and_then(|Peer(peer)| peer),
            id,
            shell,
        })
    }
}

pub(crate) async fn set_roles(acting: Acting, sent: Sent<NewRoles>) -> Response {
    let done = async {
        let NewRoles { roles, password } = read(sent)?;
        acting.confirm(&password).await?;
        let roles = roles.split_whitespace().map(str::to_owned).collect();
        acting
            .change(Change {
                roles: Some(roles),
                ..Change::default()
            })
            .await
    };
    let done = done.await;
    acting
        .answer(done, Notice::RolesChanged, |forms| &mut forms.roles)
        .await
}

pub(crate) async fn disable(acting: Acting, sent: Sent<Confirmed>) -> Response {
    let done = acting.set_disabled(sent, true).await;
    acting
        .answer(done, Notice::UserDisabled, |forms| &mut forms.access)
        .await
}

pub(crate) async fn enable(acting: Acting, sent: Sent<Confirmed>) -> Response {
    let done = acting.set_disabled(sent, false).await;
    acting
        .answer(done, Notice::UserEnabled, |forms| &mut forms.access)
        .await
}

pub(crate) async fn delete(acting: Acting, sent: Sent<Confirmed>) -> Response {
    let done = async {
        acting.confirm(&read(sent)?.password).await?;
        let (id, by) = (&acting.id, &acting.by.user.id);
        change::delete(&acting.app.store, id, by, acting.app.now()).await?;
        tracing::info!(user = id, by, "an account was deleted");
        Ok(())
    };
    match done.await {
        Ok(()) => Notice::UserDeleted.on(acting.app.cookies, "/admin/users"),
        refused => {
            acting
                .answer(refused, Notice::UserDeleted, |forms| &mut forms.delete)
                .await
        }
    }
}

pub(crate) async fn end_sessions(acting: Acting, sent: Sent<EndSessions>) -> Response {
    let done = async {
        let EndSessions { which, password } = read(sent)?;
        acting.confirm(&password).await?;
        let one = (which != ALL).then_some(which.as_str());
        let (store, id, by) = (&acting.app.store, &acting.id, &acting.by.user.id);
        if store.user_by_id(id).await?.is_none() {
            return Err(Refusal::Said(Error::UserUnknown));
        }
        let ended = session::end_of_account(store, id, one, by, acting.app.now()).await?;
        tracing::info!(user = id, sid = one, by, ended, "sessions were ended");
        Ok(())
    };
    let done = done.await;
    acting
        .answer(done, Notice::SessionsEnded, |forms| &mut forms.sessions)
        .await
}

fn read<T>(sent: Sent<T>) -> Result<T, Refusal> {
    sent.map(|PageForm(body)| body).map_err(Refusal::Misshapen)
}

impl Acting {
    /// It is still the administrator who sits there. Guessing their password is limited as at the door.
    async fn confirm(&self, password: &Secret) -> Result<(), Error> {
        let (app, user, now) = (&self.app, &self.by.user, self.app.now());
        let attempt = Attempt::login(&app.store, &app.limits, &user.email, self.peer, now).await?;
        // Who may not try takes no place; and who finds none is charged nothing and makes nobody wait.
        attempt.look(&app.store, now).await?;
        let checking = app
            .passwords
            .checking(Limits::site_of(self.peer).as_deref())?;
        attempt.charge(&app.store, now).await?;
        let password = Password::new(password.expose());
        let proven = proof::confirm(&app.store, &checking, user, &password, &attempt, now).await;
        attempt.settle(&app.store, proven).await
    }

    async fn set_disabled(&self, sent: Sent<Confirmed>, disabled: bool) -> Result<(), Refusal> {
        self.confirm(&read(sent)?.password).await?;
        self.change(Change {
            disabled: Some(disabled),
            ..Change::default()
        })
        .await
    }

    async fn change(&self, change: Change) -> Result<(), Refusal> {
        let (id, by, now) = (&self.id, &self.by.user.id, self.app.now());
        change::change(&self.app.store, id, &change, by, now).await?;
        tracing::info!(user = id, by, "an account was changed");
        Ok(())
    }

    /// Back to the page of the account: with what was done, or with what was wrong in the form that was sent.
    async fn answer(
        self,
        done: Result<(), Refusal>,
        notice: Notice,
        form: impl FnOnce(&mut Forms) -> &mut Form,
    ) -> Response {
        let Self {
            app, by, id, shell, ..
        } = self;
        let Err(refusal) = done else {
            return notice.on(app.cookies, &format!("/admin/users/{id}"));
        };
        let mut user = match User::of(&app, &by, &id, shell).await {
            Ok(user) => user,
            Err((shell, problem)) => return trouble::trouble(shell, &problem),
        };
        let form = form(&mut user.forms);
        let sent = std::mem::take(form);
        let problem = match refusal {
            Refusal::Misshapen(problem) => {
                *form = sent.misshapen(&problem);
                problem
            }
            Refusal::Said(problem) => {
                *form = sent.refused(&problem);
                problem
            }
        };
        trouble::answer(&problem, |status| page(status, &user))
    }
}
