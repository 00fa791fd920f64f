//! `POST /signup`: makes an account.

use std::net::IpAddr;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, Peer};
use crate::error::Error;
use crate::routes::user::AboutUser;
use crate::rules::account::{self, Applicant};
use crate::rules::secret::Secret;
use crate::rules::throttle::{Attempt, Limits};
use crate::store::users::UserRow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    email: String,
    password: Secret,
    name: Option<String>,
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    Json(body): Json<Application>,
) -> Result<(StatusCode, Answer<AboutUser>), Error> {
    let user = sign_up(
        &app,
        peer,
        &body.email,
        body.name.as_deref(),
        &body.password,
    )
    .await?;
    Ok((
        StatusCode::CREATED,
        Answer(AboutUser {
            message: "User created".to_owned(),
            user: user.into(),
        }),
    ))
}

/// An account for whoever asks, however.
pub(super) async fn sign_up(
    app: &App,
    peer: Option<IpAddr>,
    email: &str,
    name: Option<&str>,
    password: &Secret,
) -> Result<UserRow, Error> {
    let applicant = Applicant::new(email, name, password.expose())?;
    let now = app.now();
    let attempt = Attempt::signup(&app.limits, peer);
    // Who may not try takes no place; and who finds none is charged nothing and makes nobody wait.
    attempt.look(&app.store, now).await?;
    let choosing = app.passwords.choosing(Limits::site_of(peer).as_deref())?;
    attempt.charge(&app.store, now).await?;
    let made = account::register(&app.store, &choosing, applicant, &[], now).await;
    let user = attempt.settle(&app.store, made).await?;
    tracing::info!(user = user.id, "account made");
    Ok(user)
}
