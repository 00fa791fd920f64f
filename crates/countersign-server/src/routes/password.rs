//! `POST /password/change`: a new password for the present one.

use std::net::IpAddr;

use axum::Json as Answer;
use axum::extract::State;
use countersign::AccessToken;
use countersign_http::Claims;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::{Json, Peer};
use crate::error::Error;
use crate::rules::account::new_password::{self, Owner};
use crate::rules::password::Password;
use crate::rules::secret::Secret;
use crate::rules::throttle::{Attempt, Limits};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    current: Secret,
    new: Secret,
}

#[derive(Serialize)]
pub(crate) struct Done {
    message: &'static str,
}

pub(crate) async fn change(
    State(app): State<App>,
    Peer(peer): Peer,
    Claims(token): Claims<AccessToken>,
    Json(body): Json<Change>,
) -> Result<Answer<Done>, Error> {
    let sid = token.sid.as_deref().unwrap_or_default();
    replace(&app, peer, (&token.sub, sid), &body.current, &body.new).await?;
    Ok(Answer(Done {
        message: "Password changed",
    }))
}

/// A new password for the account `user`, from its session `sid`, however it is asked for.
pub(super) async fn replace(
    app: &App,
    peer: Option<IpAddr>,
    (user, sid): (&str, &str),
    current: &Secret,
    new: &Secret,
) -> Result<(), Error> {
    let now = app.now();
    let user = app.store.user_by_id(user).await?;
    let owner = Owner {
        user: user.ok_or(Error::WrongPassword)?,
        session: sid.to_owned(),
    };
    // Whoever holds a stolen token must not guess the password faster than at the door.
    let email = owner.user.email.as_str();
    let attempt = Attempt::login(&app.store, &app.limits, email, peer, now).await?;
    // Who may not try takes no place; and who finds none is charged nothing and makes nobody wait.
    attempt.look(&app.store, now).await?;
    let site = Limits::site_of(peer);
    let queues = (
        app.passwords.checking(site.as_deref())?,
        app.passwords.choosing(site.as_deref())?,
    );
    attempt.charge(&app.store, now).await?;
    let passwords = (Password::new(current.expose()), Password::new(new.expose()));
    let changed = new_password::change(&app.store, queues, &owner, passwords, &attempt, now).await;
    attempt.settle(&app.store, changed).await?;
    tracing::info!(
        user = owner.user.id,
        sid,
        "the password was changed, and the other sessions ended"
    );
    Ok(())
}
